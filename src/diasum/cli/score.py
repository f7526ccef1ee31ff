"""diasum score"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diasum.cli import options


def score(
    predictions: Annotated[
        list[Path],
        typer.Argument(
            help="Summaries of any system: txt with one per line, or csv, tsv, json, jsonl or parquet with ids; one file per system."
        ),
    ],
    data: options.NeededData,
    split: options.Split = None,
    protocol: options.Protocol = None,
    set_: options.Set = None,
    out: options.Out = None,
    json_: options.Json = False,
) -> None:
    """Score any system's summaries against a corpus, beside baselines.

    In a table, the summaries are in `prediction` or another column that only a system's summaries have (`generated_summary`,
    `model_output`, ...); `summary` is read if there is no such column.
    """
    from diasum import api
    from diasum.cli.drawing import console, print_json, show_evaluation
    from diasum.progress import Bars

    shown = console()
    with Bars(shown) as bars:
        evaluated = api.score(
            predictions,
            data,
            split=split,
            protocol=protocol,
            settings=options.overrides(set_),
            out=out,
            progress=bars,
        )
    if json_:
        print_json(evaluated.to_json())
    else:
        show_evaluation(shown, evaluated)
