"""diasum config"""

from __future__ import annotations

from typing import Annotated

import typer

from diasum.cli import options
from diasum.cli.groups import Command, Group

app = typer.Typer(
    cls=Group, help="Check a settings file or show every setting.", no_args_is_help=True, rich_markup_mode=None
)


@app.command(cls=Command)
def check(
    file: Annotated[str, typer.Argument(help="Settings file (YAML), or the name of a bundled recipe.")],
    set_: options.Set = None,
) -> None:
    """Check a settings file as a whole, without loading anything, and print it resolved."""
    from diasum.resolve import load_settings

    print(load_settings(file, options.overrides(set_)).to_yaml(), end="")


@app.command(cls=Command)
def show() -> None:
    """Print every setting with its default and what it does."""
    from diasum.config import Settings
    from diasum.settings_check import describe

    print(describe(Settings), end="")
