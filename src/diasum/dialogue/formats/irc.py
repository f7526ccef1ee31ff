"""Logs of IRC: those of irssi, WeeChat, HexChat, ZNC, energymech, Quassel and mIRC, and whatever writes `<nick> words` behind a time.

    12:01 <@ana> hi                          irssi; days in lines of their own: --- Day changed Sun May 12 2024
    2024-05-12 12:01:02<TAB>@ana<TAB>hi      WeeChat
    May 12 12:01:02 <ana>   hi               HexChat
    [12:01:02] <ana> hi                      ZNC, energymech, Quassel

https://modern.ircdocs.horse (nicks), https://irssi.org/documentation/settings (theme), https://weechat.org/files/doc/weechat (logger).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date, datetime, time
from typing import NamedTuple

from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import UNDATED, Conversation, Message
from diasum.dialogue.formats.source import Source

_NICK = r"[^\s<>|,!#&:\d\-][^\s<>,!:]{0,39}"
_PREFIX = r"[~&@%+ ]?"
_STAMP = (
    r"(?:\[?(?:(?P<date>\d{4}-\d{2}-\d{2})[T ])?(?P<clock>\d{1,2}:\d{2}(?::\d{2})?)(?:Z|[+\-]\d{2}:?\d{2})?\]?"
    r"|(?P<day>[A-Z][a-z]{2} \d{1,2}) (?P<day_clock>\d{2}:\d{2}:\d{2}))"
)
_SPOKEN = re.compile(rf"^{_STAMP}?\s*<{_PREFIX}(?P<nick>{_NICK})>(?: +|\t)(?P<words>.*\S.*)$")
_TABBED = re.compile(rf"^{_STAMP}\t(?P<nick>[^\t]*)\t(?P<words>.*)$")  # WeeChat
_ACTION = re.compile(rf"^{_STAMP}?\s*\* (?P<nick>{_NICK}) (?P<words>.*)$")
_HEXCHAT = re.compile(rf"^{_STAMP}?\s*\*\t(?P<nick>{_NICK}) (?P<words>.*)$")
_EVENT = re.compile(rf"^{_STAMP}?\s*(?:\*\*\*|-!-|-->|<--|--|\*(?=\t)|-[^\s-]+-|=!=|==)\s*(?P<words>.*)$")
_DAY = re.compile(r"^(?:--- |\*\*\*\* |Session (?:Time|Start|Close|Ident): ?)")
_JOIN = re.compile(
    r"\b(?:joined|joins|join:|quit|quits|left|leaves|parted|part:|kicked|was kicked|has joined|disconnected)\b", re.I
)
_ARROWS = ("-->", "<--", "→", "←")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def recognises(head: Head) -> Evidence | None:
    """By lines with a nick in angle brackets behind a time, or WeeChat's columns."""
    if head.members:
        return None
    lines = [line for line in _lines_of(head)[:200] if line.strip()]
    spoken = sum(_SPOKEN.match(line) is not None for line in lines)
    timed = sum(match is not None and bool(_stamp_of(match)) for match in map(_SPOKEN.match, lines))
    tabbed = sum((match := _TABBED.match(line)) is not None and bool(match["date"]) for line in lines)
    events = sum(_EVENT.match(line) is not None or _DAY.match(line) is not None for line in lines)
    messages = max(spoken, tabbed)
    if (
        not messages
        or 2 * (messages + events) < len(lines)
        or (messages == 1 and not timed and not tabbed and len(lines) > 1)
    ):
        return None
    if tabbed > spoken:
        return Evidence(Strength.LIKELY, "IRC log (WeeChat)")
    return Evidence(Strength.LIKELY if timed else Strength.POSSIBLE, "IRC log")


def read(source: Source) -> Iterator[Conversation]:
    """The log's one conversation."""
    yield Conversation(_messages(source), source.where, source.stem)


def _messages(source: Source) -> Iterator[Message]:
    clock = _Clock()
    nicks: set[str] = set()
    for number, line in source.lines():
        if not line.strip():
            continue
        line = line.lstrip(" ")
        if _DAY.match(line):  # before events, which begin likewise
            clock.see_day(line)
            yield Message("", line, "notice", source=number)
            continue
        told = _told(line, nicks)
        if told is None:
            yield Message("", line, source=number)
            continue
        nicks.add(told.nick)
        yield Message(told.nick, told.words, told.kind, clock.time(told.stamp), source=number)


class _Told(NamedTuple):
    """A line: who says it, what, what it is instead of speech, and its time as written."""

    nick: str
    words: str
    kind: str | None
    stamp: str = ""


def _told(line: str, nicks: Collection[str]) -> _Told | None:
    """What a line tells; HexChat writes actions as it does events, so that they are known by the nicks that have spoken before."""
    if match := _SPOKEN.match(line):
        return _Told(match["nick"], match["words"], None, _stamp_of(match))
    if match := _TABBED.match(line):
        nick = match["nick"].strip()
        if nick in ("", "--", "=!=", "*", *_ARROWS):
            if nick == "*":
                actor, _, words = match["words"].partition(" ")
                return _Told(actor, words, None, _stamp_of(match))
            kind = "join" if nick in _ARROWS or _JOIN.search(match["words"]) else "notice"
            return _Told("", match["words"], kind, _stamp_of(match))
        return _Told(nick.lstrip("~&@%+"), match["words"], None, _stamp_of(match))
    if (match := _EVENT.match(line)) and not ((acted := _HEXCHAT.match(line)) and acted["nick"] in nicks):
        arrow = any(one in line[:40] for one in _ARROWS)
        return _Told("", line, "join" if arrow or _JOIN.search(match["words"]) else "notice", _stamp_of(match))
    if match := _ACTION.match(line) or _HEXCHAT.match(line):
        if _JOIN.match(match["words"]) or match["words"].startswith(
            ("has ", "is now known", "sets mode", "changes topic")
        ):
            return _Told("", line, "join" if _JOIN.search(match["words"]) else "notice", _stamp_of(match))
        return _Told(match["nick"].lstrip("~&@%+"), match["words"], None, _stamp_of(match))
    return None


def _stamp_of(match: re.Match[str]) -> str:
    day = match["date"] or match["day"] or ""
    clock = match["clock"] or match["day_clock"] or ""
    return f"{day} {clock}".strip()


class _Clock:
    """Times of lines that have only a clock: the day is that of the last line that names one, and the next one after midnight."""

    def __init__(self) -> None:
        self.day = UNDATED
        self.last: datetime | None = None

    def see_day(self, line: str) -> None:
        """A line such as ``--- Day changed Sun May 12 2024`` or ``**** BEGIN LOGGING AT Sun May 12 12:01:02 2024``."""
        year, month = re.search(r"\b(19|20)\d{2}\b", line), re.search(r"\b([A-Z][a-z]{2}) +(\d{1,2})\b", line)
        if year and month and month[1].lower() in _MONTHS:
            self._set(int(year[0]), _MONTHS.index(month[1].lower()) + 1, int(month[2]))

    def time(self, stamp: str) -> datetime | None:
        if not stamp:
            return None
        day, _, clock = stamp.rpartition(" ")
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
            self._set(*map(int, day.split("-")))
        elif day and day[:3].lower() in _MONTHS:
            self._set(self.day.year, _MONTHS.index(day[:3].lower()) + 1, int(day[4:]))
        hour, minute, second, *_ = [*map(int, clock.split(":")), 0]
        if hour > 23 or minute > 59 or second > 59:
            return None
        now = datetime.combine(self.day, time(hour, minute, second))
        if not day and self.last is not None and (self.last - now).total_seconds() > 12 * 3600:
            self.day = date.fromordinal(self.day.toordinal() + 1)
            now = datetime.combine(self.day, now.time())
        self.last = now
        return now

    def _set(self, year: int, month: int, day: int) -> None:
        try:
            self.day = date(year, month, day)
        except ValueError:
            return


def _lines_of(head: Head) -> list[str]:
    lines = head.text.splitlines()
    return lines if head.whole else lines[:-1]
