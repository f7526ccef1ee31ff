"""Numbers that are dictated over several turns: "0770" - "Go on." - "900 265".

In: all turns. A turn that ends in digits, then turns that are digits only, with at most one short turn without any between two of them.
Together they have to be a card by its check digit, or what the talk before calls a telephone or an account.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from diasum.redaction.accounts import accounts
from diasum.redaction.check_digits import cards
from diasum.redaction.cues import topic
from diasum.redaction.spans import Said, Span
from diasum.redaction.telephones import telephones

_DIGITS = r"(?P<digits>\+?\d(?:[ .()/-]{0,3}\d){1,20})"
_FIRST = re.compile(rf"(?:^|(?<=[\s:])){_DIGITS}[^\w+]{{0,4}}$")
_NEXT = re.compile(rf"\W{{0,4}}(?:(?:and|then|and\s+then|und|dann|et|puis|y|uh|um|er)\W{{1,3}})?{_DIGITS}[^\w+]{{0,4}}")
_REPLY_WORDS = 4  # "Yes, go on.", "Okay."


def dictated(texts: Sequence[str]) -> Iterator[tuple[int, Span]]:
    """The parts of such numbers, each with the number of its turn."""
    number = 0
    while number < len(texts):
        parts = _parts(texts, number)
        if len(parts) > 1:
            if kind := _kind(texts, parts):
                yield from ((turn, Span(start, end, kind)) for turn, start, end in parts)
            number = parts[-1][0]
        number += 1


def _parts(texts: Sequence[str], first: int) -> list[tuple[int, int, int]]:
    """Turn, start and end of each part of the number that begins in a turn."""
    match = _FIRST.search(texts[first])
    parts: list[tuple[int, int, int]] = []
    turn = first
    while match:
        parts.append((turn, match.start("digits"), match.end("digits")))
        turn += 1
        if turn + 1 < len(texts) and _is_reply(texts[turn]):
            turn += 1
        match = _NEXT.fullmatch(texts[turn]) if turn < len(texts) else None
    return parts


def _is_reply(text: str) -> bool:
    return not re.search(r"\d", text) and len(text.split()) <= _REPLY_WORDS


def _kind(texts: Sequence[str], parts: Sequence[tuple[int, int, int]]) -> str | None:
    first, start, _ = parts[0]
    whole = " ".join(texts[turn][a:b] for turn, a, b in parts)
    said = Said(texts[first][:start] + whole, texts[first - 1] if first else "")
    for kind, detector in (("card", cards), ("account", accounts), ("telephone", telephones)):
        called = kind == "card" or topic(said, start) == kind
        if called and any(span.start <= start and span.end == len(said.text) for span in detector(said)):
            return kind
    return None
