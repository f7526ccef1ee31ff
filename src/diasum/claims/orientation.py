"""Whether a sentence tells of the right speaker: what speaks for another one, weighed by the verb.

"Ana explains the rules" rests on statements of Ana, "Ana asks about them" on her questions, "Ana learns of them" on what others say. So
each speaker that a sentence tells of has some `EVIDENCE` that another is meant, positive or negative, and how much each kind of it
counts depends on the verb. The weights are learnt from human summaries, against the same summaries with the speakers exchanged
(`benchmarks.support_weights`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from diasum.claims.attribution import Said
from diasum.claims.heard import Heard, Word
from diasum.claims.lexicon import words
from diasum.claims.readings import Reading
from diasum.claims.speech_acts import cue_of
from diasum.claims.synonyms import root
from diasum.dialogue import Dialogue

EVIDENCE = ("best turn", "turns", "first", "questions", "statements", "pronouns", "cues", "begins", "talks", "asks")
_BE = words("is are was were be been being gets got")
_AUXILIARY = words(
    "has have had will would can could should may might must does do did not also then still only never no cannot doesn t and"
)
_PARTICIPLES = words(
    "told given shown sent taught found made asked lent taken left met put sold brought known seen heard kept held paid"
)
_BEFORE, _AFTER = 1, 4  # turns around the place of a sentence, in which signs of an act are looked for
_MOST_CUES, _MOST_PRONOUNS = 2.0, 2.0


@dataclass(frozen=True, slots=True)
class Orientation:
    """What is learnt.

    Attributes:
        weights: of each kind of `EVIDENCE`, whatever the verb.
        verbs: to what is added to them for a verb, as `verb_of` names it.
    """

    weights: Sequence[float] = ()
    verbs: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def against(self, verb: str, evidence: Sequence[float]) -> float:
        """The log-odds that another speaker is meant."""
        more = self.verbs.get(verb)
        if more is None:
            return sum(weight * value for weight, value in zip(self.weights, evidence, strict=True))
        return sum((a + b) * value for a, b, value in zip(self.weights, more, evidence, strict=True))


class Talk:
    """Who speaks first, how much, and asks how much."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.first = next((turn.speaker for turn in dialogue.turns if turn.text), "")
        self.said: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        for turn in dialogue.turns:
            self.said[turn.speaker] += len(turn.text)
            self.asked[turn.speaker] += turn.text.count("?")


def verb_of(said: Sequence[str]) -> str:
    """What somebody does, by the words behind the name: a root, with "be" before it in the passive; empty where there is none."""
    passive = False
    for word in said[:4]:
        if word in _BE:
            passive = True
        elif word not in _AUXILIARY:
            done = passive and (word.endswith("ed") or word in _PARTICIPLES)
            return ("be " if done else "is " if passive else "") + root(word)
    return "is" if passive else ""


def evidence(one: Reading, talk: Talk) -> Iterator[tuple[str, list[float]]]:
    """For each speaker that a sentence tells of, the verb, and what speaks for another, as `EVIDENCE` names it."""
    heard, said = one.heard, one.said
    behind: dict[str, list[str]] = {}
    for spoken in said:
        if spoken.subject:
            behind.setdefault(spoken.subject, []).append(spoken.text)
    of: dict[str, list[tuple[Word, float]]] = {}
    for word, weight in zip(one.told, one.weights, strict=True):
        if word.said.subject and word.turns:
            of.setdefault(word.said.subject, []).append((word, weight))
    for person, following in behind.items():
        verb = verb_of(following)
        here = [(word, weight) for word, weight in of.get(person, ()) if not word.of_talk]
        scale = 1 / max(sum(weight for _, weight in here), 2.0)
        theirs = sum(weight for word, weight in here if any(heard.speaker(i) == person for i in word.turns))
        others = sum(weight for word, weight in here if any(heard.speaker(i) != person for i in word.turns))
        first = sum(weight if heard.speaker(word.turns[0]) != person else -weight for word, weight in here)
        asked = [({use.turn for use in word.uses if use.asked}, weight) for word, weight in here]
        stated = [({use.turn for use in word.uses if not use.asked}, weight) for word, weight in here]
        acts = sum(_act(word, person, heard, one.start) for word in said if word.subject == person)
        yield (
            verb,
            [
                _margin(person, [(word.turns, weight) for word, weight in here], heard) * scale,
                (others - theirs) * scale,
                first * scale,
                _margin(person, asked, heard) * scale,
                _margin(person, stated, heard) * scale,
                max(-_MOST_PRONOUNS, min(_MOST_PRONOUNS, sum(_by_pronouns(word) for word, _ in of.get(person, ())))),
                max(-_MOST_CUES, min(_MOST_CUES, float(acts))),
                -1.0 if talk.first == person else 1.0,
                _less(talk.said, person),
                _less(talk.asked, person),
            ],
        )


def _margin(person: str, items: Iterable[tuple[Iterable[int], float]], heard: Heard) -> float:
    """How much more weight the best turn of another has than the best one of a person; `items` are turns with a weight."""
    own: defaultdict[int, float] = defaultdict(float)
    others: defaultdict[int, float] = defaultdict(float)
    for turns, weight in items:
        for i in turns:
            (own if heard.speaker(i) == person else others)[i] += weight
    return max(others.values(), default=0.0) - max(own.values(), default=0.0)


def _by_pronouns(word: Word) -> float:
    """Whether others do or have what a word says of somebody (1), or that one (-1), less for a word of many turns."""
    who = word.said.owner or word.said.agent
    by = Counter(doer for use in word.uses for doer in use.doers)
    return min(1.0, 2 / len(word.turns)) * (1 - 2 * by[who] / by.total()) if who and by else 0.0


def _less(shares: Counter[str], person: str) -> float:
    total = shares.total()
    return 1 - 2 * shares[person] / total if total else 0.0


def _act(one: Said, person: str, heard: Heard, start: int) -> int:
    """1 where only others give the sign of an act near by, -1 where only the one who is said to act does."""
    cue = cue_of(root(one.text))
    if cue is None:
        return 0
    near = heard.dialogue.turns[max(0, start - _BEFORE) : start + _AFTER]
    theirs = any(cue.search(turn.text) for turn in near if turn.speaker == person)
    others = any(cue.search(turn.text) for turn in near if turn.speaker != person)
    return others - theirs
