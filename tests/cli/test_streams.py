"""Results go to standard output, whatever it is, and nothing else does; what is told on the way goes to standard error."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from diasum.cli import main
from tests.data.tables import rows, write_jsonl

pty = pytest.importorskip("pty")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A pseudo-terminal and what is drawn on it, escapes left out."""

    def __init__(self) -> None:
        self._master, self.end = pty.openpty()
        self._read = b""
        self._reader = threading.Thread(target=self._drain)
        self._reader.start()

    def _drain(self) -> None:
        with suppress(OSError):  # how Linux says that the other end is closed
            while part := os.read(self._master, 1 << 16):
                self._read += part

    def close(self) -> str:
        os.close(self.end)
        self._reader.join(30)
        os.close(self._master)
        return ESCAPES.sub("", self._read.decode()).replace("\r\n", "\n")


@contextmanager
def standard_output(kind: str, terminal: Terminal, folder: Path) -> Iterator[tuple[int, Callable[[], str]]]:
    """Where standard output goes, and what to call afterwards for what arrived there."""
    if kind == "terminal":
        yield os.dup(terminal.end), lambda: ""
    elif kind == "file":
        file = folder / "out"
        yield os.open(file, os.O_WRONLY | os.O_CREAT), file.read_text
    else:
        reading, writing = os.pipe()
        parts: list[bytes] = []

        def drain() -> None:
            with open(reading, "rb") as pipe:
                parts.append(pipe.read())

        reader = threading.Thread(target=drain)
        reader.start()

        def arrived() -> str:
            reader.join(30)
            return b"".join(parts).decode()

        yield writing, arrived


@pytest.fixture(scope="module")
def place(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run, its conversations, and a system's summaries."""
    import diasum

    folder = tmp_path_factory.mktemp("streams")
    diasum.train(base, corpus, run=folder / "run", settings=QUICK)
    write_jsonl(folder / "many.jsonl", rows(70))  # more than are summarised before the first is printed
    (folder / "p.txt").write_text("A summary.\n" * 6)
    return folder


QUICK: dict[str, Any] = {
    "train.epochs": 1,
    "train.eval_generate": 2,
    "generate.max_new_tokens": 6,
    "generate.num_beams": 1,
    "evaluate.contrast": 4,
}
SET = [item for name, value in QUICK.items() for item in ("--set", f"{name}={value}")]
COMMANDS = {
    "summarize --jsonl": (["summarize", "many.jsonl", "--run", "run", "--jsonl"], "summarising"),
    "summarize": (["summarize", "many.jsonl", "--run", "run"], "summarising"),
    "train": (["train", "--base", "BASE", "--data", "CORPUS", "--run", "RUN", "--json", *SET], "training"),
    "evaluate": (["evaluate", "run", "--json"], "summarising (adapter)"),
    "score": (["score", "p.txt", "--data", "CORPUS", "--json"], "scoring (p)"),
    "baseline": (["baseline", "--data", "CORPUS", "--json"], "scoring (lead3)"),
    "demo": (
        ["demo", "--run", "RUN", "--set", "base=BASE", "--set", "data.path=CORPUS", *SET],
        "summarising (adapter)",
    ),
}


@pytest.mark.parametrize("kind", ["file", "pipe", "terminal"])
@pytest.mark.parametrize("name", COMMANDS)
def test_results_arrive_whole_where_they_belong(
    name: str, kind: str, place: Path, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("TERM", "xterm")
    for variable in ("COLUMNS", "NO_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    command, shown = COMMANDS[name]
    names = {"BASE": base, "CORPUS": corpus, "RUN": str(tmp_path / "new")}
    names |= {"base=BASE": f"base={base}", "data.path=CORPUS": f"data.path={corpus}"}
    terminal = Terminal()
    with standard_output(kind, terminal, tmp_path) as (descriptor, arrived):
        with (
            open(descriptor, "w", encoding="utf-8") as out,
            open(terminal.end, "w", encoding="utf-8", closefd=False) as err,
            monkeypatch.context() as streams,
        ):
            streams.setattr(sys, "argv", ["diasum", *(names.get(argument, argument) for argument in command)])
            streams.setattr(sys, "stdout", out)
            streams.setattr(sys, "stderr", err)
            code: Any = 0
            try:
                main()
            except SystemExit as stop:
                code = stop.code or 0
        drawn = terminal.close()
        text = arrived()
    assert code == 0, drawn
    if kind == "terminal":
        check_results(name, drawn, alone=False)
        return
    assert shown in drawn, "progress is drawn"
    assert '"' not in drawn, "no JSON among it"
    assert not re.search(r"^d\d+: ", drawn, re.MULTILINE), "no summaries among it"
    check_results(name, text, alone=True)


def check_results(name: str, text: str, *, alone: bool) -> None:
    """Every result is there and whole; nothing else, where they are alone."""
    if name.startswith("summarize"):
        wanted = r'\{"id": "d\d+", .*"summary": .*\}' if "jsonl" in name else r"d\d+: .*"
        found = [line for line in text.splitlines() if re.fullmatch(wanted, line)]
        assert len(found) == 70, text
        if "jsonl" in name:
            assert [json.loads(line)["id"] for line in found] == [row["id"] for row in rows(70)]
        assert not alone or found == text.splitlines()
        return
    if name == "demo":  # which has no results but files
        assert not alone or text == ""
        return
    begin = 0 if alone else re.search(r"^\{$", text, re.MULTILINE).start()  # type: ignore[union-attr]
    value, end = json.JSONDecoder().raw_decode(text[begin:])
    assert set(value) >= ({"run", "complete"} if name == "train" else {"systems", "protocol"})
    assert not alone or text[end:] == "\n"


def test_a_shell_redirection_loses_nothing(place: Path) -> None:
    """As typed: `diasum summarize many.jsonl --jsonl > out.jsonl`, in a process of its own."""
    terminal = Terminal()
    with (place / "out.jsonl").open("w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "diasum", *COMMANDS["summarize --jsonl"][0]],
            cwd=place,
            stdout=out,
            stderr=terminal.end,
            check=False,
        )
    drawn = terminal.close()
    assert done.returncode == 0, drawn
    assert "70/70" in drawn
    check_results("summarize --jsonl", (place / "out.jsonl").read_text(), alone=True)
