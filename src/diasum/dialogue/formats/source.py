"""A file, folder, text or stream of bytes that conversations are read from, as often and as far as a format needs it.

In: a path, bytes or text. Out: its beginning (`head`), numbered lines, whole text, or JSON, decoded by the encoding that it is found to
have. Everything but `text` and `tree` is a stream: a file need not fit into memory.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import queue
import shutil
import tempfile
import threading
import weakref
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any, cast

from diasum.dialogue.files.decoding import LONGEST_LINE, MIB
from diasum.dialogue.files.encoding import Encoding, find_encoding
from diasum.dialogue.formats.archive import EMPTY_ZIP, ZIP, refusal, sources_in
from diasum.dialogue.formats.head import Head
from diasum.errors import DiasumError, near_path
from diasum.json_lines import json_file

HEAD_BYTES = 64 * 1024
MOST_BYTES = 256 * MIB  # of anything that must be in memory as a whole
PATIENCE = 3.0  # seconds that a pipe without a writer is waited for
MOST_IN_MEMORY = 16 * MIB  # of a stream; more goes to a temporary file


@dataclass(frozen=True, slots=True)
class Names:
    """Columns or keys that the user names: of the conversation, of its id, and of what joins the rows of a table with a message per row."""

    dialogue: str | None = None
    id: str | None = None
    group: str | None = None


USUAL = Names()


@dataclass(frozen=True)
class Source:
    """Something to read conversations from.

    Attributes:
        where: what to call it in messages: its path, or ``standard input``.
        open_raw: opens its bytes from the beginning, as stored; may be called again and again.
        path: the file, if it is one on disk.
        name: the file's name, without folders; empty for standard input and texts.
        names: what the user says of its columns.
        within: its path within the folder or archive that it is a member of; empty of others.
        tolerant: a row or member that is no conversation is handed on as such (`Conversation.error`), and the next ones are read.
        passed_over: asked before each row of a table; where it says so, an empty conversation stands for the row, which need not be read.
    """

    where: str
    open_raw: Callable[[], IO[bytes]] = field(repr=False)
    path: Path | None = None
    name: str = ""
    names: Names = USUAL
    within: str = ""
    tolerant: bool = False
    passed_over: Callable[[], bool] | None = field(default=None, repr=False)

    @classmethod
    def of_path(cls, path: Path, names: Names = USUAL) -> Source:
        """Raises DiasumError where nothing is there or it may not be read; a pipe is read now, as it can be read only once."""
        _check_there(path)
        if path.is_fifo():
            with open_pipe(path) as pipe:
                return standard_input(pipe, names, str(path))
        return cls(str(path), lambda: path.open("rb"), path, path.name, names)

    @classmethod
    def of_bytes(cls, content: bytes, where: str, name: str = "", names: Names = USUAL) -> Source:
        return cls(where, lambda: io.BytesIO(content), None, name, names)

    @property
    def encoding_note(self) -> str | None:
        """A note about the encoding, if it was looked at."""
        encoding = self.__dict__.get("encoding")
        return encoding.note if isinstance(encoding, Encoding) else None

    @property
    def stem(self) -> str | None:
        """The file's name without its ending, as the id of the one conversation in it; None where it has no name."""
        return Path(self.name.removesuffix(".gz")).stem if self.name else None

    def open(self) -> IO[bytes]:
        """The content, decompressed where it is gzipped, as its name or its first bytes say."""
        if not self._gzipped:
            return self.open_raw()
        return cast(IO[bytes], gzip.open(self.path if self.path is not None else self.open_raw()))

    @cached_property
    def _gzipped(self) -> bool:
        if self.name.lower().endswith(".gz"):
            return True
        with self.open_raw() as handle:
            return handle.read(3) == b"\x1f\x8b\x08"

    @property
    def is_container(self) -> bool:
        """Whether it is a folder or a zip archive."""
        if self.path is not None and self.path.is_dir():
            return True
        return self.head.content.startswith((ZIP, EMPTY_ZIP))

    @cached_property
    def members(self) -> tuple[Source, ...]:
        """What is inside of a folder or a zip archive, as sources of their own; nothing of other files.

        Raises:
            DiasumError: as `diasum.dialogue.formats.archive`.
        """
        if self.path is not None and self.path.is_dir():
            return sources_in(self)
        with self.readable(), self.open_raw() as handle:
            zipped = handle.read(4) in (ZIP, EMPTY_ZIP)
        return sources_in(self) if zipped else ()

    def member(self, within: str) -> Source | None:
        """The member of that path, if there is one."""
        return next((one for one in self.members if one.within == within), None)

    @cached_property
    def head(self) -> Head:
        """The beginning, and what the name says; raises DiasumError where it cannot be read."""
        if self.path is not None and self.path.is_dir():
            return Head(self.name, members=tuple(one.within for one in self.members))
        with self.readable(), self.open() as handle:
            content = handle.read(HEAD_BYTES + 1)
        whole, content = len(content) <= HEAD_BYTES, content[:HEAD_BYTES]
        name = self.name.removesuffix(".gz")
        text = "" if b"\0" in content[:4] and not content.startswith(b"\xff\xfe") else _lenient(content)
        members = tuple(one.within for one in self.members) if content.startswith((ZIP, EMPTY_ZIP)) else ()
        return Head(name, content, "" if members else text, whole, members)

    @cached_property
    def encoding(self) -> Encoding:
        """How the bytes are decoded; raises DiasumError if they are not text."""
        with self.readable():
            return find_encoding(self.open, self.where)

    def open_utf8(self) -> IO[bytes]:
        """The content as UTF-8 without a mark of byte order, whatever encoding it is in."""
        encoding = self.encoding
        handle = self.open()
        if encoding == Encoding("utf-8-sig"):
            buffered = io.BufferedReader(cast(io.RawIOBase, handle))
            if buffered.peek(3).startswith(b"\xef\xbb\xbf"):
                buffered.read(3)
            return cast(IO[bytes], buffered)
        return cast(IO[bytes], _Recoded(io.TextIOWrapper(handle, encoding.name, errors="replace")))

    def lines(self) -> Iterator[tuple[int, str]]:
        """Numbered lines without their line ends; a carriage return ends a line, too, other line separators do not.

        Raises:
            DiasumError: it is not text, it is damaged, or a line is far too long.
        """
        for number, line in self.each_line():
            if isinstance(line, DiasumError):
                raise line
            yield number, line

    def each_line(self) -> Iterator[tuple[int, str | DiasumError]]:
        """As `lines`; in the place of a line that is far too long the error that tells so."""
        encoding = self.encoding
        number = 0
        with self.readable(lambda: f" (after line {number:,})"), self.open() as handle:
            text = io.TextIOWrapper(handle, encoding.name, errors="replace", newline=None)
            while line := text.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) <= LONGEST_LINE:
                    yield number, line.removesuffix("\n")
                    continue
                yield (
                    number,
                    DiasumError(
                        f"{self.where}, line {number}: longer than {LONGEST_LINE // MIB} MiB.",
                        hint="The file may lack line breaks.",
                    ),
                )
                while line and not line.endswith("\n"):
                    line = text.readline(MIB)

    def text(self) -> str:
        """All of it, with the ends of lines as they are.

        Raises:
            DiasumError: it is not text, it is damaged, or too large to be read as a whole.
        """
        with self.readable(), self.open() as handle:
            content = handle.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise DiasumError(
                f"{self.where} is larger than {MOST_BYTES // MIB} MiB.", hint="Split it into several files."
            )
        return content.decode(self.encoding.name, errors="replace")

    def json(self) -> Any:
        """Its one JSON value; raises DiasumError as `text`, and where it is not JSON."""
        return json_file(self.text(), self.where)

    @contextlib.contextmanager
    def readable(self, after: Callable[[], str] = str) -> Iterator[None]:
        """Turns what goes wrong when it is read into errors for its user; `after` says how far it was read."""
        try:
            yield
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            kind = "damaged" if self.within else "not a readable gzip file"
            raise DiasumError(
                f"{self.where} is {kind}{after()}: {error}.",
                hint="It may be incomplete: download or copy it again.",
            ) from None
        except OSError as error:
            raise DiasumError(f"{self.where} cannot be read: {error.strerror or error}.") from None
        except (zipfile.BadZipFile, RuntimeError) as error:
            if refused := refusal(error, self.where):
                raise refused from None
            raise


def standard_input(stream: IO[bytes], names: Names = USUAL, where: str = "standard input") -> Source:
    """What a stream holds, which can be read only once: kept in memory while it is small, otherwise in a temporary file."""
    content = stream.read(MOST_IN_MEMORY + 1)
    if len(content) <= MOST_IN_MEMORY:
        return Source.of_bytes(content, where, names=names)
    file = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the source)
    file.write(content)
    del content
    shutil.copyfileobj(stream, file)
    source = Source(where, lambda: cast(IO[bytes], io.BufferedReader(_Kept(file))), names=names)
    weakref.finalize(source, file.close)
    return source


def open_pipe(path: Path) -> IO[bytes]:
    """A named pipe, such as ``<(command)`` makes, for reading.

    Raises:
        DiasumError: nobody opens it for writing within `PATIENCE`.
    """
    opened: queue.SimpleQueue[IO[bytes]] = queue.SimpleQueue()
    threading.Thread(target=lambda: opened.put(path.open("rb")), daemon=True).start()
    try:
        return opened.get(timeout=PATIENCE)
    except queue.Empty:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))  # the thread waits no longer
        opened.get().close()
        raise DiasumError(
            f"{path} is a named pipe that nobody writes to.", hint="Start what writes to it, or give a file."
        ) from None


class _Recoded(contextlib.AbstractContextManager["_Recoded"]):
    """Text as a stream of its UTF-8 bytes."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text = text

    def __exit__(self, *_: object) -> None:
        self.text.close()

    def read(self, size: int = -1) -> bytes:
        return self.text.read(size).encode("utf-8", "replace")


class _Kept(io.RawIOBase):
    """A view of a file from its beginning, with a place of its own; closing it leaves the file open."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.place = file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.file.seek(self.place)
        content = self.file.read(len(buffer))
        buffer[: len(content)] = content
        self.place += len(content)
        return len(content)

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            self.place = self.file.seek(offset, whence)
        else:
            self.place = offset + (self.place if whence == io.SEEK_CUR else 0)
        return self.place


def _lenient(content: bytes) -> str:
    for mark, name in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig")):
        if content.startswith(mark):
            return content.decode(name, errors="ignore")
    return content.decode("utf-8", errors="replace")


def _check_there(file: Path) -> None:
    try:
        file.stat()
    except PermissionError:
        raise DiasumError(
            f"{file} cannot be read: permission denied.", hint="Change its folder's permissions."
        ) from None
    except (OSError, ValueError):  # none, or a text that cannot even be a path
        text = " ".join(str(file).split())
        if os.path.islink(file):
            raise DiasumError(
                f"{file} is a symbolic link that leads to no file.", hint="Give the file itself, or mend the link."
            ) from None
        if ": " in text or len(text) > 255:
            raise DiasumError(
                f"No file at {text if len(text) <= 60 else f'{text[:57]}...'}",
                hint="Arguments are files. To summarise a text, pipe it in: echo 'Ana: Lunch?' | diasum summarize",
            ) from None
        raise DiasumError(f"No file at {file}.", hint=near_path(file) or "Check its name and folder.") from None
