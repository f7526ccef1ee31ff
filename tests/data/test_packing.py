"""Packed batches: a budget of real tokens, every pair once an epoch, as many steps in every epoch."""

from __future__ import annotations

import random

import pytest

from diasum.data import LengthBatches, PackedBatches
from diasum.errors import DiasumError


def lengths(n: int, seed: int = 0) -> list[tuple[int, int]]:
    rng = random.Random(seed)
    return [(min(512, int(rng.lognormvariate(5, 0.5))), rng.randint(5, 60)) for _ in range(n)]


def loads(batches: PackedBatches, sizes: list[tuple[int, int]]) -> list[int]:
    return [sum(sum(sizes[i]) for i in batch) for batch in batches]


@pytest.mark.parametrize("n", [1, 2, 7, 100, 501])
@pytest.mark.parametrize(("batch_size", "budget"), [(None, 64), (None, 700), (None, 4096), (4, 4096)])
def test_every_index_once_within_the_budget(n: int, batch_size: int | None, budget: int) -> None:
    sizes = lengths(n)
    batches = PackedBatches(sizes, batch_size=batch_size, batch_tokens=budget, seed=1)
    for epoch in range(3):
        batches.set_epoch(epoch)
        made = list(batches)
        assert sorted(i for batch in made for i in batch) == list(range(n))
        assert len(made) == len(batches)
        if batch_size is None:
            assert all(sum(sum(sizes[i]) for i in batch) <= budget or len(batch) == 1 for batch in made)
        else:
            assert sorted(map(len, made)) == sorted([4] * (n // 4) + [n % 4] * (n % 4 > 0))


def test_batches_are_full_and_alike() -> None:
    sizes = lengths(2000)
    batches = PackedBatches(sizes, batch_size=None, batch_tokens=4096, seed=0)
    found = loads(batches, sizes)
    assert len(batches) <= 1.05 * sum(map(sum, sizes)) / 4096 + 1
    assert min(found) > 0.85 * max(found)
    assert len(batches) < len(LengthBatches(sizes, batch_size=None, batch_tokens=4096, seed=0))


def test_order_depends_on_seed_and_epoch_and_members_mix() -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        batches = PackedBatches(lengths(300), batch_size=None, batch_tokens=2048, seed=seed)
        batches.set_epoch(epoch)
        return list(batches)

    assert order(5, 2) == order(5, 2)
    assert order(5, 2) != order(6, 2)
    assert {frozenset(batch) for batch in order(5, 2)}.isdisjoint({frozenset(batch) for batch in order(5, 3)})


def test_no_pairs_are_refused() -> None:
    with pytest.raises(DiasumError, match="no pairs"):
        PackedBatches([], batch_size=None, batch_tokens=100, seed=0)
