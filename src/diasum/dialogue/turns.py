"""A dialogue is a sequence of turns; this module turns text and tables into it and back.

In: plain text (``Name: what they say``, one turn a line) or rows with a speaker and a text. Out: `Dialogue`. Text that cannot be
split into turns is never refused: it becomes turns without a speaker, so that whatever a user pastes can be summarised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SPEAKER_KEYS = ("speaker", "role", "from", "author", "name", "user", "participant")
TEXT_KEYS = ("text", "content", "utterance", "message", "body", "value")

# A label is short, begins like a name and has no sentence punctuation in it, so that "He said: go" in the middle of a talk is text.
_LABEL = re.compile(
    r"^\s*(?P<speaker>#[^#\n]{1,30}#|[^\W\d_][\w.'’\-]*(?: [\w.'’\-()&]+){0,3})\s?:(?:\s+|$)(?P<text>.*)$"
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance.

    Attributes:
        speaker: the label as written; empty when the source names none.
        text: what is said, without line breaks.
        start: seconds from the beginning of the conversation, where the source says so.
    """

    speaker: str
    text: str
    start: float | None = None

    def __str__(self) -> str:
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Ordered turns of one conversation."""

    turns: tuple[Turn, ...]

    @property
    def speakers(self) -> tuple[str, ...]:
        """The labels in order of first appearance, without the empty one."""
        return tuple(dict.fromkeys(turn.speaker for turn in self.turns if turn.speaker))

    @property
    def text(self) -> str:
        """One turn a line: ``speaker: text``."""
        return "\n".join(str(turn) for turn in self.turns)

    def __len__(self) -> int:
        return len(self.turns)


def parse_dialogue(text: str) -> Dialogue:
    """Split text into turns at lines that begin with a speaker label.

    A line without a label continues the turn before it. Text in which no line has a label becomes one turn a line, without speakers.
    """
    turns: list[Turn] = []
    for line in text.splitlines():
        line = " ".join(line.split())
        if not line:
            continue
        match = _LABEL.match(line)
        if match:
            turns.append(Turn(match["speaker"], match["text"].strip()))
        elif turns and turns[-1].speaker:
            last = turns[-1]
            turns[-1] = Turn(last.speaker, f"{last.text} {line}".strip())
        else:
            turns.append(Turn("", line))
    return Dialogue(tuple(turns))


def from_rows(rows: Iterable[Mapping[str, Any] | Sequence[Any] | str]) -> Dialogue:
    """Make a dialogue of a table of turns.

    Args:
        rows: dicts with a speaker and a text under any of the usual names, ``(speaker, text)`` pairs, or strings.

    Raises:
        ValueError: a row has no text under any known name (the caller adds file and line).
    """
    turns: list[Turn] = []
    for number, row in enumerate(rows, 1):
        if isinstance(row, str):
            turns.extend(parse_dialogue(row).turns)
            continue
        if isinstance(row, Mapping):
            speaker = _first(row, SPEAKER_KEYS)
            text = _first(row, TEXT_KEYS)
            if text is None:
                raise ValueError(
                    f"turn {number} has no text: expected one of {', '.join(TEXT_KEYS)}, found {', '.join(map(str, row))}"
                )
        elif len(row) == 2:
            speaker, text = row
        else:
            raise ValueError(f"turn {number} is neither an object nor a (speaker, text) pair")
        start = row.get("start") if isinstance(row, Mapping) else None
        turns.append(
            Turn(
                " ".join(str(speaker or "").split()),
                " ".join(str(text).split()),
                float(start) if start is not None else None,
            )
        )
    return Dialogue(tuple(turn for turn in turns if turn.text))


def _first(row: Mapping[str, Any], keys: Iterable[str]) -> Any:
    lowered = {str(key).lower(): value for key, value in row.items()}
    return next((lowered[key] for key in keys if lowered.get(key) is not None), None)
