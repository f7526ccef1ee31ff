"""Zoom's saved meeting chat: `meeting_saved_chat.txt`, in the two forms that Zoom has written it in.

Shape (https://support.zoom.com, "Saving in-meeting chat"): ``00:12:01<TAB> From Ana To Everyone : hi`` in one line or, since version 5.8,
``10:32:01 From Ana to Everyone:`` above indented lines, with replies and reactions as lines of text. A stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Aside, Conversation, Message
from diasum.dialogue.formats.source import Source
from diasum.dialogue.text import seconds

_HEADER = re.compile(
    r"^\ufeff?(?:\d{4}-\d\d-\d\d )?(?P<time>\d{1,2}:\d\d:\d\d)\s+From\s+(?P<name>\S(?:[^\t]{0,80}?\S)?)"
    r"(?:\s+[tT]o\s+(?P<to>\S[^\t]{0,80}?)\s*(?P<private>\((?:Privately|Direct Message)\))?)?\s*(?: : ?|:\s*$|:[ \t])(?P<text>.*)$"
)
_REPLY = re.compile(r'^Replying to ".{0,500}"$')
_REACTION = re.compile(r'^(?:Reacted to ".{0,500}" with .{1,40}|Removed an? .{1,40} reaction from ".{0,500}")$')
_HOUR, _DAY = 3600, 24 * 3600


@dataclass
class _Open:
    """A message while its lines come in."""

    name: str
    start: float | None
    number: int
    texts: list[str] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)

    def message(self) -> Message:
        text = "\n".join(self.texts).strip()
        kind = "reaction" if _REACTION.match(text) else None if text or self.asides else "empty"
        return Message(self.name, text, kind, start=self.start, source=self.number, asides=tuple(self.asides))


def recognises(head: Head) -> Evidence | None:
    """By a first line with time, ``From`` and a colon."""
    if head.members or not any(_HEADER.match(line) for line in head.lines[:3]):
        return None
    return Evidence(Strength.CERTAIN, "Zoom chat")


def read(source: Source) -> Iterator[Conversation]:
    """The one conversation of the file."""
    conversation = Conversation((), source.where, source.stem, may_split=False)
    conversation.messages = _messages(source, conversation)
    yield conversation


def _messages(source: Source, conversation: Conversation) -> Iterator[Message]:
    open_: _Open | None = None
    private, clock = 0, _Clock()
    for number, line in source.lines():
        if header := _HEADER.match(line.strip()):
            if open_:
                yield open_.message()
            private += header["private"] is not None
            open_ = _Open(header["name"].strip(), clock.start(header["time"]), number)
            line = header["text"]
        text = line.strip()
        if not text:
            continue
        if open_ is None:
            yield Message("", text, source=number)
        elif _REPLY.match(text):
            open_.asides.append(Aside("quote", text))
        else:
            open_.texts.append(text)
    if open_:
        yield open_.message()
    if private:
        conversation.notes.append(
            f"{source.where}: {private:,} of the messages {'was' if private == 1 else 'were'} private, to one person."
        )


class _Clock:
    """Times as seconds: from the beginning of a recording where the first is in its first hour, else from the first message."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.last = 0.0
        self.days = 0

    def start(self, text: str) -> float:
        time = seconds(text) or 0.0
        if self.first is None:
            self.first = 0.0 if time < _HOUR else time
        elif time < self.last - _DAY / 2:
            self.days += 1
        self.last = time
        return max(0.0, time + self.days * _DAY - self.first)
