"""Windows over what is longer than a model's input: at turn boundaries, overlapping, sized in tokens.

In: turns, the tokens that there is room for, and a function that measures turns. Out: windows that together hold every turn. Each
begins with the last turns of the one before, so that an answer is read with its question. A turn that is longer than a window is
split between sentences, where one is longer than that between words, and inside a word only where it alone does not fit. Windows are
of about equal size: a last one of two turns makes a poor summary.

No model and no tokenizer here: summaries and training share this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from diasum.claims.sentences import sentence_spans
from diasum.dialogue import Turn

OVERLAP = 1 / 8  # of a window's room, at most; whole turns
Measure = Callable[[Sequence[Turn]], list[int]]
"""The tokens that each turn takes in its place."""


@dataclass(frozen=True, slots=True)
class TurnWindow:
    """Turns that are read in one pass.

    Attributes:
        turns: in order; a part of a turn has the id of the whole.
        first, last: positions of the first and last one in the conversation, counted from 0.
        whole: whether all of them are there in full.
    """

    turns: tuple[Turn, ...]
    first: int
    last: int
    whole: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    turn: Turn
    position: int
    tokens: int
    whole: bool


def turn_windows(turns: Sequence[Turn], room: int, measure: Measure) -> list[TurnWindow]:
    """The windows over a conversation's turns.

    Args:
        turns: of the conversation.
        room: tokens in a window, at least 1.
        measure: tokens of each turn. The sum over a window may come out larger than what its turns take together, or a little
            smaller.

    Returns:
        In order; one where everything fits, none where there are no turns. A turn whose label alone leaves no room, or a letter that
        does not fit, has a window of its own.
    """
    pieces = list(_pieces(turns, room, measure))
    sizes = [piece.tokens for piece in pieces]
    windows = []
    for begin, end in even_spans(sizes, room, int(room * OVERLAP)):
        inside = pieces[begin:end]
        windows.append(
            TurnWindow(
                tuple(piece.turn for piece in inside),
                inside[0].position,
                inside[-1].position,
                all(piece.whole for piece in inside),
            )
        )
    return windows


def even_spans(sizes: Sequence[int], room: int, overlap: int) -> list[tuple[int, int]]:
    """Consecutive runs of items that fit a room, as few as there can be and of about equal size.

    Args:
        sizes: of the items; a larger one than the room has a run of its own.
        room: what a run may sum up to.
        overlap: what the items that two neighbours share may sum up to.

    Returns:
        The first item of each run and the one after its last.
    """
    spans = _spans(sizes, room, overlap)
    low, high = max(sizes, default=0), room
    while low < high:  # the smallest room that needs no more runs
        middle = (low + high) // 2
        tried = _spans(sizes, middle, overlap)
        if len(tried) > len(spans):
            low = middle + 1
        else:
            high, spans = middle, tried
    return spans


def _spans(sizes: Sequence[int], room: int, overlap: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    begin = 0
    while begin < len(sizes):
        end, used = begin + 1, sizes[begin]
        while end < len(sizes) and used + sizes[end] <= room:
            used += sizes[end]
            end += 1
        spans.append((begin, end))
        if end == len(sizes):
            break
        before, begin = begin, end
        left = min(overlap, room - sizes[end])
        while begin - 1 > before and sizes[begin - 1] <= left:
            begin -= 1
            left -= sizes[begin]
    return spans


def _pieces(turns: Sequence[Turn], room: int, measure: Measure) -> Iterator[_Piece]:
    for position, (turn, tokens) in enumerate(zip(turns, measure(turns), strict=True)):
        if tokens <= room:
            yield _Piece(turn, position, tokens, True)
            continue
        parts = split_turn(turn, room, measure)
        for part, length in zip(parts, measure(parts), strict=True):
            yield _Piece(part, position, length, len(parts) == 1)


def split_turn(turn: Turn, room: int, measure: Measure) -> list[Turn]:
    """A turn in parts that fit a room, each with its speaker; between sentences where that is possible, else between words."""
    (label,) = measure([replace(turn, text="")])
    if label >= room:
        return [turn]
    spans = list(_short_spans(turn.text, 0, lambda texts: measure([replace(turn, text=text) for text in texts]), room))
    sizes = measure([replace(turn, text=turn.text[start:end]) for start, end in spans])
    runs = even_spans([max(1, size - label) for size in sizes], max(1, room - label), 0)
    return [replace(turn, text=turn.text[spans[begin][0] : spans[end - 1][1]]) for begin, end in runs] or [turn]


def _short_spans(
    text: str, offset: int, measure: Callable[[list[str]], list[int]], room: int
) -> Iterator[tuple[int, int]]:
    """Offsets of the largest units of a text that fit: sentences, words, halves of a word."""
    if len(text) <= 1:
        yield offset, offset + len(text)
        return
    for split in (sentence_spans, _words, _halves):
        spans = split(text)
        if len(spans) > 1:
            break
    for (start, end), size in zip(spans, measure([text[start:end] for start, end in spans]), strict=True):
        if size <= room:
            yield offset + start, offset + end
        else:
            yield from _short_spans(text[start:end], offset + start, measure, room)


def _words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S+", text)]


def _halves(text: str) -> list[tuple[int, int]]:
    middle = len(text) // 2
    return [(0, middle), (middle, len(text))]
