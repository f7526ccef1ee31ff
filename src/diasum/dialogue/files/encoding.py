"""The encoding of a file: detected, reported, and read.

In: a file. Out: the codec's name and, where it is not UTF-8, a note for the user. The whole file is looked at, in blocks.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from diasum.dialogue.files.decoding import (
    DAMAGED_GZIP,
    damaged_gzip,
    kind_of_binary,
    numbered,
    open_file,
    utf16_of,
)
from diasum.errors import DiasumError

_BLOCK = 1 << 20
_SAMPLE = 64 * 1024


class Encoding(NamedTuple):
    """A codec, by its name in Python, and a note about it; None if there is nothing to note."""

    name: str
    note: str | None = None


def find_encoding(open_: Callable[[], IO[bytes]], where: str) -> Encoding:
    """The encoding of a file: UTF-8 if all or nearly all of it is, otherwise what its bytes look like.

    Raises:
        DiasumError: it is not text.
    """
    with open_() as handle:
        first = handle.read(_SAMPLE)
    if kind := kind_of_binary(first):
        raise _no_text(where, kind)
    if encoding := utf16_of(first):
        return Encoding(encoding, f"it is {encoding} text")
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, before, above_ascii = 1, b"", False
    with open_() as handle:
        while True:
            block = handle.read(_BLOCK)
            try:
                above_ascii = not decoder.decode(block, final=not block).isascii() or above_ascii
            except UnicodeDecodeError as error:
                if not block and (len(error.object) > 1 or above_ascii):
                    return Encoding("utf-8-sig", "it ends in the middle of a letter")
                sample = (before + error.object)[-2 * _SAMPLE :] if not block else error.object[: error.start + _SAMPLE]
                line += block[: error.start].count(b"\n")
                return _other(sample[-2 * _SAMPLE :], line, error.object[error.start], where)
            if not block:
                return Encoding("utf-8-sig")
            line, before = line + block.count(b"\n"), block


def text_lines(path: Path) -> tuple[Iterator[tuple[int, str]], list[str]]:
    """Numbered lines of a text file, with their ends, and notes about its encoding, whatever that is.

    Raises:
        DiasumError: it is not text or damaged; while reading, a line is far too long.
    """
    try:
        encoding = find_encoding(lambda: open_file(path), str(path))
    except DAMAGED_GZIP as error:
        raise damaged_gzip(path, error) from None
    return _decoded(path, encoding.name), [f"{path}: {encoding.note}."] if encoding.note else []


def _decoded(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    with io.TextIOWrapper(open_file(path), encoding, errors="replace", newline="\n") as text:
        yield from numbered(text.readline, path)


def _other(sample: bytes, line: int, byte: int, where: str) -> Encoding:
    if b"\0" in sample:
        raise _no_text(where, f"bytes that are not text (line {line:,})")
    undecodable = f"byte 0x{byte:02x} in line {line:,} is no UTF-8"
    lenient = sample.decode("utf-8", errors="replace")
    wrong = lenient.count("\ufffd")
    if sum(ord(letter) > 127 for letter in lenient) - wrong > 10 * wrong:
        return Encoding("utf-8-sig", f"{undecodable}: damaged letters were replaced by \ufffd")
    name = _likely(sample)
    return Encoding(name, f"{undecodable}: read as {name}")


def _likely(sample: bytes) -> str:
    """A few bytes are too little to tell one-byte encodings apart: the most common one is assumed."""
    if sum(byte > 127 for byte in sample) >= 20:
        from charset_normalizer import from_bytes

        if best := from_bytes(sample).best():
            return str(best.encoding)
    return "cp1252"


def _no_text(where: str, kind: str) -> DiasumError:
    return DiasumError(
        f"{where}: expected text, found {kind}.",
        hint="Export it as text: a conversation as lines such as `Anna: Are you coming?`, a table as csv or jsonl, a chat of Telegram "
        "or Discord as JSON.",
    )
