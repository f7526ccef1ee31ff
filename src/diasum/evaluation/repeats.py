"""Sentences that a system writes for many dialogues: a habit learnt from the data, written whether the dialogue says so or not.

In: pairs and a system's summaries. Out: the texts and sentences that stand in the summaries of many different dialogues, most frequent
first. Whether each is right there, no rule here knows; a reader who sees "No known drug allergies." in 17 of 200 summaries can look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diasum.claims.sentences import split_sentences
from diasum.data import Pair
from diasum.evaluation.rouge.unicode_words import unicode_words

LEAST = 3  # dialogues
LEAST_SHARE = 0.02  # of all dialogues
_LEAST_WORDS = 2  # "Thanks." says nothing that could be wrong


@dataclass(frozen=True)
class Repeated:
    """A text that occurs in the summaries of many different dialogues.

    Attributes:
        text: as it was first written: a sentence, or a whole summary of several.
        ids: the pairs whose summaries have it, one for each different dialogue.
        of: how many different dialogues there are.
    """

    text: str
    ids: tuple[str, ...]
    of: int

    def __str__(self) -> str:
        return f"“{self.text}” is in {len(self.ids)} of {self.of} summaries"

    def to_json(self) -> dict[str, Any]:
        """As metrics.json has it."""
        return {"text": self.text, "n": len(self.ids), "of": self.of, "ids": list(self.ids)}


def repeated(pairs: Sequence[Pair], texts: Sequence[str]) -> list[Repeated]:
    """Whole summaries and sentences of them, equal by their words, that occur for at least 3 and at least 2% of the different dialogues.

    A sentence that stands only where a longer repeated text does is left out.
    """
    seen: dict[
        tuple[str, ...], tuple[str, dict[str, str]]
    ] = {}  # words to the text and, of each dialogue, the first id
    for pair, text in zip(pairs, texts, strict=True):
        for part in (text, *split_sentences(text)):
            words = tuple(unicode_words(part))
            if len(words) >= _LEAST_WORDS:
                seen.setdefault(words, (" ".join(part.split()), {}))[1].setdefault(pair.dialogue.text, pair.id)
    of = len({pair.dialogue.text for pair in pairs})
    least = max(LEAST, LEAST_SHARE * of)
    kept: list[tuple[tuple[str, ...], Repeated]] = []
    for words, (text, places) in sorted(seen.items(), key=lambda item: (-len(item[1][1]), -len(item[0]))):
        one = Repeated(text, tuple(places.values()), of)
        covered = any(other.ids == one.ids and _holds(longer, words) for longer, other in kept)
        if len(places) >= least and not covered:
            kept.append((words, one))
    return [one for _, one in kept]


def _holds(longer: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return any(longer[i : i + len(words)] == words for i in range(len(longer) - len(words) + 1))
