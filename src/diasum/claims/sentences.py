"""Sentence ends, found by rule: no model to download, the same result everywhere."""

from __future__ import annotations

import re
from itertools import pairwise

# A full stop after one of these does not end a sentence.
_TITLES = "mr mrs ms dr prof sr jr st mt gen col capt lt sgt rev hon gov sen rep vs fig vol dept approx e.g i.e cf al"
_NEVER = frozenset(_TITLES.split())
# Danda and double danda, the Arabic question mark, the Urdu, Ethiopic, Myanmar and Khmer full stops: no capital letter follows them.
_ELSEWHERE = "。！？\u0964\u0965\u061f\u06d4\u1362\u104b\u17d4"
_END = re.compile(rf"[.!?…]+[\"'”’)\]]*(?=\s+[\"'“‘(\[]*[#A-ZÀ-ÖØ-ÞΑ-ΩА-Я0-9])|[{_ELSEWHERE}]+[”’」』）]*(?=\s*\S)")


def split_sentences(text: str) -> list[str]:
    """Split text into sentences at line breaks and at sentence punctuation.

    A full stop ends a sentence where a capital letter, a digit or a speaker label follows, except after titles (``Mr.``), single
    initials (``J. Smith``) and the like.

    Returns:
        Stripped, non-empty sentences; joined by blanks they are the text again but for white space.
    """
    return [text[start:end] for start, end in sentence_spans(text)]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """As `split_sentences`: the character offsets at which each sentence starts and ends."""
    spans: list[tuple[int, int]] = []
    offset = 0
    for line in text.splitlines(keepends=True):
        spans += [(offset + start, offset + end) for start, end in _line_spans(line)]
        offset += len(line)
    return spans


def _line_spans(line: str) -> list[tuple[int, int]]:
    ends: list[int] = []
    start = 0
    for end in _END.finditer(line):
        if end.group().startswith(".") and _is_abbreviation(line[start : end.start()]):
            continue
        start = end.end()
        ends.append(start)
    spans = []
    for begin, stop in pairwise([0, *ends, len(line)]):
        part = line[begin:stop].strip()
        if part:
            begin += line[begin:stop].index(part)
            spans.append((begin, begin + len(part)))
    return spans


def _is_abbreviation(before: str) -> bool:
    words = before.split()
    word = words[-1].lstrip("\"'“‘([") if words else ""
    return word.lower() in _NEVER or (len(word) == 1 and word.isupper() and word != "I")
