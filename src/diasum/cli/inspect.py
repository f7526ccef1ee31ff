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
    from diasum.cli.drawing import console, named_value, print_json

    description = api.inspect(base)
    if json_:
        print_json(description)
        return
    out = console()
    for name, value in description.items():
        if name != "modules":
            out.print(named_value(name.replace("_", " "), f"{value:,}" if isinstance(value, int) else str(value)))
    out.print(named_value("modules", ", ".join(f"{name} ({count})" for name, count in description["modules"].items())))
