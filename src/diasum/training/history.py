"""What a run's log history says: which evaluation's adapter is to be kept and why, and whether training has passed its best.

The last one is kept, unless an earlier one is clearly better: by more than `CLEAR` standard errors of the difference, paired over the
validation pairs. Losses and scores of a few dozen dialogues jump from epoch to epoch, and to take the best mean often is to take an
adapter that has hardly been trained. An evaluation is compared with those before it only, so that what is kept is always either the
newest adapter or the one kept until then.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from diasum.config import TrainSettings

CLEAR = 2.0  # standard errors
PAIRS = "pairs"  # key of an entry's figures of each pair: `loss` summed over its target tokens, `tokens`, and the score of `select_by`
_SHOWN = {"loss": "validation loss", "rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "rougeLsum": "ROUGE-Lsum"}  # fmt: skip

Event = dict[str, Any]  # an entry of the trainer's log history


@dataclass(frozen=True, slots=True)
class Kept:
    """The evaluation whose adapter is kept.

    Attributes:
        event: its figures (``step``, ``epoch``, ``eval_loss``, ...), without those of each pair.
        reason: why this one, in a few words.
    """

    event: Event
    reason: str

    @property
    def step(self) -> int:
        return int(self.event["step"])

    @property
    def sentence(self) -> str:
        """``epoch 3: the last one, and its validation loss is the lowest (2.280)``."""
        return f"{_epoch(self.event)}: {self.reason}"


def kept_evaluation(history: Sequence[Event], settings: TrainSettings) -> Kept | None:
    """The last evaluation that none before it is clearly better than.

    Returns:
        None where no evaluation has a finite loss; an adapter without one is broken.
    """
    evaluations = [event for event in history if math.isfinite(event.get("eval_loss", math.nan))]
    kept: Event | None = None
    reason = ""
    for i, event in enumerate(evaluations):
        before = evaluations[:i]
        better = [d for other in before if (d := _clearly_better(other, event, settings)) is not None]
        if better:
            reason = _worse(next((d for d in better if d.earlier is kept), better[0]))
        else:
            kept, reason = event, _last(before, event, settings)
    return None if kept is None else Kept({k: v for k, v in kept.items() if k != PAIRS}, reason)


def stalled(history: Sequence[Event], settings: TrainSettings) -> bool:
    """Whether `early_stopping_patience` evaluations have passed since the one that is kept."""
    kept = kept_evaluation(history, settings)
    if settings.early_stopping_patience is None or kept is None:
        return False
    since = sum("eval_loss" in event and event["step"] > kept.step for event in history)
    return bool(since >= settings.early_stopping_patience)


@dataclass(frozen=True, slots=True)
class _Difference:
    """Between two evaluations, in nats per token or in points.

    Attributes:
        name: ``loss`` or a score.
        earlier, later: the two.
        mean: positive where the earlier is the better one.
        error: standard error of the mean, infinite with a single pair; None where the figures of each pair are not known.
        pairs: how many there are.
    """

    name: str
    earlier: Event
    later: Event
    mean: float
    error: float | None
    pairs: int

    @property
    def clear(self) -> bool:
        # Runs begun by versions that kept no figures of each pair had the best mean, the earliest of equals.
        return self.error is None or abs(self.mean) > CLEAR * self.error

    def sentence(self) -> str:
        """``validation loss 2.310 against 2.280 of epoch 3, a difference of 0.8 standard errors over 20 dialogues``."""
        new, old = (_figure(self.name, event) for event in (self.later, self.earlier))
        comparison = f"{_SHOWN[self.name]} {new} against {old} of {_epoch(self.earlier)}"
        if not self.error or math.isinf(self.error):
            return comparison
        return f"{comparison}, a difference of {abs(self.mean) / self.error:.1f} standard errors over {self.pairs} dialogues"


def _clearly_better(earlier: Event, later: Event, settings: TrainSettings) -> _Difference | None:
    """By which figure the earlier evaluation is clearly the better one; the loss speaks where the chosen score does not."""
    clear = next((d for d in _differences(earlier, later, settings) if d.clear), None)
    return None if clear is None or clear.mean < 0 else clear


def _differences(earlier: Event, later: Event, settings: TrainSettings) -> Iterator[_Difference]:
    """By the chosen score, where both have it, and then by the loss."""
    score = settings.select_by
    if score != "loss" and all(f"eval_{score}" in event for event in (earlier, later)):
        yield _difference(score, earlier, later)
    yield _difference("loss", earlier, later)


def _difference(name: str, earlier: Event, later: Event) -> _Difference:
    sign = -1 if name == "loss" else 1
    if not all(name in event.get(PAIRS, {}) for event in (earlier, later)):
        mean = sign * (earlier[f"eval_{name}"] - later[f"eval_{name}"])
        return _Difference(name, earlier, later, mean, None, 0)
    import numpy as np  # here, as a run directory is also looked at where nothing is computed

    old, new = (np.array(event[PAIRS][name]) for event in (earlier, later))
    weights = np.array(later[PAIRS]["tokens"]) if name == "loss" else np.ones(len(new))
    each, total = sign * (old - new), max(weights.sum(), 1)
    mean = each.sum() / total  # a ratio of sums, as the loss is
    spread = ((each - mean * weights) ** 2).sum()
    error = math.sqrt(spread * len(each) / (len(each) - 1)) / total if len(each) > 1 else math.inf
    return _Difference(name, earlier, later, float(mean), float(error), len(each))


def _worse(difference: _Difference) -> str:
    return f"{_epoch(difference.later)} is clearly worse ({difference.sentence()})"


def _last(before: Sequence[Event], event: Event, settings: TrainSettings) -> str:
    if not before:
        return "the first evaluation"
    against = [list(_differences(other, event, settings)) for other in before]
    # By the score, unless all have the same.
    named = next((ds for ds in zip(*against, strict=True) if any(d.mean for d in ds)), [ds[-1] for ds in against])
    nearest = max(named, key=lambda d: d.mean)
    if nearest.mean < 0:
        extreme = "lowest" if nearest.name == "loss" else "highest"
        return f"the last one, and its {_SHOWN[nearest.name]} is the {extreme} ({_figure(nearest.name, event)})"
    return f"the last one, and none before it is clearly better ({nearest.sentence()})"


def _figure(name: str, event: Event) -> str:
    return f"{event[f'eval_{name}']:.{3 if name == 'loss' else 1}f}"


def _epoch(event: Event) -> str:
    return f"epoch {event['epoch']:.3g}"
