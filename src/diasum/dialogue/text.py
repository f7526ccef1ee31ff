"""Text to turns: plain text (``Name: what they say``, one turn per line), chat exports and subtitles.

Text that cannot be split into turns is never refused: it becomes turns without a speaker, so that whatever a user pastes can be
summarised.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from diasum.dialogue import cues
from diasum.dialogue.labels import COLON, LABEL, PHONE, is_name
from diasum.dialogue.turns import Dialogue, Turn

# A time alone or with a date: 00:12, 10:32:11, 10h32, 10:32 AM, 12/05/2024, 10:32, 2024-05-12T10:32:14Z or ...14+02:00,
# 10:32, 12/05/2024, Sun, 12 May 2024 10:32, May 12, 2024, 10:32 AM
_WORD = r"[^\W\d_]{3,9}\.?"
_DATE = (
    rf"(?:\d{{1,4}}[./\-]\d{{1,2}}[./\-]\d{{2,4}}|(?:{_WORD},? )?(?:\d{{1,2}}\.? {_WORD}|{_WORD} \d{{1,2}}),? \d{{4}})"
)
_CLOCK = r"\d{1,2}(?::\d{2}(?::\d{2})?|h\d{2})(?:[.,]\d{1,6})?"
_TIME = (
    rf"(?P<date>{_DATE}(?:,|T| at)? ?)?"
    rf"(?P<clock>{_CLOCK})(?: ?--?> ?{_CLOCK})?"
    rf"(?P<of_day>(?: ?(?i:[ap](?:\. ?)?m\b\.?)|Z)?(?:, {_DATE})?)(?(date)(?:[+\-]\d{{2}}:?\d{{2}}(?!\d))?)"
)
# "10:30 - 11:30" is a span of time that somebody speaks of
_STAMP = re.compile(rf"^(?P<open>[\[(]?){_TIME}(?P<end>[\])]?(?(date)(?::(?= ))?)[ \-–|]*+)(?=\S)(?!\d{{1,2}}:\d{{2}})")
_STAMP_AFTER = re.compile(rf"^(?P<open>,)? ?(?(open)|[\[(]){_TIME}(?(open)|[\])])(?= ?(?:: |:$|：))")
# Behind a time, some programs put a bar between name and words: "10:32 ana | hi"
_BAR = re.compile(r"^ ?\|(?: |$)")
# The name that the owner of a telephone number chose (~Max)
_OWN_NAME = re.compile(r"^~ ?(?=[^\W\d])")
_NAME_AND_TIME = re.compile(rf"^\[(?P<name>{LABEL.pattern[1:]}), {_TIME}\] ?[:：]")
_HASH_LABEL = re.compile(r"^#[^#]{1,30}#")
_HASH_COLON = re.compile(r"^ ?[:：]")
# What no reader sees and what stands in the way of labels and tokenizers: marks of byte order and writing direction, control
# characters, and halves of surrogate pairs.
_UNSEEN = (
    dict.fromkeys([0xFEFF, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)], "")
    | dict.fromkeys([*range(0x09), *range(0x0E, 0x1C), 0x7F], " ")
    | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
)
# Other ways in which exports mark who speaks: <Ana> hi; **Ana**: hi; **Ana:** hi; <v Ana>hi</v>; [Ana]: hi; [Ana] (10:32): hi
_MARKED = re.compile(
    r"^(?:<v(?:\.\w+)* (?P<voice>[^<>]{1,40})>(?P<voiced>.*?)(?:</v>)?|<(?P<angle>[^<>/]{1,40})> +(?P<angled>.+)"
    r"|(?P<stars>\*\*?|__)(?P<strong>[^*_:]{1,40})(?:(?P=stars) ?:|: ?(?P=stars))(?P<starred>(?: .*)?))$"
)
_NUMBERED = re.compile(r"^\[(?P<name>(?i:speaker)[ _]?\d{1,3})\] (?=[^\s:\[(])")
_FRAMED = re.compile(
    r"^(?P<stars>\*\*)?(?(stars)|\[)(?P<name>[^\W\d][^\[\]*:]{0,39})(?(stars)\*\*|\])(?= ?[\[(]\d| ?:(?: |$)| ?：)"
)
_LINE_END = re.compile(r"\r\n|\n|\r")
_HEADER = re.compile(
    rf"^(?P<name>{LABEL.pattern[1:]})(?: ?[—–\-|•] ?| at | ?(?=[\[(])| )[\[(]?(?:(?:Today|Yesterday) at )?{_TIME}[\])]?$"
)


def parse_dialogue(text: str) -> Dialogue:
    """Split text into turns at lines that begin with a speaker label.

    Labels are such as ``#Person1#:``, ``Dr. Osei:``, ``Anna (agent):``, ``USER :``, with or without a time before them (``[00:12]``).
    A line without a label continues the turn before it; one that begins with a time as messages do (``12/05/24, 10:34 - Ben left``) is a
    turn without a speaker. Text in which no line has a label becomes one turn per line, without speakers.
    Subtitles (WebVTT, SubRip) and exports whose messages stand under a line of name and time are read too.
    """
    if "-->" in text and cues.are_captions(texts := _LINE_END.split(text)):
        return Dialogue(tuple(_of_caption(one) for one in cues.spoken(cues.numbered(texts))))
    lines = [line._replace(text=plain) for line in _numbered(text) if (plain := one_line(line.text))]
    if messages := _under_headers(lines):
        return Dialogue(tuple(messages))
    parts = [_split_line(line.text) for line in lines]
    counts = Counter(part.label for part in parts if part.label)
    labelled = counts.total()
    named = [
        bool(part.label) and is_name(part.label, counts[part.label], labelled, stamped=bool(part.stamp))
        for part in parts
    ]
    forms = {_form(part.stamp) for part, is_named in zip(parts, named, strict=True) if is_named and part.stamp}
    named = _with_times(parts, named)
    turns: list[_Begun] = []
    for line, part, is_named in zip(lines, parts, named, strict=True):
        if is_named and not (forms and not part.stamp and PHONE.match(part.label)):  # a number given in a message
            turns.append(_Begun(part.label, [part.words], part.start, [line]))
        elif part.stamp and (_is_clear(part.stamp) or _form(part.stamp) in forms):
            turns.append(_Begun("", [line.text[part.stamp.end() :]], _start(part.stamp), [line]))
        elif turns and turns[-1].label:
            turns[-1].texts.append(line.text)
            turns[-1].lines.append(line)
        else:
            turns.append(_Begun("", [line.text], None, [line]))
    return Dialogue(tuple(_without_clock_times([begun.turn() for begun in turns])))


def _with_times(parts: Sequence[_Parts], named: list[bool]) -> list[bool]:
    """Of lines that name somebody, those that begin a turn: where messages carry times, a line without one continues a message.

    They do where the first label has a date and a time, or where at least two of three labels have a time.
    """
    stamps = [part.stamp for part, is_named in zip(parts, named, strict=True) if is_named]
    times = [stamp for stamp in stamps if stamp]
    dated = bool(stamps) and stamps[0] is not None and bool(stamps[0]["date"])
    if not dated and (len(times) < 2 or 3 * len(times) < 2 * len(stamps)):
        return named
    return [is_named and part.stamp is not None for part, is_named in zip(parts, named, strict=True)]


def _of_caption(one: cues.Spoken) -> Turn:
    return Turn(one.speaker, one_line(one.text), one.start, one.end, source=one.number)


class _Line(NamedTuple):
    """A line of text and its number."""

    text: str
    number: int


class _Begun(NamedTuple):
    """A turn while its lines are read: the label, the words and the time that it begins with, and its lines."""

    label: str
    texts: list[str]
    stamp: float | None
    lines: list[_Line]

    def turn(self) -> Turn:
        return Turn(self.label, " ".join(self.texts).strip(), self.stamp, source=self.lines[0].number)


def _numbered(text: str) -> list[_Line]:
    """The lines of a text, numbered as editors do; what else separates lines separates them within a number."""
    return [
        _Line(part.strip(), number)
        for number, line in enumerate(_LINE_END.split(text), 1)
        for part in line.splitlines() or [""]
    ]


def _under_headers(lines: Sequence[_Line]) -> list[Turn]:
    """Turns of an export in which a line holds name and time and the message stands below; empty where it is none."""
    headers = [_HEADER.match(line.text) for line in lines]
    names = Counter(header["name"] for header in headers if header)
    headers = [h if h and is_name(h["name"], names[h["name"]], names.total()) else None for h in headers]
    if sum(map(bool, headers)) < 2 or not headers[0]:
        return []
    turns: list[_Begun] = []
    for line, header in zip(lines, headers, strict=True):
        if header:
            turns.append(_Begun(header["name"], [], _start(header), [line]))
        else:
            turns[-1].texts.append(line.text)
            turns[-1].lines.append(line)
    return _without_clock_times([begun.turn() for begun in turns if begun.texts])


class _Parts(NamedTuple):
    """The time that a line begins with, and the label (or empty), words and start that it has as a turn."""

    stamp: re.Match[str] | None
    label: str = ""
    words: str = ""
    start: float | None = None


def _split_line(line: str) -> _Parts:
    if inside := _NAME_AND_TIME.match(line):
        return _Parts(None, inside["name"], line[inside.end() :].strip(), _start(inside))
    stamp = time = _STAMP.match(line)
    rest = line[stamp.end() :] if stamp else line
    if marked := _MARKED.match(rest):
        label = marked["voice"] or marked["angle"] or marked["strong"]
        words = marked["voiced"] or marked["angled"] or marked["starred"] or ""
        return _Parts(stamp, label.strip(" @+%&~"), words.strip(), _start(stamp))
    rest = _FRAMED.sub(r"\g<name>", _NUMBERED.sub(r"\g<name>: ", _OWN_NAME.sub("", rest)))
    hashed = _HASH_LABEL.match(rest)
    name = hashed or PHONE.match(rest) or LABEL.match(rest)
    if not name:
        return _Parts(stamp)
    after = rest[name.end() :]
    if stamp_after := _STAMP_AFTER.match(after):
        time, after = stamp_after, after[stamp_after.end() :]
    colon = (_HASH_COLON if hashed else COLON).match(after) or (_BAR.match(after) if stamp else None)
    if not colon:
        return _Parts(stamp)
    return _Parts(stamp, name[0], after[colon.end() :].strip(), _start(time))


def _form(stamp: re.Match[str]) -> tuple[bool, bool, str, str]:
    """What the stamps of one export have in common."""
    return bool(stamp["date"]), bool(stamp["of_day"]), stamp["open"], stamp["end"]


def _is_clear(stamp: re.Match[str]) -> bool:
    """Whether a time is written as none in a sentence is: in brackets, or as a date and a time before a dash."""
    end = stamp["end"].strip()
    return bool(stamp["open"] and end.startswith((")", "]"))) or bool(stamp["date"] and end.startswith(("-", "–")))


def _start(stamp: re.Match[str] | None) -> float | None:
    """Seconds from the start; with a date or a half of the day it is the time of day, not a place in a recording."""
    return seconds(stamp["clock"].replace("h", ":")) if stamp and not stamp["date"] and not stamp["of_day"] else None


def _without_clock_times(turns: list[Turn]) -> list[Turn]:
    """Times count from the beginning of a recording; where the first one is late, they are times of day and are dropped."""
    first = next((turn for turn in turns if turn.start is not None), None)
    if first is None or first.start is None or first.start < 300:
        return turns
    return [replace(turn, start=None) for turn in turns]


def seconds(value: Any) -> float | None:
    """A time as a number of seconds, also of ``1:02:03.5``; None where it is none."""
    if isinstance(value, str) and ":" in value:
        total = 0.0
        try:
            for part in value.replace(",", ".").split(":"):
                total = 60 * total + float(part)
        except ValueError:
            return None
        return total
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def one_line(text: str) -> str:
    """White space of any kind to single spaces, without what no reader sees."""
    return " ".join((text if text.isprintable() else text.translate(_UNSEEN)).split())
