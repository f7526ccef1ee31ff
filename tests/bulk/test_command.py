"""`diasum summarize --out`: the command, with a tiny model."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import diasum
from tests.cli.terminal import Terminal
from tests.data.tables import rows, write_jsonl
from tests.models import save_model

QUICK = ["--num-beams", "1", "--max-new-tokens", "6"]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Terminal:
    monkeypatch.chdir(tmp_path)
    return Terminal(monkeypatch, capsys)


def records(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_it_writes_what_it_prints_otherwise(terminal: Terminal, base: str) -> None:
    write_jsonl(Path("in.jsonl"), rows(12))
    code, out, err = terminal("summarize", "in.jsonl", "--run", base, *QUICK, "--out", "out.jsonl")
    assert (code, out) == (0, "")
    assert "12 summaries in out.jsonl" in err
    _, printed, _ = terminal("summarize", "in.jsonl", "--run", base, *QUICK, "--jsonl")
    origin = ("row", "file", "place", "notes")
    written = [{key: value for key, value in one.items() if key not in origin} for one in records("out.jsonl")]
    assert written == [json.loads(line) for line in printed.splitlines()]
    code, _, err = terminal("summarize", "in.jsonl", "--run", base, *QUICK, "--out", "out.jsonl")
    assert code == 0
    assert "nothing is left to do" in err


def test_rows_set_aside_are_counted_at_the_end(terminal: Terminal, base: str) -> None:
    Path("in.jsonl").write_text('{"dialogue": "Ana: Hello."}\nnonsense\n{"dialogue": ""}\n')
    code, _, err = terminal("summarize", "in.jsonl", "--run", base, *QUICK, "--out", "out.jsonl")
    assert code == 0
    assert "2 rows set aside in out.jsonl.rejected.jsonl.\n1 summary in out.jsonl" in err
    code, _, err = terminal("summarize", "in.jsonl", "--run", base, *QUICK, "--out", "strict.jsonl", "--strict")
    assert code == 2
    assert "error: in.jsonl, line 2: not valid JSON" in err


def test_other_weights_and_settings_are_refused(terminal: Terminal, base: str, tmp_path: Path) -> None:
    write_jsonl(Path("in.jsonl"), rows(12))
    command = ["summarize", "in.jsonl", "--out", "out.jsonl", "--run"]
    assert terminal(*command, base, *QUICK)[0] == 0
    other = save_model(tmp_path / "other", seed=1)
    code, _, err = terminal(*command, str(other), *QUICK)
    assert code == 2
    assert "model.base_sha256: " in err
    code, _, err = terminal(*command, base, "--num-beams", "2", "--max-new-tokens", "6")
    assert code == 2
    assert "generate.num_beams: 1 then, 2 now" in err
    assert "--restart" in err
    assert terminal(*command, base, "--num-beams", "2", "--max-new-tokens", "6", "--restart")[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--restart"], "--restart is for summaries that are written to a file"),
        (["--strict"], "--strict is for"),
        (["--shard", "1/2"], "--shard is for"),
        (["--out", "out.jsonl", "--jsonl"], "--jsonl is for summaries that are printed"),
        (["--out", "out.csv"], "must end in .jsonl or .parquet"),
        (["--out", "out.jsonl", "--shard", "3/2"], "--shard expects I/N"),
        (["--out", "out.jsonl", "--format", "whatsap"], "There is no format `whatsap`"),
    ],
)
def test_options_that_do_not_go_together(options: list[str], message: str, terminal: Terminal) -> None:
    write_jsonl(Path("in.jsonl"), rows(2))
    code, out, err = terminal("summarize", "in.jsonl", *options)
    assert (code, out) == (2, "")
    assert message in err
    assert [path.name for path in Path().iterdir()] == ["in.jsonl"]


def test_told_to_stop_it_says_how_to_go_on(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real signal, once the first portion is on the disk; the same command then ends as if there had been none."""
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "in.jsonl", rows(600))
    command = [sys.executable, "-m", "diasum", "summarize", "in.jsonl", "--run", base, *QUICK, "--out"]
    process = subprocess.Popen(
        [*command, "out.jsonl"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    journal = tmp_path / "out.jsonl.journal"
    deadline = time.monotonic() + 120
    while not (journal.is_file() and journal.read_bytes().count(b"\n") > 1) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM, err.decode()
    assert out == b""
    assert err.decode().endswith("Stopped. Go on with the same command: what is done stays done.\nInterrupted.\n")
    assert not (tmp_path / "out.jsonl").exists()
    settings = {"generate.num_beams": 1, "generate.max_new_tokens": 6}
    result = diasum.summarize_files("in.jsonl", "out.jsonl", base, settings=settings)
    assert 0 < result.done_before < 600
    whole = diasum.summarize_files("in.jsonl", "whole.jsonl", base, settings=settings)
    assert result.cut == whole.cut > 0
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_sampling_goes_on_as_it_would_have(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Summaries that are drawn do not depend on what the process drew before."""
    from diasum.bulk.journal import Output

    write_jsonl(tmp_path / "in.jsonl", rows(40))
    settings = {"generate.do_sample": True, "generate.num_beams": 1, "generate.max_new_tokens": 6}
    commit = Output.commit

    def stopping(self: Output, *arguments: Any) -> None:
        commit(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(Output, "commit", stopping)
    with pytest.raises(KeyboardInterrupt):
        diasum.summarize_files(tmp_path / "in.jsonl", tmp_path / "out.jsonl", base, settings=settings)
    monkeypatch.undo()
    result = diasum.summarize_files(tmp_path / "in.jsonl", tmp_path / "out.jsonl", base, settings=settings)
    assert result.done_before == 8
    diasum.summarize_files(str(tmp_path / "in.jsonl"), str(tmp_path / "whole.jsonl"), base, settings=settings)
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_arguments_that_the_function_does_not_take() -> None:
    with pytest.raises(diasum.DiasumError, match="takes no argument `formt`") as caught:
        diasum.summarize_files("in.jsonl", "out.jsonl", formt="slack")
    assert "Did you mean `format`?" in str(caught.value)
