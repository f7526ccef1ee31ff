"""Numbers that carry their own check: payment cards and IBANs.

Cards: ISO/IEC 7812, 13 to 19 digits, the last one by Luhn's rule, beginning as the issuers' numbers do. IBANs: ISO 13616, by schwifty,
which knows each country's length and checks the remainder by 97.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from diasum.redaction.cues import topic
from diasum.redaction.spans import Said, Span

_CARD = re.compile(r"(?<![A-Za-z0-9_])(?<![0-9][-. ])\d(?:[-. \u00a0\u202f]?\d){12,18}(?![A-Za-z0-9_])(?![-. ]\d)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ \u00a0-]?\d{2}(?:[ \u00a0\u202f-]?[A-Za-z0-9]){11,30}")


def luhn(digits: str) -> bool:
    """Whether the last digit is the check of those before it (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = 2 * digit if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def is_card(digits: str) -> bool:
    """Whether a string of digits has a card's length, beginning and check digit."""
    if len(set(digits)) < 2 or not luhn(digits):
        return False
    length = len(digits)
    if digits[:2] in ("34", "37"):
        return length == 15
    if digits[:2] in ("36", "38", "39") or digits[:3] in ("300", "301", "302", "303", "304", "305"):
        return length in (14, 16)
    if digits[0] == "4":
        return length in (13, 16, 19)
    return (digits[0] in "256" and 16 <= length <= 19) or (
        digits[:2] in ("35", "50", "56", "57", "58", "81") and length >= 16
    )


def cards(said: Said) -> Iterator[Span]:
    """Card numbers, unless they are called a tracking or order number or the like."""
    for match in _CARD.finditer(said.text):
        digits = re.sub(r"\D", "", match[0])
        if not is_card(digits):
            continue
        about = topic(said, match.start())
        if about == "card" or (about != "other" and len(digits) > 13):
            yield Span(match.start(), match.end(), "card")


def ibans(said: Said) -> Iterator[Span]:
    """IBANs in whatever groups and case they are written."""
    for match in _IBAN.finditer(said.text):
        length = _length(match[0][:2].upper())
        end = _after(match[0], length) if length else None
        if end is None or re.match(r"[A-Za-z0-9]", said.text[match.start() + end :]):
            continue
        if _is_iban(re.sub(r"[\s-]", "", match[0][:end]).upper()):
            yield Span(match.start(), match.start() + end, "iban")


def _after(written: str, length: int) -> int | None:
    """The offset behind so many letters and digits."""
    places = [place for place, character in enumerate(written) if character.isalnum()]
    return places[length - 1] + 1 if len(places) >= length else None


def _is_iban(compact: str) -> bool:
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException

    try:
        IBAN(compact)
    except (SchwiftyException, ValueError):
        return False
    return True


@cache
def _length(country: str) -> int | None:
    """Of a country's IBANs; None where it has none."""
    from schwifty import registry
    from schwifty.exceptions import SchwiftyException

    try:
        return int(registry.get_iban_spec(country).iban_length)
    except SchwiftyException:
        return None
