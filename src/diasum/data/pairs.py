"""What training and evaluation work on: pairs of a dialogue and its reference summaries, in named splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from diasum.dialogue import Dialogue
from diasum.dialogue.files.splits import canonical_split
from diasum.errors import DiasumError, near_misses


@dataclass(frozen=True, slots=True)
class Pair:
    """A dialogue with its reference summaries.

    Attributes:
        id: unique within its split.
        dialogue: the conversation.
        references: one or more human summaries; the first is the one trained on. Empty only where no summary is needed.
        topic: the source's own label, if it has one.
        began: when the conversation began, where the source says so.
    """

    id: str
    dialogue: Dialogue
    references: tuple[str, ...]
    topic: str | None = None
    began: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rows:
    """What a split was read from.

    Attributes:
        read: how many rows.
        empty: those of them that were skipped as empty.
        pair_of: each row's id to that of the pair that it went into, None where it was skipped; in the source's order. An id that was
            used before has a number, as `unique` gives it.
    """

    read: int
    empty: int
    pair_of: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(slots=True)
class Corpus:
    """Named splits of pairs.

    Attributes:
        name: the hub id, bundled name or file name the user gave.
        splits: split name to pairs, in the source's order.
        notes: what a user should know of how it was read (rows skipped, a validation part held out), each one sentence.
        license: the data's licence as an SPDX-like id (``cc-by-nc-sa-4.0``) where it is known.
        rows: what the splits were read from; a held-out part counts with the split that it was taken from.
    """

    name: str
    splits: dict[str, list[Pair]]
    notes: list[str] = field(default_factory=list)
    license: str | None = None
    rows: dict[str, Rows] = field(default_factory=dict)

    def split(self, name: str) -> list[Pair]:
        """The pairs of one split; `dev` and `val` stand for `validation` where there is no split of that name.

        Raises:
            DiasumError: there is no such split; the message lists those that exist.
        """
        if name not in self.splits:
            name = canonical_split(name)
        if name not in self.splits:
            raise DiasumError(f"{self.name} has no split `{name}`.", hint=near_misses(name, self.splits))
        return self.splits[name]

    def pair_of(self, name: str) -> Mapping[str, str | None]:
        """As `Rows` has it, of one split."""
        rows = self.rows.get(name) or self.rows.get(canonical_split(name))
        return rows.pair_of if rows else {}


def one_reference_each(pairs: Iterable[Pair]) -> list[Pair]:
    """A pair for every reference, so that training can use them all; ids of dialogues with several get a number (``id#2``)."""
    return [
        Pair(pair.id if i == 0 else f"{pair.id}#{i + 1}", pair.dialogue, (reference,), pair.topic, pair.began)
        for pair in pairs
        for i, reference in enumerate(pair.references)
    ]


def pairs_hash(pairs: Iterable[Pair]) -> str:
    """SHA-256 over ids, dialogues and references: two splits with one hash are the same data."""
    digest = hashlib.sha256()
    for pair in pairs:
        for part in (pair.id, pair.dialogue.text, *pair.references):
            digest.update(part.encode("utf-8"))
            digest.update(b"\x1f")
        digest.update(b"\x1e")
    return digest.hexdigest()
