"""Batches of similar length under a token budget, from a stream of pools that can be resumed anywhere.

In: the task mixture, the tokenizer, the tokens seen so far. Out: `Batch`es. A pool of examples is drawn, sorted by length, cut into batches
of at most `budget` padded tokens, and the batches are shuffled; a pool depends only on the seed, its index and the phase, so a
resumed run sees the same data as an uninterrupted one.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator
from typing import Any, Protocol

import torch
from transformers import PreTrainedTokenizerBase

from pretraining.curriculum import Phase, draw_max_words
from pretraining.invented import SHARE, rename
from pretraining.model import IGNORE, Batch

MAX_SOURCE = 512
MAX_TARGET = 160
TARGET_GROUPS = (
    8,
    16,
    24,
    36,
    52,
    76,
    110,
)  # rows of a batch have targets in one of these ranges, so that little of it is padding


class Mixture(Protocol):
    """What draws examples: `pretraining.tasks.TaskMixture`, or a test's own."""

    def sample(self, rng: random.Random, *, max_words: int, weights: dict[str, float]) -> Any:
        """An object with `source`, `target` and `task`."""


def encode(tokenizer: PreTrainedTokenizerBase, texts: list[str], limit: int) -> list[list[int]]:
    """Token ids, end token included, cut to `limit` at the end."""
    return tokenizer(texts, truncation=True, max_length=limit).input_ids  # type: ignore[no-any-return]


def collate(rows: list[tuple[list[int], list[int], str]]) -> Batch:
    """One batch from rows of (source ids, target ids, task)."""
    width = max(len(s) for s, _, _ in rows)
    height = max(len(t) for _, t, _ in rows)
    source = torch.zeros(len(rows), width, dtype=torch.long)
    inputs = torch.zeros(len(rows), height, dtype=torch.long)
    labels = torch.full((len(rows), height), IGNORE, dtype=torch.long)
    for i, (s, t, _) in enumerate(rows):
        source[i, : len(s)] = torch.tensor(s)
        labels[i, : len(t)] = torch.tensor(t)
        inputs[i, 1 : len(t)] = torch.tensor(t[:-1])
    lengths = torch.tensor([len(s) for s, _, _ in rows])
    return Batch(source, lengths, inputs, labels, [task for _, _, task in rows])


def cut(rows: list[tuple[list[int], list[int], str]], budget: int) -> list[Batch]:
    """Batches of rows of similar length, each of at most `budget` padded tokens (or one row)."""
    rows = sorted(rows, key=lambda r: (bisect(TARGET_GROUPS, len(r[1])), len(r[0])))
    batches: list[Batch] = []
    current: list[tuple[list[int], list[int], str]] = []
    width = height = 0
    for row in rows:
        wide, high = max(width, len(row[0])), max(height, len(row[1]))
        if current and (len(current) + 1) * (wide + high) > budget:
            batches.append(collate(current))
            current, wide, high = [], len(row[0]), len(row[1])
        current.append(row)
        width, height = wide, high
    return [*batches, collate(current)] if current else batches


def pool(
    mixture: Mixture,
    tokenizer: PreTrainedTokenizerBase,
    phase: Phase,
    *,
    seed: int,
    index: int,
    examples: int,
    budget: int,
) -> list[Batch]:
    """The batches of pool number `index`, in a shuffled order."""
    rng = random.Random(f"{seed}/{index}")
    words = draw_max_words(phase, rng)
    drawn = [mixture.sample(rng, max_words=words, weights=phase.weights) for _ in range(examples)]
    texts = [rename(rng, e.source, e.target) if rng.random() < SHARE else (e.source, e.target) for e in drawn]
    sources = encode(tokenizer, [source for source, _ in texts], MAX_SOURCE)
    targets = encode(tokenizer, [target for _, target in texts], MAX_TARGET)
    batches = cut([(s, t, e.task) for s, t, e in zip(sources, targets, drawn, strict=True)], budget)
    rng.shuffle(batches)
    return batches


def held_out(examples: list[Any], tokenizer: PreTrainedTokenizerBase, budget: int) -> Iterator[Batch]:
    """Batches over given examples, for probes."""
    sources = encode(tokenizer, [e.source for e in examples], MAX_SOURCE)
    targets = encode(tokenizer, [e.target for e in examples], MAX_TARGET)
    yield from cut([(s, t, e.task) for s, t, e in zip(sources, targets, examples, strict=True)], budget)
