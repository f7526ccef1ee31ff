"""diasum summarize"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from diasum.cli import options
from diasum.errors import DiasumError
from diasum.signals import Stopped

if TYPE_CHECKING:
    from rich.console import Console

    from diasum.dialogue.read import ReadDialogue
    from diasum.progress import Bars
    from diasum.summarization import Summarizer, Summary

PORTION = 64  # conversations summarised before their summaries are printed


def summarize(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Conversations: texts, transcripts, exports of chats (a file, folder or zip), or tables with one a row (default: standard "
            "input)."
        ),
    ] = None,
    run: Annotated[
        str, typer.Option(help="Run directory, adapter or model folder, hub id, or the bundled `mini`.")
    ] = "mini",
    base: options.Base = None,
    dialogue_column: Annotated[
        str | None, typer.Option(help="Column or key of the conversations, if it has none of the usual names.")
    ] = None,
    id_column: Annotated[
        str | None, typer.Option(help="Column or key of their ids, if it has none of the usual names.")
    ] = None,
    group_by: options.GroupBy = None,
    format_: options.Format = None,
    split_pause: options.SplitPause = None,
    alias: options.Alias = None,
    keep_nonspeech: options.KeepNonspeech = False,
    num_beams: Annotated[int | None, typer.Option(help="Number of beams; 1 is greedy search.")] = None,
    max_new_tokens: Annotated[int | None, typer.Option(help="Maximum length of a summary in tokens.")] = None,
    dtype: options.Dtype = None,
    engine: options.Engine = None,
    redact: Annotated[
        bool | None,
        typer.Option(
            "--redact/--no-redact",
            help="Hide addresses, numbers and speakers' names from the model, and restore them in the summary (default: as the run does).",
        ),
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="With --redact: hide other people's given names, too.")
    ] = False,
    set_: options.Set = None,
    jsonl: Annotated[
        bool,
        typer.Option("--jsonl", help="Print one JSON object per summary, with the conversation's id if it has one."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Print below each summary which of its sentences the conversation supports, and by which turns (English only).",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write a record of each summary to this file, .jsonl or .parquet, instead of printing them; an interrupted job goes on "
            "where it was (see docs/bulk.md)."
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="With --out: only the I-th of N parts of the rows, for N machines."),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="With --out: begin anew, whatever is there of an earlier job.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="With --out: end at the first row that cannot be summarised, instead of setting it aside."
        ),
    ] = False,
    ray: Annotated[
        int | None,
        typer.Option(metavar="N", help="With --out: N engines on Ray Data, here or on a cluster (extra `ray`)."),
    ] = None,
) -> None:
    """Summarise conversations: cat chat.txt | diasum summarize"""
    from diasum.cli.drawing import console

    settings = options.overrides(
        set_,
        generate__num_beams=num_beams,
        generate__max_new_tokens=max_new_tokens,
        generate__dtype=dtype,
        generate__engine=engine,
        prompt__redact=_redact(redact, names),
    )
    reading = {
        "format": format_,
        "dialogue_column": dialogue_column,
        "id_column": id_column,
        "group_by": group_by,
        "split_pause": split_pause,
        "aliases": alias,
        "keep_nonspeech": keep_nonspeech,
    }
    model = _Model(run, base, settings)
    _check_options(out is not None, jsonl=jsonl, check=check, shard=shard, restart=restart, strict=strict, ray=ray)
    if out is not None:
        _to_file(files or [], out, model, reading, console(), shard=shard, restart=restart, strict=strict, ray=ray)
    else:
        _to_standard_output(files or [], model, reading, console(), jsonl=jsonl, check=check)


class _Model(NamedTuple):
    """What summarises, as the user named it."""

    run: str
    base: str | None
    settings: list[str | tuple[str, object]]


def _check_options(to_file: bool, **given: bool | str | int | None) -> None:
    """Refuse options that the other way of giving summaries has."""
    for name, value in given.items():
        if value not in (None, False) and (name in ("jsonl", "check")) == to_file:
            raise DiasumError(
                f"--{name} is for summaries that are {'printed' if to_file else 'written to a file'}.",
                hint="Leave it out: the file has a JSON object per summary anyway." if to_file else "Add --out FILE.",
            )
    if given["jsonl"] and given["check"]:
        raise DiasumError(
            "--check is for summaries that are read.", hint="Leave it out: each JSON object has the check."
        )


def _to_file(files: Sequence[Path], out: Path, model: _Model, reading: dict[str, Any], on: Console, **how: Any) -> None:
    from diasum import api_bulk
    from diasum.wording import counted, duration

    if not files and sys.stdin.isatty():
        raise DiasumError(
            "There is nothing to summarise.",
            hint="Give files, or pipe conversations in: cat many.jsonl | diasum summarize --out OUT",
        )
    try:
        result = api_bulk.summarize_files(
            files or sys.stdin.buffer,
            out,
            model.run,
            base=model.base,
            settings=model.settings,
            console=on,
            **how,
            **reading,
        )
    except (Stopped, KeyboardInterrupt):
        on.print("Stopped. Go on with the same command: what is done stays done.")
        raise
    if result.set_aside:
        on.print(f"{counted(result.set_aside, 'row')} set aside in {result.rejected}.")
    on.print(f"{counted(result.summaries, 'summary', 'summaries')} in {result.out} ({duration(result.seconds)}).")
    if result.cut:
        on.print(f"note: {_cut_by_length(result.cut, result.summaries)}", markup=False)


def _to_standard_output(
    files: Sequence[Path], model: _Model, reading: dict[str, Any], on: Console, *, jsonl: bool, check: bool
) -> None:
    from diasum import api
    from diasum.cli.checking import check_lines
    from diasum.dialogue.files.conversations import read_conversations
    from diasum.dialogue.formats.source import Names
    from diasum.dialogue.read import reading_of, readings
    from diasum.progress import Bars

    columns = Names(reading.pop("dialogue_column"), reading.pop("id_column"), reading.pop("group_by"))
    conversations = read_conversations(files, sys.stdin.buffer, reading_of(reading.pop("format"), columns, **reading))
    for line in readings(conversations):
        on.print(line, markup=False)
    summarizer = api.load(model.run, base=model.base, settings=model.settings)
    trained = summarizer.trained
    for note in trained.notes:
        on.print(f"note: {note}", markup=False)
    if trained.judge is not None and not (jsonl or check or trained.generate.rerank):
        on.print(f"note: what the judge {trained.judge.name} finds is shown with --check or --jsonl.", markup=False)
    cut: list[str] = []
    with Bars(on, shown=len(conversations) > 1 and not sys.stdout.isatty()) as bars:
        for name, conversation, summary in _summaries(summarizer, conversations, bars):
            print(_shown(name, conversation, summary, jsonl=jsonl, alone=len(conversations) == 1), flush=True)
            if check:
                print("\n".join(check_lines(summary, conversation.dialogue)), flush=True)
            for note in _notes(conversation, summary):
                on.print(f"note: {name}: {note}", markup=False)
            if summary.summary_cut:
                cut.append(name)
    if cut:
        on.print(f"note: {_cut_by_length(len(cut), len(conversations), cut)}", markup=False)


def _summaries(
    summarizer: Summarizer, conversations: Sequence[ReadDialogue], bars: Bars
) -> Iterator[tuple[str, ReadDialogue, Summary]]:
    """Each conversation with its name (its id or number) and its summary.

    In portions, so that a long job shows its results as they come and an interruption loses few of them.
    """
    from diasum.summarization import NOTHING

    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        bars("summarising", done, len(conversations))

    advance(0)
    for begin in range(0, len(conversations), PORTION):
        portion = conversations[begin : begin + PORTION]
        dialogues = [one.dialogue for one in portion if not one.dialogue.is_empty]
        done = begin
        summaries = iter(summarizer.summarize_all(dialogues, progress=advance) if dialogues else [])
        for number, conversation in enumerate(portion, begin + 1):
            summary = NOTHING if conversation.dialogue.is_empty else next(summaries)
            yield conversation.id or str(number), conversation, summary
        advance(len(portion) - len(dialogues))


def _redact(redact: bool | None, names: bool) -> str | None:
    """What the two options say together, as `prompt.redact` has it."""
    if names and not redact:
        raise DiasumError("--names says what --redact hides.", hint="Give both: --redact --names")
    return None if redact is None else "names" if names else "on" if redact else "off"


def _shown(name: str, conversation: ReadDialogue, summary: Summary, *, jsonl: bool, alone: bool) -> str:
    """A summary as it is printed: among others on a line of its own, with its name."""
    if jsonl:
        return _json(conversation.id, summary)
    return summary.text if alone else f"{name}: {' '.join(summary.text.splitlines())}"


def _notes(conversation: ReadDialogue, summary: Summary) -> Iterator[str]:
    """What a reader of the summary must know."""
    if conversation.dialogue.is_empty:
        yield f"{conversation.where} is empty, and so is its summary."
    if summary.lost and summary.lost.matters:
        yield summary.lost.note("this conversation")
    if summary.redacted:
        from diasum.redaction.redactor import in_words

        yield f"hidden from the model: {in_words(summary.redacted)}."
    if summary.read_in_windows:
        yield f"the conversation was {summary.read_in_windows}."
    if summary.turns_cut:
        yield f"the model {summary.read}; the rest did not fit its input (to read all of it: --set generate.long=windows)."


def _cut_by_length(cut: int, total: int, names: Sequence[str] = ()) -> str:
    """How many of all summaries reached their length limit, and which, in a sentence."""
    which = "the summary was" if total == 1 else f"{cut:,} of {total:,} summaries {'was' if cut == 1 else 'were'}"
    named = f": {', '.join(names[:5])}{', ...' if cut > 5 else ''}" if names and total > 1 else ""
    return f"{which} cut by the length limit{named} (more room: --max-new-tokens)."


def _json(identifier: str | None, summary: Summary) -> str:
    named = {} if identifier is None else {"id": identifier}
    return json.dumps(named | summary.to_record(), ensure_ascii=False)
