"""Letters that a tokenizer or a protocol lacks: without a warning, their figures would silently be 0.

A letter is here what words are made of: letters, combining marks and digits. Punctuation, emoji and white space are left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diasum.claims.language import OTHER_SCRIPT, other_scripts, script_of
from diasum.data.pairs import Pair
from diasum.data.tokenizer import Tokenizer

DROPPED = 0.02  # of the letters; fewer are single names
# Protocols that count words of every script (`diasum.evaluation.rouge.protocols.Protocol.any_script`); `auto` chooses one where it must.
ANY_SCRIPT = frozenset({"auto", "unicode"})

_BYTE = re.compile("<0x[0-9A-F]{2}>")


@dataclass(frozen=True, slots=True)
class LostLetters:
    """Letters of some texts for which a tokenizer has no token.

    Attributes:
        share: of all letters of the texts, 0 to 1: those that are dropped, and those that are spelt in single bytes.
        dropped: the part of that share that does not come back from the tokenizer at all.
        scripts: what they belong to, most frequent first.
    """

    share: float = 0.0
    dropped: float = 0.0
    scripts: tuple[str, ...] = ()

    @property
    def matters(self) -> bool:
        """Whether a user should be told."""
        return self.dropped >= DROPPED or self.share >= OTHER_SCRIPT

    def note(self, whose: str) -> str:
        """What to tell the user.

        Args:
            whose: the texts, such as ``this conversation``.
        """
        scripts = f" ({', '.join(self.scripts[:3])})" if self.scripts else ""
        instead = (
            "drops them"
            if 2 * self.dropped >= self.share
            else "spells them in single bytes, which models of other languages hardly know"
        )
        return (
            f"The model's tokenizer lacks {self.share:.0%} of the letters of {whose}{scripts} and {instead}: "
            "summaries are likely to be empty or wrong. Use a base made for this language, such as google/mt5-small."
        )


class TokenizerLetters:
    """Tells which letters a tokenizer lacks; each is tried once, by encoding and decoding it."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._fate: dict[str, str] = {}

    def lost(self, texts: Iterable[str]) -> LostLetters:
        """How many letters of the texts are lost; one that comes back in another form (full width, capitals) is not."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        letters = {c: n for c, n in counts.items() if unicodedata.category(c)[0] in "LMN"}
        self._try([c for c in letters if c not in self._fate])
        lost = {c: n for c, n in letters.items() if self._fate[c] != "kept"}
        if not lost:
            return LostLetters()
        scripts: Counter[str] = Counter()
        for character, number in lost.items():
            if unicodedata.category(character)[0] == "L":
                scripts[script_of(character)] += number
        total = sum(letters.values())
        dropped = sum(n for c, n in lost.items() if self._fate[c] == "dropped")
        return LostLetters(
            sum(lost.values()) / total, dropped / total, tuple(name for name, _ in scripts.most_common())
        )

    def _try(self, characters: list[str]) -> None:
        if not characters:
            return
        frame, word, *tried = self._tokenizer(
            ["a a", "the", *(f"a {c} a" for c in characters)], add_special_tokens=False, verbose=False
        )["input_ids"]
        bytes_alone = len(word) >= len("the")  # a model of bytes (ByT5), which knows them
        for character, ids in zip(characters, tried, strict=True):
            back = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            if _folded(character) not in _folded(back):
                self._fate[character] = "dropped"
            elif not bytes_alone and self._is_spelt(character, ids, frame):
                self._fate[character] = "spelt"
            else:
                self._fate[character] = "kept"

    def _is_spelt(self, character: str, ids: list[int], frame: list[int]) -> bool:
        """Whether each byte of a letter is a token of its own: ``<0xD9>``, or a single character of a byte-level vocabulary."""
        size = len(character.encode(errors="replace"))
        own = Counter(self._tokenizer.convert_ids_to_tokens(ids)) - Counter(
            self._tokenizer.convert_ids_to_tokens(frame)
        )
        tokens = [piece for token in own.elements() if (piece := str(token).lstrip("▁Ġ"))]
        if size < 2 or len(tokens) != size:
            return False
        decomposed = sorted(unicodedata.normalize("NFKD", character))
        return sorted(tokens) != decomposed and all(len(token) == 1 or _BYTE.fullmatch(token) for token in tokens)


def pair_texts(pairs: Iterable[Pair]) -> list[str]:
    """What is said in pairs, without speakers, and their references."""
    return [text for pair in pairs for text in (*(turn.text for turn in pair.dialogue.turns), *pair.references)]


def latin_only_note(protocol: str, texts: Sequence[str]) -> str | None:
    """A warning for texts in other letters under a protocol that knows only a-z, however short they are; otherwise None.

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
