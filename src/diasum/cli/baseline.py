"""diasum baseline"""

from __future__ import annotations

from typing import Annotated

import typer

from diasum.cli import options


def baseline(
    data: options.NeededData,
    method: Annotated[
        list[str] | None, typer.Option(help="lead3, longest, random3, textrank, oracle, ...; may be repeated.")
    ] = None,
    split: options.Split = None,
    protocol: options.Protocol = None,
    set_: options.Set = None,
    out: options.Out = None,
    json_: options.Json = False,
) -> None:
    """Score baselines that need no model."""
    from diasum import api
    from diasum.cli.drawing import console, print_json, show_evaluation
    from diasum.progress import Bars

    methods = method or ["lead3", "longest"]
    shown = console()
    with Bars(shown) as bars:
        evaluated = api.baseline(
            data,
            method=methods,
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
