"""diasum evaluate"""

from __future__ import annotations

from typing import Annotated

import typer

from diasum.cli import options


def evaluate(
    run: Annotated[str, typer.Argument(help="Run directory, adapter or model folder, or hub id.")],
    data: options.Data = None,
    split: options.Split = None,
    protocol: options.Protocol = None,
    base: options.Base = None,
    dtype: options.Dtype = None,
    engine: options.Engine = None,
    max_examples: Annotated[int | None, typer.Option(help="Evaluate only the first N dialogues.")] = None,
    examples: Annotated[int, typer.Option(help="Number of summaries to print beside the human ones.")] = 0,
    set_: options.Set = None,
    out: options.Out = None,
    json_: options.Json = False,
) -> None:
    """Evaluate a run against its base and baselines, with intervals; write predictions, metrics and report."""
    from diasum import api
    from diasum.cli.drawing import console, print_json, show_evaluation, show_examples
    from diasum.progress import Bars

    shown = console()
    changes = options.overrides(set_, evaluate__max_examples=max_examples)
    with Bars(shown) as bars:
        evaluated = api.evaluate(
            run,
            data=data,
            split=split,
            protocol=protocol,
            base=base,
            dtype=dtype,
            engine=engine,
            settings=changes,
            out=out,
            progress=bars,
        )
    if json_:
        print_json(evaluated.to_json())
        return
    show_examples(shown, evaluated, examples)
    show_evaluation(shown, evaluated)
