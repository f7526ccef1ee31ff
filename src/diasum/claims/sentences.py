"""Sentence ends, found by rule: no model to download, the same result everywhere."""

from __future__ import annotations

import re

# A full stop after one of these does not end a sentence.
_TITLES = "mr mrs ms dr prof sr jr st mt gen col capt lt sgt rev hon gov sen rep vs fig vol dept approx e.g i.e cf al"
_NEVER = frozenset(_TITLES.split())
# Danda and double danda, the Arabic question mark, the Urdu, Ethiopic, Myanmar and Khmer full stops: no capital follows them.
_ELSEWHERE = "。！？\u0964\u0965\u061f\u06d4\u1362\u104b\u17d4"
_END = re.compile(rf"[.!?…]+[\"'”’)\]]*(?=\s+[\"'“‘(\[]*[#A-ZÀ-ÖØ-ÞΑ-ΩА-Я0-9])|[{_ELSEWHERE}]+[”’」』）]*(?=\s*\S)")


def split_sentences(text: str) -> list[str]:
    """Split text into sentences at line breaks and at sentence punctuation.

    A full stop ends a sentence where a capital letter, a digit or a speaker label follows, except after titles (``Mr.``), single
    initials (``J. Smith``) and the like.

    Returns:
        Stripped, non-empty sentences; joined by blanks they are the text again but for white space.
    """
    return [part for line in text.splitlines() for part in _split_line(line)]


def _split_line(line: str) -> list[str]:
    parts: list[str] = []
    start = 0
    for end in _END.finditer(line):
        if end.group().startswith(".") and _is_abbreviation(line[start : end.start()]):
            continue
        parts.append(line[start : end.end()].strip())
        start = end.end()
    parts.append(line[start:].strip())
    return [part for part in parts if part]


def _is_abbreviation(before: str) -> bool:
    words = before.split()
    word = words[-1].lstrip("\"'“‘([") if words else ""
    return word.lower() in _NEVER or (len(word) == 1 and word.isupper() and word != "I")
