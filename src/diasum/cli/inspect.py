"""diasum inspect"""

from __future__ import annotations

from typing import Annotated

import typer

from diasum.cli import options


def inspect(
    base: Annotated[str, typer.Argument(help="Base model: hub id, local folder, or the bundled `mini`.")],
    json_: options.Json = False,
) -> None:
    """Show a base model's size, limits and the modules an adapter can target."""
    from diasum import api
    from diasum.cli.drawing import console, print_json

    facts = api.inspect(base)
    if json_:
        print_json(facts)
        return
    out = console()
    for name, value in facts.items():
        if name != "modules":
            out.print(
                f"[bold]{name.replace('_', ' '):<20}[/] {value:,}"
                if isinstance(value, int)
                else f"[bold]{name.replace('_', ' '):<20}[/] {value}"
            )
    out.print(
        "[bold]modules[/]              " + ", ".join(f"{name} ({count})" for name, count in facts["modules"].items())
    )
