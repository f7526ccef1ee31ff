"""The whole evaluation of texts: every figure consistent with its parts, metrics.json complete and readable."""

from __future__ import annotations

import json
from dataclasses import astuple
from pathlib import Path

import pytest

from diasum.claims.language import is_english
from diasum.data import pairs_hash
from diasum.errors import DiasumError
from diasum.evaluation.baselines import baseline_predictions
from diasum.evaluation.metrics import derangement, score_systems
from diasum.evaluation.predictions import Prediction
from diasum.evaluation.rouge.language import language_note
from diasum.evaluation.rouge.protocols import PROTOCOLS
from tests.evaluation.examples import pair

PAIRS = [
    pair(
        f"p{i}",
        f"Anna: Hello, could you bring item number {i} to the shop on street {i * 7}?{' Please.' * (i % 4)}\n"
        f"Ben: Yes, I will bring {i} things.",
        f"Anna asks Ben to bring item {i} to street {i * 7}.",
        f"Ben will bring {i} to the shop in street {i * 7}.",
        topic="shop",
    )
    for i in range(40)
]
GOOD = [Prediction.of_text(p.id, p.references[1] + " And so on." * (i % 3)) for i, p in enumerate(PAIRS)]
REPEATED = [
    Prediction.of_text(p.id, "Anna asks Ben to bring something to the shop.", finish_reason="length") for p in PAIRS
]
LEAD = [Prediction.of_text(p.id, text) for p, text in zip(PAIRS, baseline_predictions("lead3", PAIRS), strict=True)]


def test_everything_is_there_and_agrees(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    result = score_systems(
        PAIRS,
        {"good": GOOD[::-1], "same": REPEATED, "lead3": LEAD},
        resamples=500,
        reference_system="lead3",
        progress=lambda *step: seen.append(step),
    )
    assert [p.id for p in result.predictions["good"]] == [p.id for p in PAIRS]
    direct = PROTOCOLS["rouge-score"].score([p.text for p in GOOD], [p.references for p in PAIRS])
    assert (result.scores["good"]["rougeL"] == direct["rougeL"]).all()
    assert result.systems["good"]["rougeL"].mean == pytest.approx(direct["rougeL"].mean())
    assert {(row.system, row.reference) for row in result.differences} == {("good", "lead3"), ("same", "lead3")}
    assert len(result.differences) == 2 * 4
    assert set(result.shuffled) == {"good", "same"}  # baselines read their input by construction
    assert ("scoring (lead3)", 40, 40) in seen
    assert seen[-1] == ("scoring (other protocols)", 8, 8)
    worst, *_, best = (direct["rougeL"][i] for i in result.ranked("good", "rougeL"))
    assert worst == direct["rougeL"].min() < best == direct["rougeL"].max()
    assert any("same: 40 of 40 summaries were cut" in note for note in result.notes)

    result.write(tmp_path / "metrics.json", {"hardware": "two cores", "n": "not this one"})
    tree = json.loads((tmp_path / "metrics.json").read_text())
    assert tree["hardware"] == "two cores"
    assert (tree["n"], tree["references"], tree["seed"], tree["resamples"], tree["split"]) == (40, 2, 0, 500, "test")
    assert tree["data_hash"] == pairs_hash(PAIRS)
    assert tree["protocol"]["name"] == "rouge-score"
    low, mean, high = (tree["systems"]["good"]["rouge1"][key] for key in ("low", "mean", "high"))
    assert low < mean < high
    assert tree["systems"]["same"]["measures"]["cut"] == 1
    assert {"system", "reference", "metric", "mean", "low", "high", "p", "p_holm", "test"} <= tree["differences"][
        0
    ].keys()
    assert sum(b["n"] for b in tree["slices"]["dialogue words"]) == 40


@pytest.mark.parametrize("protocol", ["rouge-score", "rouge-score-mean", "dialogsum-paper"])
def test_other_protocols_are_those_scored_alone(protocol: str) -> None:
    result = score_systems(PAIRS, {"good": GOOD, "same": REPEATED}, protocol=protocol, resamples=200)
    assert set(result.other_protocols) == set(PROTOCOLS) - {protocol, "rouge-score-mean"} - (
        {"rouge-score"} if protocol.startswith("rouge-score") else set()
    )
    for name, table in result.other_protocols.items():
        alone = score_systems(PAIRS, {"good": GOOD}, protocol=name, resamples=200).systems["good"]
        assert table["good"].keys() == alone.keys()
        for metric, band in table["good"].items():  # sums of one column and of several may be rounded otherwise
            assert astuple(band) == pytest.approx(astuple(alone[metric]), rel=1e-12)
    told = result.to_json()["other_protocols"]["rouge-score-best"]
    assert "highest F1" in told["references"]
    assert told["systems"]["good"]["rouge1"]["mean"] > told["systems"]["same"]["rouge1"]["mean"]


def test_shuffling_tells_readers_from_talkers() -> None:
    """A system that says the same of every dialogue loses nothing against other dialogues' references; a reader does."""
    result = score_systems(PAIRS, {"good": GOOD, "same": REPEATED}, resamples=500)
    good, same = result.shuffled["good"], result.shuffled["same"]
    assert good.drop.mean > 5
    assert good.drop.low > 0
    assert good.matched - good.shuffled == pytest.approx(good.drop.mean)
    assert abs(same.drop.mean) < 1e-9
    assert same.drop.p == 1


@pytest.mark.parametrize("n", [2, 3, 50])
def test_derangement(n: int) -> None:
    moved = derangement(n, seed=4)
    assert sorted(moved) == list(range(n))
    assert all(moved[i] != i for i in range(n))
    assert (moved == derangement(n, seed=4)).all()


def test_empty_predictions_score_nothing_and_are_counted() -> None:
    some = [Prediction.of_text(p.id, "" if i < 3 else p.references[0]) for i, p in enumerate(PAIRS)]
    result = score_systems(PAIRS, {"s": some}, protocol="dialogsum-paper", resamples=100)
    assert [values[0] for values in result.scores["s"].values()] == [0, 0, 0]
    assert "s: 3 of 40 summaries are empty and score 0 (p0, p1, p2)." in result.notes
    assert result.to_json()["systems"]["s"]["measures"]["empty"] == pytest.approx(3 / 40)
    assert result.differences == []
    assert result.reference_system is None


def test_all_empty_gives_valid_json(tmp_path: Path) -> None:
    result = score_systems(PAIRS[:2], {"s": [Prediction.of_text(p.id, "") for p in PAIRS[:2]]}, resamples=100)
    result.write(tmp_path / "m.json")
    assert json.loads((tmp_path / "m.json").read_text())["systems"]["s"]["measures"]["compression"] is None
    assert any("intervals are rough" in note for note in result.notes)
    assert "shuffled" in result.to_json()


def test_the_same_call_gives_the_same_figures() -> None:
    one, two = (score_systems(PAIRS, {"a": GOOD, "b": REPEATED}, resamples=200, seed=5).to_json() for _ in range(2))
    assert one == two
    assert (
        score_systems(PAIRS, {"a": GOOD, "b": REPEATED}, resamples=200, seed=6).to_json()["systems"] != one["systems"]
    )


def test_bad_input() -> None:
    with pytest.raises(DiasumError, match="no pairs to score"):
        score_systems([], {"a": []})
    with pytest.raises(DiasumError, match="no predictions"):
        score_systems(PAIRS, {})
    with pytest.raises(DiasumError, match="a: 39 of 40 dialogues have no prediction"):
        score_systems(PAIRS, {"a": GOOD[:1]})
    with pytest.raises(DiasumError, match="no protocol"):
        score_systems(PAIRS, {"a": GOOD}, protocol="bleu")
    with pytest.raises(DiasumError, match="no system `b`"):
        score_systems(PAIRS, {"a": GOOD}, reference_system="b")


GERMAN = "Anna fragt Ben nach dem Bericht, den er noch vor dem Mittagessen schicken soll, und er sagt zu. " * 3
ENGLISH = "Anna asks Ben for the report, which he should send before lunch, and he agrees to do so. " * 3


def test_language_note() -> None:
    stemmed, unstemmed = PROTOCOLS["rouge-score"], PROTOCOLS["rouge-score-unstemmed"]
    assert language_note([ENGLISH], stemmed) is None
    assert "do not look English" in str(language_note([GERMAN], stemmed))
    assert language_note([GERMAN], unstemmed) is None
    assert "breaks words" in str(
        language_note(["được người đã đến thế nào cũng rồi không phải việc đây " * 5], unstemmed)
    )
    assert language_note(["Kurz."], stemmed) is None  # too little to say
    german = [pair("g", "A: Hallo", GERMAN), pair("h", "A: Hallo", GERMAN)]
    result = score_systems(german, {"s": [Prediction.of_text("g", "x"), Prediction.of_text("h", "y")]}, resamples=100)
    assert any("do not look English" in note for note in result.notes)


def test_english_is_not_claimed_of_what_is_not() -> None:
    assert is_english([ENGLISH])
    assert is_english(["Short."])
    assert not is_english([GERMAN])
    assert not is_english(["Анна ждёт."])


@pytest.mark.parametrize("text", ["Анна ждёт.", "แอนรอเบน", "安娜在等本"])
def test_other_letters_are_told_at_once_under_a_protocol_that_drops_them(text: str) -> None:
    pairs = [pair("a", "A: x", text), pair("b", "A: y", text)]
    given = {"s": [Prediction.of_text("a", text), Prediction.of_text("b", text)]}
    chosen = score_systems(pairs, given, resamples=100)
    assert chosen.protocol.name == "unicode"
    assert chosen.systems["s"]["rouge1"].mean == 100
    assert "which rouge-score would drop" in chosen.to_json()["protocol"]["choice"]
    assert any(note.startswith("Protocol `unicode` (auto: 100% of") for note in chosen.notes)
    assert chosen.other_protocols == {}  # the others would say 0
    asked = score_systems(pairs, given, protocol="rouge-score", resamples=100)
    assert asked.systems["s"]["rouge1"].mean == 0
    assert any("letters are not Latin" in note and "Use `unicode`" in note for note in asked.notes)


def test_latin_letters_keep_rouge_score() -> None:
    result = score_systems(PAIRS, {"good": GOOD}, resamples=100)
    assert (result.protocol.name, result.protocol_reason) == (
        "rouge-score",
        "auto: the references are in Latin letters",
    )
    assert not any("rotocol" in note for note in result.notes)
    units = [pair("u", "A: x", "Tom took 5 µg of the β-blocker that Ann calls “Ωmega” on Monday, before lunch.")]
    assert score_systems(units, {"s": [Prediction.of_text("u", "x")]}, resamples=100).protocol.name == "rouge-score"
