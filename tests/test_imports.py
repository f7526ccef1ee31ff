"""What users import, and that asking for help does not load what only jobs need."""

from __future__ import annotations

import subprocess
import sys

import pytest

import diasum


def test_public_names() -> None:
    assert set(diasum.__all__) == {
        "Dialogue", "DiasumError", "ReadDialogue", "Settings", "Turn", "baseline", "check_data", "compare", "convert_data", "data_stats",
        "evaluate", "export", "inspect", "iter_dialogues", "load", "load_settings", "preflight", "redact_data", "restore_data", "score",
        "show_data", "split_data", "summarize", "summarize_files", "train",
    }  # fmt: skip
    for name in diasum.__all__:
        assert getattr(diasum, name) is not None
    with pytest.raises(AttributeError):
        diasum.nothing  # noqa: B018


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["data", "check", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
sys.argv = ["diasum", *{arguments!r}]
from diasum.cli import main
try:
    main()
except SystemExit:
    pass
heavy = {{"pydantic", "rich", "torch", "transformers", "peft", "datasets", "numpy", "matplotlib"}} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
