"""Nothing is printed that the user did not ask for: standard error holds our own words only, whatever other libraries would say."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import typer

from diasum.cli import app
from tests.data.tables import rows, write_jsonl

# Stands in for bitsandbytes, which logs this when it is imported on processors with AVX-512 bf16 instructions.
TALKATIVE = """
import logging
logging.getLogger(__name__).warning("Failed to load CPU gemm_4bit_forward from kernels-community: No module named 'kernels'")
class nn: pass
"""
# Runs commands one after the other, and tells whose words each wrote to standard error: those of the innermost frame outside of
# Python's own library and rich. What C code writes goes past it, to the process's standard error.
WATCH = """
import io, json, os, sys, sysconfig

ours = os.path.dirname(__import__("diasum").__file__)
library = sysconfig.get_paths()["stdlib"]

class Watch(io.TextIOBase):
    foreign = []
    def write(self, text):
        frame = sys._getframe(1)
        while frame and (
            "/rich/" in frame.f_code.co_filename
            or frame.f_code.co_filename.startswith("<")
            or (frame.f_code.co_filename.startswith(library) and "site-packages" not in frame.f_code.co_filename)
        ):
            frame = frame.f_back
        if text.strip() and not (frame and frame.f_code.co_filename.startswith(ours)):
            self.foreign.append((frame.f_code.co_filename if frame else "?", text))
        return len(text)

sys.stderr = Watch()
from diasum.cli import main

for command in json.load(open("commands.json")):
    sys.argv = ["diasum", *command]
    sys.stdin = open("talk.txt")
    Watch.foreign = []
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code or 0
    sys.__stdout__.write("\\nRAN " + json.dumps([code, "bitsandbytes" in sys.modules, Watch.foreign]) + "\\n")
"""
SET = [
    *("--set", "train.eval_generate=2", "--set", "generate.max_new_tokens=6", "--set", "generate.num_beams=1"),
    *("--set", "train.epochs=1"),
]
COMMANDS = {
    "train --dry-run": ["train", "--base", "BASE", "--data", "CORPUS", "--run", "first", "--dry-run", *SET],
    "train": ["train", "--base", "BASE", "--data", "CORPUS", "--run", "first", *SET],
    "train with recomputed activations": [
        *("train", "--base", "BASE", "--data", "CORPUS", "--run", "second", *SET),
        *("--set", "train.gradient_checkpointing=true", "--set", "train.fast_path=off"),
    ],
    "evaluate": ["evaluate", "first"],
    "evaluate another": ["evaluate", "second", "--json"],
    "compare": ["compare", "first", "second"],
    "summarize": ["summarize", "--run", "first"],
    "summarize a table": ["summarize", "talks.jsonl", "--run", "first", "--jsonl"],
    "summarize and check": ["summarize", "talk.txt", "--run", "first", "--check"],
    "summarize into a file": ["summarize", "talks.jsonl", "--run", "first", "--out", "summaries.jsonl"],
    "export": ["export", "first", "--to", "merged"],
    "export for the hub": ["export", "first", "--to", "hub"],
    "score": ["score", "p.txt", "--data", "CORPUS"],
    "baseline": ["baseline", "--data", "CORPUS"],
    "inspect": ["inspect", "BASE"],
    "data check": ["data", "check", "talks.jsonl"],
    "data stats": ["data", "stats", "talks.jsonl"],
    "data convert": ["data", "convert", "talks.jsonl", "new.jsonl"],
    "data split": ["data", "split", "talks.jsonl", "parts", "--shares", "1,1"],
    "data show": ["data", "show", "talk.txt"],
    "data redact": ["data", "redact", "talks.jsonl", "hidden.jsonl", "--mapping", "mapping.jsonl", "--names"],
    "data restore": ["data", "restore", "hidden.jsonl", "restored.jsonl", "--mapping", "mapping.jsonl"],
    "config show": ["config", "show"],
    "config check": ["config", "check", "demo", "--set", "lora.use_rslora=true"],
    "demo": ["demo", "--examples", "1", "--set", "base=BASE", "--set", "data.path=CORPUS", *SET],
}


@pytest.fixture(scope="module")
def ran(
    base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, tuple[int, bool, list[list[str]]]], str]:
    """What came of each command, and what the process wrote to its standard error past Python's."""
    folder = tmp_path_factory.mktemp("silence")
    (folder / "bitsandbytes").mkdir()
    (folder / "bitsandbytes" / "__init__.py").write_text(TALKATIVE)
    (folder / "talk.txt").write_text("Anna: Lunch?\nBen: At nine.\n")
    (folder / "p.txt").write_text("A summary.\n" * 6)
    write_jsonl(folder / "talks.jsonl", rows(12))
    names = {"BASE": base, "CORPUS": corpus, "base=BASE": f"base={base}", "data.path=CORPUS": f"data.path={corpus}"}
    commands = [[names.get(word, word) for word in command] for command in COMMANDS.values()]
    (folder / "commands.json").write_text(json.dumps(commands))
    (folder / "watch.py").write_text(WATCH)
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": ""}
    done = subprocess.run(
        [sys.executable, "watch.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    told = [json.loads(line.removeprefix("RAN ")) for line in done.stdout.splitlines() if line.startswith("RAN ")]
    assert len(told) == len(COMMANDS), done.stderr
    return dict(zip(COMMANDS, told, strict=True)), done.stderr


def test_every_command_is_among_them() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    every = {
        " ".join(filter(None, (name, below)))
        for name, command in commands.items()
        for below in getattr(command, "commands", {"": None})
    }
    assert every == {" ".join(words[: 2 if words[0] in ("data", "config") else 1]) for words in COMMANDS.values()}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_nothing_but_our_own_words(
    name: str, ran: tuple[dict[str, tuple[int, bool, list[list[str]]]], str]
) -> None:
    code, loaded, foreign = ran[0][name]
    assert foreign == []
    assert code == 0
    assert not loaded, "bitsandbytes is loaded though nothing is quantised"


def test_no_library_writes_past_python(ran: tuple[dict[str, tuple[int, bool, list[list[str]]]], str]) -> None:
    assert ran[1] == ""
