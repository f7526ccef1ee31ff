"""Slices hold every dialogue once, and measures are what their papers define."""

from __future__ import annotations

import numpy as np
import pytest

from diasum.evaluation.measures import MEASURES, describe, extractive_fragments
from diasum.evaluation.statistics.slices import OTHERS, quantile_bins, slice_scores
from tests.evaluation.examples import PAIRS, pair


def test_quantile_bins_are_even_and_keep_equal_numbers_together() -> None:
    bins = quantile_bins(list(range(100)), 4)
    assert [label for label, _ in bins] == ["0 to 24", "25 to 49", "50 to 74", "75 to 99"]
    assert quantile_bins([2] * 90 + [3] * 10, 4) == [("2", list(range(90))), ("3", list(range(90, 100)))]
    assert [label for label, _ in quantile_bins(list(range(9)), 4)] == ["0 to 8"]  # too few to cut
    assert quantile_bins([], 4) == []


def test_slices_partition_and_average() -> None:
    pairs = [
        pair(
            f"p{i}",
            "\n".join(f"{'ABCDE'[j % (2 + i % 2)]}: word " + "more " * (i % 10) for j in range(2 + i % 7)),
            "w " * (1 + i % 5),
            topic=("weather" if i % 2 else "money") if i < 60 else f"topic {i}",
        )
        for i in range(80)
    ]
    values = np.arange(80.0)
    found = slice_scores(pairs, {"s": {"rouge1": values}, "t": {"rouge1": -values}}, resamples=50)
    assert set(found) == {"dialogue words", "turns", "reference words", "speakers", "topic"}
    for name, bins in found.items():
        assert sorted(i for b in bins for i in b.members) == list(range(80)), name
        for b in bins:
            assert b.n == len(b.members) == b.scores["s"]["rouge1"].n
            assert b.scores["s"]["rouge1"].mean == pytest.approx(values[list(b.members)].mean())
            assert b.scores["t"]["rouge1"].mean == -b.scores["s"]["rouge1"].mean
    assert [b.label for b in found["speakers"]] == ["2", "3"]
    assert [(b.label, b.n) for b in found["topic"]] == [("money", 30), ("weather", 30), (OTHERS, 20)]
    assert found["turns"][0].to_json()["systems"]["s"]["rouge1"].keys() == {"mean", "low", "high"}


def test_properties_that_do_not_vary_are_left_out() -> None:
    assert slice_scores(PAIRS[:1] * 20, {"s": {"rouge1": np.ones(20)}}, resamples=10) == {}


def test_fragments_as_in_newsroom() -> None:
    source = ["a", "b", "c", "d", "e", "f", "g"]
    assert extractive_fragments(source, ["b", "c", "d", "x", "a", "b", "y"]) == [3, 2]
    assert extractive_fragments(["x", "a", "b", "c", "a", "b", "c", "d"], ["a", "b", "c", "d"]) == [
        4
    ]  # the longest, not the first
    assert extractive_fragments(source, []) == []


def test_measures() -> None:
    talk = pair("m", "A: the red cat sat on the mat", "x")  # 8 words with the speaker's label
    texts = ["the red cat ran", "", "go on go on go on"]
    found = describe([talk] * 3, texts, [False, True, False])
    assert found.keys() == MEASURES.keys()
    assert found["words"].tolist() == [4, 0, 6]
    assert found["compression"][0] == 2
    assert found["novelty1"][0] == 0.25
    assert found["novelty2"][0] == pytest.approx(1 / 3)
    assert found["coverage"][0] == 0.75
    assert found["density"][0] == 9 / 4
    assert found["repetition"][0] == 0
    assert found["repetition"][2] == 0.5  # 4 triples, 2 different
    assert found["cut"].tolist() == [0, 1, 0]
    assert found["empty"].tolist() == [0, 1, 0]
    assert np.isnan([found[name][1] for name in ("compression", "novelty1", "coverage", "density", "repetition")]).all()
