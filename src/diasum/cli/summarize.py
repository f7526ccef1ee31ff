"""diasum summarize"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from diasum.cli import options

if TYPE_CHECKING:
    from diasum.summarization import Summary

PORTION = 64  # conversations summarised before their summaries are printed


def summarize(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Conversations: text, one each, or jsonl, json, csv, tsv or parquet with many. Standard input if none."
        ),
    ] = None,
    run: Annotated[
        str, typer.Option(help="Run directory, adapter or model folder, hub id, or the bundled `mini`.")
    ] = "mini",
    base: options.Base = None,
    dialogue_column: Annotated[
        str | None, typer.Option(help="Column or key of the conversations, where none of the usual names is there.")
    ] = None,
    id_column: Annotated[str | None, typer.Option(help="Column or key of their ids, likewise.")] = None,
    num_beams: Annotated[int | None, typer.Option(help="Beams; 1 is greedy search.")] = None,
    max_new_tokens: Annotated[int | None, typer.Option(help="Longest summary, in tokens.")] = None,
    dtype: options.Dtype = None,
    jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="Print one JSON object a summary, with the conversation's id where it has one."),
    ] = False,
) -> None:
    """Summarise conversations: cat chat.txt | diasum summarize"""
    from diasum import api
    from diasum.cli.drawing import console
    from diasum.dialogue.files.conversations import Names, read_conversations
    from diasum.progress import Bars
    from diasum.summarization import NOTHING

    conversations = read_conversations(files or [], sys.stdin.buffer, Names(dialogue_column, id_column))
    out = console()
    summarizer = api.load(run, base=base, dtype=dtype)
    for note in summarizer.trained.notes:
        out.print(f"note: {note}", markup=False)
    generate: dict[str, Any] = options.given(num_beams=num_beams, max_new_tokens=max_new_tokens)
    many = len(conversations) > 1
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        bars("summarising", done, len(conversations))

    with Bars(out, shown=many and not sys.stdout.isatty()) as bars:
        advance(0)
        # In portions, so that a long job shows its results as they come and an interruption loses few of them.
        for begin in range(0, len(conversations), PORTION):
            portion = conversations[begin : begin + PORTION]
            said = [one.dialogue for one in portion if not one.dialogue.is_empty]
            done = begin
            summaries = iter(summarizer.summarize_all(said, progress=advance, **generate) if said else [])
            for number, conversation in enumerate(portion, begin + 1):
                name = conversation.id or str(number)
                empty = conversation.dialogue.is_empty
                summary = NOTHING if empty else next(summaries)
                if jsonl:
                    print(_json(conversation.id, summary), flush=True)
                else:
                    print(f"{name}: {' '.join(summary.text.splitlines())}" if many else summary.text, flush=True)
                if empty:
                    out.print(f"note: {name}: {conversation.where} is empty, and so is its summary.", markup=False)
                if summary.lost and summary.lost.matters:
                    out.print(f"note: {name}: {summary.lost.note('this conversation')}", markup=False)
                if summary.turns_cut:
                    out.print(f"note: {name}: the model {summary.read}; the rest did not fit its input.", markup=False)
            advance(len(portion) - len(said))


def _json(identifier: str | None, summary: Summary) -> str:
    named = {} if identifier is None else {"id": identifier}
    return json.dumps(named | summary.to_record(), ensure_ascii=False)
