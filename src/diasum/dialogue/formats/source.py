"""A file, folder, text or stream of bytes that conversations are read from, as often and as far as a format needs it.

In: a path, bytes or text. Out: its beginning (`head`), numbered lines, whole text, or JSON, decoded by the encoding that it is found to
have. Everything but `text` and `tree` is a stream: a file need not fit into memory.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import IO, Any, cast

from diasum.dialogue.files.decoding import LONGEST_LINE, MIB
from diasum.dialogue.formats.encoding import Encoding, find_encoding
from diasum.dialogue.formats.head import Head
from diasum.errors import DiasumError, near_path
from diasum.json_lines import json_file

HEAD_BYTES = 64 * 1024
MOST_BYTES = 256 * MIB  # of anything that must be in memory as a whole
MOST_IN_MEMORY = 16 * MIB  # of a stream; more goes to a temporary file


@dataclass(frozen=True, slots=True)
class Names:
    """Columns or keys that the user names: that of the conversation and of its id."""

    dialogue: str | None = None
    id: str | None = None


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
    """

    where: str
    open_raw: Callable[[], IO[bytes]] = field(repr=False)
    path: Path | None = None
    name: str = ""
    names: Names = USUAL

    @classmethod
    def of_path(cls, path: Path, names: Names = USUAL) -> Source:
        """Raises DiasumError where nothing is there or it may not be read."""
        _check_there(path)
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

    @cached_property
    def head(self) -> Head:
        """The beginning, and what the name says; raises DiasumError where it cannot be read."""
        with self._readable(), self.open() as handle:
            content = handle.read(HEAD_BYTES + 1)
        whole, content = len(content) <= HEAD_BYTES, content[:HEAD_BYTES]
        name = self.name.removesuffix(".gz")
        text = "" if b"\0" in content[:4] and not content.startswith(b"\xff\xfe") else _lenient(content)
        return Head(name, content, text, whole)

    @cached_property
    def encoding(self) -> Encoding:
        """How the bytes are decoded; raises DiasumError if they are not text."""
        with self._readable():
            return find_encoding(self.open, self.where)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Numbered lines without their line ends; a carriage return ends a line, too, other line separators do not.

        Raises:
            DiasumError: it is not text, it is damaged, or a line is far too long.
        """
        encoding = self.encoding
        number = 0
        with self._readable(lambda: f" (after line {number:,})"), self.open() as handle:
            text = io.TextIOWrapper(handle, encoding.name, errors="replace", newline=None)
            while line := text.readline(LONGEST_LINE + 1):
                number += 1
                if len(line) > LONGEST_LINE:
                    raise DiasumError(
                        f"{self.where}, line {number}: longer than {LONGEST_LINE // MIB} MiB.",
                        hint="The file may lack line breaks.",
                    )
                yield number, line.removesuffix("\n")

    def text(self) -> str:
        """All of it, with the ends of lines as they are.

        Raises:
            DiasumError: it is not text, it is damaged, or too large to be read as a whole.
        """
        with self._readable(), self.open() as handle:
            content = handle.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise DiasumError(
                f"{self.where} is larger than {MOST_BYTES // MIB} MiB.", hint="Split it into several files."
            )
        return content.decode(self.encoding.name, errors="replace")

    def json(self) -> Any:
        """Its one JSON value; raises DiasumError as `text`, and where it is not JSON."""
        return json_file(self.text(), self.where)

    def _readable(self, after: Callable[[], str] = str) -> _Readable:
        return _Readable(self, after)


class _Readable:
    """Turns what goes wrong when a file is read into errors for its user."""

    def __init__(self, source: Source, after: Callable[[], str]) -> None:
        self.source, self.after = source, after

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: Any) -> None:
        where = self.source.where
        if isinstance(error, gzip.BadGzipFile | EOFError | zlib.error):
            raise DiasumError(
                f"{where} is not a readable gzip file{self.after()}: {error}.",
                hint="It may be incomplete: download or copy it again.",
            ) from None
        if isinstance(error, OSError):
            path = self.source.path
            hint = "Give the files in it." if path is not None and path.is_dir() else None
            raise DiasumError(f"{where} cannot be read: {error.strerror or error}.", hint=hint) from None


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
        if ": " in text or len(text) > 255:
            raise DiasumError(
                f"No file at {text if len(text) <= 60 else f'{text[:57]}...'}",
                hint="Arguments are files. To summarise a text, pipe it in: echo 'Ana: Lunch?' | diasum summarize",
            ) from None
        raise DiasumError(f"No file at {file}.", hint=near_path(file) or "Check its name and folder.") from None
