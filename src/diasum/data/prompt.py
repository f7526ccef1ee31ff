"""The text put around a conversation, and the separator between its turns.

In: prompt settings and a tokenizer. Out: a `Prompt` whose text survives that tokenizer. SentencePiece models of the T5 family
turn line breaks into spaces, which merges the turns of a conversation into one paragraph; so whether a separator survives is
tried out by a round trip (encode, decode) and never assumed. The price of a visible separator such as ``|`` is one token a turn.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from diasum.config import PromptSettings
from diasum.data.tokenizer import Tokenizer
from diasum.dialogue import Dialogue
from diasum.redaction.placeholders import Form, choose_form

# Tried in this order where line breaks are lost. A bar is rare in talk, separates fields in much of the text that models were
# pretrained on, and costs one token.
SEPARATORS = (" | ", " / ", " ; ", " -- ", " - ")


class Prompt:
    """A template with the turns of one conversation put in.

    Args:
        settings: gives the template.
        separator: text between two turns, see `choose_separator`.
        keeps_line_breaks: False where the tokenizer loses them: the template's own then become single spaces, so that the
            prompt reads the same before and after the tokenizer and no words are glued together.

    Attributes:
        prefix: text before the first turn.
        suffix: text after the last turn.
    """

    def __init__(self, settings: PromptSettings, separator: str, *, keeps_line_breaks: bool = True) -> None:
        before, _, after = settings.template.partition("{dialogue}")
        self.separator = separator
        self.prefix = before if keeps_line_breaks else _flat(before)
        self.suffix = after if keeps_line_breaks else _flat(after)

    @classmethod
    def for_tokenizer(cls, tokenizer: Tokenizer, settings: PromptSettings) -> tuple[Prompt, str]:
        """The prompt that survives a tokenizer, and the reason for its separator."""
        separator, reason = choose_separator(tokenizer, settings)
        return cls(settings, separator, keeps_line_breaks=_survives(tokenizer, "\n")), reason

    def render(self, dialogue: Dialogue) -> str:
        """The prompt as the tokenizer gets it."""
        return self.prefix + self.separator.join(str(turn) for turn in dialogue.turns) + self.suffix


def choose_separator(tokenizer: Tokenizer, settings: PromptSettings) -> tuple[str, str]:
    """Find a text between turns that is still there after encoding and decoding.

    Returns:
        The separator and the reason for it, as a sentence for the log.
    """
    separator = settings.turn_separator
    if separator is not None:
        kept = "" if _survives(tokenizer, separator) else "; this tokenizer loses it, so turns run together"
        return separator, f"Turns are separated by {separator!r}: set in prompt.turn_separator{kept}."
    if _survives(tokenizer, "\n"):
        return "\n", "Turns are separated by line breaks: they survive this tokenizer."
    for candidate in SEPARATORS:
        if _survives(tokenizer, candidate):
            return candidate, f"Turns are separated by {candidate!r}: this tokenizer loses line breaks and keeps it."
    return " ", "Turns are separated by a space: this tokenizer loses line breaks and every other separator tried."


def choose_placeholders(tokenizer: Tokenizer) -> tuple[Form, str]:
    """The form of redaction's placeholders that is still there after encoding and decoding, and the reason for it."""
    return choose_form(lambda texts: _round_trips(tokenizer, list(texts)))


def lost_characters(tokenizer: Tokenizer, texts: Iterable[str]) -> dict[str, int]:
    """Characters of the texts that a tokenizer does not give back.

    Each distinct character is tried once between two letters and spaces; one that is replaced by another (a full-width letter, a
    non-breaking space) counts as lost, too.

    Returns:
        Character to its number of occurrences in the texts, most frequent first; empty when nothing is lost.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    counts.pop(" ", None)
    characters = list(counts)
    backs = _round_trips(tokenizer, [f"a {c} a" for c in characters])
    lost = [c for c, back in zip(characters, backs, strict=True) if c not in back]
    return dict(Counter({c: counts[c] for c in lost}).most_common())


def as_written(tokenizer: Tokenizer) -> Callable[[str], str]:
    """A function that keeps text from being read as a tokenizer's special tokens: ``</s>`` in a conversation becomes ``< /s>``.

    Not left to the tokenizer's own ``split_special_tokens``: a Unigram vocabulary holds these tokens as pieces, too.
    """
    tokens = sorted((token for token in tokenizer.all_special_tokens if len(token) > 2), key=len, reverse=True)
    if not tokens:
        return str
    pattern = re.compile("|".join(map(re.escape, tokens)))
    return lambda text: pattern.sub(lambda match: f"{match[0][0]} {match[0][1:]}", text)


def _survives(tokenizer: Tokenizer, separator: str) -> bool:
    turns = ["#Person1#: yes.", "Anna: no", "Doctor: go on!"]
    (back,) = _round_trips(tokenizer, [separator.join(turns)])
    return back.count(separator) == separator.join(turns).count(separator)


def _round_trips(tokenizer: Tokenizer, texts: list[str]) -> list[str]:
    if not texts:
        return []
    encoded = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    return [tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False) for ids in encoded]


def _flat(text: str) -> str:
    """Runs of white space that hold a line break become one space."""
    words = text.split()
    body = " ".join(words) if "\n" in text else text
    if body == text:
        return text
    lead = " " if text[:1].isspace() and words else ""
    trail = " " if text[-1:].isspace() else ""
    return lead + body + trail
