"""Transcripts and chats copied from a window: a line with name and time above what is said, or times alone between labelled lines.

Shapes: Teams (https://support.microsoft.com, "View live transcription in Microsoft Teams meetings"): ``Ana Li   0:03`` above the words,
name and time in two lines, or both with "0 minutes 3 seconds"; Google Meet
(https://support.google.com/meet/answer/12849897): a time every five minutes above ``Ana Li: words``; Zoom's saved captions:
``[Ana Li] 10:03:12``; Slack, Discord and Otter alike. In two passes, as a stream.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from diasum.dialogue.cues import Lines
from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Conversation, Message
from diasum.dialogue.formats.source import Source
from diasum.dialogue.formats.transcript_lines import (
    Header,
    attached,
    elapsed,
    header_of,
    is_bare_name,
    is_dated_message,
    labelled,
    notice_of,
    time_of,
)
from diasum.dialogue.labels import is_name

_CLOCK = 300  # seconds: a transcript begins before, a time of day is later
_PREAMBLE = 30  # lines above the first header


class _Line(NamedTuple):
    number: int
    text: str
    before: str  # the line above that is not blank
    after: str


@dataclass
class Survey:
    """What the lines of a transcript have in common.

    Attributes:
        names: those in headers, counted.
        forms: the forms of headers, counted.
        labels: names before colons, counted.
        timed: times alone that stand above a label.
        first: the index, among lines that are not blank, of the first header.
        first_start: its time.
        answered: headers with words below them.
        dated: messages with a time in brackets, a name and words in one line.
    """

    names: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    timed: int = 0
    first: int | None = None
    first_start: float | None = None
    answered: int = 0
    dated: int = 0

    @property
    def headers(self) -> int:
        return self.names.total()

    @property
    def form(self) -> str:
        return self.forms.most_common(1)[0][0] if self.forms else ""

    def is_header(self, header: Header) -> bool:
        """Whether what looks like a header is one, by its name, and by its form where the name is used once."""
        count = self.names[header.name]
        if header.form == "narrow" and count == 1 and self.form != "narrow":
            return False
        return is_name(header.name, count, self.headers)

    def has_headers(self) -> bool:
        if self.first is None or self.first > _PREAMBLE or 2 * self.answered < self.headers or self.dated:
            return False
        if self.labels.total() > 2 * self.headers or (self.has_times() and self.timed >= self.headers):
            return False
        return self.headers > 1 or (self.first == 0 and self.form in ("wide", "bracket", "span", "lines"))

    def has_times(self) -> bool:
        return self.timed > 0 and bool(self.labels)


def recognises(head: Head) -> Evidence | None:
    """By headers with names, or times above labels."""
    if head.members or head.text.lstrip("\ufeff \r\n\t").startswith(("{", "WEBVTT")):
        return None
    surveyed = _survey(_lines((0, line) for line in head.lines))
    reason = _reason(surveyed)
    return Evidence(Strength.LIKELY, reason) if reason else None


def read(source: Source) -> Iterator[Conversation]:
    """The one conversation of a text."""
    yield conversation_of(source.lines, source.where, source.stem)


def conversation_of(lines: Lines, where: str, name: str | None) -> Conversation:
    """The conversation of numbered lines, which are opened twice."""
    surveyed = _survey(_lines(lines()))
    messages = (
        _timed(lines, surveyed) if surveyed.has_times() and not surveyed.has_headers() else _headed(lines, surveyed)
    )
    return Conversation(messages, where, name, _reason(surveyed), may_split=False)


def _reason(surveyed: Survey) -> str | None:
    if surveyed.has_headers():
        return "transcript or chat copied from a window, names and times above the words"
    return "transcript of Google Meet" if surveyed.has_times() else None


def _lines(lines: Iterable[tuple[int, str]]) -> Iterator[_Line]:
    """Lines that are not blank, with their neighbours."""
    before, current = "", None
    for number, line in lines:
        text = line.strip("\ufeff\u200b \t\r\u00a0").replace("\u00a0", " ")
        if not text:
            continue
        if current is not None:
            yield _Line(*current, before, text)
            before = current[1]
        current = (number, text)
    if current is not None:
        yield _Line(*current, before, "")


def _survey(lines: Iterable[_Line]) -> Survey:
    surveyed, is_below = Survey(), False
    for index, line in enumerate(lines):
        header = _header(line)
        if header is not None:
            surveyed.names[header.name] += 1
            surveyed.forms[header.form] += 1
            is_below = True
            if surveyed.first is None:
                surveyed.first, surveyed.first_start = index, header.start
        elif elapsed(line.text) is not None and labelled(line.after)[0]:
            surveyed.timed += 1
        elif time_of(line.text) is None:
            label, _ = labelled(line.text)
            surveyed.dated += is_dated_message(line.text)
            surveyed.labels[label] += bool(label)
            surveyed.answered += is_below
            is_below = False
    surveyed.labels = +surveyed.labels
    return surveyed


def _header(line: _Line) -> Header | None:
    """The header that a line is or begins: with its time in the same line, or in the next."""
    if time_of(line.text):
        return None
    if header := header_of(line.text):
        return header
    time = time_of(line.after)
    if time is None or not is_bare_name(line.text) or notice_of(line.text):
        return None
    return Header(line.text, "lines", time[0])


def _headed(lines: Lines, surveyed: Survey) -> Iterator[Message]:
    """What is said under headers; what stands above the first is a notice."""
    clock = surveyed.first_start is None or surveyed.first_start >= _CLOCK
    open_: _Open | None = None
    for line in _lines(lines()):
        new = _header(line)
        if new is not None and surveyed.is_header(new) and not (new.form == "narrow" and _is_lone(line, surveyed)):
            if open_:
                yield from open_.end(new.name)
            open_ = _Open(new, line.number, None if clock else new.start)
        elif open_ and line.before == open_.header.name and time_of(line.text):
            continue
        elif open_ is None or (kind := _kind_of(line, surveyed)):
            if open_:
                yield from open_.said()
            yield Message("", line.text, "notice" if open_ is None else kind, source=line.number)
        else:
            open_.add(line)
    if open_:
        yield from open_.end("")


@dataclass
class _Open:
    """A header while the lines below it come in."""

    header: Header
    number: int
    start: float | None
    texts: list[str] = field(default_factory=list)
    has_spoken: bool = False

    def add(self, line: _Line) -> None:
        self.number = self.number if self.texts else line.number
        self.texts.append(line.text)
        self.has_spoken = True

    def said(self) -> Iterator[Message]:
        """The words so far."""
        if self.texts:
            yield Message(self.header.name, "\n".join(self.texts), start=self.start, source=self.number)
        self.texts = []

    def end(self, following: str) -> Iterator[Message]:
        """The words, or a message without any, unless the same name follows: some windows show it twice."""
        yield from self.said()
        if not self.has_spoken and following != self.header.name:
            yield Message(self.header.name, "", "empty", start=self.start, source=self.number)


def _is_lone(line: _Line, surveyed: Survey) -> bool:
    """Whether what looks like a header has nothing below it, as words that end in a time: "See you at 10:30"."""
    below = header_of(line.after)
    return not line.after or (below is not None and surveyed.is_header(below))


def _timed(lines: Lines, surveyed: Survey) -> Iterator[Message]:
    """Labelled lines under times; what stands above the first is a notice."""
    total = surveyed.labels.total()
    message: Message | None = None
    start: float | None = None
    above = True
    for line in _lines(lines()):
        if (time := elapsed(line.text)) is not None:
            start, above = time, False
            continue
        label, words = labelled(line.text)
        if label and not above and is_name(label, surveyed.labels[label], total):
            if message:
                yield message
            message, start = Message(label, words, start=start, source=line.number), None
        elif kind := "notice" if above else notice_of(line.text):
            if message:
                yield message
            message = None
            yield Message("", line.text, kind, source=line.number)
        elif message:
            message = Message(
                message.speaker, f"{message.text}\n{line.text}", start=message.start, source=message.source
            )
        else:
            message = Message("", line.text, start=start, source=line.number)
    if message:
        yield message


def _kind_of(line: _Line, surveyed: Survey) -> str | None:
    """The kind of a line that nobody says; None of words."""
    return notice_of(line.text) or attached(line.text, line.before) or _initials_of(line, surveyed)


def _initials_of(line: _Line, surveyed: Survey) -> str | None:
    """The kind of a line that holds the initials of the name below it, as a picture without a picture does; None of others."""
    if not line.text.isupper() or not surveyed.names[line.after]:
        return None
    words = line.after.split()
    letters = [word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)]
    return "notice" if line.text == "".join(letters).upper() else None
