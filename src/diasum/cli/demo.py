"""diasum demo"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from diasum.cli import options
from diasum.signals import INTERRUPT


def demo(
    run: Annotated[Path | None, typer.Option(help="Run directory (default: runs/demo, or the next free name).")] = None,
    examples: Annotated[int, typer.Option(help="Number of summaries to print beside the human ones.")] = 3,
    set_: options.Set = None,
) -> None:
    """Fine-tune the bundled base on the everyday conversations, evaluate it and show what changed."""
    from diasum import api
    from diasum.cli.drawing import console, program, show_evaluation, show_examples
    from diasum.progress import Bars

    out = console()
    folder = run or _free(Path("runs"), "demo")
    result = api.train(run=folder, config="demo", settings=options.overrides(set_), console=out)
    if not result.complete:
        out.print(f"Saved. Continue with: {program()} train --run {shlex.quote(str(folder))} --resume")
        raise typer.Exit(128 + (result.signal or INTERRUPT))
    with Bars(out) as bars:
        evaluated = api.evaluate(folder, progress=bars)
    show_examples(out, evaluated, examples)
    show_evaluation(out, evaluated)
    out.print(f"Your turn: cat chat.txt | {program()} summarize --run {shlex.quote(str(folder))}")


def _free(parent: Path, name: str) -> Path:
    number = 1
    while (path := parent / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return path
