"""What a summary claims, as plain data: its names and quantities with their places, whether or not anything supports them."""

from __future__ import annotations

from dataclasses import dataclass

from diasum.claims.names import joined_names, names
from diasum.claims.quantities import quantities


@dataclass(frozen=True, slots=True)
class Claim:
    """A name or a quantity in a summary.

    Attributes:
        kind: ``name``, ``number``, ``amount``, ``time`` or ``date``.
        text: as written.
        start, end: character offsets in the summary.
    """

    kind: str
    text: str
    start: int
    end: int


def extract_claims(summary: str) -> list[Claim]:
    """The names and quantities of an English summary in their order; the words of one name together are one claim."""
    stated = [Claim(one.kind, one.text, one.start, one.end) for one in quantities(summary)]
    named = [
        Claim("name", summary[start:end], start, end)
        for start, end in joined_names(names(summary), summary)
        if not any(start < one.end and one.start < end for one in stated)
    ]
    return sorted([*stated, *named], key=lambda one: (one.start, one.end))
