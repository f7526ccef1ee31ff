"""A command that is told to stop, and one whose output goes nowhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.data.tables import rows, write_jsonl


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Terminal:
    monkeypatch.chdir(tmp_path)
    return Terminal(monkeypatch, capsys)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_told_to_stop_says_interrupted(name: str, base: str, tmp_path: Path) -> None:
    """A real signal, sent when the first summary is there and most are not."""
    number = getattr(signal, name)
    write_jsonl(tmp_path / "many.jsonl", rows(1500))
    work = ["summarize", "many.jsonl", "--run", base, "--num-beams", "1", "--max-new-tokens", "6"]
    process = subprocess.Popen(
        [sys.executable, "-m", "diasum", *work],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # a shell's background jobs ignore some
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 128 + number, err.decode()
    assert err.decode().endswith("Interrupted.\n")
    assert b"Traceback" not in err


def test_a_stop_leaves_no_half_written_file(tmp_path: Path) -> None:
    """A closed terminal while a folder is filled: what it replaces stays, and nothing lies beside it."""
    code = """
import os, signal, sys
from pathlib import Path
import typer
from diasum import cli
from diasum.files import folder_in_place

@cli.app.command()
def write(folder: Path) -> None:
    with folder_in_place(folder) as new:
        (new / "a").write_text("new")
        os.kill(os.getpid(), signal.SIGHUP)
        (new / "b").write_text("new")

cli.main()
"""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("old")
    command = [sys.executable, "-c", code, "write", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (128 + signal.SIGHUP, "Interrupted.\n")
    assert [(file.name, file.read_text()) for file in tmp_path.rglob("*") if file.is_file()] == [("a", "old")]
    assert [file.name for file in tmp_path.iterdir()] == ["out"]
    ignored = subprocess.run(
        command, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN), timeout=60, check=False
    )
    assert ignored.returncode == 0, "as nohup has it"
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["a", "b"]


def test_ctrl_c_in_any_command_says_interrupted_and_in_training_how_to_go_on(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diasum import api, api_data
    from diasum.training.fit import TrainingResult

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "evaluate", interrupt)
    monkeypatch.setattr(api_data, "data_stats", interrupt)
    for arguments in (["evaluate", "mini"], ["data", "stats", "sample"]):
        code, _, err = terminal(*arguments)
        assert (code, err) == (130, "Interrupted.\n")
    saved = TrainingResult(Path("new"), complete=False, best=None, seconds=1.0, evaluation_share=0.0)
    monkeypatch.setattr(api, "train", lambda *_, **__: saved)
    code, _, err = terminal("train", "--run", "new")
    assert code == 130
    assert "train --run new --resume" in err
    assert "Interrupted" not in err


def test_ctrl_c_while_the_command_line_is_loaded_leaves_no_traceback() -> None:
    code = """
import runpy, sys

class Interrupt:
    def find_spec(self, name, *rest):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
runpy.run_module("diasum", run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_named(unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "diasum", "config", "show"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: Cannot write to standard output: No space left on device.\n  Check")
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_had_enough_is_no_error(unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "diasum", "config", "show"]
    done = subprocess.run(command, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.stderr == ""
