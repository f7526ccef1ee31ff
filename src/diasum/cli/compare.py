"""diasum compare"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diasum.cli import options
from diasum.errors import DiasumError, near_misses


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more evaluated runs, or folders from `score --out`; NAME=RUN names a run, and runs of the same name are its seeds."
        ),
    ],
    split: Annotated[str, typer.Option(help="Split that the runs were evaluated on.")] = "test",
    protocol: Annotated[
        str | None, typer.Option(help="Score the stored summaries anew under this protocol (see docs/protocols.md).")
    ] = None,
    metric: Annotated[str, typer.Option(help="Metric whose differences to show.")] = "rougeL",
    json_: options.Json = False,
) -> None:
    """Compare evaluated runs: paired differences with intervals and corrected p-values."""
    from diasum import api
    from diasum.cli.drawing import comparison_table, console, print_json

    comparison = api.compare([str(run) for run in runs], split=split, protocol=protocol)
    if metric not in comparison.metrics:
        raise DiasumError(f"There is no metric `{metric}`.", hint=near_misses(metric, comparison.metrics))
    if json_:
        print_json(comparison.to_json())
    else:
        out = console()
        out.print(comparison_table(comparison, metric))
        for note in comparison.notes:
            out.print(note, style="dim")
