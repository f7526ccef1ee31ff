"""E-mails as they are stored, one by one: who wrote to whom, when, in answer to what, and the text.

In: a stream of bytes in the form of an mbox (RFC 4155: each message below a line ``From ...``), or one message (RFC 5322). Out: `Mail`,
with the text of its plain part or, where there is none, of its HTML. Memory holds one message at a time; what is attached is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message as Stored
from email.utils import parseaddr, parsedate_to_datetime
from typing import IO

from diasum.dialogue.files.decoding import MIB
from diasum.dialogue.formats.messages import Aside
from diasum.dialogue.markup import text_of_html
from diasum.errors import DiasumError

LARGEST = 256 * MIB  # of one message with what is attached
_SEPARATOR = re.compile(rb"^From (?:\S+|-) .*\d{2}:\d{2}")
_ESCAPED = re.compile(rb"^>(>*From )")
_IDS = re.compile(r"<[^<>\s]{1,500}>")
_REPLY = re.compile(
    r"^\s*(?:(?:re|fwd?|aw|wg|sv|vs|antw|odp|tr|rif|res|enc)(?:\[\d+\])?\s*[:：]|\[[^\]]{1,40}\])\s*", re.I
)


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail.

    Attributes:
        number: its place in the file, counted from 1.
        id: its message id; empty where it has none.
        parents: ids of the messages that it answers.
        name: who wrote it; the part before the ``@`` where only an address is there.
        address: in lower case.
        subject: as written.
        time: when it was sent.
        text: the whole text with quotes.
        asides: what is attached.
    """

    number: int
    id: str
    parents: tuple[str, ...]
    name: str
    address: str
    subject: str
    time: datetime | None
    text: str
    asides: tuple[Aside, ...]

    @property
    def topic(self) -> str:
        """The subject without what mail programs put before it, as answers share it."""
        subject, before = " ".join(self.subject.split()), ""
        while subject != before:
            before, subject = subject, _REPLY.sub("", subject, count=1)
        return subject

    @property
    def is_answer(self) -> bool:
        return bool(self.parents) or _REPLY.match(self.subject) is not None


def is_separator(line: bytes) -> bool:
    """Whether a line begins a message of an mbox."""
    return _SEPARATOR.match(line) is not None


def mails(handle: IO[bytes], where: str) -> Iterator[Mail]:
    """The messages of an mbox, or the one message of another file.

    Raises:
        DiasumError: a message is far too large.
    """
    for number, content in enumerate(_contents(handle, where), 1):
        yield _mail(message_from_bytes(content), number)


def _contents(handle: IO[bytes], where: str) -> Iterator[bytes]:
    lines: list[bytes] = []
    size, number, blank, is_mbox = 0, 0, True, False
    while line := handle.readline(LARGEST):
        if number == 0 and not lines:
            line = line.removeprefix(b"\xef\xbb\xbf")
            is_mbox = is_separator(line)
        if is_mbox and blank and is_separator(line):
            if number:
                yield b"".join(lines)
            lines, size, number = [], 0, number + 1
            blank = False
            continue
        lines.append(_ESCAPED.sub(rb"\1", line) if is_mbox else line)
        size += len(line)
        blank = not line.strip()
        if size > LARGEST:
            raise DiasumError(
                f"{where}: message {max(number, 1):,} is larger than {LARGEST // MIB} MiB.",
                hint="Remove what is attached to it.",
            )
    if lines or number:
        yield b"".join(lines)


def _mail(stored: Stored, number: int) -> Mail:
    name, address = parseaddr(_header(stored, "From"))
    text, asides = _text(stored)
    parents = _IDS.findall(_header(stored, "References")) + _IDS.findall(_header(stored, "In-Reply-To"))
    identifier = _IDS.search(_header(stored, "Message-ID"))
    return Mail(
        number,
        identifier[0] if identifier else "",
        tuple(dict.fromkeys(parents)),
        " ".join(name.split()) or address.partition("@")[0],
        address.lower(),
        _header(stored, "Subject"),
        _time(_header(stored, "Date")),
        text,
        asides,
    )


def _header(stored: Stored, name: str) -> str:
    value = stored.get(name)
    if value is None:
        return ""
    try:
        return str(make_header(decode_header(value)))
    except (MessageError, LookupError, ValueError):  # an encoding that there is not, or letters that are not in it
        return str(value)


def _time(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _text(stored: Stored) -> tuple[str, tuple[Aside, ...]]:
    """The words of a message, and what comes with them: files, images."""
    plain: list[str] = []
    html: list[str] = []
    asides: list[Aside] = []
    for part in stored.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        name = _file_name(part)
        if part.get_content_disposition() == "attachment" or name or not kind.startswith("text/"):
            asides.append(Aside("media" if kind.startswith(("image/", "audio/", "video/")) else "file", name or kind))
        elif kind == "text/html":
            html.append(text_of_html(_decoded(part)))
        elif kind == "text/plain":
            plain.append(_decoded(part))
        else:
            asides.append(Aside("file", kind))
    texts = plain if any(text.strip() for text in plain) else html
    return "\n".join(texts), tuple(asides)


def _file_name(part: Stored) -> str:
    try:
        return part.get_filename() or ""
    except (MessageError, LookupError, ValueError, TypeError):
        return "a file"


def _decoded(part: Stored) -> str:
    try:
        content = part.get_payload(decode=True)
    except (MessageError, ValueError, LookupError):
        content = None
    if not isinstance(content, bytes):
        return str(part.get_payload())
    for charset in (part.get_content_charset() or "utf-8", "utf-8", "cp1252"):
        try:
            return content.decode(charset)
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return content.decode("utf-8", "replace")
