"""Is this English? ROUGE's usual tokens are a-z and 0-9 and its stems are English; other languages get figures that mean less."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Half of running English is these; other languages in Latin script share a few of them ("in", "as", "an", "was").
_LISTED = (
    "the of and a to in is that it was for on with he she his her they them at by be this had not are but from or have an "
    "which one you were all their there been will would who when what can said about some into has more do does did so as "
    "if up out no him we i me my your our its than then him could wants tells asks thinks"
)
_COMMON = frozenset(_LISTED.split())
_WORD = re.compile(r"[^\W\d_]+")


def language_note(texts: Sequence[str], *, stemmed: bool) -> str | None:
    """A warning for texts that do not look English under an English protocol, else None.

    Args:
        texts: the references.
        stemmed: whether the protocol cuts words to English stems.
    """
    sample = texts[:: max(1, len(texts) // 500)]
    words = [word for text in sample for word in _WORD.findall(text.lower())]
    if len(words) < 20:
        return None
    lost = sum(not word.isascii() for word in words) / len(words)
    if lost > 0.3:
        return (
            f"{lost:.0%} of the references' words have letters outside a-z, which this protocol drops or breaks words at: "
            "these ROUGE scores say little. Compare systems by other measures."
        )
    english = sum(word in _COMMON for word in words) / len(words)
    if stemmed and english < 0.2:
        return (
            f"The references do not look English (only {english:.0%} of their words are common English ones), but the protocol "
            "stems words by English rules: compare scores only with scores under the same protocol, or use `rouge-score-unstemmed`."
        )
    return None
