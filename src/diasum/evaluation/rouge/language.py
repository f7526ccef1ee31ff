"""Whether a protocol counts the references' language: ROUGE's usual tokens are a-z and 0-9, and its stems are English."""

from __future__ import annotations

from collections.abc import Sequence

from diasum.claims.language import FEWEST_WORDS, english_share, looks_english, sampled_words
from diasum.data.letters import latin_only_note
from diasum.evaluation.rouge.protocols import Protocol


def language_note(texts: Sequence[str], protocol: Protocol) -> str | None:
    """A warning for references that a protocol counts badly, otherwise None.

    Args:
        texts: the references.
        protocol: other letters than Latin ones are reported at once where it drops them; words of Latin letters that do not look English
            from 20 of them on.
    """
    if protocol.any_script:
        return None
    if note := latin_only_note(protocol.name, texts):
        return note
    words = sampled_words(texts)
    if len(words) < FEWEST_WORDS:
        return None
    broken = sum(not word.isascii() for word in words) / len(words)
    if broken > 0.3:
        return (
            f"{broken:.0%} of the references' words have letters outside a-z, at which this protocol breaks words: "
            "these ROUGE scores say little. Use `unicode` (--protocol unicode)."
        )
    if protocol.stemmed and not looks_english(words):
        return (
            f"The references do not look English (only {english_share(words):.0%} of their words are common English ones), but the "
            "protocol stems words by English rules: compare scores only with scores under the same protocol, or use `unicode`, which "
            "stems nothing."
        )
    return None
