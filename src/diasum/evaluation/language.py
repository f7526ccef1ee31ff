"""Is this English? ROUGE's usual tokens are a-z and 0-9 and its stems are English; other languages get figures that mean less."""

from __future__ import annotations

import re
from collections.abc import Sequence

from diasum.data.letters import OTHER_SCRIPT, latin_only_note, other_scripts
from diasum.evaluation.protocols import Protocol

# Half of running English is these; other languages in Latin script share a few of them ("in", "as", "an", "was").
_LISTED = (
    "the of and a to in is that it was for on with he she his her they them at by be this had not are but from or have an "
    "which one you were all their there been will would who when what can said about some into has more do does did so as "
    "if up out no him we i me my your our its than then him could wants tells asks thinks"
)
_COMMON = frozenset(_LISTED.split())
_WORD = re.compile(r"[^\W\d_]+")


def language_note(texts: Sequence[str], protocol: Protocol) -> str | None:
    """A warning for references that a protocol counts badly, else None.

    Args:
        texts: the references.
        protocol: other letters than Latin ones are told at once where it drops them; words of Latin letters that do not look English
            from 20 of them on.
    """
    if protocol.any_script:
        return None
    if note := latin_only_note(protocol.name, texts):
        return note
    sample = texts[:: max(1, len(texts) // 500)]
    words = [word for text in sample for word in _WORD.findall(text.lower())]
    if len(words) < 20:
        return None
    broken = sum(not word.isascii() for word in words) / len(words)
    if broken > 0.3:
        return (
            f"{broken:.0%} of the references' words have letters outside a-z, at which this protocol breaks words: "
            "these ROUGE scores say little. Use `unicode` (--protocol unicode)."
        )
    if protocol.stemmed and not _looks_english(words):
        return (
            f"The references do not look English (only {_english_share(words):.0%} of their words are common English ones), but the "
            "protocol stems words by English rules: compare scores only with scores under the same protocol, or use `unicode`, which "
            "stems nothing."
        )
    return None


def is_english(texts: Sequence[str]) -> bool:
    """Whether texts look English; so few that nothing can be said do, if their letters are Latin."""
    if other_scripts(texts)[0] >= OTHER_SCRIPT:
        return False
    words = [word for text in texts[:: max(1, len(texts) // 500)] for word in _WORD.findall(text.lower())]
    return len(words) < 20 or _looks_english(words)


def _looks_english(words: Sequence[str]) -> bool:
    return _english_share(words) >= 0.2


def _english_share(words: Sequence[str]) -> float:
    return sum(word in _COMMON for word in words) / len(words)
