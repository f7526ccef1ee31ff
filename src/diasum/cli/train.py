"""diasum train"""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from diasum.cli import options
from diasum.signals import INTERRUPT


def train(
    run: options.RunFolder,
    base: options.Base = None,
    data: options.Data = None,
    config: options.Config = None,
    set_: options.Set = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the training pairs.")] = None,
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", "--lr", help="Peak learning rate.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pairs per batch, instead of a token budget.")] = None,
    rank: Annotated[int | None, typer.Option("--rank", "-r", help="Rank of the LoRA update.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed for initialisation, order and dropout.")] = None,
    device: Annotated[str | None, typer.Option(help="Device: auto, cpu, cuda or mps.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an unfinished run.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report what would be trained, in what memory and time, then stop.")
    ] = False,
    json_: options.Json = False,
) -> None:
    """Train an adapter on conversations and their summaries."""
    from diasum import api
    from diasum.cli.drawing import console, print_json, program
    from diasum.training import distributed

    out = console()
    out.quiet = not distributed.is_main()  # under torchrun one process speaks for all
    changes = options.overrides(
        set_,
        train__epochs=epochs,
        train__learning_rate=learning_rate,
        train__batch_size=batch_size,
        lora__r=rank,
        train__seed=seed,
        train__device=device,
    )
    if dry_run:
        estimate = api.preflight(base, data, run=run, config=config, settings=changes, console=out)
        if json_:
            print_json(estimate.record() if estimate else None)
        elif estimate is None:
            out.print("Too small to need an estimate.")
        return
    result = api.train(base, data, run=run, config=config, settings=changes, resume=resume, console=out)
    if json_ and distributed.is_main():
        print_json(
            {
                "run": str(result.run),
                "complete": result.complete,
                "best": result.best,
                "reason": result.reason,
                "seconds": result.seconds,
            }
        )
    if not result.complete:
        out.print(f"Saved. Continue with: {program()} train --run {shlex.quote(str(run))} --resume")
        raise typer.Exit(128 + (result.signal or INTERRUPT))
    out.print(f"Adapter: {run}/adapter ({result.seconds:.0f} s, {result.evaluation_share:.0%} of it evaluation)")
    out.print(f"Next:    {program()} evaluate {shlex.quote(str(run))}")
