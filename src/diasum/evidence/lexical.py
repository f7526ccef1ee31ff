"""The turns that a sentence rests on, by the words, names and numbers that they share.

In: a dialogue and sentences of its summary. Out: for each sentence the best turns with their scores. Every word, name and number counts
by its inverse document frequency within the dialogue (Spärck Jones 1972), so that rare ones come first. A turn of the person whom the
sentence is about counts more, and so does one whose neighbours match too: a question and its answer stand together, and in a long
dialogue a topic does. The second turn is the one that adds most to the first (maximal marginal relevance, Carbonell and Goldstein 1998,
over words).

The dialogue is read once for all sentences, and only what they ask for is kept: time is linear in its length, and memory grows with
the matches, not with the words. The constants were chosen on QMSum val and 43 sentences marked by hand; ``benchmarks/evidence.py``
measures them on others.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from diasum.claims.lexicon import STOPWORDS, TITLES
from diasum.claims.negation import stem
from diasum.claims.quantities import quantities
from diasum.claims.spoken_numbers import spoken_values
from diasum.data.summary import Summary
from diasum.data.turns_read import words_of
from diasum.dialogue import Dialogue

TURNS = 2  # that a sentence is given at most
_SUBJECT = 1.8  # factor for turns of whom the sentence is about
_NAMED = 1.15  # and for those of others whom it names
_NEIGHBOUR = 0.2  # of its score that a turn gives to the ones beside it
_TOPIC, _TOPIC_REACH = 0.2, 15  # and to those within this many turns, or a twentieth of the dialogue if that is fewer
_LENGTH = 0.2  # exponent of a turn's words, relative to the mean, that its score is divided by
_SHORTEST = 0.3  # of the mean: shorter turns count as this long
_AGAIN = 0.5  # what a word counts for a second turn that the first has already
_LABEL = re.compile(r"#[^#\s]{1,30}#")

Term = str | tuple[tuple[str, float], ...]  # a stem, or the parts of a quantity as `diasum.claims.quantities` has them


@dataclass(frozen=True, slots=True)
class RankedTurn:
    """A turn that a sentence may rest on.

    Attributes:
        id: of the turn.
        score: above 0, in nats of inverse document frequency; comparable within one sentence only.
    """

    id: int
    score: float


def with_turns(summary: Summary, dialogue: Dialogue) -> Summary:
    """A summary whose sentences have the turns they rest on, best first.

    Turns that a sentence has already, as those of its window, are the only ones it is given, and so are those that the model read. It
    keeps those it has where none of them shares a word with it.
    """
    read: set[int] | None = None
    if summary.reading is not None and not summary.reading.whole:
        spans = summary.reading.spans
        read = {turn.id or 0 for first, last in spans for turn in dialogue.turns[first - 1 : last]}
    among = [set(one.turns) or read for one in summary.sentences]
    ranked = rank_turns([one.text for one in summary.sentences], dialogue, among=among)
    sentences = [
        replace(one, turns=tuple(turn.id for turn in turns) or one.turns)
        for one, turns in zip(summary.sentences, ranked, strict=True)
    ]
    return replace(summary, sentences=tuple(sentences))


def rank_turns(
    sentences: Sequence[str],
    dialogue: Dialogue,
    *,
    among: Sequence[Collection[int] | None] | None = None,
    most: int = TURNS,
) -> list[list[RankedTurn]]:
    """The turns that sentences rest on.

    Args:
        sentences: of a summary of the dialogue, in any language that the dialogue is in.
        dialogue: read once, whatever the number of sentences.
        among: for each sentence the ids of the turns that come into question; None: all.
        most: turns that a sentence is given.

    Returns:
        For each sentence its turns, best first; none where no turn shares a word, name or number with it.
    """
    people = _people(dialogue)
    asked = [_Asked.of(sentence, people) for sentence in sentences]
    having = _having({term for one in asked for term in one.terms}, dialogue)
    lengths = [len(turn.text.split()) for turn in dialogue.turns]
    return [
        _ranked(one, {term: having[term] for term in one.terms if term in having}, dialogue, lengths, allowed, most)
        for one, allowed in zip(asked, among or [None] * len(asked), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a sentence asks of a turn.

    Attributes:
        terms: its words, names and numbers, without the speakers'.
        subject: the speaker it names first, or None.
        named: all speakers it names.
    """

    terms: frozenset[Term]
    subject: str | None
    named: frozenset[str]

    @classmethod
    def of(cls, sentence: str, people: Mapping[str, str]) -> _Asked:
        """Read a sentence; `people` is as `_people` gives it."""
        lower = sentence.lower()
        named = [people[word] for word in [*_LABEL.findall(lower), *words_of(lower)] if word in people]
        stated = quantities(sentence)
        bare = list(lower)
        for one in stated:
            bare[one.start : one.end] = " " * (one.end - one.start)
        words = words_of(_LABEL.sub(" ", "".join(bare)))
        stems = {stem(word) for word in words if word not in STOPWORDS and word not in people}
        terms: set[Term] = {*stems, *(one.parts for one in stated if one.parts)}
        return cls(frozenset(terms), named[0] if named else None, frozenset(named))


def _people(dialogue: Dialogue) -> dict[str, str]:
    """The words that name one speaker and no other, in lower case, and the labels that they stand for."""
    words: dict[str, set[str]] = {}
    for speaker in dialogue.speakers:
        lower = speaker.lower()
        for word in {lower, *words_of(lower)} - TITLES:
            words.setdefault(word, set()).add(speaker)
    return {word: next(iter(labels)) for word, labels in words.items() if len(labels) == 1}


def _having(terms: set[Term], dialogue: Dialogue) -> dict[Term, list[int]]:
    """The positions of the turns that have each term, for terms that any has."""
    having: dict[Term, list[int]] = {}
    numbers = [term for term in terms if isinstance(term, tuple)]
    for i, turn in enumerate(dialogue.turns):
        for found in {stem(word) for word in words_of(turn.text.lower())} & terms:
            having.setdefault(found, []).append(i)
        if numbers:
            said = spoken_values(turn.text)
            for parts in numbers:
                if any(said.supports(kind, value) for kind, value in parts):
                    having.setdefault(parts, []).append(i)
    return having


def _ranked(
    asked: _Asked,
    having: Mapping[Term, Sequence[int]],
    dialogue: Dialogue,
    lengths: Sequence[int],
    allowed: Collection[int] | None,
    most: int,
) -> list[RankedTurn]:
    n = len(dialogue.turns)
    mean = max(sum(lengths) / max(n, 1), 1)
    weights = {term: math.log(1 + n / len(turns)) for term, turns in having.items()}
    terms: dict[int, list[Term]] = {}
    for term, turns in having.items():
        for i in turns:
            terms.setdefault(i, []).append(term)
    own = {}
    for i, there in terms.items():
        speaker = dialogue.turns[i].speaker
        factor = _SUBJECT if speaker and speaker == asked.subject else _NAMED if speaker in asked.named else 1
        own[i] = factor * sum(weights[term] for term in there) / max(lengths[i] / mean, _SHORTEST) ** _LENGTH
    scores = {i: score for i, score in _with_neighbours(own, n).items() if _comes_in(dialogue, i, allowed)}
    chosen: list[RankedTurn] = []
    seen: Counter[Term] = Counter()
    while scores and len(chosen) < most:
        less = {i: score - (1 - _AGAIN) * sum(weights[t] for t in terms[i] if seen[t]) for i, score in scores.items()}
        best = max(scores, key=lambda i: (less[i], -i))
        chosen.append(RankedTurn(dialogue.turns[best].id or 0, scores.pop(best)))
        seen.update(terms[best])
    return chosen


def _with_neighbours(own: Mapping[int, float], n: int) -> dict[int, float]:
    """Scores of turns that match, with what those around them add."""
    reach = min(_TOPIC_REACH, n // 20)
    places = sorted(own)
    sums = [0.0, *accumulate(own[i] for i in places)]
    result = {}
    first = last = 0
    for i in places:
        while places[first] < i - reach:
            first += 1
        while last < len(places) and places[last] <= i + reach:
            last += 1
        around = sums[last] - sums[first] if reach else 0.0
        result[i] = own[i] + _NEIGHBOUR * (own.get(i - 1, 0.0) + own.get(i + 1, 0.0)) + _TOPIC * around
    return result


def _comes_in(dialogue: Dialogue, position: int, allowed: Collection[int] | None) -> bool:
    return allowed is None or dialogue.turns[position].id in allowed
