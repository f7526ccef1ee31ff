"""The words of a text, as they are compared: in lower case, without punctuation."""

from __future__ import annotations

import re

from diasum.data.pairs import Pair

_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """Runs of letters, digits and underscores, in lower case."""
    return _WORD.findall(text.lower())


def normalized(pair: Pair) -> str:
    """The words of a dialogue, with its labels, in lower case and with one space between them."""
    return " ".join(words_of(pair.dialogue.text))
