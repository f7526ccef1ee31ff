"""For whom it fails: the same scores, by what the dialogues are like.

In: pairs and per-example scores of systems. Out: for each property (length, speakers, turns, topic, reference length) a few bins with
their number of dialogues, and each system's mean and interval in each bin. Bins of numbers are quantiles, so they hold about as many
dialogues each; a bin is never split between equal values.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diasum.data import Pair
from diasum.evaluation.statistics.bootstrap import Interval, intervals

SystemScores = Mapping[str, Mapping[str, NDArray[np.float64]]]

OTHERS = "others"
MOST_TOPICS = 8
LEAST = 10  # fewer dialogues say nothing of a topic, and nothing of how a system does on their like
MOST_SPEAKERS = 4


@dataclass(frozen=True)
class Bin:
    """Dialogues that are alike in one property.

    Attributes:
        label: ``33 to 101``, a topic, ``2``.
        members: positions of its dialogues in the split.
        scores: system to metric to interval.
    """

    label: str
    members: tuple[int, ...]
    scores: dict[str, dict[str, Interval]]

    @property
    def n(self) -> int:
        """How many dialogues it holds."""
        return len(self.members)

    @property
    def judged(self) -> bool:
        """Whether it holds enough dialogues to call a system weak on them."""
        return self.n >= LEAST

    def to_json(self) -> dict[str, Any]:
        """As metrics.json has it."""
        systems = {
            name: {metric: {"mean": i.mean, "low": i.low, "high": i.high} for metric, i in metrics.items()}
            for name, metrics in self.scores.items()
        }
        return {"bin": self.label, "n": self.n, "systems": systems}


def slice_scores(
    pairs: Sequence[Pair], scores: SystemScores, *, bins: int = 4, resamples: int = 10_000, seed: int = 0
) -> dict[str, list[Bin]]:
    """Means and intervals of every system in every bin of every property.

    Args:
        pairs: the split.
        scores: system to metric to one value a pair.
        bins: how many a numeric property is cut into, where there are dialogues enough (eight for each).
        resamples: of the intervals.
        seed: seed of the resamples.

    Returns:
        Property to bins. Properties with one bin only say nothing and are left out.
    """
    columns = [(system, metric) for system, metrics in scores.items() for metric in metrics]
    values = np.stack([scores[system][metric] for system, metric in columns], axis=1)
    sliced: dict[str, list[Bin]] = {}
    for name, group in _groups(pairs, bins).items():
        if len(group) < 2:
            continue
        sliced[name] = []
        for label, members in group:
            bands = intervals(values[members], resamples=resamples, seed=seed)
            table: dict[str, dict[str, Interval]] = {system: {} for system in scores}
            for (system, metric), band in zip(columns, bands, strict=True):
                table[system][metric] = band
            sliced[name].append(Bin(label, tuple(members), table))
    return sliced


_NUMBERS: dict[str, Callable[[Pair], int]] = {
    "dialogue words": lambda pair: sum(len(turn.text.split()) for turn in pair.dialogue.turns),
    "turns": lambda pair: len(pair.dialogue),
    "reference words": lambda pair: round(float(np.mean([len(text.split()) for text in pair.references] or [0]))),
}


def _groups(pairs: Sequence[Pair], bins: int) -> dict[str, list[tuple[str, list[int]]]]:
    """Property to (label, positions), in a sensible order."""
    groups = {name: quantile_bins([number(pair) for pair in pairs], bins) for name, number in _NUMBERS.items()}
    speakers = [min(len(pair.dialogue.speakers), MOST_SPEAKERS) for pair in pairs]
    groups["speakers"] = [
        (
            f"{value} or more" if value == MOST_SPEAKERS else str(value),
            [i for i, s in enumerate(speakers) if s == value],
        )
        for value in sorted(set(speakers))
    ]
    groups["topic"] = _topics(pairs)
    return groups


def quantile_bins(numbers: Sequence[int], bins: int) -> list[tuple[str, list[int]]]:
    """Cut numbers into bins of about equal size; equal numbers stay together."""
    values = np.asarray(numbers)
    bins = max(1, min(bins, len(values) // 8))
    if not len(values):
        return []
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="lower")) if bins > 1 else np.array([])
    places = np.searchsorted(edges, values, side="left")
    binned = []
    for place in np.unique(places):
        members = np.flatnonzero(places == place)
        low, high = values[members].min(), values[members].max()
        binned.append((str(low) if low == high else f"{low} to {high}", members.tolist()))
    return binned


def _topics(pairs: Sequence[Pair]) -> list[tuple[str, list[int]]]:
    counts = Counter(pair.topic for pair in pairs if pair.topic)
    kept = [topic for topic, n in counts.most_common(MOST_TOPICS) if n >= LEAST]
    if not kept:
        return []
    groups = [(topic, [i for i, pair in enumerate(pairs) if pair.topic == topic]) for topic in kept]
    rest = [i for i, pair in enumerate(pairs) if pair.topic not in kept]
    return [*groups, (OTHERS, rest)] if rest else groups
