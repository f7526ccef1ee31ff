"""Which scripts texts are written in, and which of their letters a tokenizer lacks: the figures of both would else be 0 without a word.

A letter is here what words are made of: letters, combining marks and digits. Punctuation, emoji and white space are left out.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from diasum.data.pairs import Pair

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OTHER_SCRIPT = 0.1  # of the letters; fewer are names, units (µg, β) and loan words in a text of Latin letters
LOST_LETTERS = 0.02  # of the letters; fewer are single names
# Protocols that count words of every script (`diasum.evaluation.protocols.Protocol.any_script`); `auto` chooses one where it must.
ANY_SCRIPT = frozenset({"auto", "unicode"})

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
            scripts[_script(character)] += number
    others = Counter({script: number for script, number in scripts.items() if script != "Latin"})
    if others["Japanese"]:  # kana tell that Han characters are Japanese, too
        others["Japanese"] += others.pop("Chinese", 0)
    share = others.total() / scripts.total() if scripts else 0.0
    return share, [script for script, _ in others.most_common()]


@dataclass(frozen=True, slots=True)
class LostLetters:
    """Letters of some texts that a tokenizer does not give back.

    Attributes:
        share: of all letters of the texts, 0 to 1.
        scripts: what they belong to, most frequent first.
    """

    share: float
    scripts: tuple[str, ...] = ()

    @property
    def matters(self) -> bool:
        """Whether a user should be told."""
        return self.share >= LOST_LETTERS

    def note(self, whose: str) -> str:
        """What to tell the user.

        Args:
            whose: the texts, such as ``this conversation``.
        """
        scripts = f" ({', '.join(self.scripts[:3])})" if self.scripts else ""
        return (
            f"The model's tokenizer lacks {self.share:.0%} of the letters of {whose}{scripts}: it reads and writes nothing in their place, "
            "so summaries are empty or wrong. Use a base made for this language, such as google/mt5-small."
        )


class TokenizerLetters:
    """Tells which letters a tokenizer lacks; each is tried once, by encoding and decoding it."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._kept: dict[str, bool] = {}

    def lost(self, texts: Sequence[str]) -> LostLetters:
        """How many letters of the texts are lost; one that comes back in another form (full width, capitals) is not."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        letters = {c: n for c, n in counts.items() if unicodedata.category(c)[0] in "LMN"}
        self._try([c for c in letters if c not in self._kept])
        lost = {c: n for c, n in letters.items() if not self._kept[c]}
        scripts: Counter[str] = Counter()
        for character, number in lost.items():
            if unicodedata.category(character)[0] == "L":
                scripts[_script(character)] += number
        share = sum(lost.values()) / sum(letters.values()) if lost else 0.0
        return LostLetters(share, tuple(script for script, _ in scripts.most_common()))

    def _try(self, characters: list[str]) -> None:
        if not characters:
            return
        encoded = self._tokenizer([f"a {c} a" for c in characters], add_special_tokens=False, verbose=False)
        for character, ids in zip(characters, encoded["input_ids"], strict=True):
            back = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            self._kept[character] = _folded(character) in _folded(back)


def pair_texts(pairs: Iterable[Pair]) -> list[str]:
    """What is said in pairs, without speakers, and their references."""
    return [text for pair in pairs for text in (*(turn.text for turn in pair.dialogue.turns), *pair.references)]


def latin_only_note(protocol: str, texts: Sequence[str]) -> str | None:
    """A warning for texts of other letters under a protocol that knows a-z only, however short they are; else None.

    Args:
        protocol: its name, as set.
        texts: the reference summaries.
    """
    if protocol in ANY_SCRIPT:
        return None
    share, scripts = other_scripts(texts)
    if share < OTHER_SCRIPT:
        return None
    return (
        f"{share:.0%} of the references' letters are not Latin ({', '.join(scripts[:3])}), and the protocol `{protocol}` counts a-z and "
        "0-9 only: its scores are near 0 whatever the summaries say. Use `unicode` (--protocol, or evaluate.protocol)."
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@cache
def _script(letter: str) -> str:
    """A letter's script by the first word of its Unicode name; ``Latin`` for `A` and its accented forms, not for full-width ones."""
    first = unicodedata.name(letter, "other").split()[0].split("-")[0].lower()
    return _NAMES.get(first, first.capitalize())
