"""What speaks for and against a sentence of a summary, as numbers: its words, where turns have them, and who says, does and denies what.

In: sentences and their dialogue, which is read once; only what the sentences ask for is kept, so that memory grows with the matches.
Out: `Features` of each sentence. Nothing is decided here: `diasum.claims.sentence_checks` weighs them.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

from diasum.claims.attribution import People, Said
from diasum.claims.heard import Heard, Word, hear, is_content, key_of
from diasum.claims.lexicon import words
from diasum.claims.negation import NEGATORS
from diasum.claims.speech_acts import ASKING, GETTING, TELLING, cue_of
from diasum.claims.synonyms import OPPOSITES, SYNONYMS, root
from diasum.dialogue import Dialogue

_LABEL = re.compile(r"\s*([^\W\d_][\w'’-]*(?: [\w'’-]+){0,2}):(?=\s)")
SPAN = 3  # turns that a sentence is told from: a question, its answer, what follows
_DENYING = NEGATORS | words("refuses declines denies fails refuse stops rejects avoid avoids")
_DENIED_WITHIN = 30  # characters of a sentence
_MOST_WEIGHT = 6.0  # of what is told of somebody; more says no more
_MOST_PLACES = 200  # of a word, that are compared with those of the next


@dataclass(slots=True)
class Features:
    """Of one sentence; 0 says nothing, higher speaks against it unless said otherwise.

    Attributes:
        words: logarithm of 1 and its content words but those of reporting; neutral.
        bare: whether it has none of these.
        novel: of these, how many no turn supports.
        surprise: of these, added up: how rarely human summaries use such a word without support, in nats.
        most_surprise: of the one that surprises most.
        mean_surprise: `surprise` by all of its words.
        synonyms: share of words that only a synonym supports.
        spread: share of what is supported that no `SPAN` turns in a row hold.
        split: neighbouring words that no turn has both of.
        gap, widest_gap: turns between neighbouring words where they are nearest, logarithms: mean and largest.
        numbers_apart: numbers that no turn has together with a word beside them, or right after it.
        no_pairs: whether no two neighbouring words are supported.
        by_others: how much more of what it tells of somebody is said by others.
        asked_by_others, got_by_others: the same where somebody asks, or learns and gets.
        first_by_others, first_asked_by_others: the same by who says it first.
        best_by_others: by the single turns that hold most.
        question_by_others: by the questions that hold most, where it tells what somebody asks.
        told_by_others: by the statements that do, where it tells what somebody says.
        nobody: whether it tells of no speaker.
        act: acts ("refuses", "thanks") whose signs others give, less those that the one gives.
        done_by_others: words for what others do or have, by the pronouns of turns.
        done_by_them: those for what they do or have themselves; speaks for it.
        denied_alone: it denies something, and no turn nearby is negative.
        denied_affirmed: words that it denies and turns only affirm.
        denied_denied: words that both deny; speaks for it.
        affirmed_denied: words that it affirms and turns only deny.
        opposite: words whose opposite a turn has, and not they themselves.
        turns: logarithm of the number of turns; neutral.
    """

    words: float = 0.0
    bare: float = 0.0
    novel: float = 0.0
    surprise: float = 0.0
    most_surprise: float = 0.0
    mean_surprise: float = 0.0
    synonyms: float = 0.0
    spread: float = 0.0
    split: float = 0.0
    gap: float = 0.0
    widest_gap: float = 0.0
    numbers_apart: float = 0.0
    no_pairs: float = 0.0
    by_others: float = 0.0
    asked_by_others: float = 0.0
    got_by_others: float = 0.0
    first_by_others: float = 0.0
    first_asked_by_others: float = 0.0
    best_by_others: float = 0.0
    question_by_others: float = 0.0
    told_by_others: float = 0.0
    nobody: float = 0.0
    act: float = 0.0
    done_by_others: float = 0.0
    done_by_them: float = 0.0
    denied_alone: float = 0.0
    denied_affirmed: float = 0.0
    denied_denied: float = 0.0
    affirmed_denied: float = 0.0
    opposite: float = 0.0
    turns: float = 0.0

    def vector(self) -> list[float]:
        """In the order of `NAMES`."""
        return [getattr(self, name) for name in NAMES]


@dataclass(frozen=True, slots=True)
class Rarity:
    """How rarely human summaries use a word that no turn supports: minus the logarithm of that share of its uses, in nats.

    Attributes:
        roots: of roots that are used often enough to tell.
        endings: of other words, by how they end, longest first; the last one is empty.
    """

    roots: Mapping[str, float]
    endings: Mapping[str, float]

    def of(self, word: Word) -> float:
        """Of one word."""
        if word.root in self.roots:
            return self.roots[word.root]
        return self.endings[ending_of(word.said.text, self.endings)]


def ending_of(word: str, endings: Iterable[str]) -> str:
    """The first of some endings that a word has, with three letters before it."""
    return next(end for end in endings if not end or (word.endswith(end) and len(word) > len(end) + 2))


NAMES = tuple(one.name for one in fields(Features))


def read_sentences(
    sentences: Sequence[str], dialogue: Dialogue, rarity: Rarity, people: People | None = None
) -> list[tuple[Features, list[Word]]]:
    """Compare sentences with their dialogue.

    Args:
        sentences: English.
        dialogue: read once for all of them.
        rarity: how rarely human summaries use a word without support.
        people: the speakers, where `dialogue` is a part of one with more of them.

    Returns:
        For each sentence its features and its content words.
    """
    people = people or People(dialogue)
    said = [people.read(_without_label(one, people)) for one in sentences]
    content = [[one for one in words_ if is_content(one.text)] for words_ in said]
    roots = {key_of(one.text) for words_ in content for one in words_}
    wanted = roots | {other for one in roots for other in (*SYNONYMS.get(one, ()), *OPPOSITES.get(one, ()))}
    heard = hear(dialogue, wanted, people)
    result = []
    for all_words, content_words in zip(said, content, strict=True):
        told = [heard.word(one) for one in content_words]
        result.append((_features(all_words, told, heard, rarity), told))
    return result


def _without_label(sentence: str, people: People) -> str:
    """A sentence whose part of a house form ("Still open: ...") is blanks, unless it is a speaker."""
    label = _LABEL.match(sentence)
    if label is None or label[1].lower() in people.by_word:
        return sentence
    return " " * label.end() + sentence[label.end() :]


def _features(said: Sequence[Said], told: Sequence[Word], heard: Heard, rarity: Rarity) -> Features:
    n = max(len(heard.dialogue.turns), 1)
    weights = [math.log(1 + n / len(word.turns)) if word.turns else 0.0 for word in told]
    result = Features(turns=math.log(n))
    _add_novelty(result, told, rarity)
    start = _add_places(result, told, weights)
    _add_attribution(result, said, told, weights, heard, start)
    _add_doers(result, told, heard)
    _add_negation(result, said, told, heard, start)
    return result


def _add_novelty(to: Features, told: Sequence[Word], rarity: Rarity) -> None:
    telling = [word for word in told if word.telling]
    surprises = [rarity.of(word) for word in telling if not word.turns]
    to.words, to.bare = math.log1p(len(telling)), float(not telling)
    to.novel = float(len(surprises))
    to.surprise, to.most_surprise = min(sum(surprises), 8.0), max(surprises, default=0.0)
    to.mean_surprise = sum(surprises) / max(len(telling), 1)
    to.synonyms = sum(bool(word.turns) and not word.exact for word in told) / max(len(telling), 1)


def _add_places(to: Features, told: Sequence[Word], weights: Sequence[float]) -> int:
    """Where the words are; returns the first of the `SPAN` turns that hold most of them."""
    held: defaultdict[int, float] = defaultdict(float)
    for word, weight in zip(told, weights, strict=True):
        for first in {first for i in word.turns for first in range(max(0, i - SPAN + 1), i + 1)}:
            held[first] += weight
    start, most = min(held.items(), key=lambda item: (-item[1], item[0]), default=(0, 0))
    total = sum(weights)
    to.spread = 1 - most / total if total else 0.0
    pairs = [(a.turns, b.turns) for a, b in pairwise(told) if a.turns and b.turns]
    gaps = [math.log1p(_distance(a, b)) for a, b in pairs]
    to.no_pairs = float(not pairs)
    to.numbers_apart = min(float(sum(_stands_apart(told, at) for at, word in enumerate(told) if word.number)), 3.0)
    to.split = min(float(sum(gap > 0 for gap in gaps)), 6.0)
    to.gap, to.widest_gap = sum(gaps) / max(len(gaps), 1), max(gaps, default=0.0)
    return start


def _distance(a: Sequence[int], b: Sequence[int]) -> int:
    if not set(a).isdisjoint(b):
        return 0
    return min(abs(i - j) for i in a[:_MOST_PLACES] for j in b[:_MOST_PLACES])


def _stands_apart(told: Sequence[Word], at: int) -> bool:
    beside = [told[i].turns for i in (at - 1, at + 1) if 0 <= i < len(told) and told[i].turns and not told[i].number]
    return bool(told[at].turns) and bool(beside) and all(_distance(told[at].turns, turns) > 1 for turns in beside)


def _add_attribution(
    to: Features, said: Sequence[Said], told: Sequence[Word], weights: Sequence[float], heard: Heard, start: int
) -> None:
    """What is told of each speaker: is it they who say it, and say it first?"""
    verbs: dict[str, str] = {}
    for one in said:
        if one.subject:
            verbs.setdefault(one.subject, root(one.text))
    of: dict[str, list[tuple[Word, float]]] = {}
    for word, weight in zip(told, weights, strict=True):
        if word.said.subject and word.turns and not word.of_talk:
            of.setdefault(word.said.subject, []).append((word, weight))
    best = []
    for person, told_of in of.items():
        items = [(word.turns, weight) for word, weight in told_of]
        total = sum(weight for _, weight in items)
        scale = min(total, _MOST_WEIGHT) / _MOST_WEIGHT * 2 / total
        theirs = sum(weight for turns, weight in items if any(heard.speaker(i) == person for i in turns))
        others = sum(weight for turns, weight in items if any(heard.speaker(i) != person for i in turns))
        first = sum(weight if heard.speaker(turns[0]) != person else -weight for turns, weight in items)
        verb = verbs.get(person, "")
        if verb in ASKING:
            asked = [(heard.asked.get(word.root, ()), weight) for word, weight in told_of if word.exact]
            to.question_by_others += _margin(person, asked, heard) * scale
        elif verb in TELLING:
            stated = [(heard.stated.get(word.root, ()), weight) for word, weight in told_of if word.exact]
            to.told_by_others += _margin(person, stated, heard) * scale
        if verb in ASKING:
            to.asked_by_others += (others - theirs) * scale
            to.first_asked_by_others += first * scale
        elif verb in GETTING:
            to.got_by_others += (others - theirs) * scale
        else:
            to.by_others += (others - theirs) * scale
            to.first_by_others += first * scale
        best.append(_margin(person, items, heard) / total)
    to.best_by_others = max(best, default=0.0)
    to.nobody = float(not of)
    to.act = float(sum(_act(one, heard, start) for one in said)) if any(weights) else 0.0


def _margin(person: str, items: Iterable[tuple[Iterable[int], float]], heard: Heard) -> float:
    """How much more weight the best turn of another has than the best one of a person; `items` are turns with a weight."""
    own: defaultdict[int, float] = defaultdict(float)
    others: defaultdict[int, float] = defaultdict(float)
    for turns, weight in items:
        for i in turns:
            (own if heard.speaker(i) == person else others)[i] += weight
    return max(others.values(), default=0) - max(own.values(), default=0)


def _act(one: Said, heard: Heard, start: int) -> int:
    """1 where only others give the sign of an act near by, -1 where only the one who is said to act does."""
    cue = cue_of(root(one.text)) if one.subject else None
    if cue is None:
        return 0
    near = heard.dialogue.turns[max(0, start - 1) : start + SPAN + 1]
    theirs = any(cue.search(turn.text) for turn in near if turn.speaker == one.subject)
    others = any(cue.search(turn.text) for turn in near if turn.speaker != one.subject)
    return others - theirs


def _add_doers(to: Features, told: Sequence[Word], heard: Heard) -> None:
    for word in told:
        there, person = heard.doers.get(word.root), word.said.owner or word.said.agent
        if not there or not person:
            continue
        weight = min(1.0, 2.0 / len(heard.turns[word.root]))
        if not there[person]:
            to.done_by_others += weight
        elif 2 * there[person] >= there.total():
            to.done_by_them += weight
    to.done_by_others, to.done_by_them = min(to.done_by_others, 3.0), min(to.done_by_them, 3.0)


def _add_negation(to: Features, said: Sequence[Said], told: Sequence[Word], heard: Heard, start: int) -> None:
    denying = [one.start for one in said if one.text in _DENYING]
    if denying and heard.negative.isdisjoint(range(start, start + SPAN)):
        to.denied_alone = 1.0
    for word in told:
        denied, affirmed = heard.denied[word.root], heard.affirmed[word.root]
        if any(0 < word.said.start - place < _DENIED_WITHIN for place in denying):
            to.denied_denied += denied > 0
            to.denied_affirmed += affirmed > 0 and not denied
        else:
            to.affirmed_denied += denied > 0 and not affirmed
        to.opposite += not word.exact and any(other in heard.turns for other in OPPOSITES.get(word.root, ()))
    to.denied_affirmed, to.affirmed_denied = min(to.denied_affirmed, 3.0), min(to.affirmed_denied, 3.0)
    to.denied_denied, to.opposite = min(to.denied_denied, 3.0), min(to.opposite, 2.0)
