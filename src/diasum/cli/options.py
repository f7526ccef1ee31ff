"""Options that several commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Base = Annotated[str | None, typer.Option(help="Base model: hub id, local folder, or the bundled `mini`.")]
Data = Annotated[
    str | None, typer.Option(help="Corpus: hub id, local file or folder, or the bundled `everyday` or `sample`.")
]
NeededData = Annotated[
    str, typer.Option("--data", help="Corpus: hub id, local file or folder, or the bundled `everyday` or `sample`.")
]
RunFolder = Annotated[Path, typer.Option("--run", help="Run directory.")]
Config = Annotated[str | None, typer.Option(help="Settings file (YAML), or the name of a bundled recipe.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="section.key=value", help="A setting; may be repeated.")
]
Split = Annotated[
    str | None, typer.Option(help="Split to evaluate (default: evaluate.split, which is `test` unless set).")
]
Protocol = Annotated[
    str | None,
    typer.Option(
        help="How ROUGE is computed: auto (by the references' script), rouge-score, dialogsum-paper, unicode, ... (see docs/protocols.md)."
    ),
]
Dtype = Annotated[
    str | None, typer.Option(help="Number type for generation: auto (fp32), fp32 or bf16; see generate.dtype.")
]
Engine = Annotated[
    str | None, typer.Option(help="What generates: auto, torch-fast, torch-plain or ct2; see generate.engine.")
]
Out = Annotated[Path | None, typer.Option(help="Folder to write predictions, metrics and report to.")]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", help="What exports are read as: whatsapp, slack, ... (default: auto, what their content shows)."
    ),
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        help="Column that joins the rows of a table with a message per row, such as ticket_id (default: found)."
    ),
]
SplitPause = Annotated[
    str | None, typer.Option(help="Cut an export into conversations where nobody writes for longer: 30m, 8h, 2d.")
]
Alias = Annotated[
    list[str] | None,
    typer.Option(
        "--alias", metavar="LABEL=NAME", help='One person under two labels: --alias "Ana P.=Ana". May be repeated.'
    ),
]
KeepNonspeech = Annotated[
    bool, typer.Option("--keep-nonspeech", help="Keep notices, placeholders of media and the like as turns.")
]
Json = Annotated[bool, typer.Option("--json", help="Print only the figures, as JSON, on standard output.")]


def given_options(**options: object) -> dict[str, object]:
    """The options the user gave, by dotted path (``train__epochs`` stands for ``train.epochs``)."""
    return {name.replace("__", "."): value for name, value in options.items() if value is not None}


def overrides(items: list[str] | None, **options: object) -> list[str | tuple[str, object]]:
    """`--set` items and the flags that stand for settings; none goes before another."""
    return [*given_options(**options).items(), *(items or [])]
