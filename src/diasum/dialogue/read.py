"""Conversations from whatever files people have: the one entry point, for summaries, training and data checks alike.

In: a path, bytes or text, and what the user says of it. Out: dialogues one by one, each with where it stands, what was left out of it,
the format it was read as and why. Messages stream through: memory holds one dialogue at a time, and of a long export that is cut at
pauses, one part at a time.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import IO

from diasum.calls import checked_call
from diasum.dialogue.formats import FORMATS, MEMBERS, Conversation, Message, Source, choose, format_named
from diasum.dialogue.formats.archive import is_readable, not_read
from diasum.dialogue.formats.messages import UNDATED
from diasum.dialogue.formats.source import USUAL, Names, standard_input
from diasum.dialogue.nonspeech import left_out_in_words
from diasum.dialogue.text import one_line
from diasum.dialogue.turns import Dialogue, Turn
from diasum.errors import DiasumError, near_misses
from diasum.wording import counted


@dataclass(frozen=True, slots=True)
class Reading:
    """The user's options for reading exports.

    Attributes:
        format: one of `diasum.dialogue.formats.FORMATS`, or ``auto``.
        names: columns or keys of tables.
        split_pause: an export is cut into conversations where nobody writes for longer; None for no cuts.
        aliases: label to the label that stands for it, where one person has two.
        keep_nonspeech: whether what is not speech stays, as turns.
        renamed: labels that were met and for which an alias stood in; filled while dialogues are read.
    """

    format: str = "auto"
    names: Names = USUAL
    split_pause: timedelta | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    keep_nonspeech: bool = False
    renamed: set[str] = field(default_factory=set, compare=False)


@dataclass(frozen=True, slots=True)
class ReadDialogue:
    """A dialogue and how it was read.

    Attributes:
        id: the one that it was given with, or its file's name; None where it has but its place in the input.
        dialogue: what was said; among others it may be nothing.
        where: its file, and line or row.
        left_out: how many things that are not speech were left out, by kind (`diasum.dialogue.nonspeech.KINDS`).
        format: what it was read as, by name.
        reason: what it was read as, in words: ``WhatsApp export (Android), dates day first``.
        notes: what a reader should know.
        began: when its first turn was sent, by the clock of the export, where that names the day; turns' starts count from here.
        part: its place, from 1, among the conversations that an export was cut into at pauses.
        error: why a row is no conversation, with an empty dialogue; only of a source that is tolerant.
    """

    id: str | None
    dialogue: Dialogue
    where: str
    left_out: Counter[str] = field(default_factory=Counter)
    format: str = "plain"
    reason: str = ""
    notes: tuple[str, ...] = ()
    began: datetime | None = None
    part: int | None = None
    error: DiasumError | None = None


@checked_call()
def iter_dialogues(
    source: Path | str | bytes | IO[bytes],
    format: str = "auto",
    *,
    names: Names = USUAL,
    split_pause: str | timedelta | None = None,
    aliases: Mapping[str, str] | None = None,
    keep_nonspeech: bool = False,
) -> Iterator[ReadDialogue]:
    """Read conversations, one by one.

    Args:
        source: a file or folder (a `Path`, or a text that is the path of one), the content itself as text or bytes, or a binary stream.
        format: what it is in; ``auto``: what its content shows.
        names: the columns or keys of a table that hold conversation and id or, with a message per row, what joins them, where they have
            none of the usual names.
        split_pause: cut exports into conversations where nobody writes for longer: ``"8h"``, ``"30 minutes"``, ``"2d"``.
        aliases: ``{"Ana P.": "Ana"}`` where one person has two labels.
        keep_nonspeech: keep notices, placeholders of media and the like as turns; they are left out and counted else.

    Raises:
        DiasumError: nothing is there, it cannot be read, or two formats fit.
    """
    pause = split_pause if isinstance(split_pause, timedelta | None) else pause_of(split_pause)
    reading = Reading(format, names, pause, aliases or {}, keep_nonspeech)
    yield from read_source(_source(source, names), reading)


def read_source(source: Source, reading: Reading) -> Iterator[ReadDialogue]:
    """The dialogues of a source; as `iter_dialogues`."""
    if reading.format == "auto":
        name, (_, reason) = choose(source)
    else:
        name, reason = reading.format, f"{reading.format}, as asked for"
        if source.is_container and format_named(name).recognises(source.head) is None:
            name = MEMBERS
    if name == MEMBERS:
        yield from _read_members(source, reading)
        return
    if reading.names != USUAL and name != "table":
        if name != "plain" or not reading.names.group:
            raise _no_columns(source, name)
        name = "table"  # rows with commas or tabs, in a file without the ending of a table
    for conversation in format_named(name).read(source):
        if conversation.error is not None:
            yield ReadDialogue(None, Dialogue(()), conversation.where, format=name, error=conversation.error)
            continue
        conversation.reason = conversation.reason or reason
        if source.encoding_note:
            conversation.notes.append(f"{source.where}: {source.encoding_note}.")
        for part in _parts(conversation, reading):
            yield replace(part, format=name)


def _no_columns(source: Source, name: str) -> DiasumError:
    return DiasumError(
        f"{source.where} is read as {FORMATS[name]}, which has no columns.",
        hint="--dialogue-column, --id-column and --group-by are for tables: leave them out, or say --format table.",
    )


def _read_members(source: Source, reading: Reading) -> Iterator[ReadDialogue]:
    """The dialogues of a folder's or an archive's files, each file in its own format."""
    readable = [member for member in source.members if is_readable(member.within)]
    passed_over = [member.within for member in source.members if not is_readable(member.within)]
    count = 0
    for member in readable:
        if not PurePosixPath(member.within).suffix and not _is_text(member):
            passed_over.append(member.within)
            continue
        for one in _read_member(member, reading):
            if len(readable) == 1 and one.id and member.stem and one.id.startswith(member.stem):
                one = replace(one, id=f"{source.stem or member.stem}{one.id.removeprefix(member.stem)}")
            if not count and passed_over:
                one = replace(one, notes=(*one.notes, f"{source.where}: {not_read(passed_over)} not read."))
            count += 1
            yield one
    if not count:
        raise DiasumError(
            f"{source.where} has no file that conversations could be read from; found {not_read(passed_over)}.",
            hint="Expected texts, tables, subtitles, or the files that a messenger exports.",
        )


def _read_member(member: Source, reading: Reading) -> Iterator[ReadDialogue]:
    try:
        yield from read_source(member, reading)
    except DiasumError as error:
        if not member.tolerant:
            raise
        yield ReadDialogue(None, Dialogue(()), member.where, error=error)


def _is_text(source: Source) -> bool:
    """Whether a file whose name does not tell is text at all."""
    try:
        return bool(source.encoding)
    except DiasumError:
        return False


def pause_of(text: str) -> timedelta:
    """A length of time such as ``8h``, ``30 minutes`` or ``2d``.

    Raises:
        DiasumError: it is none.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", text.lower())
    unit = next((unit for unit in ("minutes", "hours", "days", "weeks") if match and unit.startswith(match[2])), None)
    if match is None or unit is None or not float(match[1]):
        raise DiasumError(
            f"data.split_pause: expected a length of time, found `{text}`.", hint="For example 30m, 8h or 2d."
        )
    return timedelta(**{unit: float(match[1])})


def _source(source: Path | str | bytes | IO[bytes], names: Names) -> Source:
    if isinstance(source, bytes):
        return Source.of_bytes(source, "the bytes", names=names)
    if isinstance(source, Path):
        return Source.of_path(source, names)
    if isinstance(source, str):
        if "\n" not in source and len(source) < 4096 and "\0" not in source and os.path.exists(source):
            return Source.of_path(Path(source), names)
        return Source.of_bytes(source.encode("utf-8", "surrogatepass"), "the text", names=names)
    return standard_input(source, names)


def _parts(conversation: Conversation, reading: Reading) -> Iterator[ReadDialogue]:
    """The conversation as one dialogue, or as several where it pauses."""
    pause = reading.split_pause if conversation.may_split else None
    part, number = _Part(conversation, reading), 1
    timed = False
    for message in conversation.messages:
        if pause and part.ended_before(message, pause):
            yield part.read(number)
            part, number = _Part(conversation, reading), number + 1
        part.add(message)
        timed = timed or message.time is not None
    if reading.split_pause and not timed:
        conversation.notes.append("Conversations whose messages have no dates and times were not cut at pauses.")
    yield part.read(number if pause and timed else None)


class _Part:
    """A dialogue whose messages are being collected."""

    def __init__(self, conversation: Conversation, reading: Reading) -> None:
        self.conversation, self.reading = conversation, reading
        self.turns: list[Turn] = []
        self.left_out: Counter[str] = Counter()
        self.began: datetime | None = None
        self.last: datetime | None = None
        self.line: int | str | None = None

    def ended_before(self, message: Message, pause: timedelta) -> bool:
        gap = None if message.reply else _between(self.last, message.time)
        return bool(self.turns) and gap is not None and gap > pause.total_seconds()

    def add(self, message: Message) -> None:
        self.last = self.last if message.reply else message.time or self.last
        if self.line is None:
            self.line = message.source
        if message.kind is not None:
            self._leave_out(message.kind, message, message.text)
        elif one_line(message.text):
            self._say(message)
        elif not message.asides:
            self._leave_out("empty", message, "")
        for aside in message.asides:
            self._leave_out(aside.kind, message, aside.text)

    def _leave_out(self, kind: str, message: Message, text: str) -> None:
        if self.reading.keep_nonspeech:
            if text.strip():
                self._say(replace(message, text=text))
        else:
            self.left_out[kind] += 1

    def _say(self, message: Message) -> None:
        speaker = one_line(message.speaker)
        if speaker in self.reading.aliases:
            self.reading.renamed.add(speaker)
        if self.began is None:
            self.began = message.time
        start = message.start if message.start is not None else _between(self.began, message.time)
        self.turns.append(
            Turn(
                self.reading.aliases.get(speaker, speaker),
                one_line(message.text),
                start,
                message.end,
                source=message.source,
            )
        )

    def read(self, number: int | None) -> ReadDialogue:
        """The dialogue of the messages so far; `number` is its place among the parts of a conversation that is cut."""
        conversation = self.conversation
        identifier, where, notes = conversation.id, conversation.where, list(conversation.notes)
        if number is not None:
            identifier = f"{identifier}-{number}" if identifier else None
            where = f"{where}, from line {self.line}" if isinstance(self.line, int) else where
        dialogue = Dialogue(tuple(self.turns))
        if not dialogue.is_empty and not dialogue.speakers:
            notes.append(
                f"No speaker was found in {where}: its lines are read as words that nobody in particular says."
            )
        return ReadDialogue(
            identifier,
            dialogue,
            where,
            self.left_out,
            "",
            conversation.reason or "",
            tuple(notes),
            self.began if self.began and self.began.year > UNDATED.year else None,
            number,
        )


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    """Seconds from one time to another; None where one is not known, or only one of them knows its time zone or its day."""
    if begin is None or end is None or (begin.tzinfo is None) != (end.tzinfo is None):
        return None
    if (begin.year == UNDATED.year) != (end.year == UNDATED.year):
        return None
    return (end - begin).total_seconds()


def reading_of(
    format_: str | None = None,
    names: Names = USUAL,
    *,
    split_pause: str | None = None,
    aliases: Iterable[str] | Mapping[str, str] | None = None,
    keep_nonspeech: bool = False,
) -> Reading:
    """The options and settings, checked.

    Args:
        format_: the format; None for what the content shows.
        names: as `Reading`.
        split_pause: as `iter_dialogues`.
        aliases: as `iter_dialogues`, or ``"Ana P.=Ana"``, as the option has them.
        keep_nonspeech: as `Reading`.

    Raises:
        DiasumError: there is no such format, no length of time or no ``=``.
    """
    if format_ not in (None, "auto"):
        format_named(str(format_))
    pause = None if split_pause is None else pause_of(split_pause)
    if not isinstance(aliases, Mapping):
        aliases = aliases_of(aliases or ())
    return Reading(format_ or "auto", names, pause, aliases, keep_nonspeech)


def check_aliases(reading: Reading, dialogues: Iterable[ReadDialogue]) -> None:
    """Refuse aliases of labels that nobody has.

    Raises:
        DiasumError: with the labels that there are.
    """
    for label in reading.aliases.keys() - reading.renamed:
        speakers = {speaker for one in dialogues for speaker in one.dialogue.speakers}
        raise DiasumError(
            f"No speaker has the label `{label}`, for which an alias is given.", hint=near_misses(label, speakers)
        )


def aliases_of(items: Iterable[str]) -> dict[str, str]:
    """`--alias "Ana P.=Ana"` options as a mapping; raises DiasumError where one has no ``=``."""
    aliases = {}
    for item in items:
        label, sign, name = (part.strip() for part in item.partition("="))
        if not sign or not label or not name:
            raise DiasumError(f"--alias expects LABEL=NAME, found `{item}`.", hint='For example: --alias "Ana P.=Ana"')
        aliases[label] = name
    return aliases


def readings(dialogues: Iterable[ReadDialogue]) -> Iterator[str]:
    """Report how conversations were read, one sentence per line: choices and reasons, what was left out, and notes, each once.

    For plain text and tables, which are what they look like, only the notes are reported.
    """
    left_out: dict[str, Counter[str]] = {}
    notes: dict[str, None] = {}
    parts: Counter[str] = Counter()
    for one in dialogues:
        parts[one.reason] += one.part is not None
        if one.format not in _EXPECTED or one.left_out:
            left_out.setdefault(one.reason, Counter()).update(one.left_out)
        notes |= dict.fromkeys(one.notes)
    for reason, counts in left_out.items():
        words = left_out_in_words(counts)
        cut = f"; cut into {counted(parts[reason], 'conversation')} at pauses" if parts[reason] else ""
        yield f"read as: {reason}{cut}{f'; left out: {words}' if words else ''}"
    yield from (f"note: {note}" for note in notes)


_EXPECTED = ("plain", "table")
