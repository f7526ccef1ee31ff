"""What stands for a hidden value: `#Phone1#`, the second number `#Phone2#`.

A placeholder has to come through a base's tokenizer and, copied by its model, to be known again. Which form does is tried by a round
trip, as separators are in `diasum.data.prompt`; how often a model copies it, `benchmarks/redaction.py` measures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

WORDS = {
    "url": "Link",
    "email": "Email",
    "iban": "Iban",
    "card": "Card",
    "ip": "Ip",
    "birth_date": "Birthdate",
    "account": "Account",
    "telephone": "Phone",
    "address": "Address",
    "speaker": "Person",
    "name": "Name",
}
_KIND_OF = {word.lower(): kind for kind, word in WORDS.items()}
RoundTrip = Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True)
class Form:
    """How placeholders are written.

    Attributes:
        before, after: the signs around kind and number; at least one is not empty.
    """

    before: str
    after: str

    def write(self, kind: str, number: int) -> str:
        """For example ``#Phone1#``."""
        return f"{self.before}{WORDS[kind]}{number}{self.after}"

    @property
    def name(self) -> str:
        """An example, which also stands for the form in files."""
        return self.write("telephone", 1)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Placeholders, also as a model may write them: in another case, with a space at a seam, or without a sign."""
        before = rf"(?:{re.escape(self.before)}\s?)?" if self.before else ""
        after = rf"(?:\s?{re.escape(self.after)}|(?![^\W_]))" if self.after else r"(?![^\W_])"
        kinds = "|".join(WORDS.values())
        return re.compile(rf"(?<![^\W_]){before}(?P<kind>{kinds})\s?_?(?P<number>\d{{1,3}})(?!\d){after}", re.I)

    @cached_property
    def begun(self) -> re.Pattern[str]:
        """The beginning of one, with which a summary that was cut may end; nothing where no sign stands ahead."""
        parts = sorted({word[:n] for word in WORDS.values() for n in range(1, len(word) + 1)}, key=len, reverse=True)
        return re.compile(rf"(?:^|\s+){re.escape(self.before)}(?:{'|'.join(parts)})?$" if self.before else r"(?!)")

    def survives(self, round_trip: RoundTrip) -> bool:
        """Whether a tokenizer gives every kind of placeholder back as it was, within a sentence and at its end."""
        texts = [f"call {self.write(kind, n)}, or {self.write(kind, n)}" for kind in WORDS for n in (1, 12)]
        return list(round_trip(texts)) == texts


# In the order in which they are tried. The first has the shape of the speakers' labels that DialogSum made common (`#Person1#`).
FORMS = (Form("#", "#"), Form("[", "]"), Form("(", ")"), Form("@", ""), Form("", "_"))


def form_named(name: str) -> Form | None:
    """The form whose example it is."""
    return next((form for form in FORMS if form.name == name), None)


def choose_form(round_trip: RoundTrip) -> tuple[Form, str]:
    """The first form that comes through a tokenizer.

    Args:
        round_trip: encodes and decodes texts.

    Returns:
        The form, and the reason for it as a sentence for the log.
    """
    for form in FORMS:
        if form.survives(round_trip):
            return form, f"Placeholders look like {form.name}: they survive this tokenizer."
    return (
        FORMS[0],
        f"Placeholders look like {FORMS[0].name}: no form survives this tokenizer whole; they are known again by their words.",
    )


def kind_of(word: str) -> str:
    """The kind that a placeholder's word stands for, whatever its case."""
    return _KIND_OF[word.lower()]
