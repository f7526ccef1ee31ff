"""How sure a mean is: bootstrap intervals, paired differences with p-values, and their correction when there are many.

In: per-example values, ``[n]`` or ``[n, metrics]``. All metrics and systems that go in together share their resamples. A resample is a
row of counts (how often each example was drawn), so the means of all columns are one matrix product: 10,000 resamples of 1500
examples take about a second, however many metrics there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SIGN_FLIP = "paired sign-flip permutation test"
HIERARCHICAL = "hierarchical bootstrap over seeds and dialogues"


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its interval: the percentile bootstrap's, or, for a share, Wilson's (then without resamples)."""

    mean: float
    low: float
    high: float
    n: int
    resamples: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """As a plain dict."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.mean:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of paired differences a - b with its interval.

    Attributes:
        p: two-sided, from the test named in `test`.
        test: how `p` was found.
    """

    mean: float
    low: float
    high: float
    p: float
    n: int
    resamples: int
    seed: int
    test: str = SIGN_FLIP

    def to_json(self) -> dict[str, Any]:
        """As a plain dict."""
        return asdict(self)


def interval(values: ArrayLike, *, resamples: int = 10_000, seed: int = 0, level: float = 0.95) -> Interval:
    """The mean of one metric with its percentile bootstrap interval (Efron & Tibshirani 1993, chapter 13)."""
    return intervals(np.asarray(values, dtype=np.float64)[:, None], resamples=resamples, seed=seed, level=level)[0]


def intervals(values: Floats, *, resamples: int = 10_000, seed: int = 0, level: float = 0.95) -> list[Interval]:
    """Intervals of several columns that share their resamples.

    Args:
        values: ``[n, columns]``; a column may hold any unit, the interval has the same.
        resamples: how many samples of `n` examples are drawn with replacement.
        seed: of the draws.
        level: share of the resampled means that lies inside.
    """
    n, columns = values.shape
    if n == 0:
        return [Interval(float("nan"), float("nan"), float("nan"), 0, resamples, seed)] * columns
    low, high = _percentiles(resampled_means(values, resamples=resamples, seed=seed), level)
    means = values.mean(axis=0)
    return [
        Interval(float(mean), float(a), float(b), n, resamples, seed)
        for mean, a, b in zip(means, low, high, strict=True)
    ]


def share_interval(values: ArrayLike, *, level: float = 0.95) -> Interval:
    """A share with Wilson's score interval (Wilson 1927), for values from 0 to 1.

    The bootstrap of 13 wins out of 13 is "100% to 100%", which says that nothing else could have happened; this one says 77% to 100%.
    """
    wins = np.asarray(values, dtype=np.float64)
    n = len(wins)
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), 0, 0, 0)
    share, z = float(wins.mean()), NormalDist().inv_cdf((1 + level) / 2)
    middle, spread = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = ((middle + side * spread) / (1 + z * z / n) for side in (-1, 1))
    return Interval(share, float(max(low, 0.0)), float(min(high, 1.0)), n, 0, 0)


def resampled_means(values: Floats, *, resamples: int, seed: int) -> Floats:
    """Means of the columns of `values` ``[n, columns]`` in each resample: ``[resamples, columns]``."""
    n = len(values)
    return np.concatenate([counts @ values / n for counts in _draws(n, resamples, np.random.default_rng(seed))])


def paired_difference(
    a: ArrayLike, b: ArrayLike, *, resamples: int = 10_000, seed: int = 0, level: float = 0.95
) -> Difference:
    """How much better `a` is than `b` on the same examples.

    The interval is the percentile bootstrap of the mean difference. The p-value is that of a sign-flip permutation test: if the two
    systems were exchangeable, each example's difference could as well have the other sign.
    """
    difference = np.asarray(a, dtype=np.float64) - np.asarray(b, dtype=np.float64)
    return paired_differences(difference[:, None], resamples=resamples, seed=seed, level=level)[0]


def paired_differences(
    differences: Floats, *, resamples: int = 10_000, seed: int = 0, level: float = 0.95
) -> list[Difference]:
    """`paired_difference` for several columns of differences ``[n, columns]`` that share resamples and sign flips."""
    bands = intervals(differences, resamples=resamples, seed=seed, level=level)
    ps = _sign_flip_p(differences, resamples, seed)
    return [
        Difference(band.mean, band.low, band.high, float(p), band.n, resamples, seed)
        for band, p in zip(bands, ps, strict=True)
    ]


def hierarchical_means(values: Floats, *, resamples: int, seed: int, stream: int = 1) -> Floats:
    """Resampled means of one system trained with several seeds: seeds are drawn, and dialogues are drawn, both with replacement.

    Args:
        values: ``[seeds, n]``.
        resamples: how many.
        seed: of the draws of dialogues, which systems resampled with the same `seed` share.
        stream: of the draws of training seeds; two systems' seeds are not paired, so they take different ones.

    Returns:
        ``[resamples]``.
    """
    seeds, n = values.shape
    runs, dialogues = np.random.default_rng([seed, stream]), np.random.default_rng(seed)
    parts = []
    for counts in _draws(n, resamples, dialogues):
        drawn = runs.integers(0, seeds, size=(len(counts), seeds))
        weights = np.stack([(drawn == s).sum(axis=1) for s in range(seeds)], axis=1) / seeds
        parts.append(((counts @ values.T) * weights).sum(axis=1) / n)
    return np.concatenate(parts)


def two_sided_p(resampled: Floats) -> float:
    """Twice the share of resampled differences on the rarer side of 0 (with one added, so it is never 0)."""
    below, above = (resampled <= 0).sum(), (resampled >= 0).sum()
    return float(min(1.0, 2 * (min(below, above) + 1) / (len(resampled) + 1)))


def holm_correction(pvalues: Sequence[float]) -> list[float]:
    """Adjusted p-values that keep the chance of any false claim among them at the level read off (Holm 1979)."""
    order = sorted(range(len(pvalues)), key=lambda i: pvalues[i])
    adjusted = [0.0] * len(pvalues)
    largest = 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(pvalues) - rank) * pvalues[i]))
        adjusted[i] = largest
    return adjusted


def _draws(n: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Chunks of resamples as counts ``[chunk, n]``: how often each example was drawn."""
    chunk = max(1, min(resamples, 1_000_000 // max(n, 1)))
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        drawn = rng.integers(0, n, size=(size, n), dtype=np.int32)
        drawn += (np.arange(size, dtype=np.int32) * n)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def _percentiles(means: Floats, level: float) -> tuple[Floats, Floats]:
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def _sign_flip_p(differences: Floats, resamples: int, seed: int) -> Floats:
    n, columns = differences.shape
    if n == 0:
        return np.ones(columns)
    rng = np.random.default_rng([seed, 100])
    observed = np.abs(differences.sum(axis=0))
    slack = 1e-9 * (1 + np.abs(differences).sum(axis=0))  # sums in another order differ by rounding
    extreme = np.zeros(columns)
    chunk = max(1, min(resamples, 1_000_000 // n))
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        bits = np.unpackbits(rng.integers(0, 256, size=(size, (n + 7) // 8), dtype=np.uint8), axis=1, count=n)
        flipped = 2 * (bits.astype(np.float64) @ differences) - differences.sum(axis=0)
        extreme += (np.abs(flipped) >= observed - slack).sum(axis=0)
    return (extreme + 1) / (resamples + 1)
