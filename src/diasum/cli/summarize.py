"""diasum summarize"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from diasum.cli import options


def summarize(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Conversations: text, one each, or jsonl, one a line. Standard input if none."),
    ] = None,
    run: Annotated[
        str, typer.Option(help="Run directory, adapter or model folder, hub id, or the bundled `mini`.")
    ] = "mini",
    base: options.Base = None,
    num_beams: Annotated[int | None, typer.Option(help="Beams; 1 is greedy search.")] = None,
    max_new_tokens: Annotated[int | None, typer.Option(help="Longest summary, in tokens.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a summary.")] = False,
) -> None:
    """Summarise conversations: cat chat.txt | diasum summarize"""
    from diasum import api
    from diasum.cli.drawing import console
    from diasum.inference.conversations import read_conversations

    conversations = read_conversations(files or [], sys.stdin.buffer)
    summarizer = api.load(run, base=base)
    generate: dict[str, Any] = options.given(num_beams=num_beams, max_new_tokens=max_new_tokens)
    summaries = summarizer.summarize_all([one.dialogue for one in conversations], **generate)
    many = len(summaries) > 1
    for conversation, summary in zip(conversations, summaries, strict=True):
        if jsonl:
            record = {
                "id": conversation.id,
                "summary": summary.text,
                "cut": summary.cut,
                "turns_cut": summary.turns_cut,
            }
            print(json.dumps(record, ensure_ascii=False), flush=True)
        else:
            print(f"{conversation.id}: {summary.text}" if many else summary.text, flush=True)
        if summary.turns_cut:
            console().print(f"note: {conversation.id}: {summary.turns_cut} turns did not fit the model's input.")
