"""What speaks for and against a sentence of a summary, as numbers: its words, where turns have them, and who says, does and denies what.

In: sentences and their dialogue, which is read once; only what the sentences ask for is kept, so that memory grows with the matches.
Out: `Features` of each sentence. Nothing is decided here: `diasum.claims.sentence_checks` weighs them.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from diasum.claims.attribution import People
from diasum.claims.heard import Count, Use, Word
from diasum.claims.lexicon import words
from diasum.claims.orientation import Orientation, Talk, evidence
from diasum.claims.readings import SPAN, Reading, held_by, readings
from diasum.claims.synonyms import OPPOSITES, SYNONYMS, root
from diasum.dialogue import Dialogue

_MEASURES = frozenset(
    map(
        root,
        words("minutes hours days weeks months years dollars pounds euros yuan miles percent degrees people times"),
    )
)
_REACH = 3  # content words of a sentence that belong together
_MOST_PLACES = 100  # of a word, that are compared with those of others


@dataclass(slots=True)
class Features:
    """Of one sentence; 0 says nothing, higher speaks against it unless said otherwise.

    Attributes:
        words: logarithm of 1 and its content words but those of reporting; neutral.
        novel: of these, how many no turn supports.
        surprise: of these, added up: how rarely human summaries use such a word without support, in nats.
        most_surprise: of the one that surprises most.
        mean_surprise: `surprise` by all of its words.
        synonyms: share of words that only a synonym supports.
        spread, spread_turn, spread_sentence: share of what is supported that no `SPAN` turns in a row hold, no turn, no sentence.
        close: how near words that stand near one another in it are said, 0 to 1, a mean by rarity; speaks for it.
        close_beside, least_beside: the same of neighbours in one clause: mean, and the least.
        isolated: how far from the others the word that is farthest is said.
        no_pairs: whether no two words near one another are supported.
        numbers: numbers that turns have; neutral.
        number_beside: how far from the nearer of its neighbours a number is said, the farthest number.
        number_other: how much more of what is around it stands around another number.
        number_unit: whether turns count something else with it.
        nobody: whether it tells of no speaker.
        another: log-odds that another speaker is meant (`diasum.claims.orientation`), the highest.
        done_by_others: words for what others do or have, by the pronouns of turns.
        done_by_them: those for what they do or have themselves; speaks for it.
        denied_alone: it denies something, and no turn nearby is negative.
        denied_affirmed: words that it denies and turns only affirm.
        denied_denied: words that both deny; speaks for it.
        affirmed_denied: words that it affirms and turns only deny.
        clash: words that are denied in only one of it and the place that holds most of it, answers heeded, by rarity.
        clash_affirmed: of these, those that it affirms.
        agreed: words that are denied in both, by rarity; speaks for it.
        opposite: words whose opposite a turn has, and not they themselves.
        turns: logarithm of the number of turns; neutral.
    """

    words: float = 0.0
    novel: float = 0.0
    surprise: float = 0.0
    most_surprise: float = 0.0
    mean_surprise: float = 0.0
    synonyms: float = 0.0
    spread: float = 0.0
    spread_turn: float = 0.0
    spread_sentence: float = 0.0
    close: float = 0.5
    close_beside: float = 0.5
    least_beside: float = 0.5
    isolated: float = 0.0
    no_pairs: float = 0.0
    numbers: float = 0.0
    number_beside: float = 0.0
    number_other: float = 0.0
    number_unit: float = 0.0
    nobody: float = 0.0
    another: float = 0.0
    done_by_others: float = 0.0
    done_by_them: float = 0.0
    denied_alone: float = 0.0
    denied_affirmed: float = 0.0
    denied_denied: float = 0.0
    affirmed_denied: float = 0.0
    clash: float = 0.0
    clash_affirmed: float = 0.0
    agreed: float = 0.0
    opposite: float = 0.0
    turns: float = 0.0

    def vector(self) -> list[float]:
        """In the order of `NAMES`."""
        return [getattr(self, name) for name in NAMES]


NAMES = tuple(one.name for one in fields(Features))


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


@dataclass(frozen=True, slots=True)
class Learnt:
    """What features need that is learnt from human summaries."""

    rarity: Rarity
    orientation: Orientation = field(default_factory=Orientation)


def read_sentences(
    sentences: Sequence[str], dialogue: Dialogue, learnt: Learnt, people: People | None = None
) -> list[tuple[Features, list[Word]]]:
    """Compare sentences with their dialogue.

    Args:
        sentences: English.
        dialogue: read once for all of them.
        learnt: from human summaries.
        people: the speakers, where `dialogue` is a part of one with more of them.

    Returns:
        For each sentence its features and its content words.
    """
    talk = Talk(dialogue)
    return [(_features(one, learnt, talk), list(one.told)) for one in readings(sentences, dialogue, people)]


def _features(one: Reading, learnt: Learnt, talk: Talk) -> Features:
    result = Features(turns=math.log(max(len(one.heard.dialogue.turns), 1)), spread=1 - one.held)
    by_turn = held_by(one.told, one.weights, lambda place: (place.turn,))
    by_sentence = held_by(one.told, one.weights, lambda place: (place.sentence,))
    if total := sum(one.weights):
        result.spread_turn = 1 - max(by_turn.values()) / total
        result.spread_sentence = 1 - max(by_sentence.values()) / total
    _add_novelty(result, one.told, learnt.rarity)
    _add_closeness(result, one)
    _add_numbers(result, one)
    result.nobody = float(not any(word.subject for word in one.said))
    if len(one.heard.dialogue.speakers) > 1 and learnt.orientation.weights:
        result.another = max((learnt.orientation.against(*speaker) for speaker in evidence(one, talk)), default=0.0)
    _add_doers(result, one.told)
    _add_negation(result, one, by_turn, by_sentence)
    return result


def _add_novelty(to: Features, told: Sequence[Word], rarity: Rarity) -> None:
    telling = [word for word in told if word.telling]
    surprises = [rarity.of(word) for word in telling if not word.turns]
    to.words, to.novel = math.log1p(len(telling)), float(len(surprises))
    to.surprise, to.most_surprise = min(sum(surprises), 8.0), max(surprises, default=0.0)
    to.mean_surprise = sum(surprises) / max(len(telling), 1)
    to.synonyms = sum(bool(word.turns) and not word.exact for word in told) / max(len(telling), 1)


def _add_closeness(to: Features, one: Reading) -> None:
    """How near one another words are said that stand near one another in the sentence."""
    told, weights = one.told, one.weights
    pairs: list[tuple[float, float]] = []  # closeness and weight
    beside: list[tuple[float, float]] = []
    nearest: defaultdict[int, float] = defaultdict(float)
    for a in range(len(told)):
        for b in range(a + 1, min(len(told), a + 1 + _REACH)):
            if not told[a].turns or not told[b].turns:
                continue
            near, weight = _closest(told[a].places, told[b].places), min(weights[a], weights[b])
            pairs.append((near, weight))
            if b == a + 1 and one.clauses[a] == one.clauses[b]:
                beside.append((near, weight))
            nearest[a], nearest[b] = max(nearest[a], near), max(nearest[b], near)
    to.no_pairs = float(not pairs)
    if pairs:
        to.close = _mean(pairs)
    if beside:
        to.close_beside, to.least_beside = _mean(beside), min(near for near, _ in beside)
    alone = [nearest[i] for i, word in enumerate(told) if word.turns and not word.of_talk]
    to.isolated = 1 - min(alone) if len(alone) > 1 else 0.0


def _mean(weighted: Sequence[tuple[float, float]]) -> float:
    return sum(value * weight for value, weight in weighted) / sum(weight for _, weight in weighted)


def _closest(a: Sequence[Use | Count], b: Sequence[Use | Count]) -> float:
    """How near one another two words are said where they are nearest, 0 to 1."""
    others = b[:_MOST_PLACES]
    places = [one.at for one in others]
    return max(_close_to(one, others, places) for one in a[:_MOST_PLACES])


def _close_to(one: Use | Count, others: Sequence[Use | Count], places: Sequence[int]) -> float:
    k = bisect_left(places, one.at)
    return max(_closeness(one, other) for other in others[max(0, k - 1) : k + 1])


def _closeness(a: Use | Count, b: Use | Count) -> float:
    """0.5 to 1 within one sentence, 0.25 to 0.5 within a turn, less up to three turns away, then 0."""
    gap = abs(a.at - b.at)
    if a.sentence == b.sentence:
        return 0.5 + 0.5 * math.exp(-gap / 8)
    if a.turn == b.turn:
        return 0.25 + 0.25 * math.exp(-gap / 20)
    distance = abs(a.turn - b.turn)
    return (0.4, 0.2, 0.1)[distance - 1] * math.exp(-gap / 60) if distance <= 3 else 0.0


def _add_numbers(to: Features, one: Reading) -> None:
    told = one.told
    numbers = [k for k, word in enumerate(told) if word.counts]
    to.numbers = float(len(numbers))
    right = {id(count) for k in numbers for count in told[k].counts}
    wrong = [count for count in one.heard.counts if id(count) not in right][: 3 * _MOST_PLACES]
    others: list[float] = []
    for k in numbers:
        word = told[k]
        near = [j for j in range(max(0, k - _REACH), min(len(told), k + _REACH + 1)) if told[j].uses]
        context = [(told[j], one.weights[j] / abs(j - k), [use.at for use in told[j].uses]) for j in near]
        if context:
            total = sum(weight for _, weight, _ in context)
            best, other = (
                max((_around(count, context) for count in counts), default=0.0) / total
                for counts in (word.counts[:_MOST_PLACES], wrong)
            )
            others.append(other - best)
        beside = [_closest(told[j].uses, word.counts) for j in (k - 1, k + 1) if j in near]
        to.number_beside = max(to.number_beside, 1 - max(beside, default=1.0))
        to.number_unit = max(to.number_unit, _counts_other(word, told[k + 1] if k + 1 < len(told) else None))
    to.number_other = max(others, default=0.0)


def _around(count: Count, context: Sequence[tuple[Word, float, list[int]]]) -> float:
    return sum(weight * _close_to(count, word.uses, places) for word, weight, places in context)


def _counts_other(number: Word, following: Word | None) -> float:
    """1 where turns count other things with a number of a sentence than that does, 0.5 where some count nothing."""
    stated = number.quantity
    if stated is None or stated.kind not in ("number", "time"):
        return 0.0
    if stated.kind == "time":
        return float(all(count.unit in _MEASURES for count in number.counts))
    if following is None or not following.root or following.said.start - stated.end > 12:
        return 0.0
    counted = {count.unit for count in number.counts}
    if not counted.isdisjoint({following.root, *SYNONYMS.get(following.root, ())}):
        return 0.0
    return 0.5 if "" in counted else 1.0


def _add_doers(to: Features, told: Sequence[Word]) -> None:
    for word in told:
        person = word.said.owner or word.said.agent
        by = Counter(doer for use in word.uses for doer in use.doers)
        if not by or not person or not word.exact:
            continue
        weight = min(1.0, 2.0 / len(word.turns))
        if not by[person]:
            to.done_by_others += weight
        elif 2 * by[person] >= by.total():
            to.done_by_them += weight
    to.done_by_others, to.done_by_them = min(to.done_by_others, 3.0), min(to.done_by_them, 3.0)


def _add_negation(to: Features, one: Reading, by_turn: Mapping[int, float], by_sentence: Mapping[int, float]) -> None:
    heard = one.heard
    if any(word.denied for word in one.told) and heard.negative.isdisjoint(range(one.start, one.start + SPAN)):
        to.denied_alone = 1.0
    for word, weight in zip(one.told, one.weights, strict=True):
        if not word.uses or not word.exact:
            to.opposite += any(other in heard.uses for other in OPPOSITES.get(word.root, ()))
            continue
        denied = sum(use.denied for use in word.uses)
        if word.denied:
            to.denied_denied += denied > 0
            to.denied_affirmed += not denied
        else:
            to.affirmed_denied += denied == len(word.uses)
        best = max(word.uses, key=lambda use: by_sentence[use.sentence] + 0.5 * by_turn[use.turn])
        said_no = heard.denies(best)
        if said_no is not None and said_no != word.denied:
            to.clash += weight
            to.clash_affirmed += 0.0 if word.denied else weight
        elif said_no and word.denied:
            to.agreed += weight
    to.denied_affirmed, to.affirmed_denied = min(to.denied_affirmed, 3.0), min(to.affirmed_denied, 3.0)
    to.denied_denied, to.opposite = min(to.denied_denied, 3.0), min(to.opposite, 2.0)
    to.clash, to.clash_affirmed, to.agreed = min(to.clash, 8.0), min(to.clash_affirmed, 8.0), min(to.agreed, 8.0)
