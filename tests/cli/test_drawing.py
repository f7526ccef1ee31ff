"""What the command line prints about itself."""

from __future__ import annotations

import pytest

from diasum.cli import drawing


@pytest.mark.parametrize(
    ("found", "argument", "expected"),
    [
        ("/usr/bin/diasum", "/x/diasum/__main__.py", "diasum"),
        (None, "/x/diasum/__main__.py", "python -m diasum"),
        (None, ".venv/bin/diasum", ".venv/bin/diasum"),
    ],
)
def test_the_command_to_type_next(
    found: str | None, argument: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing.shutil, "which", lambda _: found)
    monkeypatch.setattr(drawing.sys, "argv", [argument])
    assert drawing.program() == expected
