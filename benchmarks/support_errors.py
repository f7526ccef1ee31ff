"""Sentences that their dialogue does not support, made from references by rule, to fit and to measure the checks of sentences.

Beside the corruptions of `diasum.evaluation.corruptions`: ``invented``, a sentence of another dialogue; ``half``, whose second half is
of another dialogue; ``boilerplate``, a sentence that models write about anything; ``relation``, whose second half is of another sentence
of the same summary; ``word`` and ``number``, in which one of these is replaced by another one that the dialogue has. Speakers are
replaced by those of the dialogue.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from diasum.claims.lexicon import STOPWORDS
from diasum.claims.spoken_numbers import CARDINALS
from diasum.dialogue import Dialogue
from diasum.evaluation.corruptions import corrupt

MADE = ("invented", "half", "boilerplate", "relation", "word", "number")
CORRUPTED = ("speakers", "negation")
KINDS = (*MADE, *CORRUPTED)
# {A} and {B} are two speakers. Written for this; those of `benchmarks/support_dev` are others.
BOILERPLATE = tuple(
    line.strip()
    for line in """
    {A} thanks {B} for the help.
    {A} and {B} say goodbye to each other.
    They agree to meet again tomorrow.
    They decide to go there together.
    {A} promises to call {B} back later.
    They are both happy with the result.
    {A} wishes {B} good luck.
    The meeting will continue next week.
    {A} has no known drug allergies.
    Family history is noncontributory.
    The patient denies fever, chills, nausea and vomiting.
    The patient is a pleasant and cooperative person.
    He does not smoke or drink alcohol.
    {A} will send {B} an email with the details.
    {A} apologizes for the inconvenience.
    {A} asks {B} to have a seat.
    {A} looks forward to seeing {B}.
    No decision has been made yet.
    {A} is very satisfied with {B}'s service.
    The team discussed the project and assigned action items.
    {A} will follow up with the doctor in a month.
    {A} pays by credit card and leaves.
    {A} introduces the new product to {B}.
    {A} helps {B} to find a solution.
    {B} gives {A} the telephone number.
    Everything is fine in the end.
    They have a great time together.
    {A} feels much better after talking to {B}.
    {A} tells {B} about the weather.
    {A} invites {B} to dinner at home.
    They talk about their families.
    {A} asks {B} for advice about work.
    Review of systems is negative.
    The patient has no past surgical history.
    All questions were answered.
    {A} hopes to see {B} soon.
    They plan to go on a trip next summer.
    {A} wants to think about it first.
    {B} recommends a good restaurant to {A}.
    The customer is asked to wait.
    """.strip().splitlines()
)
_HALVES = re.compile(r" (?=(?:that|to|for|about|because|and|with|from|on|in|at|but|so|after|before|when|if|while)\b)")
_WORDS = re.compile(r"\b[a-z]{4,}\b")
_NUMBERS = re.compile(
    rf"(?<![#\w.:,])(?:\d+|{'|'.join(word for word in CARDINALS if word not in ('oh', 'zero', 'one', 'fourty'))})(?![#\w:]|[.,]\d)"
)
_SHORTEST_HALF = 10  # characters


@dataclass(frozen=True)
class Other:
    """A sentence and the dialogue that it tells of."""

    dialogue: Dialogue
    sentence: str


def make(
    kind: str, sentence: str, dialogue: Dialogue, siblings: Sequence[str], other: Other, rng: random.Random
) -> str | None:
    """A wrong sentence of a kind; None where it cannot be made.

    Args:
        kind: one of `KINDS`.
        sentence: of a reference of the dialogue.
        dialogue: that it is to be wrong about.
        siblings: the other sentences about it.
        other: of another dialogue.
        rng: what is drawn is drawn from it.
    """
    if kind in CORRUPTED:
        corruption = corrupt(sentence, dialogue, kind, seed=rng.randrange(2**32))
        return corruption.text if corruption else None
    if kind == "boilerplate":
        first, second = rng.sample(list(dialogue.speakers), 2) if len(dialogue.speakers) > 1 else ("He", "her")
        return rng.choice(BOILERPLATE).format(A=first, B=second)
    if kind == "invented":
        return _moved(other.sentence, other.dialogue, dialogue, rng)
    if kind == "half":
        tail = _tail(other.sentence, rng)
        head = _head(sentence, rng)
        return head + _moved(tail, other.dialogue, dialogue, rng) if head and tail else None
    if kind == "relation":
        tail = _tail(rng.choice(list(siblings)), rng) if siblings else None
        head = _head(sentence, rng)
        return head + tail if head and tail and tail not in sentence else None
    return _with_another(_NUMBERS if kind == "number" else _WORDS, sentence, dialogue, rng)


def _moved(sentence: str, told_of: Dialogue, dialogue: Dialogue, rng: random.Random) -> str:
    """A sentence with the speakers of another dialogue in the place of its own."""
    new = list(dialogue.speakers) or ["The speaker"]
    rng.shuffle(new)
    for number, speaker in enumerate(told_of.speakers):
        for form in dict.fromkeys((speaker, speaker.split()[0])):
            sentence = re.sub(rf"(?<![\w#]){re.escape(form)}(?![\w#])", f"\0{number % len(new)}\0", sentence)
    return re.sub("\0(\\d+)\0", lambda match: new[int(match[1])], sentence)


def _head(sentence: str, rng: random.Random) -> str | None:
    places = [match.start() for match in _HALVES.finditer(sentence) if match.start() >= _SHORTEST_HALF]
    return sentence[: rng.choice(places)] if places else None


def _tail(sentence: str, rng: random.Random) -> str | None:
    places = [match.start() for match in _HALVES.finditer(sentence) if match.start() <= len(sentence) - _SHORTEST_HALF]
    return sentence[rng.choice(places) :] if places else None


def _with_another(pattern: re.Pattern[str], sentence: str, dialogue: Dialogue, rng: random.Random) -> str | None:
    """A sentence in which a word, or number, is replaced by another one that the dialogue has: of words one that ends alike."""
    places = [match for match in pattern.finditer(sentence) if match[0] not in STOPWORDS]
    if not places:
        return None
    place = rng.choice(places)
    end = "" if pattern is _NUMBERS else place[0][-2:]
    said = [word for turn in dialogue.turns for word in pattern.findall(turn.text)]
    alike = [word for word in said if word not in STOPWORDS and word not in sentence and word.endswith(end)]
    return sentence[: place.start()] + rng.choice(alike) + sentence[place.end() :] if alike else None
