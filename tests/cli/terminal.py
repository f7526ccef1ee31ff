"""The command line in this process."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from diasum.cli import main


class Terminal:
    """Runs the command line in this process and keeps what it printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys

    def __call__(self, *arguments: str, stdin: str | bytes = "") -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["diasum", *map(str, arguments)])
        content = stdin.encode() if isinstance(stdin, str) else stdin
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        self.monkeypatch.setenv("COLUMNS", "200")
        code: Any = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = self.capsys.readouterr()
        return code, out, err
