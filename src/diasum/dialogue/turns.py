"""The two types that everything else is about: a turn, and the dialogue it belongs to."""

from __future__ import annotations

from dataclasses import dataclass


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

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said."""
        return not any(turn.text for turn in self.turns)

    def __len__(self) -> int:
        return len(self.turns)
