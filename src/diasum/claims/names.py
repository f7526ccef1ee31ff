"""Names in a summary, and whether a dialogue mentions them: as speaker, inside a turn, shortened, misspelt, or as an acronym."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from diasum.claims.lexicon import (
    ALIASES,
    COMMON_CAPITALS,
    GIVEN_NAMES,
    NATIONALITIES,
    PERSON_VERBS,
    PLACES,
    PRONOUNS,
    SENTENCE_WORDS,
    TITLES,
    words,
)
from diasum.claims.spoken_numbers import CARDINALS, MONTHS, ORDINALS, WEEKDAYS

WORD = re.compile(r"[^\W_]+")
_CAPITAL = re.compile(r"#[^#\s]{1,30}#|(?<![\w/])[^\W\d_a-z][^\W_]*(?:['’](?!s\b|ll\b|d\b|re\b|ve\b|m\b)[^\W_]+)?")
_SENTENCE_START = re.compile(r"(?:\A|[.!?:;\n])[\s\"'“”‘’()\[\]\-*•\d.]*$")
_TITLE = re.compile(r"\b(?:mr|mrs|ms|dr|prof|st|sgt|capt|lt)\.\s*$", re.I)
_NEXT = re.compile(r"(['’]s\b)?\s+([A-Za-z]+)")
_NOT_NAME_ENDINGS = (
    "ing", "ly", "ed", "ness", "tion", "sion", "ity", "ism", "ia", "sis", "itis", "ence", "ance", "ure", "age", "gy", "ology", "phy",
    "tory", "cy", "oma", "sm", "ics", "ship", "hood", "ful", "ous", "ble", "ive", "ical", "ary", "est", "ty", "al", "up", "ment",
)  # fmt: skip
_AUXILIARIES = words("is was has had will would did does doesn didn isn wasn can could")
_SHORT = re.compile(r"[A-Z]{1,4}\d*s?|[A-Z]\w?[A-Z]|[A-Z]\d+")
_HEADING = re.compile(r"(?:[ \t]+[A-Z]\w*){0,3}[ \t]*:")
_FIXED = (
    TITLES | PRONOUNS | COMMON_CAPITALS | NATIONALITIES | set(CARDINALS) | set(ORDINALS) | set(MONTHS) | set(WEEKDAYS)
)
_SKIPPED = frozenset(_FIXED | {f"{day}s" for day in WEEKDAYS})
_ALIAS: dict[str, set[str]] = {}
for _group in ALIASES:
    for _name in _group:
        _ALIAS.setdefault(_name, set()).update(_group)


@dataclass(frozen=True, slots=True)
class Name:
    """A capitalised word that may name somebody or something, or a speaker label such as ``#Person1#``.

    Attributes:
        start, end: character offsets in the summary, without a possessive ending.
        text: as written.
        label: whether it is a label between hash signs.
    """

    start: int
    end: int
    text: str
    label: bool = False


def names(summary: str) -> Iterator[Name]:
    """The names in a summary, one word each.

    The first word of a sentence counts only where it is a known given name or place, or where what follows it is what people do
    ("tells", "agrees", a possessive): other capitals there say nothing.
    """
    shouted = summary.isupper()
    for match in _CAPITAL.finditer(summary):
        text = match.group()
        if text[0] == "#":
            yield Name(match.start(), match.end(), text, label=True)
            continue
        lower = text.lower()
        # Short capitals are abbreviations, which dialogues say in full; before a colon stands a heading.
        if (
            len(text) < 2
            or lower in _SKIPPED
            or shouted
            or _SHORT.fullmatch(text)
            or _HEADING.match(summary, match.end())
        ):
            continue
        before = summary[max(0, match.start() - 12) : match.start()]
        initial = _SENTENCE_START.search(before) and not _TITLE.search(before)
        if initial and not _names_somebody(lower, text, summary, match.end()):
            continue
        yield Name(match.start(), match.end(), text)


def _names_somebody(lower: str, text: str, summary: str, end: int) -> bool:
    if lower in SENTENCE_WORDS or "'" in text or "’" in text:
        return False
    if lower in GIVEN_NAMES or lower in PLACES:
        return True
    if lower.endswith(_NOT_NAME_ENDINGS):
        return False
    after = _NEXT.match(summary, end)
    if not after:
        return False
    following = after[2].lower()
    if after[2][0].isupper():
        return following not in _SKIPPED
    # "Nigel comes": a verb in the third person; a plural ("Tests show") is not a name.
    verb = following in PERSON_VERBS or following in _AUXILIARIES or (len(following) > 3 and following.endswith("s"))
    return verb and (not lower.endswith("s") or following in PERSON_VERBS)


def joined_names(single_words: Iterable[Name], summary: str) -> list[tuple[int, int]]:
    """Character offsets of names, where neighbouring words of one name are one span."""
    spans: list[tuple[int, int]] = []
    for name in single_words:
        if spans and not name.label and summary[spans[-1][1] : name.start] in (" ", "-"):
            spans[-1] = (spans[-1][0], name.end)
        else:
            spans.append((name.start, name.end))
    return spans


class Mentions:
    """The words of a dialogue, for looking up names."""

    def __init__(self, text: str, speakers: Iterable[str]) -> None:
        self._text = text
        self.labels = {speaker.strip("#").lower() for speaker in speakers}
        self.words = frozenset(WORD.findall(f"{text} {' '.join(self.labels)}".lower()))

    @cached_property
    def acronyms(self) -> set[str]:
        """Letters spelt out ("M R I"), and the initials of each two to five words in a row."""
        lower = self._text.lower()
        spelt = {re.sub(r"[^a-z]", "", run) for run in re.findall(r"\b[a-z](?:[ .\-]{1,2}[a-z]\b)+", lower)}
        sequence = WORD.findall(lower)
        letters = "".join(word[0] for word in sequence)
        return spelt | {letters[i : i + n] for n in (2, 3, 4, 5) for i in range(len(letters) - n + 1)}

    @cached_property
    def squashed(self) -> str:
        """The words without anything between them, for "bookstore" and "book store"."""
        return "".join(WORD.findall(self._text.lower()))

    def has(self, name: Name) -> bool:
        """Whether the dialogue mentions the name, in any of its forms."""
        lower = name.text.lower()
        if name.label:
            return lower.strip("#") in self.labels or not self.labels
        return all(self._has(word) for word in WORD.findall(lower)) or "".join(WORD.findall(lower)) in self.words

    def _has(self, word: str) -> bool:
        if word in self.words or f"{word}s" in self.words or word.removesuffix("s") in self.words:
            return True
        if len(word) < 2 or word.isdigit() or not self.words.isdisjoint(_ALIAS.get(word, ())):
            return True
        if len(word) <= 6 and word in self.acronyms:
            return True
        if len(word) >= 5 and word in self.squashed:
            return True
        return len(word) >= 5 and any(other[:1] == word[:1] and _near(word, other) for other in self.words)


def _near(a: str, b: str) -> bool:
    """Forms of one name: "California" and "Californian", or one letter written otherwise in a name of five letters or more."""
    if len(a) < 5 or len(b) < 4:
        return False
    common = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        common += 1
    if common >= 5 and common >= min(len(a), len(b)) - 1:
        return True
    if abs(len(a) - len(b)) > 1:
        return False
    if len(a) == len(b):
        swapped = a[common + 1 : common + 2] + a[common : common + 1] == b[common : common + 2]
        return a[common + 1 :] == b[common + 1 :] or (swapped and a[common + 2 :] == b[common + 2 :])
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    return longer[common + 1 :] == shorter[common:]
