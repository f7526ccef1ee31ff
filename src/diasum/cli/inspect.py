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
    from diasum.cli.drawing import console, fact, print_json

    facts = api.inspect(base)
    if json_:
        print_json(facts)
        return
    out = console()
    for name, value in facts.items():
        if name != "modules":
            out.print(fact(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value)))
    out.print(fact("modules", ", ".join(f"{name} ({count})" for name, count in facts["modules"].items())))
