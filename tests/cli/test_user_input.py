"""What users type and what stands in their files: printed as it stands, refused with a reason, never a traceback."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import diasum
from diasum.cli import drawing
from diasum.progress import Bars
from tests.cli.terminal import Terminal
from tests.data.tables import rows, write_csv, write_jsonl

TINY = ("--set", "train.epochs=1", "--set", "train.eval_generate=0", "--set", "generate.max_new_tokens=6")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Terminal:
    monkeypatch.chdir(tmp_path)
    return Terminal(monkeypatch, capsys)


def test_brackets_and_colons_in_names_are_printed_as_they_stand(terminal: Terminal, base: str, tmp_path: Path) -> None:
    table = [{**row, "id": f"[/closed] :smile: {i}"} for i, row in enumerate(rows(12))]
    table[0]["summary"] = ""
    write_jsonl(tmp_path / "chats[old].jsonl", table)
    code, _, err = terminal("train", "--base", base, "--data", "chats[old].jsonl", "--run", "runs/exp[v2]", *TINY)
    assert code == 0, err
    assert "([/closed] :smile: 0 in line 1)" in err
    assert "data   chats[old].jsonl: 10 pairs" in err
    assert "Adapter: runs/exp[v2]/adapter" in err
    assert "evaluate 'runs/exp[v2]'" in err, "as a shell takes it"
    arguments = ("--data", "chats[old].jsonl", "--split", "all", "--examples", "1", "--set", "evaluate.contrast=0")
    code, _, err = terminal("evaluate", "runs/exp[v2]", *arguments)
    assert code == 0, err
    assert "[/closed] :smile:" in err
    assert "human" in err


def test_a_console_of_the_caller_takes_no_name_for_markup_either(base: str, tmp_path: Path) -> None:
    write_jsonl(
        tmp_path / "talks.jsonl",
        [{**row, "summary": row["summary"] if i else ""} for i, row in enumerate(rows(9, "[/b]"))],
    )
    told = io.StringIO()
    diasum.train(
        base,
        str(tmp_path / "talks.jsonl"),
        run=tmp_path / "run[x]",
        settings={"train.epochs": 1, "train.eval_generate": 0},
        console=Console(file=told, width=1000),
    )
    assert "run[x]" in told.getvalue()
    assert "([/b]0 in line 1)" in told.getvalue()


def test_tables_and_bars_take_no_name_for_markup() -> None:
    out = drawing.console()
    out.file = told = io.StringIO()
    out.print(drawing.stats_table({"[/x] :smile:": {"pairs": 1}}))
    out.print(drawing.named_value("base", "models[/new]"))
    assert "[/x] :smile:" in told.getvalue()
    assert "models[/new]" in told.getvalue()
    shown = Console(file=(bar := io.StringIO()), force_terminal=True, width=200)
    with Bars(shown) as bars:
        bars("summarising ([/system])", 1, 2)
    assert "summarising ([/system])" in bar.getvalue()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["data", "convert", "talks.csv", "other.csv"], "other.csv exists already"),
        (["data", "convert", "talks.csv", "new.csv"], "only plain jsonl is written, not `.csv`.\n  Name it new.jsonl"),
        (["data", "convert", "talks.csv", "new.jsonl.gz"], "only plain jsonl is written"),
        (["data", "convert", "talks.csv", "other.csv/below"], "Part of that path is a file"),
        (["data", "convert", "talks.csv", "/proc/nowhere"], "/proc/nowhere: No such file or directory"),
        (["data", "check", "LONG"], "File name too long"),
        (["inspect", "LONG"], "File name too long"),
        (["train", "--run", "new", "--config", "LONG"], "File name too long"),
        (["train", "--run", "new", "--data", "LONG"], "File name too long"),
        (["data", "convert", "talks.csv", "LONG"], "File name too long"),
        (["train", "--run", "new", "--set", "lora.rank_pattern=5"], "lora.rank_pattern: expected dict (found 5)"),
    ],
)
def test_a_path_or_value_that_cannot_be(
    arguments: list[str], expected: str, terminal: Terminal, tmp_path: Path
) -> None:
    for name in ("talks.csv", "other.csv"):
        write_csv(tmp_path / name, rows(3))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    code, out, err = terminal(*("a" * 300 if argument == "LONG" else argument for argument in arguments))
    assert code == 2, err
    assert expected in err
    assert "Traceback" not in err
    assert out == ""
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "arguments",
    [["data", "check", "locked"], ["evaluate", "locked", "--data", "sample"], ["train", "--run", "locked/run"]],
)
def test_a_folder_without_permission(
    arguments: list[str], terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a user who is not root: what is below the folder cannot be asked for."""
    (tmp_path / "locked").mkdir()
    stat, listdir = os.stat, os.listdir

    def refuse(path: Any) -> None:
        if "locked" in Path(str(path)).parts:
            raise PermissionError(13, "Permission denied", str(path))

    def guarded_stat(path: Any, *args: Any, **kwargs: Any) -> Any:
        refuse(path)
        return stat(path, *args, **kwargs)

    def guarded_list(path: Any = ".") -> Any:
        refuse(path)
        return listdir(path)

    with monkeypatch.context() as locked:
        locked.setattr(os, "stat", guarded_stat)
        locked.setattr(os, "listdir", guarded_list)
        code, _, err = terminal(*arguments)
    assert code == 2, err
    assert "Cannot read or write locked" in err
    assert "Permission denied" in err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--set", "trian.epochs=1"], "Did you mean `train`?"),
        (["--set", "data.max_train=yes"], "data.max_train: expected a number"),
        (["--dry-run", "--set", "trian.epochs=1"], "Did you mean `train`?"),
        (["--config", "nowhere.yaml"], "No settings file"),
        ([], "exists already"),
    ],
)
def test_settings_and_run_are_checked_before_heavy_imports(arguments: list[str], expected: str, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    code = f"""
import sys
sys.argv = ["diasum", "train", "--run", "taken", *{arguments!r}]
from diasum.cli import main
try:
    main()
except SystemExit as stop:
    assert stop.code == 2, stop.code
assert not {{"torch", "transformers", "peft", "datasets", "numpy"}} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert expected in done.stderr


@pytest.mark.parametrize("path", ["talks", "data/talks"])
def test_a_run_evaluated_from_another_folder_says_which_file_names_its_data(
    path: str, terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text(json.dumps({"data": {"path": path}}))
    code, _, err = terminal("evaluate", "run")
    assert code == 2
    assert f"There is no {'file or folder' if '/' not in path else 'local file or folder'} {path}" in err
    assert "run/config.yaml gives this path (data.path)" in err
    code, _, err = terminal("evaluate", "run", "--data", "other.jsonl")
    assert code == 2
    assert "config.yaml" not in err


def test_data_check_does_not_pass_over_what_it_dropped(terminal: Terminal, tmp_path: Path) -> None:
    words = " ".join(f"word{i}" for i in range(20))
    table = [{"id": i, "dialogue": f"Ana: {i} {words}\nBen: Yes.", "summary": f"Number {i}."} for i in range(24)]
    write_jsonl(tmp_path / "mixed.jsonl", [row if i % 2 else {**row, "dialogue": ""} for i, row in enumerate(table)])
    code, _, err = terminal("data", "check", "mixed.jsonl")
    assert code == 1
    assert "warning: 12 of 24 rows of `all` are empty where a conversation was expected" in err
    assert "nothing" not in err
    write_jsonl(tmp_path / "same.jsonl", [{**row, "dialogue": table[0]["dialogue"]} for row in table])
    code, _, err = terminal("data", "check", "same.jsonl")
    assert code == 1
    assert "warning: 1 of 1 dialogues of `all` have more than 10 summaries" in err


@pytest.mark.parametrize(("given", "expected"), [(None, "passive"), ("active", "active")])
def test_threads_wait_without_keeping_the_cores_busy(given: str | None, expected: str) -> None:
    """The policy is read when torch loads its OpenMP library: the command line sets it before, and leaves the user's own."""
    code = (
        "import os, sys; from diasum import cli; assert 'torch' not in sys.modules\n"
        "sys.argv = ['diasum', '--version']\n"
        "try: cli.main()\n"
        "except SystemExit: print(os.environ['OMP_WAIT_POLICY'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if given:
        environment["OMP_WAIT_POLICY"] = given
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == expected


def test_data_stats_and_convert_do_not_pass_over_skipped_rows(terminal: Terminal, tmp_path: Path) -> None:
    table = rows(5)
    for number in (1, 3):
        table[number]["dialogue"] = ""
    write_jsonl(tmp_path / "talks.jsonl", table)
    note = "2 of 5 rows of `all` were skipped because the dialogue is empty"
    code, _, err = terminal("data", "stats", "talks.jsonl")
    assert code == 0, err
    assert f"note: {note}" in err
    code, out, _ = terminal("data", "stats", "talks.jsonl", "--json")
    assert code == 0
    assert json.loads(out)["notes"][0].startswith(note)
    code, _, err = terminal("data", "convert", "talks.jsonl", "new.jsonl")
    assert code == 0, err
    assert "3 dialogues written to new.jsonl" in err
    assert f"note: {note}" in err


def test_a_run_that_is_not_there(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    code, _, err = terminal("evaluate", "frist")
    assert code == 2
    assert "There is no run at frist.\n  Did you mean `first`?" in err
    code, _, err = terminal("compare", "first", "nowhere/run")
    assert code == 2
    assert "first has no evaluation of the split `test`" in err
    code, _, err = terminal("compare", "nowhere/run", "first")
    assert code == 2
    assert "There is no run at nowhere/run." in err
    for other in ("first", "mini", "someone/on-the-hub"):
        code, _, err = terminal("evaluate", other)
        assert code == 2
        assert "Evaluation needs data." in err, "these can be evaluated with --data"


@pytest.mark.parametrize("arguments", [["score", "p.txt"], ["baseline"]])
def test_scores_find_out_first_that_they_cannot_be_written(
    arguments: list[str], terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diasum.evaluation import evaluate

    monkeypatch.setattr(evaluate, "evaluate_texts", lambda *_: pytest.fail("scored before the folder was looked at"))
    (tmp_path / "taken").touch()
    code, _, err = terminal(*arguments, "--data", "sample", "--out", "taken/scores")
    assert code == 2, err
    assert "Cannot write taken/scores" in err


def test_a_language_that_the_tokenizer_lacks_is_told(terminal: Terminal, base: str, tmp_path: Path) -> None:
    (tmp_path / "arabic.txt").write_text("آنا: هل يمكنك إرسال التقرير؟\nبن: نعم قبل الغداء.", encoding="utf-8")
    (tmp_path / "english.txt").write_text("Anna: Hello.", encoding="utf-8")
    code, out, err = terminal(
        "summarize", "arabic.txt", "english.txt", "--run", base, "--max-new-tokens", "4", "--jsonl"
    )
    assert code == 0, err
    assert [json.loads(line)["letters_lost"] for line in out.splitlines()] == [1, 0]
    assert "note: arabic: The model's tokenizer lacks 100% of the letters of this conversation (Arabic)" in err
    assert "note: english" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["baseline", "--data", "sample", "--split", "test", "--split", "validation"],
        ["train", "--run", "r", "--epochs=1", "--epochs", "2", "--dry-run"],
        ["train", "--run", "r", "-r", "4", "--rank", "8", "--dry-run"],
        ["data", "stats", "a", "--set", "x=1", "--json", "--set", "x=1"],
    ],
)
def test_an_option_given_twice(terminal: Terminal, arguments: list[str]) -> None:
    code, out, err = terminal(*arguments)
    assert code == 2
    assert out == ""
    assert ("given twice with different values" in err) == (arguments[0] != "data")


def test_an_option_given_twice_with_the_same_value(terminal: Terminal) -> None:
    code, _, err = terminal(
        "baseline", "--data", "sample", "--split", "test", "--split=test", "--set", "evaluate.resamples=100"
    )
    assert code == 0, err
