"""Subtitles to what is said in them: WebVTT, SubRip, and YouTube's SBV, which Google Meet saves its chat in.

In: numbered lines, as often as they are asked for. Out: one `Spoken` a caption and speaker. Lines are read in two passes: the first looks
for voices, labels and captions that roll; the second reads. Memory holds a caption at a time.

Captions, voices and tags are those of https://www.w3.org/TR/webvtt1 (read by `webvtt-py`); voices as Teams writes them, labels as Zoom
and WhisperX do, rolling captions as YouTube's automatic ones are. A `webvtt` reader that skips what it cannot read would lose words: here
lines that are neither a time, a number, nor a note belong to the caption above them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import NamedTuple

from diasum.dialogue.labels import COLON, LABEL, looks_like_a_name

Lines = Callable[[], Iterable[tuple[int, str]]]

_TIME = r"(?:\d{1,10}:)?\d{1,2}:\d{1,2}[.,]\d{1,3}"
_CUE = re.compile(rf"\s*(?P<start>{_TIME})\d*\s*-->\s*(?P<end>{_TIME})\d*(?P<beside>\s.*)?$")
# What stands behind a caption's times, apart from words: WebVTT's settings, SubRip's places on the screen
_SETTING = re.compile(r"(?:align|line|position|region|size|vertical|[XY][12]):\S+", re.I)
_SBV = re.compile(rf"\s*(?P<start>{_TIME}),(?P<end>{_TIME})\s*$")
_NOTE = re.compile(r"NOTE(?:\s|$)|(?:STYLE|REGION)\s*$|WEBVTT(?:\s|$)")
_VOICE = re.compile(r"(?=<v(?:\.[^\s<>]*)?\s+[^<>\s])")
_NO_TAG = re.compile(r"<(?!/?(?:[a-zA-Z]|\d\d:)[^<>\n]*>)")  # "<" that opens no tag: "I <3 you"
_KARAOKE = re.compile(r"<(?:\d+:)?\d\d:\d\d\.\d{3}>")
_BRACKETED = re.compile(r"^\[(?P<name>[^\[\]:]{1,40})\] ?(?::(?: |$)|：)")
_SOUND = re.compile(r"^(?:\[[^\[\]]*\]|\([^()]*\)|\*[^*]*\*|[♪♫#][^♪♫]*[♪♫#]?)$|^[♪♫\s]+$")
_ANOTHER = re.compile(r"^>>+ ?")
_DASH = re.compile(r"^[-–—] ?(?=\S)")
_ENDED = re.compile(r"[.!?…。！？:;\"”»)\]]$")
_LONGEST_JOINED = 300  # characters of a turn that captions are joined to
_PAUSE = 2.0  # seconds after which a caption begins a new turn


class Spoken(NamedTuple):
    """What one speaker says in a caption, or in captions that go on in the middle of a sentence.

    Attributes:
        speaker: by voice or label; empty where neither is there.
        text: without tags; with line breaks.
        start: seconds; None for words above the first caption.
        end: likewise.
        number: of the line that the words begin at.
        is_sound: whether it describes a sound: ``[Applause]``.
        goes_on: whether the caption has no label, so that the one before still speaks.
    """

    speaker: str
    text: str
    start: float | None
    end: float | None
    number: int
    is_sound: bool = False
    goes_on: bool = False


class _Cue(NamedTuple):
    start: float | None
    end: float | None
    lines: list[tuple[int, str]]


@dataclass
class Survey:
    """What the captions of a file have in common.

    Attributes:
        voices: captions with a voice; labels are none then.
        labels: text before colons at the beginning of lines, counted.
        lines: lines of captions.
        rolling: whether captions repeat what the ones before them show.
        captions: how many there are.
        heads: first lines of them that are names, counted, as in the documents that Teams saved.
    """

    voices: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    rolling: bool = False
    captions: int = 0
    heads: Counter[str] = field(default_factory=Counter)

    @property
    def names_above(self) -> bool:
        """Whether each caption has the name of who speaks in a line above the words."""
        return self.captions > len(self.heads) > 0 and self.heads.total() == self.captions and not self.voices

    def names(self) -> frozenset[str]:
        """The labels that name speakers: they look like names and are used again, or most lines have one."""
        if self.voices:
            return frozenset()
        many = 3 * self.labels.total() >= self.lines
        return frozenset(
            label
            for label, count in self.labels.items()
            if (looks_like_a_name(label) and (many or count > 1)) or (many and count > 1)
        )


def are_captions(texts: Iterable[str]) -> bool:
    """Whether one of the lines is a caption's times."""
    return any("-->" in text and _CUE.match(text) for text in texts)


def times_of(text: str) -> tuple[float, float] | None:
    """Start and end in seconds, of a line that holds a caption's times."""
    if "-->" not in text and "," not in text:
        return None
    match = _CUE.match(text) or _SBV.match(text)
    return None if match is None else (_seconds(match["start"]), _seconds(match["end"]))


def survey(lines: Lines) -> Survey:
    """The first pass."""
    result = Survey()
    pairs = repeated = 0
    last: _Cue | None = None
    for cue in _cues(lines()):
        raw = "\n".join(line for _, line in cue.lines)
        result.voices += _VOICE.search(raw) is not None
        result.rolling = result.rolling or _KARAOKE.search(raw) is not None
        for _, line in cue.lines:
            label, _ = _labelled(_plain(line))
            result.labels[label] += bool(label)
        result.lines += len(cue.lines)
        result.captions += cue.start is not None
        if cue.start is not None and len(cue.lines) > 1 and _is_bare_name(cue.lines[0][1]):
            result.heads[cue.lines[0][1].strip()] += 1
        if last and last.lines and len(cue.lines) > 1 and _follows(cue, last):
            pairs += 1
            repeated += cue.lines[0][1].strip() == last.lines[-1][1].strip()
        last = cue
    result.labels = +result.labels
    result.rolling = result.rolling or (repeated > 2 and 2 * repeated > pairs)
    return result


def spoken(lines: Lines, surveyed: Survey | None = None) -> Iterator[Spoken]:
    """The second pass.

    Args:
        lines: opens the lines from the beginning.
        surveyed: what `survey` found in them; it is asked for where it is not given.
    """
    surveyed = surveyed or survey(lines)
    cues = _cues(lines())
    yield from joined(_split(_without_repetition(cues) if surveyed.rolling else cues, surveyed))


def _cues(lines: Iterable[tuple[int, str]]) -> Iterator[_Cue]:
    """Captions with the lines of their text; lines above the first, if there are, as a caption without times."""
    cue, before, is_note = _Cue(None, None, []), "", False
    for (number, line), following in _with_next(lines):
        opens = not before.strip()
        if times := times_of(line):
            if cue.lines:
                yield cue
            cue, is_note = _Cue(*times, [(number, words)] if (words := _beside(line)) else []), False
        elif not line.strip():
            is_note = False
        elif times_of(following) and (opens or line.strip().isdigit()):
            is_note = False  # the number or name of the next caption
        elif is_note or (opens and _NOTE.match(line.lstrip("\ufeff"))):
            is_note = True
        else:
            cue.lines.append((number, line))
        before = line
    if cue.lines:
        yield cue


def _beside(text: str) -> str:
    """Words in the line of a caption's times, where some programs put them."""
    match = _CUE.match(text)
    words = match["beside"] if match else None
    return words.strip() if words and not all(map(_SETTING.fullmatch, words.split())) else ""


def _with_next(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[tuple[int, str], str]]:
    last: tuple[int, str] | None = None
    for line in lines:
        if last is not None:
            yield last, line[1]
        last = line
    if last is not None:
        yield last, ""


def _without_repetition(cues: Iterable[_Cue]) -> Iterator[_Cue]:
    """Captions that roll, without the lines that the caption before showed, too."""
    shown: list[str] = []
    last: _Cue | None = None
    for cue in cues:
        lines = [(number, text) for number, line in cue.lines if (text := " ".join(_plain(line).split()))]
        plain = [text for _, text in lines]
        if last is None or not _follows(cue, last):
            shown = []
        known = next((n for n in range(min(len(plain), len(shown)), 0, -1) if plain[:n] == shown[-n:]), 0)
        shown, last = plain or shown, cue
        if plain[known:]:
            yield cue._replace(lines=lines[known:])


def _follows(cue: _Cue, last: _Cue) -> bool:
    return cue.start is not None and last.end is not None and cue.start <= last.end + 0.1


def _split(cues: Iterable[_Cue], surveyed: Survey) -> Iterator[Spoken]:
    """What is said, by speaker."""
    names = surveyed.names()
    speaker = ""
    for cue in cues:
        if surveyed.voices:
            yield from _by_voice(cue)
            continue
        if surveyed.names_above and cue.start is not None:
            text = "\n".join(_plain(line) for _, line in cue.lines[1:])
            yield Spoken(_plain(cue.lines[0][1]), text, cue.start, cue.end, cue.lines[1][0], is_sound(text))
            continue
        parts = list(_by_line(cue, names, speaker))
        speaker = parts[-1].speaker if parts else speaker
        yield from (part for part in parts if part.text)


def is_sound(text: str) -> bool:
    """Whether a caption describes a sound: ``[Applause]``, ``(laughs)``, ``♪``."""
    return _SOUND.match(text) is not None


def _by_line(cue: _Cue, names: frozenset[str], speaker: str) -> Iterator[Spoken]:
    """The parts of a caption whose lines may begin with labels, dashes or marks of another speaker."""
    lines = [(number, " ".join(_plain(line).split())) for number, line in cue.lines]
    dashed = sum(bool(_DASH.match(text)) for _, text in lines) > 1
    part: Spoken | None = None
    for number, text in lines:
        label, words = _labelled(text)
        another = _ANOTHER.match(text) or (dashed and _DASH.match(text)) or None
        sound = is_sound(text) and label not in names
        if part and not (label in names or another or sound or part.is_sound):
            part = part._replace(text=f"{part.text}\n{text}".strip())
            continue
        if part:
            yield part
        goes_on = bool(speaker)
        if label in names:
            speaker, text, goes_on = label, words, False
        elif another:
            speaker, text, goes_on = "", text[another.end() :], False
        part = Spoken(speaker, text, cue.start, cue.end, number, sound, goes_on and not sound)
    if part:
        yield part


def _by_voice(cue: _Cue) -> Iterator[Spoken]:
    line = 0
    for part in _VOICE.split("\n".join(text for _, text in cue.lines)):
        voice, text = _voice_and_text(part)
        if text:
            number = cue.lines[line + part[: len(part) - len(part.lstrip())].count("\n")][0]
            yield Spoken(voice, text, cue.start, cue.end, number, is_sound(text))
        line += part.count("\n")


def joined(parts: Iterable[Spoken]) -> Iterator[Spoken]:
    """One turn of captions that go on in the middle of a sentence of the same speaker."""
    last: Spoken | None = None
    for part in parts:
        if last is not None and _goes_on(last, part):
            last = last._replace(text=f"{last.text}\n{part.text}", end=part.end)
            continue
        if last is not None:
            yield last
        last = part
    if last is not None:
        yield last


def _goes_on(last: Spoken, part: Spoken) -> bool:
    if last.speaker != part.speaker or last.is_sound or part.is_sound or last.end is None or part.start is None:
        return False
    if part.goes_on:
        return True
    joined = len(last.text) + len(part.text)
    pause = part.start - last.end
    return joined < _LONGEST_JOINED and pause <= _PAUSE and part.text[:1].islower() and not _ENDED.search(last.text)


def _is_bare_name(line: str) -> bool:
    name = LABEL.match(line.strip())
    return name is not None and name[0] == line.strip() and looks_like_a_name(name[0]) and not name[0].endswith(".")


def _labelled(text: str) -> tuple[str, str]:
    """The label that a line begins with and what follows it; an empty label where it has none."""
    text = _ANOTHER.sub("", text)
    if bracketed := _BRACKETED.match(text):
        return bracketed["name"].strip(), text[bracketed.end() :]
    name = LABEL.match(text)
    colon = COLON.match(text[name.end() :]) if name else None
    if name is None or colon is None:
        return "", text
    return name[0], text[name.end() + colon.end() :]


def _plain(line: str) -> str:
    """A line without tags, its entities resolved."""
    return _voice_and_text(line)[1]


def _voice_and_text(part: str) -> tuple[str, str]:
    """The voice that a part of a caption begins with, and its words; tags and entities are resolved."""
    if "<" not in part and "&" not in part:
        return "", part.strip()
    from webvtt import Caption

    caption = Caption(text=_NO_TAG.sub("&lt;", _whole_tags(part)).lstrip())
    return " ".join(unescape(caption.voice or "").split()), unescape(caption.text).strip()


def _whole_tags(text: str) -> str:
    """Text in which no tag goes over a line's end."""
    return re.sub(r"<[^<>]*>", lambda tag: " ".join(tag[0].split()), text)


def _seconds(text: str) -> float:
    total = 0.0
    for part in text.replace(",", ".").split(":"):
        total = 60 * total + float(part)
    return total


def numbered(texts: Sequence[str]) -> Lines:
    """Lines in memory, counted from 1."""
    return lambda: enumerate(texts, 1)
