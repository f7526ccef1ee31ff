"""Intervals cover what they should, tests find what is there and only that."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from diasum.evaluation.statistics.bootstrap import (
    hierarchical_means,
    holm_correction,
    interval,
    intervals,
    paired_difference,
    share_interval,
    two_sided_p,
)


def test_interval_is_the_normal_one_for_large_samples() -> None:
    values = np.random.default_rng(1).normal(30, 10, 2000)
    found = interval(values)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05)
    narrow = interval(values, level=0.5)
    assert found.low < narrow.low < narrow.high < found.high


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for trial in range(200):
        found = interval(rng.exponential(1, 60), resamples=500, seed=trial)
        hits += found.low <= 1 <= found.high
    assert 0.86 <= hits / 200 <= 0.99


def test_columns_share_resamples_and_equal_single_columns() -> None:
    values = np.random.default_rng(3).normal(0, 1, (50, 2))
    both = intervals(values, resamples=300, seed=7)
    alone = interval(values[:, 1], resamples=300, seed=7)
    # sums of one column and of several may be rounded otherwise
    assert astuple(both[1]) == pytest.approx(astuple(alone), rel=1e-12)
    assert interval(values[:, 1], resamples=300, seed=8) != both[1]


def test_no_and_one_example() -> None:
    assert np.isnan(interval([]).mean)
    one = interval([4.0], resamples=10)
    assert (one.mean, one.low, one.high, one.n) == (4, 4, 4, 1)


def test_paired_difference_finds_a_small_steady_gain() -> None:
    rng = np.random.default_rng(4)
    base = rng.normal(30, 15, 300)
    found = paired_difference(base + rng.normal(0.5, 1, 300), base)
    assert found.mean == pytest.approx(0.5, abs=0.2)
    assert found.low > 0
    assert found.p < 0.001
    assert paired_difference(base, base).p == 1


def test_p_values_are_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(5)
    ps = np.array([paired_difference(rng.normal(0, 1, 25), np.zeros(25), resamples=400, seed=i).p for i in range(300)])
    assert 0.02 <= (ps < 0.05).mean() <= 0.09
    assert 0.4 <= ps.mean() <= 0.6


def test_sign_flip_is_exact_on_a_small_case() -> None:
    # All differences positive: of the 2^4 sign patterns only two are as extreme, so p tends to 1/8.
    assert paired_difference([1, 2, 3, 4], [0, 0, 0, 0], resamples=20_000).p == pytest.approx(1 / 8, abs=0.01)


def test_holm() -> None:
    assert holm_correction([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm_correction([0.6, 0.7]) == [1, 1]
    assert holm_correction([]) == []


def test_hierarchical_spread_counts_seeds_and_dialogues() -> None:
    rng = np.random.default_rng(6)
    dialogues, seeds = rng.normal(0, 4, 400), rng.normal(0, 2, 5)
    values = seeds[:, None] + dialogues[None]
    spread = hierarchical_means(values, resamples=4000, seed=0).std()
    assert spread == pytest.approx(np.sqrt(seeds.var() / 5 + dialogues.var() / 400), rel=0.1)
    alone = hierarchical_means(values[:1], resamples=4000, seed=0).std()
    assert alone == pytest.approx(dialogues.std() / 20, rel=0.1)


def test_two_sided_p() -> None:
    assert two_sided_p(np.linspace(-1, 1, 1001)) == 1
    assert two_sided_p(np.ones(999)) == pytest.approx(0.002)


def test_a_share_has_wilsons_interval() -> None:
    for wins, n, low, high in (
        (13, 13, 0.772, 1.0),
        (0, 500, 0.0, 0.0076),
        (8, 500, 0.0081, 0.0313),
        (50, 100, 0.404, 0.596),
    ):
        found = share_interval([1.0] * wins + [0.0] * (n - wins))
        assert (found.mean, found.n) == (wins / n, n)
        assert (found.low, found.high) == (pytest.approx(low, abs=6e-4), pytest.approx(high, abs=6e-4))
    assert np.isnan(share_interval([]).low)
