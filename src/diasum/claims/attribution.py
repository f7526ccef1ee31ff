"""Who says and does what: in a sentence of a summary by the names in it, in a turn by its pronouns.

"I will bring the book" said by Ana, "bring the book, please" said to Ana and "Ana brings the book" are one act of one person. In a
sentence the subject is the speaker who was named last as one; after "asks Ben to", Ben is who acts. In a turn it is the nearest pronoun
within a few words before. Where neither can be told, nothing is claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from diasum.claims.lexicon import TITLES, words
from diasum.dialogue import Dialogue

TOKEN = re.compile(r"#[^#\s]{1,30}#|\d+(?:[.,:/]\d+)+|[^\W_]+|[.!?;:,]")
SELF = words("i me my mine myself we us our im ive ill id")
OTHER = words("you your yours yourself u")
_THIRD = words("he she they him her his their them it who")
_BEFORE_OBJECT = words("to with for from about of by on at than and or like against between")
_MOVES = words(
    "asks tells invites reminds advises wants persuades urges encourages orders warns lets makes asked told convinces begs allows "
    "recommends suggests instructs expects needs requests"
)
_REACH = 4  # words back to a pronoun
_ENDS = frozenset(".!?;")


@dataclass(frozen=True, slots=True)
class Said:
    """A word of a sentence with the speakers it is tied to; None where it is tied to none.

    Attributes:
        start, end: character offsets in the sentence.
        text: in lower case.
        subject: who says, or in whose clause it stands.
        agent: who does it, if it is an act.
        owner: whose it is.
    """

    start: int
    end: int
    text: str
    subject: str | None
    agent: str | None
    owner: str | None


class People:
    """The speakers of a dialogue, by the words that name one of them and no other."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.speakers = dialogue.speakers
        by_word: dict[str, set[str]] = {}
        for speaker in self.speakers:
            lower = speaker.lower()
            for word in {lower, *TOKEN.findall(lower)} - TITLES:
                by_word.setdefault(word, set()).add(speaker)
        self.by_word: Mapping[str, str] = {
            word: next(iter(named)) for word, named in by_word.items() if len(named) == 1 and word not in _BEFORE_OBJECT
        }

    def read(self, sentence: str) -> list[Said]:
        """The words of a sentence, without speakers' names, each with whom it is tied to."""
        return list(_read(sentence, self.by_word))


def _read(sentence: str, people: Mapping[str, str]) -> Iterator[Said]:
    tokens = [(match.group().lower(), match.start(), match.end()) for match in TOKEN.finditer(sentence)]
    subject: str | None = None
    agent: str | None = None
    owner: str | None = None
    owned = 0  # words for which the owner still holds
    for k, (word, start, end) in enumerate(tokens):
        before = tokens[k - 1][0] if k else "."
        after = tokens[k + 1][0] if k + 1 < len(tokens) else "."
        if word in people:
            person = people[word]
            if people.get(before) == person:
                continue  # a name of two words
            if after == "s" and sentence[end : end + 1] in "'’":
                owner, owned = person, 3
                if before in _ENDS or not k:
                    subject = agent = None
            elif before in _MOVES:
                agent = person if after == "to" else None
            elif after == "and" and k + 2 < len(tokens) and tokens[k + 2][0] in people:
                subject = agent = None  # both do it
            elif before == "and" and k > 1 and tokens[k - 2][0] in people:
                pass  # the second of them
            elif before not in _BEFORE_OBJECT or (before == "and" and (subject is None or _is_subject(after))):
                subject = agent = person
            continue
        if word in _THIRD:
            agent = None if word in ("he", "she", "they", "who") else agent
            continue
        if word in _ENDS or word in (",", ":"):
            owned = 0
            if word in _ENDS:
                subject = agent = None
            continue
        yield Said(start, end, word, subject, agent, owner if owned else None)
        owned -= owned > 0


def _is_subject(after: str) -> bool:
    return len(after) > 2 and after.endswith("s") and after not in ("is", "this")


def doers(
    words_of_turn: Sequence[str], at: int, speaker: str, others: Sequence[str], people: Mapping[str, str]
) -> tuple[str, ...]:
    """Who does what a word of a turn says, or whose it is: the nearest person within a few words before.

    Args:
        words_of_turn: as `TOKEN` cuts them, in lower case.
        at: the word's place.
        speaker: of the turn.
        others: to whom it may be said.
        people: as `People.by_word`.

    Returns:
        The speakers' labels; none where it cannot be told, or where it is both.
    """
    for back in range(at - 1, max(-1, at - 1 - _REACH), -1):
        word = words_of_turn[back]
        if word in ("we", "us", "our", "let"):
            return ()
        if word in SELF:
            return (speaker,)
        if word in OTHER:
            return tuple(others)
        if word in people and people[word] != speaker:
            return ()
        if word in _THIRD or word in _ENDS:
            break
    if at == 0 or words_of_turn[at - 1] in _ENDS or words_of_turn[at - 1] == "please":
        return tuple(others)
    return ()
