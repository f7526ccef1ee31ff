"""Bytes to text, or what they are instead and what to do about it.

In: a file, plain or gzipped, or its bytes. Out: text, without the mark of byte order.
"""

from __future__ import annotations

import gzip
import re
import shlex
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from diasum.errors import DiasumError

DAMAGED_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)
MIB = 1024 * 1024
LONGEST_LINE = 64 * MIB  # about a thousand hours of talk; more is a file without line breaks
_NO_TEXT = {
    b"%PDF-": "a PDF file",
    b"PK\x03\x04": "a zip archive, as xlsx and docx files are",
    b"\x1f\x8b": "a gzip file, whose name must end in .gz",
    b"\xd0\xcf\x11\xe0": "an old Office file (xls or doc)",
    b"{\\rtf": "a text with its formatting (RTF)",
    b"\0\0\0\0": "zeros, as in a file of which only the length was written",
}
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[\s>]|<!doctype\s+html|<html[\s>])", re.I)

_Line = TypeVar("_Line", str, bytes)


def decode(raw: bytes, where: str, name: str, *, first: bool = True) -> str:
    """UTF-8 to text, without the mark of byte order.

    Args:
        raw: a file's bytes, or those of one line.
        where: what to call it in errors.
        name: the file's path, for the command that converts it.
        first: whether these are the file's first bytes.

    Raises:
        DiasumError: it is not UTF-8; the hint has the command for what it seems to be, if it seems to be text.
    """
    encoding = utf16_of(raw) if first else ""
    if encoding:
        raise _not_utf8(where, "a UTF-16 mark" if encoding == "UTF-16" else f"{encoding} text", encoding, name)
    kind = kind_of_binary(raw) if first else ""
    try:
        if not kind:
            return raw.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError as error:
        if b"\0" not in raw:
            undecodable = f"byte 0x{raw[error.start]:02x} at position {error.start + 1}"
            raise _not_utf8(where, undecodable, "WINDOWS-1252", name) from None
    raise DiasumError(
        f"{where}: expected UTF-8 text, found {kind or 'bytes that are not text'}.",
        hint="Export it as text: a conversation as lines such as `Anna: Are you coming?`, a table as csv or jsonl.",
    )


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines with their ends of a file in UTF-8, decoded one by one so that a wrong byte has a line number.

    Raises:
        DiasumError: not UTF-8, a line that is far too long, or a damaged gzip file.
    """
    with open_file(path) as handle:
        for number, raw in numbered(handle.readline, path):
            yield number, decode(raw, f"{path}, line {number}", str(path), first=number == 1)


def numbered(readline: Callable[[int], _Line], path: Path) -> Iterator[tuple[int, _Line]]:
    """The lines that a file's `readline` gives, with their numbers; raises DiasumError as `read_lines`."""
    number = 0
    try:
        while line := readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise DiasumError(
                    f"{path}, line {number}: longer than {LONGEST_LINE // MIB} MiB.",
                    hint="Expected one conversation per line; the file may lack line breaks.",
                )
            yield number, line
    except DAMAGED_GZIP as error:
        raise damaged_gzip(path, error, f" (after line {number})") from None


def damaged_gzip(path: Path, error: Exception, after: str = "") -> DiasumError:
    """The error for a gzip file that cannot be read on; `after` says how far it was read."""
    return DiasumError(
        f"{path} is not a readable gzip file{after}: {error}", hint="It may be incomplete; download or copy it again."
    )


def open_file(path: Path) -> BinaryIO:
    """A file's bytes, decompressed where its name ends in ``.gz``."""
    if path.name.lower().endswith(".gz"):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def kind_of_binary(first: bytes) -> str:
    """What a file's first bytes say that it is instead of text; empty where they say nothing of the kind."""
    if markup := _MARKUP.match(first):
        return "an XML file" if b"xml" in markup[0].lower() else "a web page (HTML)"
    return next((kind for magic, kind in _NO_TEXT.items() if first.startswith(magic)), "")


def utf16_of(raw: bytes) -> str:
    """The UTF-16 that a file begins with: by its mark or, without one, by letters that are zero in every other byte; empty if none."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16"
    high, low = raw[::2].count(0), raw[1::2].count(0)
    if bool(high) == bool(low) or max(high, low) < max(4, len(raw) / 4):
        return ""
    return "UTF-16BE" if high else "UTF-16LE"


def _not_utf8(where: str, undecodable: str, encoding: str, name: str) -> DiasumError:
    path = Path(name)
    converted = shlex.quote(str(path.with_name(f"utf8.{path.name.removesuffix('.gz')}")))
    convert = f"iconv -f {encoding} -t UTF-8"
    name = shlex.quote(name)
    command = (
        f"gzip -dc {name} | {convert} > {converted}" if path.suffix == ".gz" else f"{convert} {name} > {converted}"
    )
    return DiasumError(
        f"{where}: expected UTF-8 text, found {undecodable}.", hint=f"Convert it, for example: {command}"
    )
