"""Sentences that their dialogue does not support, made from references by rule, to fit and to measure the checks of sentences.

``invented`` is a sentence of another dialogue, ``half`` one whose second half is, ``boilerplate`` one that models write about anything.
In ``speakers`` two of them are exchanged (`diasum.evaluation.corruptions`), in ``relation`` the second half is of another sentence of the
same summary, in ``exchange`` a noun is that of another place of the summary, in ``word`` and ``number`` one of these is another one that
the dialogue has, and in ``negation`` what is said is denied or the other way round. Speakers are replaced by those of the dialogue.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diasum.claims.lexicon import STOPWORDS, words
from diasum.claims.spoken_numbers import CARDINALS, number
from diasum.dialogue import Dialogue
from diasum.evaluation.corruptions import corrupt, spelt

KINDS = ("invented", "half", "boilerplate", "speakers", "relation", "exchange", "word", "number", "negation")
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
_NOUN = re.compile(  # at the end of what an article or the like begins
    r"\b(?:the|a|an|his|her|their|its|some|new|own|for|with|about|of|from|by|[a-z]+['’]s) (?P<noun>[a-z]{3,})"
    r"(?=[.,;:!?)]|$| (?:and|or|but|to|for|in|on|at|with|from|by|about|because|so|after|before|when|if|while|is|are|was|were|has|have|will|"
    r"can|as|not)\b)"
)
_NUMBERS = re.compile(
    rf"(?<![#\w.:,])(?:\d+|(?:{'|'.join(word for word in CARDINALS if word not in ('oh', 'zero', 'one', 'fourty'))}))(?![#\w:]|[.,]\d)",
    re.I,
)
_SHORTEST_HALF = 10  # characters
# What a sentence says, and its denial, of which one stands for the other; {} is a word that both have.
_PAIRS: tuple[tuple[str, str], ...] = tuple(
    (yes, no)
    for yes, no in (
        line.strip().split(" | ")
        for line in """
    agrees to | refuses to
    agree to | refuse to
    decides to | decides not to
    decide to | decide not to
    accepts | declines
    accept | decline
    wants to | does not want to
    plans to | does not plan to
    will | will not
    will | will no longer
    can | cannot
    is able to | is unable to
    is | is not
    are | are not
    was | was not
    were | were not
    has been | has never been
    have been | have not been
    likes | dislikes
    loves | hates
    allowed | forbidden
    possible | impossible
    happy | unhappy
    satisfied | dissatisfied
    always | never
    with a | without a
    with the | without the
    more | less
    before | after
    early | late
    there is a | there is no
    there are | there are no
    has a | has no
    has an | has no
    and a | but no
    needs to | need not
    must | must not
    should | should not
    would | would not
    knows | does not know
    remembers | forgets
    thinks that | does not think that
    believes | doubts
    approves of | disapproves of
    supports | opposes
    is in favor of | is against
    succeeds in | fails at
    reports | denies
    keeps | gives up
    finds | does not find
    allows | forbids
    still | no longer
    already | not yet
    better | worse
    increased | decreased
    positive | negative
    normal | abnormal
    """.strip().splitlines()
    )
)
_VERB = re.compile(
    r"(?:#\w+#|\b(?!Two|Three|Four|Five|Six)[A-Z][a-z]+|\b(?:he|she|it|who|which|and|but)) (?P<verb>[a-z]{2,}s)\b"
    r"(?= (?:the|a|an|to|his|her|their|that|it|them|him|for|in|on|at|some|all|[a-z]+ing|#|[A-Z]))"
)
_NO_VERB = words(
    "is was has does his this its as us thus less yes always sometimes perhaps besides whereas says tells asks explains"
)


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
    if kind == "speakers":
        corruption = corrupt(sentence, dialogue, kind, seed=rng.randrange(2**32))
        return corruption.text if corruption else None
    if kind == "negation":
        return _turned(sentence, rng)
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
    if kind == "exchange":
        return _exchanged(sentence, siblings, rng)
    if kind == "number":
        return _other_number(sentence, dialogue, rng)
    return _other_noun(sentence, dialogue, rng)


def _moved(sentence: str, told_of: Dialogue, dialogue: Dialogue, rng: random.Random) -> str:
    """A sentence with the speakers of another dialogue in the place of its own."""
    new = list(dialogue.speakers) or ["The speaker"]
    rng.shuffle(new)
    for i, speaker in enumerate(told_of.speakers):
        for form in dict.fromkeys((speaker, speaker.split()[0])):
            sentence = re.sub(rf"(?<![\w#]){re.escape(form)}(?![\w#])", f"\0{i % len(new)}\0", sentence)
    return re.sub("\0(\\d+)\0", lambda match: new[int(match[1])], sentence)


def _head(sentence: str, rng: random.Random) -> str | None:
    places = [match.start() for match in _HALVES.finditer(sentence) if match.start() >= _SHORTEST_HALF]
    return sentence[: rng.choice(places)] if places else None


def _tail(sentence: str, rng: random.Random) -> str | None:
    places = [match.start() for match in _HALVES.finditer(sentence) if match.start() <= len(sentence) - _SHORTEST_HALF]
    return sentence[rng.choice(places) :] if places else None


def _nouns(sentence: str) -> list[re.Match[str]]:
    return [match for match in _NOUN.finditer(sentence) if match["noun"] not in STOPWORDS]


def _exchanged(sentence: str, siblings: Sequence[str], rng: random.Random) -> str | None:
    """A sentence in which a noun is replaced by one of another sentence, or two of its own are exchanged."""
    own = _nouns(sentence)
    theirs = [match["noun"] for text in siblings for match in _nouns(text) if match["noun"] not in sentence]
    if not own:
        return None
    if theirs and (len(own) < 2 or rng.random() < 0.5):
        place = rng.choice(own)
        return _replaced(sentence, place.span("noun"), rng.choice(theirs))
    if len(own) < 2:
        return None
    a, b = sorted(rng.sample(own, 2), key=lambda match: match.start())
    if a["noun"] == b["noun"] or sentence[a.end() : b.start()].strip() in ("and", "or", ","):
        return None
    return _replaced(_replaced(sentence, b.span("noun"), a["noun"]), a.span("noun"), b["noun"])


def _other_noun(sentence: str, dialogue: Dialogue, rng: random.Random) -> str | None:
    """A sentence in which a noun is replaced by another one that the dialogue has."""
    own = _nouns(sentence)
    said = [match["noun"] for turn in dialogue.turns for match in _nouns(turn.text.lower())]
    if not own:
        return None
    place = rng.choice(own)
    plural = place["noun"].endswith("s")
    alike = [noun for noun in said if noun not in sentence and noun.endswith("s") == plural]
    return _replaced(sentence, place.span("noun"), rng.choice(alike)) if alike else None


def _replaced(sentence: str, span: tuple[int, int], new: str) -> str:
    return sentence[: span[0]] + new + sentence[span[1] :]


def _other_number(sentence: str, dialogue: Dialogue, rng: random.Random) -> str | None:
    """A sentence in which a number is replaced by another one of the dialogue, or two numbers of its own are exchanged."""
    own = [match for match in _NUMBERS.finditer(sentence) if match[0].lower() not in ("two", "2") or rng.random() < 0.5]
    if len(own) > 1 and rng.random() < 0.5:
        a, b = sorted(rng.sample(own, 2), key=lambda match: match.start())
        if number(a[0]) != number(b[0]):
            return _replaced(_replaced(sentence, b.span(), a[0]), a.span(), b[0])
    if not own:
        return None
    place = rng.choice(own)
    values = {number(match[0]) for match in own}
    said = [
        match[0] for turn in dialogue.turns for match in _NUMBERS.finditer(turn.text) if number(match[0]) not in values
    ]
    near = [word for word in said if len(word) == len(place[0]) or not word.isdigit()]
    if not near and not said:
        return None
    new = rng.choice(near or said)
    if place[0].isdigit() != new.isdigit():
        value = int(number(new) or 0)
        new = str(value) if place[0].isdigit() else spelt(value) if value < 1000 else new
    return _replaced(sentence, place.span(), new.capitalize() if place[0][0].isupper() else new)


def _turned(sentence: str, rng: random.Random) -> str | None:
    """A sentence that says what it denied, or else denies what it said."""
    ways = _denials(sentence) or _by_pairs(sentence, [(no, yes) for yes, no in _PAIRS])
    if not ways:
        ways = _by_pairs(sentence, _PAIRS)
        verbs = [
            match for match in _VERB.finditer(sentence) if match["verb"] not in _NO_VERB and match["verb"][-2:] != "ss"
        ]
        if verbs and (not ways or rng.random() < 0.5):
            match = rng.choice(verbs)
            new = rng.choice((f"does not {_base(match['verb'])}", f"never {match['verb']}"))
            ways = [(match.span("verb"), new)]
    if not ways:
        return None
    text = _replaced(sentence, *rng.choice(ways))
    return text[:1].upper() + text[1:] if sentence[:1].isupper() else text


def _by_pairs(sentence: str, pairs: Iterable[tuple[str, str]]) -> list[tuple[tuple[int, int], str]]:
    return [
        (match.span(), new)
        for old, new in pairs
        for match in re.finditer(rf"\b{re.escape(old)}\b(?! not\b| never\b| no\b| longer\b)", sentence)
        if not (old in new and new in sentence)
    ]


def _denials(sentence: str) -> list[tuple[tuple[int, int], str]]:
    found: list[tuple[re.Match[str], str]] = []
    for match in re.finditer(r"\b(?:does not|doesn['’]t|do not|don['’]t|did not|didn['’]t) ([a-z]+)", sentence):
        verb = match[1]
        third = "has" if verb == "have" else verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "o")) else "s")
        found.append((match, third if "does" in match[0] else verb))
    for match in re.finditer(
        r"\b(is|are|was|were|will|would|can|could|should|has|have|had)(?: not|n['’]t| never)\b", sentence
    ):
        found.append((match, match[1]))
    for match in re.finditer(r"\bcannot\b", sentence):
        found.append((match, "can"))
    for match in re.finditer(
        r"\b(?:has|have|there is|there are|with|shows?|reports?) no\b(?! (?:one|longer)\b)", sentence
    ):
        found.append((match, match[0].removesuffix(" no")))
    for match in re.finditer(r"\b(?:[Nn]o|[Ww]ithout) (?!longer\b|[a-z]+ing\b)(?=[a-z]{4,})", sentence):
        found.append((match, "with " if match[0].lower().startswith("w") else ""))
    return [(match.span(), new) for match, new in found]


def _base(verb: str) -> str:
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    if verb.endswith(("shes", "ches", "sses", "xes", "oes", "zzes")):
        return verb[:-2]
    return verb[:-1]
