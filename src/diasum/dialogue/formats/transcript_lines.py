"""What a line of a transcript or chat copied from a window is: a header with name and time, a time alone, a notice, or words.

The words for times and notices are those that the windows of Teams, Meet, Zoom, Slack, Discord and Otter show.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from diasum.dialogue.labels import COLON, EMOJI, LABEL, looks_like_a_name
from diasum.dialogue.text import seconds

_DAY = (
    r"(?:today|yesterday|(?:mon|tues|wednes|thurs|fri|satur|sun)day|heute|gestern|hier|aujourd'hui|hoy|ayer"
    r"|\d{1,4}[./\-]\d{1,2}(?:[./\-]\d{2,4})?|\d{1,2}-[^\W\d_]{3}-\d{2,4}"
    r"|[^\W\d_]{3,9}\.? \d{1,2}(?:, \d{4})?|\d{1,2}\.? [^\W\d_]{3,9}\.?(?: \d{4})?)"
)
_CLOCK = r"(?P<clock>\d{1,3}:\d{2}(?::\d{2})?(?:\.\d{1,3})?)(?P<half>[ \u202f\u00a0]?[ap]\.?m\.?)?"
_UNIT = r"(?:h|hours?|stunden?|heures?|horas?|ore|ora|min[^\W\d_]*|se[ckg][^\W\d_]*)"
_SPAN = rf"(?P<span>\d+ {_UNIT}(?:,? \d+ {_UNIT}){{0,2}})(?: ?(?:\d{{1,2}}:)?\d{{1,2}}:\d{{2}})?"
_WHEN = rf"(?:(?P<day>{_DAY})(?:,? (?:at |um |à )?|,))?{_CLOCK}"
_NAME = rf"(?P<name>(?:[^\W_]|[{EMOJI}])[\w.'’&/@()\-,| {EMOJI}]{{0,60}}?)"
_FLAGS = re.I
_HEADERS = (
    ("span", re.compile(rf"^{_NAME} {_SPAN}$", _FLAGS)),
    ("wide", re.compile(rf"^{_NAME}(?: {{2,}}|\t ?){_WHEN}$", _FLAGS)),
    ("bracket", re.compile(rf"^\[{_NAME}\] ?{_WHEN}$", _FLAGS)),
    ("bracket", re.compile(rf"^{_NAME},? ?[\[(]{_WHEN}[\])]:?$", _FLAGS)),
    # with a full date and a colon it is a line of a chat's export
    (
        "bracket",
        re.compile(rf"^\[(?=(?P<full>\d{{1,4}}[./\-]\d{{1,2}}[./\-])|){_WHEN}\] ?{_NAME}(?(full)|:?)$", _FLAGS),
    ),
    ("narrow", re.compile(rf"^{_NAME},?(?: ?[—–|•] ?| - | at | ){_WHEN}$", _FLAGS)),
    ("narrow", re.compile(rf"^(?=\d{{1,3}}:\d\d:\d\d){_CLOCK}(?: ?[—–|•] ?| - |  ?){_NAME}$", _FLAGS)),
)
_TIME = re.compile(rf"^(?:{_WHEN}|{_SPAN})(?: (?:edited|bearbeitet))?$", _FLAGS)
_ELAPSED = re.compile(r"^\d{1,2}:\d{2}:\d{2}$")
_PICTURE = re.compile(r"^(?:profile picture of|profilbild von|photo de profil de|foto de perfil de) .{1,60}$", re.I)
_NOTICES = (
    ("notice", re.compile(r"^.{1,60} (?:started|stopped) (?:the )?(?:transcription|recording)\.?$", re.I)),
    (
        "notice",
        re.compile(
            r"^(?:transcription|recording|meeting) (?:has )?(?:started|ended|stopped)(?: (?:after|at) .{1,20})?$", re.I
        ),
    ),
    (
        "notice",
        re.compile(r"^(?:this editable transcript was computer generated|transcribed by https?://).{0,200}$", re.I),
    ),
    ("notice", re.compile(r"^(?:this transcript may be incomplete|no transcript is available).{0,120}$", re.I)),
    ("notice", re.compile(rf"^(?:last read|new|{_DAY}(?:, {_DAY})?)$", re.I)),
    ("notice", _PICTURE),
    (
        "join",
        re.compile(r"^.{1,60} (?:joined|left|has joined|has left)(?: the (?:meeting|call|conversation|chat))?\.?$"),
    ),
    ("edit", re.compile(r"^\(?(?:edited|bearbeitet|modifié|editado)\)?$", re.I)),
    ("notice", re.compile(r"^(?:={10,}|Exported [\d,.]+ message\(s\))$")),  # DiscordChatExporter
    ("reaction", re.compile(r"^\d{1,3} [^\W\d_]+ reactions?\.?$", re.I)),
)


_ATTACHED = {"{Attachments}": "media", "{Embed}": "media", "{Stickers}": "sticker", "{Reactions}": "reaction"}
# Where a chat's export has a date in brackets before each message, no line of it is a header
_DATED = re.compile(rf"^\[{_WHEN}\] ?[^\n:]{{1,80}}: \S", _FLAGS)


class Header(NamedTuple):
    """Who speaks and when.

    Attributes:
        name: as written.
        form: how the line is written: ``span`` (0 minutes 3 seconds), ``wide`` (several spaces before the time), ``bracket``, ``narrow``,
            ``lines`` (name and time in two lines).
        start: seconds from the beginning of a recording; None where the time is one of a day.
    """

    name: str
    form: str
    start: float | None


def header_of(line: str) -> Header | None:
    """The header that a line is, if it is one by its form."""
    if not (line[-1:].isalnum() or line[-1:] in ".)]:") or len(line) > 120:
        return None
    for form, pattern in _HEADERS:
        if (match := pattern.match(line)) and len(match["name"].split()) <= 8:
            return Header(match["name"].strip(" ,"), form, _start(match))
    return None


def is_bare_name(line: str) -> bool:
    """Whether a line holds nothing but what can be a name."""
    return (
        0 < len(line) <= 60
        and re.fullmatch(_NAME, line) is not None
        and len(line.split()) <= 6
        and looks_like_a_name(line)
        and not any(character.isdigit() for character in line[:1])
    )


def time_of(line: str) -> tuple[float | None] | None:
    """The time that a line is and nothing else: seconds in a recording, or None of a time of day; None of other lines."""
    if not line[:1].isalnum() or len(line) > 60:
        return None
    match = _TIME.match(line)
    return (_start(match),) if match else None


def elapsed(line: str) -> float | None:
    """Seconds of a line that is ``00:05:00``, as Meet's transcripts have every five minutes; None of others."""
    return seconds(line) if _ELAPSED.match(line) else None


def labelled(line: str) -> tuple[str, str]:
    """Label and words of ``Ana Li: Hello``; an empty label where there is none."""
    plain = line.removeprefix("**").replace(":**", ":", 1).replace("**:", ":", 1) if line.startswith("**") else line
    name = LABEL.match(plain)
    colon = COLON.match(plain[name.end() :]) if name else None
    if name is None or colon is None:
        return "", line
    return name[0], plain[name.end() + colon.end() :]


def notice_of(line: str) -> str | None:
    """The kind of a line that nobody says; None of others."""
    if len(line) > 280:
        return None
    return next((kind for kind, pattern in _NOTICES if pattern.match(line)), None)


def attached(line: str, before: str) -> str | None:
    """The kind of a line that names what DiscordChatExporter's text has below a message, or is below such a line; None of others."""
    return "notice" if line in _ATTACHED else _ATTACHED.get(before)


def is_dated_message(line: str) -> bool:
    """Whether a line has a time in brackets, a name and words, as those of a chat's export have."""
    return line.startswith("[") and _DATED.match(line) is not None


def _start(match: re.Match[str]) -> float | None:
    groups = match.groupdict()
    if span := groups.get("span"):
        return _span(span)
    if groups.get("half") or groups.get("day") or not groups.get("clock"):
        return None
    return seconds(groups["clock"])


def _span(text: str) -> float:
    total = 0.0
    for number, unit in re.findall(r"(\d{1,9}) ([^\W\d_]+)", text):
        first = unit[0].lower()
        total += float(number) * (60 if first == "m" else 1 if unit.lower()[:2] in ("se", "s") else 3600)
    return total
