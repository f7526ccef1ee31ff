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
            help="Summaries of any system: txt, one a line, or csv, tsv, json, jsonl or parquet with ids; one file a system."
        ),
    ],
    data: options.NeededData,
    split: options.Split = None,
    protocol: options.Protocol = None,
    set_: options.Set = None,
    out: options.Out = None,
    json_: options.Json = False,
) -> None:
    """Score any systems' summaries against a corpus, beside baselines.

    In a table the summaries stand under `prediction` or another name that only a system's summaries have (`generated_summary`,
    `model_output`, ...); `summary` is read where there is no such column.
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
        print_json(evaluated.evaluation.to_json())
    else:
        show_evaluation(shown, evaluated)
