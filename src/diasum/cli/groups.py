"""Commands that refuse an option given twice with different values, and groups whose help lists whole sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

from diasum.errors import DiasumError


class Group(TyperGroup):
    """Lists its commands with whole sentences, wrapped; typer would cut each to one line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        with formatter.section("Commands"):
            formatter.write_dl(
                [
                    (name, command.get_short_help_str(limit=1000))
                    for name, command in commands.items()
                    if command and not command.hidden
                ]
            )


class Command(TyperCommand):
    """A command for which, of two values of one option, the order does not matter: they are refused. Click would take the last one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first: dict[str, str] = {}
        for name, value in _values(self.params, args):
            if first.setdefault(name, value) != value:
                raise DiasumError(
                    f"{name} is given twice with different values: {first[name]} and {value}.", hint="Give it once."
                )
        return list(super().parse_args(ctx, args))


def _values(params: Sequence[Any], args: Sequence[str]) -> list[tuple[str, str]]:
    """The options that take one value and may be given once, each time they stand in `args`, by their first name."""
    taking = {name: param for param in params for name in param.opts if not getattr(param, "is_flag", True)}
    options: list[tuple[str, str]] = []
    words = iter(args)
    for word in words:
        if word == "--":
            break
        name, joined, value = word.partition("=")
        if name not in taking:
            continue
        value = value if joined else next(words, "")
        if not taking[name].multiple:
            options.append((taking[name].opts[0], value))
    return options
