"""`check.judge` is asked wherever sentences are checked: of one summary, in bulk, when reranking, and in the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import BertForSequenceClassification

import diasum
from diasum.dialogue import parse_dialogue
from diasum.engines import Generated
from diasum.errors import DiasumError
from diasum.judges import load_judge, windowed
from diasum.summarization.reranking import reranked
from tests.cli.terminal import Terminal
from tests.encoders import save
from tests.exporting.runs import make_run

TALK = {
    "dialogue": "Ana: Can we meet at noon on Friday?\nBen: Yes, Friday at noon suits me.\nAna: Good, I will book the room."
}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> str:
    labels = {0: "contradiction", 1: "entailment", 2: "neutral"}
    folder = tmp_path_factory.mktemp("judges")
    return str(save(folder, BertForSequenceClassification, id2label=labels, label2id={v: k for k, v in labels.items()}))


@pytest.fixture
def doubting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The judge finds every sentence unlikely; what it was asked of."""
    asked: list[str] = []

    def doubt(self: windowed.WindowJudge, dialogue: Any, sentences: list[str]) -> Any:
        asked.extend(sentences)
        return [windowed.Judgement(0.25) for _ in sentences]

    monkeypatch.setattr(windowed.WindowJudge, "judge", doubt)
    return asked


def test_a_summary_says_what_the_judge_finds(judge: str, doubting: list[str]) -> None:
    (usual,) = diasum.load("mini").summarize_all([TALK])
    (one,) = diasum.load("mini", settings={"check.judge": judge}).summarize_all([TALK])
    assert one.text == usual.text
    assert doubting == [sentence.text for sentence in one.sentences]
    assert {sentence.verdict for sentence in one.sentences} <= {"check", "unsupported"}
    assert all(f"as {Path(judge).name} finds (support 25%)" in " ".join(sentence.reasons) for sentence in one.sentences)
    assert one.settings_hash == usual.settings_hash, "the text does not depend on it"


def test_loading_a_judge_prints_nothing(judge: str, capfd: pytest.CaptureFixture[str]) -> None:
    load_judge(judge)
    assert capfd.readouterr() == ("", "")


def test_a_text_that_was_chosen_with_a_judge_depends_on_it(judge: str) -> None:
    settings = {"generate.rerank": True}
    (rules,) = diasum.load("mini", settings=settings).summarize_all([TALK])
    (judged,) = diasum.load("mini", settings={**settings, "check.judge": judge}).summarize_all([TALK])
    assert rules.settings_hash != judged.settings_hash


def test_a_bulk_job_is_another_with_a_judge(judge: str, doubting: list[str], tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"id": "one", **TALK}) + "\n", encoding="utf-8")
    diasum.summarize_files([source], out=out, run="mini", settings={"check.judge": judge})
    (row,) = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert doubting
    assert f"as {Path(judge).name} finds (support 25%)" in json.dumps(row, ensure_ascii=False)
    with pytest.raises(DiasumError, match="another"):
        diasum.summarize_files([source], out=out, run="mini")


def test_scores_and_their_references_are_judged_alike(judge: str, doubting: list[str], tmp_path: Path) -> None:
    data, made = tmp_path / "data.jsonl", tmp_path / "made.txt"
    data.write_text(json.dumps({"id": "a", "dialogue": TALK["dialogue"], "summary": "Ana and Ben meet."}) + "\n")
    made.write_text("Ana books the room.\n")
    diasum.score(made, str(data), out=tmp_path / "out", settings={"evaluate.baselines": [], "check.judge": judge})
    assert {"Ana books the room.", "Ana and Ben meet."} <= set(doubting)
    told = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    flagged = told["faithfulness"]["sentences"]
    assert flagged["judge"] == Path(judge).name
    assert flagged["systems"]["made"]["flagged"]["mean"] == flagged["references"]["flagged"]["mean"] == 1


@pytest.mark.parametrize("name", ["/nowhere/judge", "HERE"])
def test_a_judge_that_is_not_there_is_refused_before_any_work(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diasum.summarization.summarizer.load_trained", lambda *_, **__: pytest.fail("too late"))
    with pytest.raises(DiasumError, match=r"no model folder|cannot be loaded"):
        diasum.load("mini", settings={"check.judge": str(tmp_path) if name == "HERE" else name})


def test_the_judge_decides_which_summary_is_taken(judge: str, monkeypatch: pytest.MonkeyPatch) -> None:
    summarizer = diasum.load("mini", settings={"check.judge": judge})
    first, second = "Ana will book the room.", "Ana and Ben will meet on Friday."
    found = Generated.of_search([Generated(first, cut=False), Generated(second, cut=False)])
    dialogue = parse_dialogue(TALK["dialogue"])
    encoder = summarizer.trained.encoder
    (rules,) = reranked([found], [(dialogue, dialogue)], encoder)
    assert rules.text == first
    monkeypatch.setattr(
        windowed.WindowJudge,
        "judge",
        lambda self, dialogue, sentences: [windowed.Judgement(0.1 if one == first else 0.9) for one in sentences],
    )
    (judged,) = reranked([found], [(dialogue, dialogue)], encoder, summarizer.trained.judge)
    assert judged.text == second


def test_every_adapter_of_several_has_the_judge(judge: str, base: str, corpus: str, tmp_path: Path) -> None:
    made = {name: make_run(tmp_path / name, base, corpus).path for name in ("a", "b")}
    several = diasum.load(made, settings={"check.judge": judge})
    assert {adapter.judge and adapter.judge.name for adapter in several.adapters.values()} == {Path(judge).name}


def test_an_evaluation_is_judged(judge: str, doubting: list[str], base: str, corpus: str, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", base, corpus)
    settings = {"check.judge": judge, "evaluate.contrast": 0, "evaluate.baselines": [], "evaluate.split": "validation"}
    diasum.evaluate(run.path, settings=settings)
    assert doubting
    told = [json.loads(file.read_text(encoding="utf-8")) for file in run.path.rglob("metrics*.json")]
    assert [one["faithfulness"]["sentences"]["judge"] for one in told] == [Path(judge).name]


def test_what_a_judge_finds_is_shown_or_it_is_said_how(
    judge: str, doubting: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal, settings = Terminal(monkeypatch, capsys), ["--set", f"check.judge={judge}"]
    code, out, err = terminal("summarize", *settings, stdin=TALK["dialogue"])
    assert (code, "support 25%" in out) == (0, False), err
    assert f"what the judge {Path(judge).name} finds is shown with --check" in err
    code, out, err = terminal("summarize", *settings, "--check", stdin=TALK["dialogue"])
    assert (code, "support 25%" in out) == (0, True), err
    assert "is shown with" not in err
    code, out, err = terminal("summarize", "--set", "check.judge=/nowhere/judge", stdin=TALK["dialogue"])
    assert (code, out) == (2, "")
    assert "There is no model folder /nowhere/judge." in err
