"""Help pages tell what each command does in whole sentences, in a pipe as on a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import typer

from diasum.cli import app


@pytest.mark.parametrize("columns", [None, "60"])
@pytest.mark.parametrize("group", ["", "data", "config"])
def test_each_command_is_described_by_its_whole_first_sentence(group: str, columns: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    if columns:
        environment["COLUMNS"] = columns
    shown = subprocess.run(
        [sys.executable, "-m", "diasum", *filter(None, [group]), "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    ).stdout
    assert max(map(len, shown.splitlines())) <= int(columns or 80)
    assert "..." not in shown.partition("Commands:")[2]
    listed = "".join(shown.partition("Commands:")[2].split())  # lines are broken at spaces and hyphens
    parent = typer.main.get_command(app)
    commands = parent.commands[group].commands if group else parent.commands  # type: ignore[attr-defined]
    assert commands
    for name, command in commands.items():
        described = " ".join(command.help.split("\n\n")[0].split())
        first = re.split(r"(?<=\.) ", described)[0]
        assert "".join(f"{name} {first}".split()) in listed
