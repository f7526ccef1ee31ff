"""What stands for a hidden value: `(Phone1)`, the second number `(Phone2)`, and for speakers `#Person1#`.

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
RoundTrip = Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True)
class Form:
    """How placeholders are written.

    Attributes:
        before, after: the signs around kind and number; at least one is not empty.
        around_speaker: those of speakers, which are `#Person1#` where that survives, as in much of the data that bases have seen.
    """

    before: str
    after: str
    around_speaker: tuple[str, str] = ("#", "#")

    def write(self, kind: str, number: int) -> str:
        """For example ``(Phone1)``."""
        before, after = self._signs(kind)
        return f"{before}{WORDS[kind]}{number}{after}"

    def _signs(self, kind: str) -> tuple[str, str]:
        return self.around_speaker if kind == "speaker" else (self.before, self.after)

    @property
    def name(self) -> str:
        """An example, which also stands for the form in files."""
        return self.write("telephone", 1)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Placeholders, also as a model may write them: in another case, with a space at a seam, or without a sign."""
        return re.compile("|".join(self._lenient(kind) for kind in WORDS), re.I)

    def _lenient(self, kind: str) -> str:
        signs = self._signs(kind)
        before = rf"(?:{re.escape(signs[0])}\s?)?" if signs[0] else ""
        after = rf"(?:\s?{re.escape(signs[1])}|(?![^\W_]))" if signs[1] else r"(?![^\W_])"
        return rf"(?<![^\W_]){before}{WORDS[kind]}\s?_?(?P<{kind}>\d{{1,3}})(?!\d){after}"

    def read(self, match: re.Match[str]) -> tuple[str, int]:
        """Kind and number of a match of `pattern`."""
        kind = str(match.lastgroup)
        return kind, int(match[kind])

    def is_whole(self, match: re.Match[str]) -> bool:
        """Whether a match of `pattern` has both its signs."""
        before, after = self._signs(self.read(match)[0])
        return match[0].startswith(before) and match[0].endswith(after)

    @cached_property
    def begun(self) -> re.Pattern[str]:
        """The beginning of one, with which a summary that was cut may end; nothing where no sign stands ahead."""
        beginnings = [
            re.escape(self._signs(kind)[0]) + word[:n]
            for kind, word in WORDS.items()
            for n in range(len(word) + 1)
            if self._signs(kind)[0]
        ]
        return re.compile(rf"(?:^|\s+)(?:{'|'.join(sorted(set(beginnings), key=len, reverse=True)) or '(?!)'})$")

    def survives(self, round_trip: RoundTrip) -> bool:
        """Whether a tokenizer gives every kind of placeholder back as it was, within a sentence and at its end."""
        texts = [f"call {self.write(kind, n)}, or {self.write(kind, n)}" for kind in WORDS for n in (1, 12)]
        return list(round_trip(texts)) == texts


# In the order in which they are tried: `mini` copies the first most often into its summaries, and the `#` of the fourth, to which its
# vocabulary ties speakers, least (benchmarks/redaction.py).
FORMS = (Form("(", ")"), Form("@", ""), Form("[", "]"), Form("#", "#"), Form("", "_", around_speaker=("", "_")))


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
