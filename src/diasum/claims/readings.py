"""Sentences of a summary beside what their dialogue says of their words; the dialogue is read once for all of them."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from diasum.claims.attribution import People, Said
from diasum.claims.heard import Count, Heard, Use, Word, hear, is_content
from diasum.claims.lexicon import words
from diasum.claims.negation import NEGATORS
from diasum.claims.quantities import Quantity, quantities
from diasum.claims.synonyms import OPPOSITES, SYNONYMS, root
from diasum.dialogue import Dialogue

_LABEL = re.compile(r"\s*([^\W\d_][\w'’-]*(?: [\w'’-]+){0,2}):(?=\s)")
_MARK = re.compile(r"[,;.!?]")
_CLAUSE = words("but because although so since while when if unless and or who which after before")
_DENYING = NEGATORS | words("refuses declines denies fails refuse stops rejects avoid avoids unable lacks")
SPAN = 3  # turns that a sentence is told from: a question, its answer, what follows


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence beside its dialogue.

    Attributes:
        heard: the dialogue.
        said: the words of the sentence.
        told: its content words and numbers.
        clauses: the clause of each of these, counted.
        weights: of each, by how few turns have it; 0 where none has.
        start: position of the first of the `SPAN` turns that hold most of them.
        held: how much of them these hold, 0 to 1.
    """

    heard: Heard
    said: Sequence[Said]
    told: Sequence[Word]
    clauses: Sequence[int]
    weights: Sequence[float]
    start: int
    held: float


def readings(sentences: Sequence[str], dialogue: Dialogue, people: People | None = None) -> list[Reading]:
    """Read sentences and their dialogue.

    Args:
        sentences: English.
        dialogue: of any length.
        people: the speakers, where `dialogue` is a part of one with more of them.
    """
    people = people or People(dialogue)
    bare = [_without_label(one, people) for one in sentences]
    said = [people.read(one) for one in bare]
    items = [_items(text, all_words) for text, all_words in zip(bare, said, strict=True)]
    roots = {root(one.said.text) for of_one in items for one in of_one if one.quantity is None}
    wanted = roots | {other for one in roots for other in (*SYNONYMS.get(one, ()), *OPPOSITES.get(one, ()))}
    stated = [one.quantity for of_one in items for one in of_one if one.quantity is not None]
    heard = hear(dialogue, wanted, stated, people)
    counted = 0
    result = []
    for all_words, of_one in zip(said, items, strict=True):
        told = []
        for one in of_one:
            if one.quantity is None:
                told.append(heard.word(one.said, one.denied))
            else:
                told.append(heard.number(one.said, one.denied, one.quantity, counted))
                counted += 1
        result.append(_reading(heard, all_words, told, [one.clause for one in of_one]))
    return result


def _without_label(sentence: str, people: People) -> str:
    """A sentence whose part of a house form ("Still open: ...") is blanks, unless it is a speaker."""
    label = _LABEL.match(sentence)
    if label is None or label[1].lower() in people.by_word:
        return sentence
    return " " * label.end() + sentence[label.end() :]


@dataclass(frozen=True, slots=True)
class _Item:
    """A content word of a sentence, or a number, whether it is denied, and its clause, counted."""

    said: Said
    denied: bool
    clause: int
    quantity: Quantity | None = None


def _items(sentence: str, said: Sequence[Said]) -> list[_Item]:
    stated = quantities(sentence)
    result: list[_Item] = []
    denied = False
    clause = end = 0
    for one in said:
        if _MARK.search(sentence, end, one.start):
            clause, denied = clause + 1, False
        end = one.end
        if one.text in _CLAUSE:
            clause, denied = clause + 1, denied and one.text in ("and", "or")
        number = next((other for other in stated if other.start <= one.start < other.end), None)
        if number is not None:
            if not result or result[-1].quantity is not number:
                result.append(_Item(one, denied, clause, number))
        elif is_content(one.text):
            result.append(_Item(one, denied, clause))
        denied = denied or one.text in _DENYING
    return result


def _reading(heard: Heard, said: Sequence[Said], told: Sequence[Word], clauses: Sequence[int]) -> Reading:
    n = len(heard.dialogue.turns)
    weights = [math.log(1 + n / len(word.turns)) if word.turns else 0.0 for word in told]
    held = held_by(told, weights, lambda place: range(max(0, place.turn - SPAN + 1), place.turn + 1))
    start, most = min(held.items(), key=lambda item: (-item[1], item[0]), default=(0, 0.0))
    total = sum(weights)
    return Reading(heard, said, told, clauses, weights, start, most / total if total else 1.0)


def held_by(
    told: Sequence[Word], weights: Sequence[float], where: Callable[[Use | Count], Iterable[int]]
) -> dict[int, float]:
    """How much of a sentence each place holds; `where` gives the places that a use belongs to."""
    held: defaultdict[int, float] = defaultdict(float)
    for word, weight in zip(told, weights, strict=True):
        for place in {place for use in word.places for place in where(use)}:
            held[place] += weight
    return held
