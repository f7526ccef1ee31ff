"""Which part of a conversation a model reads where the whole does not fit its input."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from diasum.dialogue import Turn

# Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese put no spaces between words: there each letter counts as one.
_WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a conversation.

    Attributes:
        turns: turns of the conversation.
        spans: first and last turn, counted from 1, of each run of turns that was read, whole or in part.
        partial: turns of these that were read in part.
        words: words of the conversation, without the speakers' labels.
        words_read: those of them that were read.
    """

    turns: int
    spans: tuple[tuple[int, int], ...]
    partial: int
    words: int
    words_read: int

    @property
    def turns_cut(self) -> int:
        """Turns that were not read, or only in part."""
        return self.turns - sum(last - first + 1 for first, last in self.spans) + self.partial

    @property
    def whole(self) -> bool:
        """Whether everything was read."""
        return self.turns_cut == 0

    def sentence(self) -> str:
        """For example ``read turns 1 to 5 of 133 (4% of the words)``."""
        if self.whole:
            return f"read all {self.turns} turns" if self.turns != 1 else "read its one turn"
        runs = [str(first) if first == last else f"{first} to {last}" for first, last in self.spans]
        named = "turn" if len(runs) == 1 and "to" not in runs[0] else "turns"
        part = f", {self.partial} of them in part" if self.partial and named == "turns" else ""
        part = ", in part" if self.partial and named == "turn" else part
        if not runs:
            return f"read none of its {self.turns} turns"
        return f"read {named} {' and '.join(runs)} of {self.turns}{part} ({self._share()} of the words)"

    def _share(self) -> str:
        percent = 100 * self.words_read / max(self.words, 1)
        return "under 1%" if 0 < percent < 1 else f"{min(round(percent), 99)}%"


def reading(turns: tuple[Turn, ...], head: Iterable[Turn], tail: Iterable[Turn]) -> Reading:
    """What was read of `turns`: the first ones and the last ones, each turn as it stands there or a part of it."""
    head, tail = list(head), list(tail)
    n, whole = len(turns), {id(turn) for turn in turns}
    partial = {i for i, turn in enumerate(head, 1) if id(turn) not in whole}
    partial |= {n - i for i, turn in enumerate(reversed(tail)) if id(turn) not in whole}
    spans = [(1, len(head))] if head else []
    if tail:
        first = n - len(tail) + 1
        spans = [(1, n)] if spans and spans[0][1] >= first - 1 else [*spans, (first, n)]
    return Reading(n, tuple(spans), len(partial), word_count(turns), word_count([*head, *tail]))


def words_of(text: str) -> list[str]:
    """The words of a text; in scripts that put no spaces between words each letter counts as one."""
    return _WORD.findall(text)


def word_count(turns: Iterable[Turn]) -> int:
    """Words of turns, without the speakers' labels."""
    return sum(len(words_of(turn.text)) for turn in turns)
