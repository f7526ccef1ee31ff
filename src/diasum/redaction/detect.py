"""All detectors, over the turns of a conversation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from diasum.redaction.accounts import accounts
from diasum.redaction.addresses import addresses
from diasum.redaction.births import births
from diasum.redaction.check_digits import cards, ibans
from diasum.redaction.dictated import dictated
from diasum.redaction.internet import emails, ip_addresses, links
from diasum.redaction.names import given_names
from diasum.redaction.spans import Said, Span, without_overlaps
from diasum.redaction.speakers import Speakers
from diasum.redaction.spoken import spoken_emails, spoken_ip_addresses, spoken_numbers
from diasum.redaction.telephones import telephones

Detector = Callable[[Said], Iterator[Span]]
DETECTORS: tuple[Detector, ...] = (
    *(links, emails, spoken_emails, ibans, cards, ip_addresses, spoken_ip_addresses),
    *(births, accounts, telephones, spoken_numbers, addresses),
)
_SHORTEST = 4  # letters and digits of a value that is looked for elsewhere, too
_SHORTEST_NAME = 2


def detect(texts: Sequence[str], speakers: Speakers, *, names: bool) -> list[list[Span]]:
    """What is to be hidden in each turn.

    What one turn gives away by its surroundings ("my account is 4482-99031") is hidden wherever else it is said.

    Args:
        texts: what is said, turn by turn.
        speakers: those whose names are hidden.
        names: other people's given names, too.

    Returns:
        For each turn its stretches, in order and without overlaps.
    """
    before = ("", *texts)
    turns = [detect_one(Said(text, asked), speakers, names=names) for text, asked in zip(texts, before, strict=False)]
    for number, part in dictated(texts):
        turns[number].append(part)
    values = {text[one.start : one.end]: one.kind for text, spans in zip(texts, turns, strict=True) for one in spans}
    return [
        without_overlaps([*spans, *occurrences(text, values.items())]) for text, spans in zip(texts, turns, strict=True)
    ]


def detect_one(said: Said, speakers: Speakers, *, names: bool) -> list[Span]:
    """What is to be hidden in one turn, by itself and the turn before; arguments as `detect`."""
    detectors = (*DETECTORS, speakers.mentions, *([given_names] if names else []))
    return without_overlaps(span for detector in detectors for span in detector(said))


def occurrences(text: str, values: Iterable[tuple[str, str]]) -> Iterator[Span]:
    """Where values stand as whole words.

    Args:
        text: in which they are looked for.
        values: each with its kind. Passed over are speakers, who are found in more forms than one, and values of less than four letters
            and digits, but names.
    """
    for value, kind in values:
        shortest = _SHORTEST_NAME if kind == "name" else _SHORTEST
        if kind == "speaker" or value not in text or sum(map(str.isalnum, value)) < shortest:
            continue
        for match in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text):
            yield Span(match.start(), match.end(), kind)
