"""Commands as users type them: what they print, where, and how they end."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import diasum
from diasum.cli import main
from diasum.data.summary import Summary
from diasum.engines.plain import ENGINE


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


@pytest.fixture
def diasum_(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


@pytest.fixture(scope="module")
def run(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("runs") / "run"
    diasum.train(
        base,
        corpus,
        run=folder,
        settings={"train.epochs": 1, "train.eval_generate": 2, "generate.max_new_tokens": 6, "generate.num_beams": 1},
    )
    return str(folder)


def test_train_evaluate_summarize(diasum_: Terminal, base: str, corpus: str, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "first"
    code, out, err = diasum_(
        "train",
        "--base",
        base,
        "--data",
        corpus,
        "--run",
        folder,
        "--epochs",
        "1",
        "--rank",
        "2",
        "--set",
        "generate.max_new_tokens=6",
    )
    assert code == 0, err
    assert out == ""
    assert "parameters are trained" in err
    assert "dialogues cut" in err
    assert {"config.yaml", "manifest.json", "adapter", "checkpoints", "events.jsonl"} <= {
        p.name for p in folder.iterdir()
    }
    code, out, err = diasum_("evaluate", folder, "--json")
    assert code == 0, err
    figures = json.loads(out)
    assert set(figures["systems"]) == {"adapter", "base", "lead3", "longest"}
    assert figures["n"] == 6
    assert figures["protocol"]["name"] == "rouge-score"
    written = json.loads((folder / "evaluation" / "test" / "metrics.json").read_text())
    assert {"faithfulness", "contrast", "generation", "data", "run", "versions"} <= set(figures)
    assert {**figures, "files": written["files"]} == written, "the same figures"
    code, out, err = diasum_("evaluate", folder)
    assert (code, out) == (0, "")
    assert "is not shown to be above" in err
    assert "To try next" in err
    code, out, err = diasum_("summarize", "--run", folder, stdin="Anna: Lunch?\nBen: At nine.\n")
    assert code == 0, err
    assert len(out.splitlines()) == 1


def test_summarize_files_and_jsonl(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Anna: Lunch?\nBen: At nine.\n")
    turns = [{"speaker": "Anna", "text": "Lunch?"}, {"speaker": "Ben", "text": "At nine."}]
    (tmp_path / "many.jsonl").write_text(
        json.dumps({"id": "x", "turns": turns}) + "\n\n" + json.dumps("Anna: Hi.") + "\n"
    )
    code, out, err = diasum_("summarize", tmp_path / "a.txt", tmp_path / "many.jsonl", "--run", run, "--jsonl")
    assert code == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["id"] for row in rows] == ["a", "x", "many-2"]
    assert rows[0]["summary"] == rows[1]["summary"], "one conversation in two layouts"


def test_summaries_and_predictions_are_one_record(diasum_: Terminal, run: str, corpus: str, tmp_path: Path) -> None:
    assert diasum_("evaluate", run, "--max-examples", 3, "--out", tmp_path / "scores")[0] == 0
    files = {
        name: [json.loads(line) for line in (tmp_path / "scores" / f"{name}.jsonl").read_text().splitlines()]
        for name in ("predictions", "predictions.base", "predictions.lead3")
    }
    predictions, base, lead3 = files.values()
    talks = tmp_path / "talks.jsonl"
    talks.write_text("\n".join(json.dumps({"id": row["id"], "dialogue": row["dialogue"]}) for row in predictions))
    code, out, err = diasum_("summarize", talks, "--run", run, "--jsonl")
    assert code == 0, err
    for line, prediction in zip(map(json.loads, out.splitlines()), predictions, strict=True):
        assert line == {name: prediction["prediction" if name == "summary" else name] for name in line}
        assert line["engine"] == ENGINE
        assert line["finish_reason"] == ("length" if line["summary_cut"] else "stop")
        assert line["windows"] == [
            {"first": 0, "last": line["turns"] - 1, "spans": [[0, line["turns"] - 1]], "whole": True}
        ]
        assert Summary.from_record(line) == Summary.from_record(prediction)
    hashes = {row["settings_hash"] for row in [*predictions, *base]}
    assert len(hashes) == 1
    assert {row["finish_reason"] for row in predictions} >= {"length"}
    for row in lead3:
        assert row["engine"] == "lead3"
        assert row["sentences"]
        unknown = ("finish_reason", "settings_hash", "windows", "cut", "summary_cut", "turns", "letters_lost", "dtype")
        assert [row[name] for name in unknown] == [None] * len(unknown)
    code, out, err = diasum_("summarize", talks, "--run", run, "--jsonl", "--num-beams", 2)
    assert json.loads(out.splitlines()[0])["settings_hash"] not in hashes


def test_an_empty_conversation_does_not_stop_the_others(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    talks = tmp_path / "talks.jsonl"
    talks.write_text("\n".join(json.dumps({"dialogue": text}) for text in ("", "Anna: Hi.", "Ben:", "Anna: Hi.")))
    code, out, err = diasum_("summarize", talks, "--run", run, "--jsonl")
    assert code == 0, err
    first, second, third, fourth = (json.loads(line) for line in out.splitlines())
    nothing = {"cut": False, "summary_cut": False, "turns": 0, "turns_cut": 0, "read": None}
    nothing |= {"letters_lost": 0, "dtype": None, "engine": "none", "settings_hash": None}
    assert first == third == first | {"summary": "", **nothing}
    assert second == fourth != first
    assert f"note: 1: {talks}, line 1 is empty, and so is its summary." in err.replace("\n", " ")
    assert diasum_("summarize", talks, "--run", run)[1].splitlines()[0].startswith("1:")


def test_what_was_not_read_is_told(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("".join(f"Anna: This is turn number {i} of a long talk.\n" for i in range(1, 201)))
    code, out, err = diasum_("summarize", long, "--run", run, "--jsonl", "--set", "generate.long=cut")
    assert code == 0, err
    row = json.loads(out)
    read = re.fullmatch(r"read turns 1 to (\d+) of 200 \((\d+)% of the words\)", row["read"])
    assert read, row
    assert (row["cut"], row["turns"], row["turns_cut"]) == (True, 200, 200 - int(read[1]))
    assert int(read[2]) == pytest.approx(100 * int(read[1]) / 200, abs=1)
    assert f"note: long: the model {row['read']}; the rest did not fit its input" in " ".join(err.split())


def test_what_is_too_long_is_read_in_windows_and_the_cost_is_told(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    talk = "\n".join(f"Anna: This is turn number {i} of a long talk." for i in range(1, 201))
    rows = [{"id": name, "dialogue": text} for name, text in (("one", talk), ("two", "Anna: Hi."), ("three", talk))]
    many = tmp_path / "many.jsonl"
    many.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    code, out, err = diasum_("summarize", many, "--run", run, "--jsonl")
    assert code == 0, err
    one, two, three = map(json.loads, out.splitlines())
    assert [row["id"] for row in (one, two, three)] == ["one", "two", "three"]
    assert {**one, "id": ""} == {**three, "id": ""}
    assert (one["cut"] or one["summary_cut"], one["turns_cut"], one["read"]) == (one["summary_cut"], 0, None)
    assert (len(two["windows"]), two["passes"]) == (1, 1)
    n, passes, tokens = len(one["windows"]), one["passes"], one["tokens_read"]
    told = " ".join(err.split())
    assert f"note: one: the conversation was read in {n} windows ({passes} passes, {tokens:,} tokens)." in told
    assert "note: two:" not in told


def test_the_engine(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    text = "Anna: Lunch?\nBen: At nine.\n"
    code, out, err = diasum_("summarize", "--run", run, "--jsonl", "--engine", "torch-plain", stdin=text)
    made = json.loads(out)
    assert (code, made["engine"], made["engine_reason"]) == (0, "torch-plain", "as set"), err
    code, out, err = diasum_(
        "evaluate", run, "--engine", "torch-plain", "--max-examples", 2, "--out", tmp_path / "scores"
    )
    assert code == 0, err
    made = json.loads((tmp_path / "scores" / "metrics.json").read_text())["generation"]
    assert (made["engine"], made["engine_reason"]) == ("torch-plain", "as set")
    code, out, err = diasum_("summarize", "--run", run, "--engine", "onnx", stdin=text)
    assert (code, out) == (2, "")
    assert "torch-plain" in err


def test_the_number_type_of_generation(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    text = "Anna: Lunch?\nBen: At nine.\n"
    for flags, expected in (([], "fp32"), (["--dtype", "bf16"], "bf16"), (["--dtype", "auto"], "fp32")):
        code, out, err = diasum_("summarize", "--run", run, "--jsonl", *flags, stdin=text)
        assert (code, json.loads(out)["dtype"]) == (0, expected), err
    code, out, err = diasum_("evaluate", run, "--dtype", "bf16", "--max-examples", 2, "--out", tmp_path / "scores")
    assert code == 0, err
    made = json.loads((tmp_path / "scores" / "metrics.json").read_text())["generation"]
    assert made == made | {"device": "cpu", "dtype": "bf16", "dtype_reason": "bf16: as set", "long": "windows"}
    assert "in bf16: as set" in (tmp_path / "scores" / "report.md").read_text()
    for command in (["summarize", "--run"], ["evaluate"]):
        code, out, err = diasum_(*command, run, "--dtype", "fp16", stdin=text)
        assert (code, out) == (2, "")
        assert "fp16" in err
        assert "fp32" in err


@pytest.mark.parametrize("identified", [True, False])
def test_summaries_of_a_table_can_be_scored(identified: bool, diasum_: Terminal, run: str, tmp_path: Path) -> None:
    rows = [{"dialogue": f"Anna: Lunch at {hour}?\nBen: Yes.", "summary": "Lunch."} for hour in range(4)]
    if identified:
        rows = [{"id": name, **row} for name, row in zip("abca", rows, strict=True)]
    talks = tmp_path / "talks.jsonl"
    talks.write_text("\n".join(map(json.dumps, rows)))
    code, out, err = diasum_("summarize", talks, "--run", run, "--jsonl")
    assert code == 0, err
    assert [json.loads(line).get("id") for line in out.splitlines()] == (
        ["a", "b", "c", "a-2"] if identified else [None] * 4
    )
    (tmp_path / "made.jsonl").write_text(out)
    code, out, err = diasum_("score", tmp_path / "made.jsonl", "--data", talks, "--json")
    assert code == 0, err
    assert json.loads(out)["n"] == 4


def test_data_check_says_which_rows(diasum_: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "talks.csv"
    file.write_text(
        'dialogue,summary\n"Anna: Lunch at nine, then?",They talk.\n,Nothing.\n"Ben: Not today, I fear.",\n'
    )
    code, out, err = diasum_("data", "check", file)
    assert code == 1
    assert "error: 1 of 2 dialogues of `all` have no summary. (all_2)" in err
    assert "note: 1 of 3 rows of `all` were skipped because the dialogue is empty (all_1 in line 3)." in err
    code, out, err = diasum_("data", "check", file, "--json")
    report = json.loads(out)
    assert report["notes"] == [
        "1 of 3 rows of `all` were skipped because the dialogue is empty (all_1 in line 3).",
        "Claims of 1 of 1 summaries of `all` were not checked: 1 language not known.",
    ]
    assert (report["lengths"]["base"], report["lengths"]["max_source"]) == ("mini", 512)


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        (["summarize"], "", "standard input is empty"),
        (["summarize", "nowhere.txt"], "", "No file at nowhere.txt"),
        (
            ["summarize"],
            '{"id": 1, "dialogue": "Anna: Hi."}\n{"id": 2, broken\n',
            "standard input, line 2: not valid JSON",
        ),
        (["summarize"], '{"id": 1, "speech": "Anna: Hi."}\n', "none of its keys names a conversation: id, speech"),
        (["summarize"], b"Anna: caf\xe9\x00\n", "expected text, found bytes that are not text"),
        (["summarize", "--run", "nowhere/run"], "Anna: Hi.", "There is no run"),
        (["evaluate", "runs/nowhere", "--data", "sample"], "", "There is no run"),
        (["evaluate", "RUN", "--split", "dev2"], "", "has no split `dev2`"),
        (["evaluate", "RUN", "--protocol", "rouge-scor"], "", "rouge-score"),
        (["evaluate", "RUN", "--data", "nowhere.jsonl"], "", "There is no file or folder nowhere.jsonl"),
        (["train", "--run", "RUN"], "", "exists already"),
        (["train", "--run", "RUN", "--resume"], "", "is complete"),
        (["train", "--run", "new", "--set", "train.epoch=3"], "", "Did you mean `epochs`?"),
        (["train", "--run", "new", "--base", "BASE", "--data", "BROKEN"], "", "line 2"),
        (
            ["train", "--run", "new", "--base", "BASE", "--data", "CORPUS", "--set", "lora.target_modules=[query]"],
            "",
            "Did you mean `q`?",
        ),
        (["baseline", "--data", "CORPUS", "--method", "lead"], "", ""),
        (["baseline", "--data", "CORPUS", "--method", "laed3"], "", "There is no baseline"),
        (["score", "PREDICTIONS", "--data", "CORPUS"], "", "1 line"),
        (["compare", "RUN"], "", "two or more"),
        (["config", "check", "nowhere.yaml"], "", "No settings file"),
        (["inspect", "nowhere/at/all"], "", "No model folder"),
    ],
)
def test_bad_input(
    arguments: list[str],
    stdin: str | bytes,
    expected: str,
    diasum_: Terminal,
    run: str,
    base: str,
    corpus: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "broken.jsonl").write_text('{"id": 1, "dialogue": "Anna: Hi.", "summary": "Hi."}\n{"id": 2,\n')
    (tmp_path / "predictions.txt").write_text("only one line\n")
    names = {
        "RUN": run,
        "BASE": base,
        "CORPUS": corpus,
        "BROKEN": str(tmp_path / "broken.jsonl"),
        "PREDICTIONS": str(tmp_path / "predictions.txt"),
    }
    monkeypatch.chdir(tmp_path)
    before = sorted(p.name for p in tmp_path.iterdir())
    code, out, err = diasum_(*[names.get(argument, argument) for argument in arguments], stdin=stdin)
    if expected == "":
        assert code == 0, err
        return
    assert code == 2, f"{out}{err}"
    assert expected in err
    assert "Traceback" not in err
    assert out == ""
    assert sorted(p.name for p in tmp_path.iterdir()) == before, "nothing may be left behind"


def test_compare_and_baseline_and_score(diasum_: Terminal, run: str, corpus: str, tmp_path: Path) -> None:
    import shutil

    assert diasum_("evaluate", run)[0] == 0
    other = tmp_path / "other"
    shutil.copytree(run, other)
    code, out, err = diasum_("compare", run, f"same={other}", "--json")
    assert code == 0, err
    rows = json.loads(out)
    assert {row["difference"]["mean"] if "difference" in row else row["mean"] for row in rows["differences"]} == {0.0}
    code, out, err = diasum_("compare", run, f"same={other}")
    assert "ROUGE-L" in err
    lines = [
        json.loads(line)["prediction"]
        for line in (other / "evaluation/test/predictions.jsonl").read_text().splitlines()
    ]
    (tmp_path / "p.txt").write_text("\n".join(lines) + "\n")
    code, out, err = diasum_("score", tmp_path / "p.txt", "--data", corpus, "--json")
    assert code == 0, err
    scored = json.loads(out)["systems"]
    assert list(scored) == ["p", "lead3", "longest"]
    evaluated = json.loads((other / "evaluation/test/metrics.json").read_text())["systems"]
    assert scored["p"]["rougeL"] == evaluated["adapter"]["rougeL"]
    assert scored["lead3"]["rougeL"] == evaluated["lead3"]["rougeL"]
    checked = json.loads((other / "evaluation/test/metrics.json").read_text())["faithfulness"]["systems"]
    assert json.loads(out)["faithfulness"]["systems"]["p"] == checked["adapter"]
    for command in (["score", tmp_path / "p.txt"], ["baseline"]):
        code, out, err = diasum_(*command, "--data", corpus)
        assert code == 0, err
        assert "state something of the following kinds that their dialogue does not: names, numbers" in " ".join(
            err.split()
        )
    code, out, err = diasum_("score", tmp_path / "p.txt", tmp_path / "p.txt", "--data", corpus)
    assert code == 2
    assert "given twice" in err
    code, out, err = diasum_("compare", run, f"same={other}", "--metric", "rougel")
    assert code == 2
    assert "There is no metric `rougel`" in err
    assert "rougeL" in err
    code, out, err = diasum_("compare", run, f"same={other}", "--protocol", "rouge-score-best", "--json")
    assert code == 0, err
    best = json.loads(out)["systems"][0]["metrics"]["rouge1"]
    assert best["mean"] == pytest.approx(
        json.loads((other / "evaluation/test/metrics.json").read_text())["other_protocols"]["rouge-score-best"][
            "systems"
        ]["adapter"]["rouge1"]["mean"],
        abs=1e-5,
    )


def test_inspect_config_and_data(diasum_: Terminal, base: str, corpus: str, tmp_path: Path) -> None:
    code, out, err = diasum_("inspect", base, "--json")
    assert code == 0, err
    description = json.loads(out)
    assert description["family"] == "t5"
    assert set(description["modules"]) >= {"q", "k", "v", "o", "wi_0", "wi_1", "wo"}
    code, out, err = diasum_("config", "check", "dialogsum-flan-t5-base", "--set", "train.epochs=1")
    assert code == 0, err
    assert "epochs: 1" in out
    code, out, err = diasum_("config", "show")
    assert "generate.num_beams = 4" in out
    code, out, err = diasum_("data", "stats", corpus, "--json")
    assert json.loads(out)["splits"]["train"]["pairs"] == 24
    code, out, err = diasum_("data", "convert", corpus, tmp_path / "converted")
    assert code == 0, err
    code, again, err = diasum_("data", "stats", tmp_path / "converted", "--json")
    assert json.loads(again)["splits"] == json.loads(out)["splits"] if out else True
    code, out, err = diasum_("data", "convert", corpus, tmp_path / "converted")
    assert code == 2
    assert "exists already" in err


def test_full_disk(diasum_: Terminal, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno
    import os

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.chdir(tmp_path)
    code, _, err = diasum_("train", "--run", "new", "--base", base, "--data", corpus)
    assert code == 2
    assert "No space left" in err
    assert "Free some space" in err


@pytest.mark.parametrize("on_path", [True, False])
def test_the_next_command_can_be_typed_as_it_stands(on_path: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `make demo` the program is not on the path."""
    import shutil

    from diasum.cli.drawing import program

    monkeypatch.setattr(sys, "argv", [".venv/bin/diasum", "demo"])
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/diasum" if on_path else None)
    assert program() == ("diasum" if on_path else ".venv/bin/diasum")


def test_demo(diasum_: Terminal, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny = [
        "--set",
        f"base={base}",
        "--set",
        f"data.path={corpus}",
        "--set",
        "train.epochs=1",
        "--set",
        "generate.max_new_tokens=6",
    ]
    for name in ("demo", "demo-2"):
        code, out, err = diasum_("demo", "--examples", "1", *tiny)
        assert code == 0, err
        assert out == ""
        assert f"runs/{name}/evaluation/test/report.html" in err.replace("\n", "")
        assert (tmp_path / "runs" / name / "evaluation" / "test" / "report.html").is_file()
        for word in ("human", "adapter", "base", "lead3", "longest", "ROUGE-L"):
            assert word in err
