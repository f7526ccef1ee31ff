"""diasum data"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from diasum.cli import options
from diasum.cli.groups import Command, Group

app = typer.Typer(
    cls=Group,
    help="Check, count, convert and redact conversations and summaries.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Source = Annotated[
    str, typer.Argument(help="Corpus: hub id, local file or folder, or the bundled `everyday` or `sample`.")
]


@app.command(cls=Command)
def check(
    data: Source,
    base: options.Base = None,
    claims: Annotated[
        int,
        typer.Option(
            min=0,
            help="Summaries whose claims are compared with their dialogue, a sample where there are more; 0: all.",
        ),
    ] = 5_000,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a report with plots, one HTML page.")
    ] = None,
    fix: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT", help="Also write a cleaned copy, and a list of the changes beside it; never in place."
        ),
    ] = None,
    format_: options.Format = None,
    set_: options.Set = None,
    json_: options.Json = False,
) -> None:
    """Look for leaks between splits, duplicates, empty, damaged, copied or too long rows, other languages, unsupported claims.

    Exits with 1 when there are errors or warnings.
    """
    from diasum import api_data
    from diasum.cli.drawing import console, print_json

    report = api_data.check_data(
        data,
        base=base,
        claims=claims or None,
        html=html,
        fix=fix,
        settings=options.overrides(set_, data__format=format_),
    )
    if json_:
        print_json(asdict(report))
    else:
        out = console()
        for finding in report.findings:
            out.print(finding.line, markup=False)
        for note in report.notes:
            out.print(f"note: {note}", markup=False)
        if not report.findings:
            out.print(f"{data}: no {'other ' if report.notes else ''}problems found.")
        for line in report.written:
            out.print(line, markup=False)
    if not report.clean:
        raise typer.Exit(1)


@app.command(cls=Command)
def stats(data: Source, format_: options.Format = None, set_: options.Set = None, json_: options.Json = False) -> None:
    """Count dialogues, turns, speakers and words, by split."""
    from diasum import api_data
    from diasum.cli.drawing import console, print_json, stats_table

    figures = api_data.data_stats(data, settings=options.overrides(set_, data__format=format_))
    if json_:
        print_json(asdict(figures))
    else:
        out = console()
        out.print(stats_table(asdict(figures)["splits"]))
        for note in figures.notes:
            out.print(f"note: {note}")


@app.command(cls=Command)
def redact(
    data: Annotated[
        str,
        typer.Argument(
            help="Corpus: hub id, local file or folder, or the bundled `everyday` or `sample`; or a text file with one conversation."
        ),
    ],
    out: Annotated[
        Path, typer.Argument(help="Folder for one .jsonl file per split, or a .jsonl file for a single split.")
    ],
    mapping: Annotated[
        Path | None,
        typer.Option(help="File to keep what the placeholders stand for, for `data restore`; only you may read it."),
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="Hide other people's given names, too, not only speakers' names.")
    ] = False,
    set_: options.Set = None,
) -> None:
    """Put placeholders for e-mail addresses, telephone, card and account numbers, addresses, speakers' names and the like."""
    from diasum import api_data
    from diasum.cli.drawing import console

    for line in api_data.redact_data(data, out, mapping=mapping, names=names, settings=options.overrides(set_)):
        console().print(line, markup=False)


@app.command(cls=Command)
def restore(
    file: Annotated[
        Path, typer.Argument(help="Jsonl with the conversations' ids, or a text about the mapping's only one.")
    ],
    out: Annotated[Path, typer.Argument(help="File to write.")],
    mapping: Annotated[Path, typer.Option(help="File that `data redact --mapping` wrote.")],
) -> None:
    """Put back what `data redact` hid: diasum data restore summaries.jsonl restored.jsonl --mapping FILE"""
    from diasum import api_data
    from diasum.cli.drawing import console

    console().print(api_data.restore_data(file, out, mapping=mapping), markup=False)


@app.command(cls=Command)
def convert(
    data: Source,
    out: Annotated[
        Path, typer.Argument(help="Folder for one .jsonl file per split, or a .jsonl file for a single split.")
    ],
    format_: options.Format = None,
    set_: options.Set = None,
) -> None:
    """Convert a corpus from any supported layout to jsonl with turns and references."""
    from diasum import api_data
    from diasum.cli.drawing import console

    for line in api_data.convert_data(data, out, settings=options.overrides(set_, data__format=format_)):
        console().print(line)


@app.command(cls=Command)
def split(
    data: Source,
    out: Annotated[Path, typer.Argument(help="Folder for train.jsonl, validation.jsonl and test.jsonl.")],
    by: Annotated[
        str,
        typer.Option(
            help="conversation; speaker (nobody is in two parts); time (each part is later than the one before)."
        ),
    ] = "conversation",
    shares: Annotated[str, typer.Option(help="Of train, validation and test; or of train and test.")] = "80,10,10",
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is drawn at random.")] = 0,
    set_: options.Set = None,
) -> None:
    """Divide a corpus into training, validation and test; dialogues that are the same, or nearly, stay in one part."""
    from diasum import api_data
    from diasum.cli.drawing import console
    from diasum.errors import DiasumError

    try:
        numbers = [float(share) for share in shares.split(",")]
    except ValueError:
        raise DiasumError(f"--shares: expected numbers, found `{shares}`.", hint="For example 80,10,10.") from None
    for line in api_data.split_data(data, out, by=by, shares=numbers, seed=seed, settings=options.overrides(set_)):
        console().print(line, markup=False)


@app.command(cls=Command)
def show(
    file: Annotated[Path, typer.Argument(help="A file, folder or zip archive with conversations.")],
    format_: options.Format = None,
    group_by: options.GroupBy = None,
    split_pause: options.SplitPause = None,
    alias: options.Alias = None,
    keep_nonspeech: options.KeepNonspeech = False,
    turns: Annotated[int, typer.Option(min=1, help="First and last turns shown of each conversation.")] = 3,
    most: Annotated[int, typer.Option("--conversations", min=1, help="Conversations shown.")] = 5,
    json_: options.Json = False,
) -> None:
    """Show how a file is read: format, speakers, first and last turns, and what was left out."""
    from diasum import api_data
    from diasum.cli.drawing import console, print_json
    from diasum.cli.reading import drawn, record

    dialogues = api_data.show_data(
        file,
        format_ or "auto",
        group_by=group_by,
        split_pause=split_pause,
        aliases=alias or [],
        keep_nonspeech=keep_nonspeech,
    )
    if json_:
        print_json([record(one) for one in dialogues])
        return
    for line in drawn(dialogues, most, turns):
        print(line)
    if len(dialogues) > most:
        console().print(f"{len(dialogues) - most:,} more conversations; --conversations {len(dialogues)} shows all.")
