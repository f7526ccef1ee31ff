"""What detectors give: stretches of a text, each with the kind of thing that it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

# Where two stretches overlap, the kind that stands first here is kept: what has a checksum or a form of its own before what only its
# surroundings tell.
KINDS = {
    "url": "link with a token",
    "email": "e-mail address",
    "iban": "IBAN",
    "card": "card number",
    "ip": "IP address",
    "birth_date": "date of birth",
    "account": "account or identity number",
    "telephone": "telephone number",
    "address": "postal address",
    "speaker": "speaker",
    "name": "name",
}
PLURALS = {kind: f"{name}es" if name.endswith("s") else f"{name}s" for kind, name in KINDS.items()} | {
    "url": "links with a token",
    "birth_date": "dates of birth",
}
_RANK = {kind: rank for rank, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text.

    Attributes:
        start, end: character offsets.
        kind: one of `KINDS`.
    """

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Said:
    """A turn's text with the text of the turn before it, which may hold the question that it answers."""

    text: str
    before: str = ""


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """In the order of the text; of two that overlap, the one whose kind stands first in `KINDS`, then the longer one."""
    kept: list[Span] = []
    for span in sorted(set(spans), key=lambda one: (_RANK[one.kind], one.start - one.end, one.start)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda one: one.start)


def last_end(pattern: re.Pattern[str], text: str) -> int:
    """Where the last match in a text ends; -1 where there is none."""
    end = -1
    for match in pattern.finditer(text):
        end = match.end()
    return end
