"""What a format module hands over: messages, in the order in which they are to be read, and the conversations they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from diasum.dialogue.turns import Dialogue
from diasum.errors import DiasumError

UNDATED = date(4, 1, 1)
"""The day of times that have none: a leap year, so that every day of a year exists, and long before any export."""


class Aside(NamedTuple):
    """Something that comes with a message and is not said: a file, a reaction, the mark of an edit.

    Attributes:
        kind: one of `diasum.dialogue.nonspeech.KINDS`.
        text: how the export shows it.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message, or a notice among messages.

    Attributes:
        speaker: as the export names it; empty where it names none.
        text: as the export has it; line breaks are made spaces later.
        kind: None for speech, else what it is instead: one of `diasum.dialogue.nonspeech.KINDS`. It is then left out and counted, or kept
            as a turn where the user wants that.
        time: when it was sent, by the clock of the export; of the year 4 (`UNDATED`) where that names no day, so that pauses count.
        start: seconds from the beginning of a recording, where the export counts so.
        end: when it ended, likewise.
        source: the line that it begins at, counted from 1, or the export's own id of the message where the format has no lines.
        asides: what comes with it and is not said.
        reply: whether it answers the message above it, out of the order of time: no pause is seen before it.
    """

    speaker: str
    text: str
    kind: str | None = None
    time: datetime | None = None
    start: float | None = None
    end: float | None = None
    source: int | str | None = None
    asides: tuple[Aside, ...] = ()
    reply: bool = False


@dataclass(slots=True)
class Conversation:
    """Messages that belong together. They are consumed before the next conversation of the file is asked for.

    Attributes:
        messages: may be an iterator, so that a long export need not fit into memory.
        where: the file, and line or row, for messages to the user.
        id: the export's own name of it, or its file's; None where it has but its place in the input.
        reason: how it was read, where that is known better than from the file's beginning.
        notes: what a reader should know; may be added to until the messages are consumed.
        may_split: whether its messages are a stream that `data.split_pause` may cut.
        error: why a row is no conversation; it then has no messages. Only of a source that is `tolerant`.
    """

    messages: Iterable[Message]
    where: str
    id: str | None = None
    reason: str | None = None
    notes: list[str] = field(default_factory=list)
    may_split: bool = True
    error: DiasumError | None = None


def messages_of(dialogue: Dialogue) -> list[Message]:
    """The turns of a dialogue that was read as a whole, as messages."""
    return [
        Message(turn.speaker, turn.text, start=turn.start, end=turn.end, source=turn.source) for turn in dialogue.turns
    ]
