"""What a system says of many dialogues is found, counted over different dialogues, and told in every place that reports."""

from __future__ import annotations

import json
from pathlib import Path

from diasum.data import Corpus, Pair
from diasum.evaluation.evaluate import Evaluated
from diasum.evaluation.metrics import score_systems
from diasum.evaluation.predictions import Prediction
from diasum.evaluation.repeats import repeated
from diasum.reports.content import build_report
from diasum.reports.evaluation import write_evaluation
from diasum.reports.headline import sentences
from tests.evaluation.examples import pair

NONE_KNOWN = "No known drug allergies."
VISITS = [
    pair(f"v{i}", f"Doctor: What brings you here?\nPatient: Pain in my knee number {i}.", f"Knee pain {i}.")
    for i in range(40)
]


def notes(every: int) -> list[str]:
    return [f"Knee pain {i}.{f' {NONE_KNOWN}' if i % every == 0 else ''}" for i in range(len(VISITS))]


def test_a_sentence_of_many_summaries_is_found_with_its_dialogues() -> None:
    (found,) = repeated(VISITS, notes(5))
    assert (found.text, len(found.ids), found.of) == (NONE_KNOWN, 8, 40)
    assert found.ids[:2] == ("v0", "v5")
    assert str(found) == f"“{NONE_KNOWN}” is in 8 of 40 summaries"
    assert repeated(VISITS, notes(20)) == []  # twice is chance
    assert repeated(VISITS, ["Thanks."] * 40) == []
    assert repeated(VISITS, [""] * 40) == []


def test_a_whole_summary_stands_for_its_sentences() -> None:
    (found,) = repeated(VISITS, ["He has pain. He will come back."] * 9 + notes(50)[9:])
    assert (found.text, len(found.ids)) == ("He has pain. He will come back.", 9)
    both = repeated(VISITS, ["He has pain. He will come back."] * 9 + ["He has pain. Good."] * 2 + notes(50)[11:])
    assert [(one.text, len(one.ids)) for one in both] == [("He has pain.", 11), ("He has pain. He will come back.", 9)]


def test_one_dialogue_given_often_counts_once() -> None:
    same = [Pair(f"c{i}", VISITS[0].dialogue, ("x",), None) for i in range(9)]
    assert repeated(same, ["He has knee pain."] * 9) == []


def test_it_is_told_in_terminal_report_card_and_metrics(tmp_path: Path) -> None:
    texts = {"adapter": notes(5), "lead3": ["Doctor: What brings you here?"] * 40}
    given = {n: [Prediction.of_text(p.id, t) for p, t in zip(VISITS, made, strict=True)] for n, made in texts.items()}
    evaluation = score_systems(VISITS, given, resamples=100, reference_system="adapter")
    assert set(evaluation.repeated) == {"adapter"}, "a baseline quotes"
    told = f"“{NONE_KNOWN}” is in 8 of 40 summaries"
    assert any(told in line for line in sentences(evaluation))
    evaluated = Evaluated(evaluation, VISITS, given, "adapter")
    write_evaluation(tmp_path, build_report(evaluated, Corpus("visits", {"test": VISITS}), None))
    for name in ("report.html", "report.md"):
        assert told in (tmp_path / name).read_text(encoding="utf-8"), name
    (found,) = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["repeated"]["adapter"]
    assert (found["text"], found["n"], found["of"], found["ids"][0]) == (NONE_KNOWN, 8, 40, "v0")


def test_facts_are_reported_with_what_was_checked_and_no_human_yardstick(tmp_path: Path) -> None:
    """The rules for facts flag half of these references, and none of the summaries, which are wrong all the same."""
    pairs = [
        pair(f"p{i}", f"A: Hello {i}.\nB: Hi.", "A greets B on 3 May." if i % 2 else "A greets B.") for i in range(20)
    ]
    given = {"adapter": [Prediction.of_text(p.id, "A insults B.") for p in pairs]}
    evaluation = score_systems(pairs, given, resamples=100)
    evaluated = Evaluated(evaluation, pairs, given, "adapter")
    write_evaluation(tmp_path, build_report(evaluated, Corpus("talks", {"test": pairs}), None))
    page, text = ((tmp_path / name).read_text(encoding="utf-8") for name in ("report.html", "report.md"))
    for words in (page, text, str(evaluated.facts)):
        assert "names, numbers, amounts, times, dates and some negations" in words
        assert "may still be wrong" in words
        assert "human ones show" not in words
    assert "0.0% of the summaries of adapter state" in str(evaluated.facts)
    facts = page[page.index('<section id="facts"') : page.index('<section id="form"')]
    assert "the first reference" not in facts
    assert "50.0% of the human summaries, so" in facts  # not a yardstick: the rules say little on this data
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["faithfulness"]["checked"].startswith("names, numbers")
