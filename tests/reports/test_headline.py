"""What an evaluation says in words: only what its intervals and its corrected tests both support."""

from __future__ import annotations

import pytest

from diasum.evaluation.metrics import score_systems
from diasum.evaluation.predictions import Prediction
from diasum.evaluation.statistics.bootstrap import Difference
from diasum.evaluation.statistics.compare import DifferenceRow
from diasum.reports.headline import sentences, verdict
from tests.evaluation.examples import pair


def row(low: float, mean: float, high: float, p_holm: float) -> DifferenceRow:
    return DifferenceRow("lead3", "adapter", "rougeL", Difference(mean, low, high, p_holm / 9, 500, 10_000, 0), p_holm)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (row(-4.1, -3.2, -2.3, 0.001), "adapter is above lead3"),
        (row(2.3, 3.2, 4.1, 0.049), "adapter is below lead3"),
        (row(-2.4, -1.3, -0.3, 0.066), "adapter may be above lead3, which is not established"),
        (row(0.3, 1.3, 2.4, 0.066), "adapter may be below lead3, which is not established"),
        (row(-2.4, -1.3, 0.1, 0.04), "adapter may be above lead3, which is not established"),
        (row(-1.2, -0.1, 1.1, 0.9), "adapter is not clearly different from lead3"),
    ],
)
def test_a_verdict_asks_interval_and_corrected_p(found: DifferenceRow, said: str) -> None:
    assert verdict(found) == said
    assert found.to_json()["established"] is ("may be" not in said and "not clearly" not in said)


def test_a_sentence_about_a_difference_that_the_correction_takes_away() -> None:
    """Worse in 7 of 40 dialogues, never better: the interval leaves zero out, p is 2/128, and four times that is above 0.05."""
    good, worse = "the cat is in the garden now", "the cat is in a garden now"
    pairs = [pair(f"d{i}", "Anna: a\nBen: b", good) for i in range(40)]
    texts = {"adapter": [good] * 40, "rival": [worse] * 7 + [good] * 33}
    given = {n: [Prediction.of_text(p.id, t) for p, t in zip(pairs, ts, strict=True)] for n, ts in texts.items()}
    evaluation = score_systems(pairs, given, resamples=4000, reference_system="adapter")
    (found,) = (r for r in evaluation.differences if r.metric == "rougeL")
    assert found.difference.high < 0
    assert found.difference.p < 0.05 < found.p_holm
    assert sentences(evaluation)[0].startswith("adapter may be above rival, which is not established: +")


def test_summaries_in_another_order_are_told() -> None:
    texts = [f"Speaker {word} buys {word} things and {word} more." for word in ("red", "green", "blue", "grey") * 8]
    pairs = [pair(f"d{i}", "Anna: a\nBen: b", text) for i, text in enumerate(texts)]
    for order, said in (
        (texts, "it reads its input"),
        (texts[1:] + texts[:1], "nothing shows that it reads its input"),
    ):
        given = [Prediction.of_text(p.id, t) for p, t in zip(pairs, order, strict=True)]
        (line,) = sentences(score_systems(pairs, {"file": given}, resamples=500))
        assert said in line
        assert ("in their order" in line) is ("nothing" in said)
