"""Which language a text is in, as far as rules can tell: its scripts, and whether it is English."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

OTHER_SCRIPT = 0.1  # of the letters; fewer are names, units (µg, β) and loan words in a text of Latin letters
FEWEST_WORDS = 20  # of fewer nothing can be said
# Half of running English is these; other languages in Latin script share a few of them ("in", "as", "an", "was").
_LISTED = (
    "the of and a to in is that it was for on with he she his her they them at by be this had not are but from or have an "
    "which one you were all their there been will would who when what can said about some into has more do does did so as "
    "if up out no him we i me my your our its than then him could wants tells asks thinks"
)
_COMMON = frozenset(_LISTED.split())
_WORD = re.compile(r"[^\W\d_]+")
_NAMES = {"cjk": "Chinese", "hangul": "Korean", "hiragana": "Japanese", "katakana": "Japanese", "devanagari": "Hindi"}


def other_scripts(texts: Iterable[str]) -> tuple[float, list[str]]:
    """How much of some texts is written in other letters than Latin ones.

    Returns:
        The share of their letters, 0 to 1, and the scripts these belong to, most frequent first (``["Thai"]``).
    """
    letters: Counter[str] = Counter()
    for text in texts:
        letters.update(text)
    scripts: Counter[str] = Counter()
    for character, number in letters.items():
        if unicodedata.category(character)[0] == "L":
            scripts[script_of(character)] += number
    others = Counter({script: number for script, number in scripts.items() if script != "Latin"})
    if others["Japanese"]:  # kana tell that Han characters are Japanese, too
        others["Japanese"] += others.pop("Chinese", 0)
    share = others.total() / scripts.total() if scripts else 0.0
    return share, [script for script, _ in others.most_common()]


def is_english(texts: Sequence[str]) -> bool:
    """Whether texts look English; so few that nothing can be said do, if their letters are Latin."""
    if other_scripts(texts)[0] >= OTHER_SCRIPT:
        return False
    words = sampled_words(texts)
    return len(words) < FEWEST_WORDS or looks_english(words)


def sampled_words(texts: Sequence[str]) -> list[str]:
    """The words, in lower case, of 500 texts evenly among them."""
    return [word for text in texts[:: max(1, len(texts) // 500)] for word in _WORD.findall(text.lower())]


def looks_english(words: Sequence[str]) -> bool:
    """Whether enough of some words (at least one, in lower case) are those that running English is made of."""
    return english_share(words) >= 0.2


def english_share(words: Sequence[str]) -> float:
    """The share of common English words, 0 to 1, in some words (at least one, in lower case)."""
    return sum(word in _COMMON for word in words) / len(words)


@cache
def script_of(letter: str) -> str:
    """A letter's script by the first word of its Unicode name; ``Latin`` for `A` and its accented forms, not for full-width ones."""
    first = unicodedata.name(letter, "other").split()[0].split("-")[0].lower()
    return _NAMES.get(first, first.capitalize())
