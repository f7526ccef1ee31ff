"""Addresses and numbers as they are said: "sam dot holloway at gmail dot com", "oh seven seven double oh", "one ninety two dot one ...".

In: a turn of a transcript. E-mail in English, German, Spanish, Portuguese, Italian, French and Dutch; digits in the same; IP addresses in
English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from diasum.claims.lexicon import words
from diasum.claims.spoken_numbers import CARDINALS
from diasum.redaction.check_digits import is_card
from diasum.redaction.cues import called_telephone_after, topic
from diasum.redaction.spans import Said, Span, last_end

_DIGITS = {
    word: str(value)
    for line in (
        "zero one two three four five six seven eight nine",
        "oh - - - - - - - - -",
        "o - - - - - - - - -",
        "nought - - - - - - - - niner",
        "null eins zwei drei vier fünf sechs sieben acht neun",
        "- ein zwo - - fuenf - - - -",
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
        "zéro un deux trois quatre cinq six sept huit neuf",
        "- uno due tre quattro cinque sei sette otto nove",
        "- um dois três quatro - meia sete oito nove",
        "nul een twee drie vier vijf zes zeven acht negen",
        "nula jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
        "noll ett två tre fyra fem sex sju åtta nio",
    )
    for value, word in enumerate(line.split())
    if word != "-"
}
_REPEATS = {"double": 2, "triple": 3, "doppel": 2, "doble": 2, "doppio": 2, "dubbel": 2}
_ZEROS = {"hundred": "00", "thousand": "000"}
_WORD = re.compile(r"[^\W\d_]+|\d+")
_PAUSE = re.compile(r"[\s,.\-–—…]{1,5}")
_LOCAL = r"[^\W_]{1,40}(?:[.-][^\W_]{1,40}){0,4}"
_JOIN = (
    r"(?:dot|punkt|punto|ponto|point|punt|underscore|unterstrich|underline|guion bajo|guión bajo|tiret bas|dash|hyphen|minus|plus|tiret|"
    r"bindestrich|streepje|trattino)"
)
_AT = r"(?:at|ät|arroba|arobase|chiocciola|apenstaartje|małpa|klammeraffe|snabel-?a)"
_DOT = r"(?:dot|punkt|punto|ponto|point|punt)"
_ENDS = (
    r"(?:com|net|org|edu|gov|info|biz|io|co|me|app|dev|uk|us|ca|au|nz|ie|de|at|ch|fr|es|it|pt|br|nl|be|pl|cz|se|no|dk|fi|gr|tr|ru|ua|in|"
    r"jp|kr|cn|za|ng|ke|mx|ar|eu)"
)
_EMAIL = re.compile(
    rf"(?<![\w'’])(?P<local>{_LOCAL}(?:\s+{_JOIN}\s+{_LOCAL}){{0,6}}|[^\W\d_](?:[\s-]+[^\W_]){{2,30}})\s+{_AT}\s+"
    rf"(?P<domain>{_LOCAL}(?:\s+{_JOIN}\s+{_LOCAL}){{1,8}})(?!\w)",
    re.I,
)
_END = re.compile(rf"\s{_DOT}\s+{_ENDS}(?=\s|$)", re.I)
_NOT_LOCAL = words("is me us it him her them look write here there mail email up be are was see find")
_NUMBER = "|".join(sorted((*CARDINALS, "hundred"), key=len, reverse=True))
_OCTET = rf"(?:\d{{1,3}}|(?:{_NUMBER})(?:[\s-]+(?:and\s+)?(?:{_NUMBER})){{0,3}})"
_IP = re.compile(rf"\b{_OCTET}(?:\s+(?:dot|point)\s+{_OCTET}){{3}}\b", re.I)


def spoken_emails(said: Said) -> Iterator[Span]:
    """Addresses whose sign and dots are words."""
    for match in _EMAIL.finditer(said.text):
        end = last_end(_END, match["domain"])  # what follows, such as "dot dot dot", is no part of it
        if end > 0 and match["local"].lower() not in _NOT_LOCAL:
            yield Span(match.start(), match.start("domain") + end, "email")


def spoken_ip_addresses(said: Said) -> Iterator[Span]:
    """Four numbers, in words or in digits, with "dot" between them."""
    for match in _IP.finditer(said.text):
        if any(int(number) > 255 for number in re.findall(r"\d+", match[0])):
            continue
        yield Span(match.start(), match.end(), "ip")


@dataclass(slots=True)
class _Run:
    start: int
    end: int
    digits: str


def spoken_numbers(said: Said) -> Iterator[Span]:
    """Seven digits or more one after the other, at least half of them in words: a card, an account or a telephone."""
    for run in _runs(said.text):
        if len(run.digits) < 7 or run.digits in "0123456789012345678909876543210":
            continue
        about = topic(said, run.start)
        if is_card(run.digits) and about != "other":
            yield Span(run.start, run.end, "card")
        elif about == "account":
            yield Span(run.start, run.end, "account")
        elif len(run.digits) < 16 and about != "other":
            certain = about == "telephone" or called_telephone_after(said, run.end)
            if certain or run.digits[0] == "0" or len(run.digits) >= 9:
                yield Span(run.start, run.end, "telephone")


def _runs(text: str) -> Iterator[_Run]:
    """Digits one after the other with nothing but pauses between them, at least half of them in words."""
    run: _Run | None = None
    spoken, repeat, repeat_start, behind = 0, 1, -1, 0
    for match in _WORD.finditer(text):
        word = match[0].lower()
        connected = run is not None and bool(_PAUSE.fullmatch(text, behind, match.start()))
        digits = None if word in _REPEATS else _digits(word, connected)
        if run is not None and not (connected and (digits or word in _REPEATS)):
            if 2 * spoken >= len(run.digits):
                yield run
            run, spoken = None, 0
        if word in _REPEATS:
            repeat, repeat_start = _REPEATS[word], match.start()
        elif digits is not None:
            digits *= repeat
            spoken += 0 if word.isdigit() else len(digits)
            run = run or _Run(repeat_start if repeat > 1 else match.start(), 0, "")
            run.end, run.digits, repeat = match.end(), run.digits + digits, 1
        else:
            repeat = 1
        behind = match.end()
    if run is not None and 2 * spoken >= len(run.digits):
        yield run


def _digits(word: str, connected: bool) -> str | None:
    if word.isascii() and word.isdigit() and len(word) <= 4:
        return word
    return _ZEROS.get(word) if connected and word in _ZEROS else _DIGITS.get(word)
