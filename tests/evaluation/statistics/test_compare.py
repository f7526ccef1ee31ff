"""Tables of systems: who differs from whom, with several seeds too."""

from __future__ import annotations

import numpy as np
import pytest

from diasum.errors import DiasumError
from diasum.evaluation.statistics.bootstrap import HIERARCHICAL, SIGN_FLIP
from diasum.evaluation.statistics.compare import compare

RNG = np.random.default_rng(0)
BASE = RNG.normal(30, 10, 200)


def test_differences_are_to_the_reference_and_corrected() -> None:
    better = BASE + RNG.normal(2, 3, 200)
    same = BASE + RNG.normal(0, 3, 200)
    table = compare({"base": {"r": BASE}, "better": {"r": better}, "same": {"r": same}}, "base", resamples=2000)
    assert [row.name for row in table.rows] == ["base", "better", "same"]
    rows = {row.system: row for row in table.differences}
    assert set(rows) == {"better", "same"}
    assert rows["better"].difference.mean == pytest.approx((better - BASE).mean())
    assert rows["better"].difference.p < 0.01 < 0.05 < rows["same"].difference.p
    assert rows["better"].p_holm == pytest.approx(2 * rows["better"].difference.p)
    assert rows["better"].difference.test == SIGN_FLIP
    assert table.to_json()["systems"][0]["metrics"]["r"].keys() == {"mean", "low", "high"}


def test_seeds_widen_the_interval_and_are_reported() -> None:
    seeds = np.stack([BASE + shift for shift in (-3.0, 0.0, 3.0)])
    table = compare({"base": {"r": BASE}, "tuned": {"r": seeds}}, "base", resamples=4000)
    single, several = table.rows
    assert (several.seeds, several.sd["r"], single.sd) == (3, pytest.approx(3), {})
    assert several.metrics["r"].mean == pytest.approx(single.metrics["r"].mean)
    assert several.metrics["r"].high - several.metrics["r"].low > 1.3 * (
        single.metrics["r"].high - single.metrics["r"].low
    )
    (row,) = table.differences
    assert row.difference.test == HIERARCHICAL
    assert row.difference.p > 0.5  # three seeds around zero
    assert row.difference.low < -1 < 1 < row.difference.high
    assert table.to_json()["systems"][1]["metrics"]["r"]["sd"] == pytest.approx(3)


def test_seeds_that_agree_are_found_better() -> None:
    seeds = np.stack([BASE + 2 + RNG.normal(0, 0.1, 200) for _ in range(3)])
    (row,) = compare({"base": {"r": BASE}, "tuned": {"r": seeds}}, "base", resamples=2000).differences
    assert row.difference.low > 1.9  # dialogues are drawn together, so their spread cancels
    assert row.difference.p < 0.01


def test_seeds_of_two_systems_are_not_paired() -> None:
    seeds = np.stack([BASE + shift for shift in (-3.0, 0.0, 3.0)])
    (row,) = compare({"a": {"r": seeds}, "b": {"r": seeds}}, "a", resamples=2000).differences
    assert row.difference.low < -2 < 2 < row.difference.high  # seed 1 of one has nothing to do with seed 1 of the other


def test_bad_tables() -> None:
    with pytest.raises(DiasumError, match="no system `bse`") as error:
        compare({"base": {"r": BASE}}, "bse")
    assert "Did you mean `base`?" in str(error.value)
    with pytest.raises(DiasumError, match="different numbers of dialogues"):
        compare({"a": {"r": BASE}, "b": {"r": BASE[:10]}}, "a")
