"""Speakers as numbers for the model, under their own names for the reader (`prompt.speakers: numbered`).

In: a dialogue with names or roles as labels. Out: the same with `#Person1#`, `#Person2#` ... in the order in which they first speak, in
labels and in what is said; and the way back for a summary. A small model that has learnt a handful of labels well then tells who said
what, and a name that it has never seen comes out as it was written. It is DialogSum's own form (Chen et al. 2021), which its
conversations keep.

The price: he and she, and who is a doctor and who a patient, have to be read from what is said.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property

from diasum.dialogue import Dialogue
from diasum.dialogue.roles import TITLES, is_role

_NUMBER = re.compile(r"(?:\b([Tt]he|[Aa]n?) )?#Person(\d{1,3})(?:#|$)")  # a summary that was cut may end within one
_BEGUN = re.compile(r"\s*#Person$")
_NUMBERED = re.compile(r"#Person(\d+)#")
_WORDS = frozenset(
    ("will", "may", "you", "me", "i")
)  # labels that are common words in talk, as single letters are, too


def _parts(label: str, others: set[str]) -> list[str]:
    """The parts of a label that also name the person: `Gethin` and `Pryce`, unless another speaker shares them."""
    words = label.split()
    if len(words) < 2 or is_role(label):
        return []
    return [w for w in words if len(w) > 2 and w[0].isupper() and w.lower().strip(".") not in TITLES | others]


class NumberedSpeakers:
    """The numbers of one dialogue's speakers.

    A dialogue that has such labels already stays as it is, and so does one without labels.

    Args:
        dialogue: as it is read.
        named: the model reads names, too, and none has a number.

    Attributes:
        labels: the speakers' own labels; none where the dialogue stays as it is.
        numbers: each label's number, ``#Person1#``.
    """

    def __init__(self, dialogue: Dialogue, *, named: bool = False) -> None:
        self._dialogue = dialogue
        self._own = {int(number) for number in _NUMBERED.findall(dialogue.text)}
        self.labels: tuple[str, ...] = () if self._own or named else dialogue.speakers
        self.numbers = {label: f"#Person{k}#" for k, label in enumerate(self.labels, 1)}

    @cached_property
    def dialogue(self) -> Dialogue:
        """The dialogue with numbers for names, spoken ones too."""
        if not self.labels:
            return self._dialogue
        spoken = self._names(skip=_WORDS | {label.lower() for label in self.labels if len(label) == 1})
        return Dialogue(
            tuple(
                replace(
                    turn, speaker=self.numbers.get(turn.speaker, turn.speaker), text=self._replace(spoken, turn.text)
                )
                for turn in self._dialogue.turns
            )
        )

    def hide(self, summary: str) -> str:
        """A summary of the dialogue with numbers for the speakers: `The agent` and `Ana's` become `#Person2#` and `#Person1#'s`."""
        return self._replace(self._names(roles_in_lower_case=True), summary) if self.labels else summary

    def restore(self, summary: str) -> str:
        """The way back; a number that nobody has becomes "someone", one that stands in the conversation itself stays."""
        return _NUMBER.sub(self._mention, _BEGUN.sub("", summary)) if "#Person" in summary else summary

    def _mention(self, match: re.Match[str]) -> str:
        article, number = (match[1] or "").lower(), int(match[2])
        if number in self._own:
            return match[0]
        if not 1 <= number <= len(self.labels):
            mention = "someone"
        elif not is_role(self.labels[number - 1]):
            return self.labels[number - 1]
        else:
            mention = f"{'the' if article in ('', 'the') else article} {self.labels[number - 1]}"
        before = match.string[: match.start()].rstrip(" \"'“‘(")
        return mention[0].upper() + mention[1:] if not before or before[-1] in ".!?:\n" else mention

    def _names(self, *, skip: frozenset[str] = frozenset(), roles_in_lower_case: bool = False) -> dict[str, str]:
        """Regular expressions for the mentions of a speaker in text, each with the speaker's number; the longest first."""
        patterns: dict[str, str] = {}
        for label, number in self.numbers.items():
            written = re.escape(label)
            if label.lower() not in skip:
                patterns[rf"(?:[Tt]he )?{written}"] = number
            if is_role(label) and roles_in_lower_case:
                patterns[rf"[Tt]he {re.escape(label.lower())}"] = number
            others = {word.lower().strip(".") for other in self.labels if other != label for word in other.split()}
            for part in _parts(label, others):
                if part.lower() not in skip:
                    patterns.setdefault(re.escape(part), number)
        return dict(sorted(patterns.items(), key=lambda item: -len(item[0])))

    @staticmethod
    def _replace(names: dict[str, str], text: str) -> str:
        if not names:
            return text
        numbers = list(names.values())
        pattern = "|".join(f"({name})" for name in names)
        return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", lambda match: numbers[(match.lastindex or 1) - 1], text)
