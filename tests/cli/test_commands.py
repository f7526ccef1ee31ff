"""Commands as users type them: what they print, where, and how they end."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal


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
