"""Words of any language, for a ROUGE that does not drop letters outside a-z.

In: a text. Out: its tokens. Text is brought to one form (NFKC, case folded), then runs of letters and digits are words, with the
combining marks that belong to them (the vowel signs of Hindi, the harakat of Arabic). Scripts that put no spaces between words - Han,
kana, Thai, Lao, Khmer and Myanmar - have no words without a dictionary: each of their letters is a token, with its marks.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import cache, lru_cache

from diasum.claims.sentences import split_sentences
from diasum.evaluation.rouge.rouge_score import Count, Prepared, counts_of, prepare

# First and last code points, in order (Unicode 16, Blocks.txt).
_WITHOUT_SPACES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # Han iteration mark and zero
    (0x3021, 0x3029),
    (0x3031, 0x309F),  # kana
    (0x30A1, 0x312F),  # kana, Bopomofo
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),  # Myanmar
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),  # Han
    (0x1AFF0, 0x1B16F),  # kana
    (0x20000, 0x3FFFF),  # Han
)
_STARTS = [first for first, _ in _WITHOUT_SPACES]
_TOKEN = re.compile("am*|w[wm]*")


@cache
def _class(character: str) -> str:
    """``w`` in a word, ``a`` a word alone, ``m`` a mark of what stands before, a space between words."""
    category = unicodedata.category(character)
    if category[0] == "M":
        return "m"
    if category[0] == "N":
        return "w"  # a number is one word in every script
    if category[0] != "L":
        return " "
    at = bisect_right(_STARTS, ord(character)) - 1
    return "a" if at >= 0 and ord(character) <= _WITHOUT_SPACES[at][1] else "w"


def unicode_words(text: str) -> list[str]:
    """The text's tokens, in order; characters that show nothing (joiners, direction marks) are left out before."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    shown = "".join(c for c in folded if unicodedata.category(c) != "Cf") if not folded.isascii() else folded
    classes = "".join(map(_class, shown))
    return [shown[match.start() : match.end()] for match in _TOKEN.finditer(classes)]


@lru_cache(maxsize=100_000)
def _prepared(text: str) -> Prepared:
    return prepare([unicode_words(sentence) for sentence in split_sentences(text)])


@lru_cache(maxsize=100_000)
def unicode_counts(prediction: str, reference: str) -> tuple[Count, ...]:
    """Counts for `rouge.METRICS`, in their order, over `unicode_words`."""
    return counts_of(_prepared(prediction), _prepared(reference))
