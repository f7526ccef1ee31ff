"""Which epoch's adapter is kept: the last one's, unless an earlier one is clearly better on the validation pairs."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import pytest

from diasum.config import TrainSettings
from diasum.training.history import kept_evaluation, stalled

PAIRS = 20
TOKENS = [20 + 3 * i for i in range(PAIRS)]
BY_LOSS, BY_ROUGE = TrainSettings(), TrainSettings(select_by="rougeL")


def noise(seed: int, size: float, weights: list[int]) -> list[float]:
    """Of the pairs; it leaves the weighted mean as it is."""
    drawn = random.Random(seed)
    values = [drawn.gauss(0, size) for _ in weights]
    mean = sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)
    return [value - mean for value in values]


def evaluation(
    step: int, loss: float, rouge: float = 0.0, *, loss_noise: float = 0.0, rouge_noise: float = 0.0
) -> dict[str, Any]:
    """As the trainer logs it; means of about `loss` nats a token and `rouge` points, with noise between the pairs."""
    losses = [n * (loss + e) for n, e in zip(TOKENS, noise(step, loss_noise, TOKENS), strict=True)]
    scores = [rouge + e for e in noise(100 + step, rouge_noise, [1] * PAIRS)]
    return {
        "step": step,
        "epoch": float(step),
        "eval_loss": sum(losses) / sum(TOKENS),
        "eval_rougeL": sum(scores) / PAIRS,
        "pairs": {"loss": losses, "tokens": TOKENS, "rougeL": scores},
    }


def history(losses: list[float], rouges: list[float] | None = None, **noise: float) -> list[dict[str, Any]]:
    values = zip(losses, rouges or [0.0] * len(losses), strict=True)
    return [evaluation(step, loss, rouge, **noise) for step, (loss, rouge) in enumerate(values, 1)]


def kept_step(events: list[dict[str, Any]], settings: TrainSettings = BY_LOSS) -> int:
    kept = kept_evaluation(events, settings)
    assert kept is not None
    return kept.step


def test_a_score_that_jumps_keeps_no_early_epoch() -> None:
    """The first of three epochs has the best mean by chance, while the loss falls."""
    events = history([4.4, 4.2, 4.1], [26, 24, 25], rouge_noise=8)
    for settings in (BY_LOSS, BY_ROUGE):
        assert kept_step(events, settings) == 3
        assert not stalled(events, settings.model_copy(update={"early_stopping_patience": 1}))


def test_an_epoch_that_is_clearly_better_is_kept() -> None:
    assert kept_step(history([2.3, 2.0, 2.2, 2.5], loss_noise=0.05)) == 2
    assert kept_step(history([2.3, 2.2, 2.1], [20, 30, 24], rouge_noise=2), BY_ROUGE) == 2, "whatever the loss"
    assert kept_step(history([2.0, 2.2, 2.4], [20, 24, 30], rouge_noise=2), BY_ROUGE) == 3


def test_the_same_means_are_told_apart_by_pairs() -> None:
    """A rise of 0.02 is little beside the noise of one validation set, and much where every pair shows it."""
    assert kept_step(history([2.0, 2.02], loss_noise=0.3)) == 2
    events = history([2.0, 2.0])
    events[1] = {
        **evaluation(2, 2.02),
        "pairs": {**events[1]["pairs"], "loss": [1.01 * x for x in events[0]["pairs"]["loss"]]},
    }
    assert kept_step(events) == 1


def test_a_slow_rise_does_not_creep_past_the_best() -> None:
    """Each epoch is hardly worse than the one before."""
    events = history([2.0 + 0.02 * i for i in range(20)], loss_noise=0.06)
    assert sum(kept_step([a, b]) == b["step"] for a, b in pairwise(events)) > 15
    assert kept_step(events) < 10


def test_scores_that_say_nothing_leave_it_to_the_loss() -> None:
    """As of texts that ROUGE's tokenizer does not read."""
    settings = TrainSettings(select_by="rougeL", early_stopping_patience=1)
    falling = history([4.0, 3.0, 2.5, 2.4])
    assert kept_step(falling, settings) == 4
    assert not any(stalled(falling[:n], settings) for n in range(5))
    rising = history([4.0, 3.0, 3.5, 3.6])
    assert kept_step(rising, settings) == 2
    assert stalled(rising[:3], settings)


def test_early_stopping_counts_what_is_clearly_worse() -> None:
    settings = TrainSettings(early_stopping_patience=2)
    events = history([2.5, 2.0, 2.3, 2.4], loss_noise=0.02)
    assert [stalled(events[:n], settings) for n in range(5)] == [False, False, False, False, True]
    assert not stalled(events, TrainSettings())
    assert not stalled(history([2.0] * 6, loss_noise=0.02), settings), "a plateau within the noise"


@pytest.mark.parametrize("settings", [BY_LOSS, BY_ROUGE])
def test_what_is_kept_is_the_newest_or_what_was_kept_before(settings: TrainSettings) -> None:
    """No other adapter is on the disk."""
    for seed in range(60):
        drawn = random.Random(seed)
        losses = [drawn.uniform(2, 2.2) for _ in range(8)]
        events = history(losses, [drawn.uniform(20, 26) for _ in losses], loss_noise=0.1, rouge_noise=6)
        steps = [kept_step(events[: n + 1], settings) for n in range(len(events))]
        for n in range(1, len(steps)):
            assert steps[n] in (steps[n - 1], n + 1)


@pytest.mark.parametrize(("select_by", "expected"), [("loss", 4), ("rougeL", 2), ("rouge2", 4)])
def test_a_run_begun_without_figures_of_each_pair_goes_on_by_its_rule(select_by: Any, expected: int) -> None:
    """The best mean, the earliest of equals: that adapter is the one its checkpoints hold; by loss where nothing was generated."""
    events = [
        {"step": step, "epoch": float(step), "eval_loss": loss, "eval_rougeL": rouge}
        for step, loss, rouge in [(1, 2.2, 20.0), (2, 2.1, 25.0), (3, 2.3, 25.0), (4, 2.0, 24.0), (5, 2.0, 21.0)]
    ]
    assert kept_step(events, TrainSettings(select_by=select_by)) == expected


def test_what_has_no_finite_loss_is_never_kept() -> None:
    assert (
        kept_step([{"step": 1, "epoch": 1.0, "eval_loss": math.nan}, evaluation(2, 3.0), {"step": 3, "loss": 2.0}]) == 2
    )
    assert kept_evaluation([{"step": 1, "epoch": 1.0, "eval_loss": math.inf}], BY_LOSS) is None
    assert kept_evaluation([], BY_LOSS) is None


def test_one_pair_shows_nothing_clearly() -> None:
    def alone(step: int, loss: float) -> dict[str, Any]:
        return {"step": step, "epoch": float(step), "eval_loss": loss, "pairs": {"loss": [9 * loss], "tokens": [9]}}

    assert kept_step([alone(1, 2.0), alone(2, 5.0)]) == 2


@pytest.mark.parametrize(
    ("events", "settings", "words"),
    [
        (history([2.3]), BY_LOSS, ["epoch 1: the first evaluation"]),
        (history([2.3, 2.0]), BY_LOSS, ["epoch 2: the last one, and its validation loss is the lowest (2.000)"]),
        (
            history([2.3, 2.0], [20, 30], rouge_noise=1),
            BY_ROUGE,
            ["epoch 2: the last one", "ROUGE-L is the highest (30.0)"],
        ),
        (
            history([2.0, 2.02], loss_noise=0.3),
            BY_LOSS,
            [
                "epoch 2: the last one, and none before it is clearly better (validation loss 2.020 against 2.000",
                " of epoch 1, a difference of",
                "over 20 dialogues",
            ],
        ),
        (
            history([2.3, 2.0, 2.5], loss_noise=0.02),
            BY_LOSS,
            [
                "epoch 2: epoch 3 is clearly worse (validation loss 2.500 against 2.000",
                "against ",
                " of epoch 2, a difference of",
                "standard errors over 20 dialogues",
            ],
        ),
        (history([2.3, 2.0]), BY_ROUGE, ["epoch 2: the last one, and its validation loss is the lowest"]),
    ],
)
def test_the_reason_is_said(events: list[dict[str, Any]], settings: TrainSettings, words: list[str]) -> None:
    kept = kept_evaluation(events, settings)
    assert kept is not None
    assert "pairs" not in kept.event
    for part in words:
        assert part in kept.sentence, kept.sentence
