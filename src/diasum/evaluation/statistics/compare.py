"""Systems against each other: one row per system, and whether it differs from a reference system by more than chance.

A system that was trained several times with different seeds comes as several rows of scores; then the spread between seeds is shown,
and intervals and p-values count it, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diasum.errors import DiasumError, near_misses
from diasum.evaluation.statistics.bootstrap import (
    HIERARCHICAL,
    Difference,
    Interval,
    hierarchical_means,
    holm_correction,
    intervals,
    paired_differences,
    two_sided_p,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SystemRow:
    """One system.

    Attributes:
        seeds: how many trained models stand behind it.
        metrics: metric to mean and interval, over dialogues and seeds.
        sd: metric to the standard deviation of the seeds' means; empty for one seed.
    """

    name: str
    seeds: int
    metrics: dict[str, Interval]
    sd: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """As a plain dict."""
        metrics = {
            m: {"mean": i.mean, "low": i.low, "high": i.high} | ({"sd": self.sd[m]} if m in self.sd else {})
            for m, i in self.metrics.items()
        }
        return {"system": self.name, "seeds": self.seeds, "metrics": metrics}


@dataclass(frozen=True)
class DifferenceRow:
    """How a system differs from the reference system in one metric.

    Attributes:
        difference: system minus reference.
        p_holm: its p-value, corrected for all rows of the table (Holm 1979).
    """

    system: str
    reference: str
    metric: str
    difference: Difference
    p_holm: float

    @property
    def clear_of_zero(self) -> bool:
        """Whether the 95% interval, which ignores the other rows, excludes zero."""
        return not self.difference.low <= 0 <= self.difference.high

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below 0.05."""
        return self.p_holm < 0.05

    @property
    def established(self) -> bool:
        """Whether interval and corrected p-value both speak for a difference; with several rows they can disagree."""
        return self.clear_of_zero and self.significant

    def to_json(self) -> dict[str, Any]:
        """As metrics.json has it."""
        return {
            "system": self.system,
            "reference": self.reference,
            "metric": self.metric,
            **self.difference.to_json(),
            "p_holm": self.p_holm,
            "established": self.established,
        }


@dataclass(frozen=True)
class Comparison:
    """The table: rows in the order given, differences to `reference`; `notes` are what a reader must know, each a sentence or two."""

    reference: str
    rows: list[SystemRow]
    differences: list[DifferenceRow]
    notes: list[str] = field(default_factory=list)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that all systems have."""
        return tuple(m for m in self.rows[0].metrics if all(m in row.metrics for row in self.rows))

    def difference(self, system: str, metric: str) -> DifferenceRow | None:
        """How a system differs from the reference in a metric; None for the reference itself."""
        return next((row for row in self.differences if row.system == system and row.metric == metric), None)

    def to_json(self) -> dict[str, Any]:
        """As a plain dict."""
        return {
            "reference": self.reference,
            "systems": [row.to_json() for row in self.rows],
            "differences": [row.to_json() for row in self.differences],
            "notes": list(self.notes),
        }


def compare(
    systems: Mapping[str, Mapping[str, ArrayLike]],
    reference_system: str,
    *,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare systems on the same dialogues.

    Args:
        systems: name to metric to per-example scores, ``[n]``, or ``[seeds, n]`` for several trainings of one system.
        reference_system: the one that the others are held against.
        resamples: number of resamples for intervals and tests.
        seed: seed of the resamples.

    Raises:
        DiasumError: the reference system is not among them, or they were scored on different numbers of dialogues.
    """
    if reference_system not in systems:
        raise DiasumError(f"There is no system `{reference_system}`.", hint=near_misses(reference_system, systems))
    arrays = {
        name: {metric: np.atleast_2d(np.asarray(values, dtype=np.float64)) for metric, values in metrics.items()}
        for name, metrics in systems.items()
    }
    _check_shapes(arrays)
    metrics = [m for m in arrays[reference_system] if all(m in scores for scores in arrays.values())]
    rows = [_row(name, scores, resamples, seed) for name, scores in arrays.items()]
    others = [name for name in arrays if name != reference_system]
    differences: list[tuple[str, str, Difference]] = []
    for name in others:
        by_metric = _differences(arrays[name], arrays[reference_system], metrics, resamples, seed)
        differences += [(name, metric, d) for metric, d in zip(metrics, by_metric, strict=True)]
    corrected = holm_correction([d.p for _, _, d in differences])
    return Comparison(
        reference_system,
        rows,
        [
            DifferenceRow(name, reference_system, metric, d, p)
            for (name, metric, d), p in zip(differences, corrected, strict=True)
        ],
    )


def _row(name: str, scores: Mapping[str, Floats], resamples: int, seed: int) -> SystemRow:
    metrics = list(scores)
    seeds, n = scores[metrics[0]].shape
    if seeds == 1:
        bands = intervals(np.stack([scores[m][0] for m in metrics], axis=1), resamples=resamples, seed=seed)
        return SystemRow(name, 1, dict(zip(metrics, bands, strict=True)), {})
    table = {}
    for metric in metrics:
        means = hierarchical_means(scores[metric], resamples=resamples, seed=seed)
        low, high = np.quantile(means, [0.025, 0.975])
        table[metric] = Interval(float(scores[metric].mean()), float(low), float(high), n, resamples, seed)
    return SystemRow(name, seeds, table, {m: float(scores[m].mean(axis=1).std(ddof=1)) for m in metrics})


def _differences(
    a: Mapping[str, Floats], b: Mapping[str, Floats], metrics: list[str], resamples: int, seed: int
) -> list[Difference]:
    if all(len(scores[m]) == 1 for scores in (a, b) for m in metrics):
        stacked = np.stack([a[m][0] - b[m][0] for m in metrics], axis=1)
        return paired_differences(stacked, resamples=resamples, seed=seed)
    differences = []
    for metric in metrics:
        one = hierarchical_means(a[metric], resamples=resamples, seed=seed)
        drop = one - hierarchical_means(b[metric], resamples=resamples, seed=seed, stream=2)
        low, high = np.quantile(drop, [0.025, 0.975])
        mean = float(a[metric].mean() - b[metric].mean())
        n = a[metric].shape[1]
        differences.append(
            Difference(mean, float(low), float(high), two_sided_p(drop), n, resamples, seed, HIERARCHICAL)
        )
    return differences


def _check_shapes(arrays: Mapping[str, Mapping[str, Floats]]) -> None:
    sizes = {name: {values.shape for values in scores.values()} for name, scores in arrays.items()}
    numbers = {name: next(iter(shapes))[1] for name, shapes in sizes.items() if shapes}
    if any(len(shapes) != 1 for shapes in sizes.values()) or len(set(numbers.values())) > 1:
        listed = ", ".join(f"{name}: {', '.join(str(s[1]) for s in sorted(shapes))}" for name, shapes in sizes.items())
        raise DiasumError(
            f"The systems were scored on different numbers of dialogues ({listed}).",
            hint="Evaluate all of them on the same split of the same data.",
        )
