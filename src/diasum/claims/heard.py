"""What a dialogue says of words and numbers that were asked for: where, whose, asked or denied; read once, the rest is not kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from diasum.claims.attribution import TOKEN, People, Said, doers
from diasum.claims.lexicon import STOPWORDS, TITLES, words
from diasum.claims.negation import NEGATORS
from diasum.claims.quantities import Quantity
from diasum.claims.speech_acts import REPORTING
from diasum.claims.spoken_numbers import SCALES, SPOKEN, spoken_values
from diasum.claims.synonyms import SYNONYMS, root
from diasum.dialogue import Dialogue

_QUANTITY_WORDS = words(
    "all every none only most several never always both half twice"
)  # content, although they are stop words
_CONNECTIVES = words(
    "additionally moreover however nonetheless nevertheless furthermore therefore thus hence consequently meanwhile afterwards afterward "
    "finally firstly secondly lastly eventually instead otherwise besides apart overall regarding concerning despite whether either due "
    "neither upon via per whereas etc eg ie mainly especially particularly generally currently previously already yet still also"
)
_ENDS = frozenset(".!?;,")
_STOPS = frozenset(".!?;")
_NEGATED_WITHIN = 6  # words
_OPEN = words("what why how where who when which whose")
_AFFIRMING = words(
    "yes yeah yep yup sure right correct exactly indeed absolutely certainly definitely course true ok okay"
)
_SHORT_ANSWER = words("do did am have is are can was")  # after a pronoun: "I do"
_PRONOUNS = words("i we it he she they you")
_ANSWERED_WITHIN = 8  # words of a turn
_NUMERAL = words("half quarter dozen noon midnight midday couple twice both once")
_INSIDE_NUMBER = words("and point o oh past to a")
_UNIT_WITHIN = 4  # words


class Use(NamedTuple):
    """A place where a dialogue has a word.

    Attributes:
        turn: its position.
        sentence: counted through the dialogue.
        at: the word's place, counted through the dialogue.
        asked: whether its sentence is a question.
        open: whether that asks for more than yes or no.
        denied: whether it stands behind a negative word.
        doers: who does or has it.
    """

    turn: int
    sentence: int
    at: int
    asked: bool
    open: bool
    denied: bool
    doers: tuple[str, ...]


class Count(NamedTuple):
    """A place where a dialogue has a number.

    Attributes:
        turn, sentence, at: as those of a `Use`.
        unit: root of the content word behind it; empty where there is none.
        supports: which of the quantities that were asked for it may be (a part of), by position.
    """

    turn: int
    sentence: int
    at: int
    unit: str
    supports: frozenset[int]


@dataclass(frozen=True, slots=True)
class Word:
    """A content word of a sentence, or a number.

    Attributes:
        said: the word, and whom it is tied to.
        root: of it; empty for a number.
        uses: where the dialogue has the root, or else a synonym of it, in order; empty for a number.
        counts: where it has the number; empty for a word.
        exact: whether it has the root itself.
        turns: positions of the turns of `uses` or `counts`.
        denied: whether the sentence denies it.
        quantity: the number.
    """

    said: Said
    root: str
    uses: Sequence[Use]
    counts: Sequence[Count]
    exact: bool
    turns: Sequence[int]
    denied: bool = False
    quantity: Quantity | None = None

    @property
    def places(self) -> Sequence[Use] | Sequence[Count]:
        """Of the word, or of the number."""
        return self.counts if self.number else self.uses

    @property
    def of_talk(self) -> bool:
        """Whether it is what summaries say of talk as such ("explains"), which no turn has to say."""
        return self.root in REPORTING

    @property
    def number(self) -> bool:
        """Whether it is a number, which is checked as a fact (`diasum.claims.support`)."""
        return self.quantity is not None

    @property
    def telling(self) -> bool:
        """Whether it is a word that a turn would have to say."""
        return not self.of_talk and not self.number


@dataclass(slots=True)
class Heard:
    """What a dialogue says of what was asked for.

    Attributes:
        uses: of roots.
        counts: its numbers, if any was asked for.
        negative: the turns with a negative word.
        answers: turns that begin with a yes (True) or a no (False).
    """

    dialogue: Dialogue
    uses: dict[str, list[Use]] = field(default_factory=dict)
    counts: list[Count] = field(default_factory=list)
    negative: set[int] = field(default_factory=set)
    answers: dict[int, bool] = field(default_factory=dict)

    def word(self, said: Said, denied: bool) -> Word:
        """A word of a sentence with where it is said."""
        one = root(said.text)
        exact = one in self.uses
        uses = self.uses.get(one) or sorted(
            (use for other in SYNONYMS.get(one, ()) for use in self.uses.get(other, ())), key=lambda use: use.at
        )
        return Word(said, one, uses, (), exact, _turns(uses), denied)

    def number(self, said: Said, denied: bool, quantity: Quantity, position: int) -> Word:
        """A number of a sentence with where it is said; `position` among those asked for."""
        counts = [one for one in self.counts if position in one.supports]
        return Word(said, "", (), counts, True, _turns(counts), denied, quantity)

    def speaker(self, position: int) -> str:
        """Of a turn."""
        return self.dialogue.turns[position].speaker

    def denies(self, use: Use) -> bool | None:
        """Whether a word is denied where it is used; in a question the next turn says so, or nothing does (None)."""
        if not use.asked or use.open:
            return use.denied
        answer = self.answers.get(use.turn + 1)
        return None if answer is None else not answer


def _turns(places: Sequence[Use] | Sequence[Count]) -> list[int]:
    return list(dict.fromkeys(one.turn for one in places))


def is_content(word: str) -> bool:
    """Whether a word of a sentence, but for numbers, says something by itself."""
    if word in _QUANTITY_WORDS:
        return True
    if len(word) < 2 or word[0] == "#" or word.isdecimal() or word in SPOKEN or word in ("am", "pm"):
        return False
    return word not in STOPWORDS and word not in TITLES and word not in _CONNECTIVES


def hear(dialogue: Dialogue, wanted: Collection[str], quantities: Sequence[Quantity], people: People) -> Heard:
    """Read a dialogue.

    Args:
        dialogue: of any length.
        wanted: roots.
        quantities: numbers, times, dates and amounts; without any, no number is kept.
        people: the speakers.
    """
    heard = Heard(dialogue)
    turns = dialogue.turns
    sentence = at = 0
    for i, turn in enumerate(turns):
        lower = turn.text.lower()
        tokens = TOKEN.findall(lower)
        if not NEGATORS.isdisjoint(tokens):
            heard.negative.add(i)
        if (answer := _answer(tokens)) is not None:
            heard.answers[i] = answer
        others = tuple(sorted({turns[j].speaker for j in (i - 1, i + 1) if 0 <= j < len(turns)} - {turn.speaker, ""}))
        asked = _in_questions(tokens)
        is_open = not _OPEN.isdisjoint(tokens)
        sentences = []
        for k, token in enumerate(tokens):
            sentences.append(sentence)
            if token in _STOPS:
                sentence += 1
            elif (one := root(token)) in wanted:
                by = doers(tokens, k, turn.speaker, others, people.by_word)
                use = Use(i, sentence, at + k, asked[k], is_open, _negated(tokens, k), by)
                heard.uses.setdefault(one, []).append(use)
        if quantities:
            heard.counts += _counts(lower, tokens, quantities, i, at, sentences)
        sentence += 1
        at += len(tokens) + 1
    return heard


def _answer(tokens: Sequence[str]) -> bool | None:
    """Whether a turn begins with a yes or a no; None where with neither."""
    for before, token in zip(("", *tokens), tokens[:_ANSWERED_WITHIN], strict=False):
        if token in NEGATORS:
            return False
        if token in _AFFIRMING or (token in _SHORT_ANSWER and before in _PRONOUNS):
            return True
    return None


def _in_questions(tokens: Sequence[str]) -> list[bool]:
    """Of each word of a turn, whether its sentence ends with a question mark."""
    result: list[bool] = []
    asked = False
    for token in reversed(tokens):
        if token in _STOPS:
            asked = token == "?"
        result.append(asked)
    return result[::-1]


def _negated(tokens: Sequence[str], at: int) -> bool:
    for back in range(at - 1, max(-1, at - 1 - _NEGATED_WITHIN), -1):
        if tokens[back] in _ENDS or tokens[back] in ("but", "because"):
            return False
        if tokens[back] in NEGATORS:
            return True
    return False


def _is_numeral(token: str) -> bool:
    return token[0].isdigit() or token in SPOKEN or token in SCALES or token in _NUMERAL


def _counts(
    lower: str, tokens: Sequence[str], quantities: Sequence[Quantity], turn: int, at: int, sentences: Sequence[int]
) -> Iterator[Count]:
    """The numbers of a turn: numerals in a row, with at most one of `_INSIDE_NUMBER` or a mark between two."""
    if not any(map(_is_numeral, tokens)):
        return
    spans = [match.span() for match in TOKEN.finditer(lower)]
    k = 0
    while k < len(tokens):
        first = last = k
        k += 1
        if not _is_numeral(tokens[first]):
            continue
        while (
            k < len(tokens)
            and k - last <= 2
            and (_is_numeral(tokens[k]) or tokens[k] in _INSIDE_NUMBER or tokens[k] in ",.:")
        ):
            last = k if _is_numeral(tokens[k]) else last
            k += 1
        k = last + 1
        text = lower[max(0, spans[first][0] - 1) : spans[last][1]]  # with a sign of currency
        after = re.match(r"[\s-]*(?:an? |and a half )*[a-z']*", lower[spans[last][1] : spans[last][1] + 24])
        said = spoken_values(text + (after[0] if after else ""))
        supports = (
            j
            for j, one in enumerate(quantities)
            if any(said.supports(one.kind if kind == "number" else kind, value) for kind, value in one.parts)
        )
        yield Count(
            turn, sentences[first], at + first, _unit(tokens[last + 1 : last + 1 + _UNIT_WITHIN]), frozenset(supports)
        )


def _unit(following: Sequence[str]) -> str:
    for token in following:
        if token in _ENDS:
            return ""
        if is_content(token):
            return root(token)
    return ""
