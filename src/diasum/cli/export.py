"""diasum export"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diasum.cli import options

if TYPE_CHECKING:
    from diasum.exporting.export import Exported


def export(
    run: Annotated[str, typer.Argument(help="Run directory, adapter or model folder, or hub id.")],
    to: Annotated[
        str,
        typer.Option(
            help="merged: one model that plain transformers loads. ct2: the same for CTranslate2. hub: a folder for the Hub."
        ),
    ],
    quantization: Annotated[
        str | None, typer.Option(help="Number type of ct2: int8 (default), int8_bf16, bf16 or fp32.")
    ] = None,
    repo: Annotated[
        str | None, typer.Option(help="Upload the folder for the Hub to this repository, OWNER/NAME.")
    ] = None,
    public: Annotated[bool | None, typer.Option("--public", help="With --repo: let everybody see it.")] = None,
    base: options.Base = None,
    data: options.Data = None,
    out: Annotated[Path | None, typer.Option(help="The export's folder (default: RUN/exports/NAME).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an export that is there.")] = False,
    set_: options.Set = None,
    json_: options.Json = False,
) -> None:
    """Export a run for use elsewhere: compared with the run on its validation dialogues, and written only if it does the same."""
    from diasum import api
    from diasum.cli.drawing import console, print_json
    from diasum.progress import Bars

    shown = console()
    changes = options.overrides(set_, data__path=data, export__public=public)
    with Bars(shown) as bars:
        exported = api.export(
            run,
            to,
            quantization=quantization,
            repo=repo,
            base=base,
            out=out,
            force=force,
            settings=changes,
            progress=bars,
        )
    if json_:
        print_json(exported.to_json())
        return
    for line in _lines(exported):
        shown.print(line, markup=False, highlight=False)


def _lines(exported: Exported) -> list[str]:
    """What was made and how it was held against the run."""
    lines = [f"exported: {exported.folder}", *([f"uploaded: {exported.url}"] if exported.url else [])]
    for step, check in exported.record.get("logits", {}).items():
        if check:
            lines.append(
                f"logits after {'merging' if step == 'merge' else 'saving and loading'}: differ by "
                f"{check['largest_difference']:.1e} at most (largest {check['largest_logit']:.1f}; {check['dialogues']} dialogues)"
            )
    if parity := exported.record.get("parity"):
        loss, same = parity["rouge_loss"], parity["identical"]
        lines.append(
            f"against {parity['against']}, on {parity['n']} validation dialogues: {same['mean']:.0%} of the summaries are identical, "
            f"ROUGE-L is lower by {loss['mean']:.2f} (95% interval {loss['low']:.2f} to {loss['high']:.2f}, {parity['protocol']['name']})"
        )
    return lines
