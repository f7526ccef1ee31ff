"""The one record of a summary that everything writes: command line, predictions, Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from diasum.data.letters import LostLetters
from diasum.data.reading import Reading


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary and what was lost on the way.

    Attributes:
        text: the summary.
        summary_cut: the summary reached `generate.max_new_tokens` before it ended.
        reading: which part of the conversation the model read.
        dtype: number type in which it was generated, ``fp32`` or ``bf16``; empty where nothing was.
        dtype_reason: why in that one.
        lost: letters of the conversation that the tokenizer lacks: neither read nor written.
    """

    text: str
    summary_cut: bool
    reading: Reading
    dtype: str = ""
    dtype_reason: str = ""
    lost: LostLetters = field(default_factory=LostLetters)

    @property
    def cut(self) -> bool:
        """Whether anything is missing: of the conversation, which did not fit the model's input, or of the summary."""
        return self.summary_cut or not self.reading.whole

    @property
    def turns(self) -> int:
        """Turns of the conversation."""
        return self.reading.turns

    @property
    def turns_cut(self) -> int:
        """Turns of the conversation that were not read, or in part only."""
        return self.reading.turns_cut

    @property
    def read(self) -> str:
        """What was read, in words: ``read turns 1 to 5 of 133 (4% of the words)``."""
        return self.reading.sentence()

    def record(self) -> dict[str, Any]:
        """What is written of it beside its text; ``read`` is null where all was."""
        return {
            "cut": self.cut,
            "summary_cut": self.summary_cut,
            "turns": self.turns,
            "turns_cut": self.turns_cut,
            "read": None if self.reading.whole else self.read,
            "letters_lost": round(self.lost.share, 4),
        }


NOTHING = Summary("", False, Reading(0, (), 0, 0, 0))  # of a conversation in which nothing is said
