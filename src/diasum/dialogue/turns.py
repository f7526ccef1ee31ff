"""The two types that everything else is about: a turn, and the dialogue it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance.

    Attributes:
        speaker: the label as written; empty when the source names none.
        text: what is said, without line breaks.
        start: seconds from the beginning of the conversation, where the source says so.
        end: when it ended, likewise.
        id: what stands for the turn within its dialogue, for others to point to it by: its position, counted from 0, unless it was
            given another. None only in a turn that is in no dialogue.
        source: where it stands in what it was read from: the line that it begins at, counted from 1, or the export's own id of the
            message where the format has no lines; None where neither is known.

    Turns with the same words and times are equal, wherever they stand.
    """

    speaker: str
    text: str
    start: float | None = None
    end: float | None = None
    id: int | None = field(default=None, compare=False, kw_only=True)
    source: int | str | None = field(default=None, compare=False, kw_only=True)

    def __str__(self) -> str:
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Ordered turns of one conversation.

    Attributes:
        turns: where they do not all have ids of their own, or two have the same one, they are numbered anew by their positions.
    """

    turns: tuple[Turn, ...]

    def __post_init__(self) -> None:
        ids = {turn.id for turn in self.turns}
        if None in ids or len(ids) < len(self.turns):
            object.__setattr__(self, "turns", tuple(replace(turn, id=i) for i, turn in enumerate(self.turns)))

    @property
    def speakers(self) -> tuple[str, ...]:
        """The labels in order of first appearance, without the empty one."""
        return tuple(dict.fromkeys(turn.speaker for turn in self.turns if turn.speaker))

    @property
    def text(self) -> str:
        """One turn per line: ``speaker: text``."""
        return "\n".join(str(turn) for turn in self.turns)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said."""
        return not any(turn.text for turn in self.turns)

    def __len__(self) -> int:
        return len(self.turns)
