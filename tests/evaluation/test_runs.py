"""Comparing what evaluations left on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from diasum.data import Corpus, Pair
from diasum.errors import DiasumError
from diasum.evaluation.evaluate import Evaluated
from diasum.evaluation.metrics import score_systems
from diasum.evaluation.predictions import Prediction, read_systems
from diasum.evaluation.rouge.protocols import PROTOCOLS
from diasum.evaluation.runs import compare_runs
from diasum.reports.content import build_report
from diasum.reports.evaluation import write_evaluation
from tests.evaluation.examples import PAIRS

TEXTS = {
    "good": [pair.references[0] for pair in PAIRS],
    "weak": ["Someone talks to someone.", "The cat.", ""],
}


def stored(
    folder: Path,
    texts: list[str],
    *,
    protocol: str = "rouge-score",
    split: str = "test",
    n: int = 3,
    pairs: Sequence[Pair] = PAIRS,
) -> str:
    pairs = list(pairs[:n])
    given = {"file": [Prediction.of_text(p.id, t) for p, t in zip(pairs, texts[:n], strict=True)]}
    evaluation = score_systems(pairs, given, protocol=protocol, split=split, resamples=100)
    evaluated = Evaluated(evaluation, pairs, given, "file")
    write_evaluation(folder, build_report(evaluated, Corpus("talks", {split: pairs}), None))
    return str(folder)


def test_folders_of_evaluations_and_runs_compare(tmp_path: Path) -> None:
    first = stored(tmp_path / "good", TEXTS["good"])
    stored(tmp_path / "runs" / "weak" / "evaluation" / "test", TEXTS["weak"])
    table = compare_runs([first, f"weaker={tmp_path / 'runs' / 'weak'}"], split="test", resamples=100)
    assert [row.name for row in table.rows] == ["good", "weaker"]
    difference = table.difference("weaker", "rouge1")
    assert difference is not None
    assert difference.difference.mean < -20
    assert table.difference("good", "rouge1") is None
    assert table.metrics == PROTOCOLS["rouge-score"].metrics


def test_folders_of_one_name_are_systems_of_their_own(tmp_path: Path) -> None:
    runs = [stored(tmp_path / name, TEXTS["good"]) for name in ("a/run", "b/run", "c/other")]
    table = compare_runs(runs, split="test", resamples=100)
    assert [(row.name, row.seeds) for row in table.rows] == [("a/run", 1), ("b/run", 1), ("c/other", 1)]
    table = compare_runs([runs[0], f"run={runs[1]}"], split="test", resamples=100)
    assert [(row.name, row.seeds) for row in table.rows] == [("a/run", 1), ("run", 1)], "no seed of a name it has not"
    table = compare_runs([f"s={runs[0]}", runs[2], f"s={runs[1]}"], split="test", resamples=100)
    assert [(row.name, row.seeds) for row in table.rows] == [("s", 2), ("other", 1)]


def test_a_folder_with_an_equals_sign_is_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("lr=1e-3", "lr=1e-4"):
        stored(tmp_path / name, TEXTS["good"])
    monkeypatch.chdir(tmp_path)
    table = compare_runs(["lr=1e-3", "small=lr=1e-4"], split="test", resamples=100)
    assert [row.name for row in table.rows] == ["lr=1e-3", "small"]
    for wrong in ("lr=1e-5", "=lr=1e-4", "lr="):
        with pytest.raises(DiasumError, match=f"NAME=RUN with an existing run, found `{wrong}`"):
            compare_runs(["lr=1e-3", wrong], split="test")


def test_a_run_is_not_compared_with_itself(tmp_path: Path) -> None:
    one, two = (stored(tmp_path / name, TEXTS["good"]) for name in ("one", "two"))
    for runs in ([one, one], [f"s={one}", f"s={one}/", two]):
        with pytest.raises(DiasumError, match="one is given twice"):
            compare_runs(runs, split="test")
    with pytest.raises(DiasumError, match="two or more systems to compare, found 1"):
        compare_runs([f"s={one}", f"s={two}"], split="test")


def test_line_separators_within_a_reference_do_not_end_the_row(tmp_path: Path) -> None:
    pairs = [replace(pair, references=("One\u2028two.\x85Three.",)) for pair in PAIRS]
    runs = [stored(tmp_path / name, TEXTS[name], pairs=pairs) for name in ("good", "weak")]
    assert len(compare_runs(runs, split="test", resamples=100).rows) == 2


def test_another_protocol_scores_the_stored_summaries_anew(tmp_path: Path) -> None:
    one = stored(tmp_path / "good", TEXTS["good"])
    two = stored(tmp_path / "weak", TEXTS["weak"], protocol="dialogsum-paper")
    with pytest.raises(DiasumError, match="scored under `rouge-score`, weak under `dialogsum-paper`") as error:
        compare_runs([one, two], split="test")
    assert "--protocol" in str(error.value)
    table = compare_runs([one, two], split="test", protocol="dialogsum-paper", resamples=100)
    for row in table.rows:
        alone = PROTOCOLS["dialogsum-paper"].score(TEXTS[row.name], [p.references for p in PAIRS])
        assert row.metrics["rougeL"].mean == pytest.approx(alone["rougeL"].mean(), abs=1e-3)
    with pytest.raises(DiasumError, match="no protocol `rouge`"):
        compare_runs([one, two], split="test", protocol="rouge")


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    one = stored(tmp_path / "good", TEXTS["good"])
    with pytest.raises(DiasumError, match="different dialogues"):
        compare_runs([one, stored(tmp_path / "fewer", TEXTS["good"], n=2)], split="test")
    with pytest.raises(DiasumError, match="split `dev`, not `test`"):
        compare_runs([one, stored(tmp_path / "dev", TEXTS["good"], split="dev")], split="test")
    with pytest.raises(DiasumError, match=r"no run at \S*goood\.\nDid you mean `\S*/good`"):
        compare_runs([one, str(tmp_path / "goood")], split="test")
    (tmp_path / "file").write_text("x")
    with pytest.raises(DiasumError, match=r"no run at \S*file\."):
        compare_runs([one, str(tmp_path / "file")], split="test")
    (tmp_path / "new").mkdir()
    with pytest.raises(DiasumError, match="no evaluation of the split `test`"):
        compare_runs([one, str(tmp_path / "new")], split="test")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "metrics.json").write_text(json.dumps({"split": "test"}))
    (tmp_path / "broken" / "predictions.jsonl").write_text("{}\n")
    with pytest.raises(DiasumError, match="is damaged"):
        compare_runs([one, str(tmp_path / "broken")], split="test")
    (tmp_path / "broken" / "predictions.jsonl").write_text('{"id": 1}\n\n{"id": 2, "pred')
    with pytest.raises(DiasumError, match=r"is damaged: \S*predictions.jsonl, line 3: not valid JSON") as caught:
        compare_runs([one, str(tmp_path / "broken")], split="test")
    assert caught.value.hint == "Evaluate the run again."


def test_systems_are_named_by_their_files(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a/out.txt", "b/out.txt", "a/out.jsonl", "lead3.txt")]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        lines = [json.dumps({"summary": "x"}) if file.suffix == ".jsonl" else "x"] * 3
        file.write_text("\n".join(lines) + "\n")
    assert list(read_systems(files[:1], PAIRS)[0]) == ["out"]
    assert list(read_systems(files[:2], PAIRS)[0]) == ["a/out", "b/out"]
    assert list(read_systems(files[::2], PAIRS)[0]) == ["out.txt", "out.jsonl"]
    assert list(read_systems(files[3:], PAIRS)[0]) == ["lead3.txt"], "not taken for the baseline"
    with pytest.raises(DiasumError, match="given twice"):
        read_systems([files[0], files[0]], PAIRS)
