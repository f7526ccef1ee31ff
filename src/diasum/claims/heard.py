"""What a dialogue says of the words that were asked for: where, by whom it is done, asked or denied; read once, the rest is not kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from diasum.claims.attribution import TOKEN, People, Said, doers
from diasum.claims.lexicon import STOPWORDS, TITLES, words
from diasum.claims.negation import NEGATORS
from diasum.claims.speech_acts import REPORTING
from diasum.claims.spoken_numbers import SPOKEN
from diasum.claims.synonyms import SYNONYMS, root
from diasum.dialogue import Dialogue

NUMBER = "="  # before the value of a number, where others have a root
_QUANTITY_WORDS = words(
    "all every none only most several never always both half twice"
)  # content, although they are stop words
_CONNECTIVES = words(
    "additionally moreover however nonetheless nevertheless furthermore therefore thus hence consequently meanwhile afterwards afterward "
    "finally firstly secondly lastly eventually instead otherwise besides apart overall regarding concerning despite whether either due "
    "neither upon via per whereas etc eg ie mainly especially particularly generally currently previously already yet still also"
)
_NEGATED_WITHIN = 5  # words
_ENDS = frozenset(".!?;,")


@dataclass(frozen=True, slots=True)
class Word:
    """A content word of a sentence.

    Attributes:
        said: the word, and whom it is tied to.
        root: of it; of a number, its value behind `NUMBER`.
        turns: positions of the turns that have the root, or else a synonym of it.
        exact: whether they have the root itself.
    """

    said: Said
    root: str
    turns: Sequence[int]
    exact: bool

    @property
    def of_talk(self) -> bool:
        """Whether it is what summaries say of talk as such ("explains"), which no turn has to say."""
        return self.root in REPORTING

    @property
    def number(self) -> bool:
        """Whether it is a number, which is checked as a fact (`diasum.claims.support`)."""
        return self.root.startswith(NUMBER)

    @property
    def telling(self) -> bool:
        """Whether it is a word that a turn would have to say."""
        return not self.of_talk and not self.number


@dataclass(slots=True)
class Heard:
    """What a dialogue says of the roots that were asked for.

    Attributes:
        turns: where it has them.
        doers: who does or has it, how often.
        asked, stated: the turns in which they stand in a question, or outside one.
        denied, affirmed: how often they stand behind a negative word, and how often not.
        negative: the turns with a negative word.
    """

    dialogue: Dialogue
    turns: dict[str, list[int]] = field(default_factory=dict)
    doers: dict[str, Counter[str]] = field(default_factory=dict)
    asked: dict[str, set[int]] = field(default_factory=dict)
    stated: dict[str, set[int]] = field(default_factory=dict)
    denied: Counter[str] = field(default_factory=Counter)
    affirmed: Counter[str] = field(default_factory=Counter)
    negative: set[int] = field(default_factory=set)

    def word(self, said: Said) -> Word:
        """A word of a sentence with the turns that support it."""
        one = key_of(said.text)
        if there := self.turns.get(one):
            return Word(said, one, there, exact=True)
        like = {i for synonym in SYNONYMS.get(one, ()) for i in self.turns.get(synonym, ())}
        return Word(said, one, sorted(like), exact=False)

    def speaker(self, position: int) -> str:
        """Of a turn."""
        return self.dialogue.turns[position].speaker


def is_content(word: str) -> bool:
    if word in _QUANTITY_WORDS or word[0].isdigit() or word in SPOKEN:
        return word not in ("oh", "one", "first", "second")
    return (
        len(word) > 1 and word not in STOPWORDS and word not in TITLES and word not in ("am", "pm") and word[0] != "#"
    )


def key_of(word: str) -> str:
    """The root of a word, or the value of a number, in digits or as one word."""
    if word.isdecimal():
        return f"{NUMBER}{int(word)}" if len(word) < 16 else word
    return f"{NUMBER}{SPOKEN[word]}" if word in SPOKEN else root(word)


def hear(dialogue: Dialogue, wanted: set[str], people: People) -> Heard:
    heard = Heard(dialogue)
    turns = dialogue.turns
    for i, turn in enumerate(turns):
        tokens = TOKEN.findall(turn.text.lower())
        if not NEGATORS.isdisjoint(tokens):
            heard.negative.add(i)
        others = tuple(sorted({turns[j].speaker for j in (i - 1, i + 1) if 0 <= j < len(turns)} - {turn.speaker, ""}))
        asked = _in_questions(tokens)
        for at, token in enumerate(tokens):
            one = key_of(token)
            if one not in wanted:
                continue
            places = heard.turns.setdefault(one, [])
            if not places or places[-1] != i:
                places.append(i)
            (heard.asked if asked[at] else heard.stated).setdefault(one, set()).add(i)
            (heard.denied if _negated(tokens, at) else heard.affirmed)[one] += 1
            if by := doers(tokens, at, turn.speaker, others, people.by_word):
                heard.doers.setdefault(one, Counter()).update(by)
    return heard


def _in_questions(tokens: Sequence[str]) -> list[bool]:
    """Of each word of a turn, whether its sentence ends with a question mark."""
    result: list[bool] = []
    asked = False
    for token in reversed(tokens):
        if token in ".!?;":
            asked = token == "?"
        result.append(asked)
    return result[::-1]


def _negated(tokens: Sequence[str], at: int) -> bool:
    for back in range(at - 1, max(-1, at - 1 - _NEGATED_WITHIN), -1):
        if tokens[back] in _ENDS:
            return False
        if tokens[back] in NEGATORS:
            return True
    return False
