"""Dialogues that are there twice: equal by their words, or nearly so.

In: dialogues as words. Out: pairs of their positions. Near-duplicates are all those whose sets of word triples have a Jaccard
similarity of at least `NEAR`, by prefix filtering (Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007, "Scaling up all
pairs similarity search"): with the triples of every set in one order, rarest first, two such sets must share one of their first ones.
Most of the rarest triples of talk occur once, so few candidates remain, whose similarity is then counted. Nothing is missed and nothing
is guessed, but where more than `_CROWD` different dialogues share a rare triple: of those, each is compared with the crowd's first only.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from diasum.data.checks.findings import Finding
from diasum.data.checks.words import normalized
from diasum.data.pairs import Corpus, Pair
from diasum.wording import counted

NEAR = 0.8  # Jaccard similarity from which two dialogues are near-duplicates
_SHINGLE = 3  # words
_CROWD = 50
_FACTOR = np.uint64(0x9E3779B97F4A7C15)

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Which of some dialogues are there twice.

    Attributes:
        same: position of a dialogue to that of the first one with the same words, for all but those first ones.
        near: pairs of positions, the smaller first, of dialogues that are nearly the same; each by the first of its equals. Dialogues
            without words have no equals.
    """

    same: dict[int, int]
    near: list[tuple[int, int]]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Both kinds, the smaller position first."""
        return sorted([*((first, i) for i, first in self.same.items()), *self.near])


def find_duplicates(texts: Iterable[str]) -> Duplicates:
    """Compare all dialogues with each other.

    Args:
        texts: `normalized` dialogues.
    """
    first: dict[bytes, int] = {}
    same: dict[int, int] = {}
    distinct: list[int] = []
    shingles: list[Hashes] = []
    for i, text in enumerate(texts):
        if not text:
            continue
        encoded = text.encode("utf-8", "surrogatepass")
        before = first.setdefault(hashlib.blake2b(encoded, digest_size=16).digest(), i)
        if before != i:
            same[i] = before
            continue
        distinct.append(i)
        shingles.append(_shingles(encoded))
    near = [
        (distinct[i], distinct[j])
        for i, j in sorted(_candidates(shingles))
        if _jaccard(shingles[i], shingles[j]) >= NEAR
    ]
    return Duplicates(same, near)


def overlap(a: Iterable[Pair], b: Iterable[Pair]) -> list[str]:
    """Ids of the pairs in `b` whose dialogue is also in `a`, by words alone (case, punctuation and spaces aside)."""
    known = {normalized(pair) for pair in a}
    return [pair.id for pair in b if normalized(pair) in known]


def duplicate_findings(corpus: Corpus, duplicates: Duplicates) -> Iterator[Finding]:
    """What to tell of duplicates within and across splits; a pair of pairs is counted once, at the later split.

    Args:
        corpus: whose pairs, split after split, the positions count.
        duplicates: of its dialogues.
    """
    places = [(split, pair.id) for split, pairs in corpus.splits.items() for pair in pairs]
    yield from _shared(corpus, duplicates, places)
    equal = [(first, i) for i, first in duplicates.same.items()]
    for pairs, kind, how in ((equal, "duplicate", "repeat"), (duplicates.near, "near_duplicate", "nearly repeat")):
        by_splits: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for i, j in sorted(pairs):
            by_splits[places[i][0], places[j][0]].append((i, j))
        for (one, other), positions in by_splits.items():
            across = one != other
            if across and kind == "duplicate":
                continue  # told as overlap
            count = len({j for _, j in positions})
            verb = f"{how}s" if count == 1 else how
            which = f"one of `{one}`" if across else "another one of it"
            similar = f" (similarity of {NEAR} or more)" if kind == "near_duplicate" else ""
            yield Finding(
                kind=kind,
                severity="warning" if across else "info",
                message=f"{counted(count, 'dialogue')} of `{other}` {verb} {which}{similar}.",
                split=f"{one}/{other}" if across else other,
                count=count,
                ids=tuple(f"{places[i][1]} = {places[j][1]}" for i, j in positions),
            )


def _shared(corpus: Corpus, duplicates: Duplicates, places: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """Dialogues that two splits have in common."""
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for i, first in duplicates.same.items():
        groups[first].append(i)
    common: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    order = list(corpus.splits)
    for first, others in groups.items():
        members = [first, *others]
        splits = {places[i][0] for i in members}
        for one, other in combinations([name for name in order if name in splits], 2):
            common[one, other] += [places[i][1] for i in members if places[i][0] == other]
    for (one, other), ids in common.items():
        size = len(corpus.splits[other])
        yield Finding(
            kind="overlap",
            severity="error",
            message=f"{len(ids)} of {size} dialogues of `{other}` are also in `{one}`: scores on it would be too good.",
            split=f"{one}/{other}",
            count=len(ids),
            ids=tuple(ids),
        )


def _shingles(text: bytes) -> Hashes:
    """Sorted distinct hashes of the word triples of a normalised dialogue."""
    hashed = np.array(list(map(crc32, text.split())), dtype=np.uint64)
    if len(hashed) < _SHINGLE:
        return np.unique(hashed)
    mixed = hashed[: len(hashed) - _SHINGLE + 1].copy()
    for k in range(1, _SHINGLE):
        mixed = mixed * _FACTOR + hashed[k : len(hashed) - _SHINGLE + 1 + k]
    mixed.sort()
    return mixed[np.concatenate(([True], mixed[1:] != mixed[:-1]))]


def _candidates(shingles: Sequence[Hashes]) -> set[tuple[int, int]]:
    """Index pairs, the smaller first, that share one of the triples that each must share with a near-duplicate."""
    if not shingles:
        return set()
    sizes = np.array([len(values) for values in shingles])
    owners = np.repeat(np.arange(len(shingles), dtype=np.int32), sizes)
    distinct, inverse, frequencies = np.unique(np.concatenate(shingles), return_inverse=True, return_counts=True)
    del distinct
    # Number the triples by how many dialogues have them; one order for all dialogues.
    rank = np.empty(len(frequencies), dtype=np.int64)
    rank[np.argsort(frequencies, kind="stable")] = np.arange(len(frequencies))
    ranked = rank[inverse]
    order = np.argsort(owners.astype(np.int64) * len(frequencies) + ranked)
    starts = np.concatenate(([0], np.cumsum(sizes)))[:-1]
    place = np.arange(len(owners)) - np.repeat(starts, sizes)
    prefix = sizes - np.ceil(NEAR * sizes - 1e-9).astype(sizes.dtype) + 1
    chosen = order[place < np.repeat(prefix, sizes)]
    chosen = chosen[frequencies[inverse[chosen]] > 1]
    chosen = chosen[np.argsort(inverse[chosen], kind="stable")]
    keys, members = inverse[chosen], owners[chosen]
    bounds = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1], [True]))) if len(keys) else np.array([0])
    pairs: set[tuple[int, int]] = set()
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        if end - begin > 1:
            pairs |= _of_one_size(sorted(members[begin:end].tolist()), sizes)
    return pairs


def _of_one_size(group: list[int], sizes: NDArray[np.int64]) -> set[tuple[int, int]]:
    """Those of a group that can be similar by their sizes."""
    tried = combinations(group, 2) if len(group) <= _CROWD else ((group[0], other) for other in group[1:])
    return {(i, j) for i, j in tried if min(sizes[i], sizes[j]) >= NEAR * max(sizes[i], sizes[j])}


def _jaccard(a: Hashes, b: Hashes) -> float:
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / (len(a) + len(b) - common)
