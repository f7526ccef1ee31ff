"""Read conversations to summarise: text files with one conversation each, tables with many, or standard input.

In: paths or a stream. Out: named conversations in the order given. Text is never refused for its form; what looks like JSON is read as
one conversation (an object or a list of turns), as many (a list of them) or as jsonl, whichever it turns out to be.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from diasum.data.columns import ID_NAMES, find_name, unique
from diasum.data.readers import decode, format_of, loads, read_path
from diasum.dialogue import Dialogue
from diasum.errors import DiasumError, near_misses
from diasum.inference.forms import as_dialogue, is_empty, is_one

MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Named:
    """A conversation and what it is called.

    Attributes:
        id: the one it was given with, or its file's name; None where it has but its place in the input.
        dialogue: what was said; among others it may be nothing.
        where: its file, and line or row.
    """

    id: str | None
    dialogue: Dialogue
    where: str


def read_conversations(files: Sequence[Path], standard_input: IO[bytes]) -> list[Named]:
    """Read all files, or standard input when there are none.

    Ids are unique. Those of a table are the ones that a corpus reader gives, so that summaries can be scored against it: a table whose
    rows have none has none here, and its summaries are matched by their order. Beside others they are ``FILE-1``, ``FILE-2``. For the
    sake of that order, empty conversations stay among others.

    Raises:
        DiasumError: nothing given, a missing or unreadable file, a broken line, empty conversations only (file and line are named).
    """
    if not files and standard_input.isatty():
        raise DiasumError(
            "There is nothing to summarise.",
            hint="Give files, or pipe a conversation in: cat chat.txt | diasum summarize",
        )
    if files:
        parts = [(_stem(file), list(_read_file(file))) for file in files]
    else:
        parts = [("conversation", list(_read(standard_input.read(MOST_BYTES + 1), "standard input", None)))]
    _check_said([named for _, part in parts for named in part])
    if len(parts) == 1 and all(named.id is None for named in parts[0][1]):
        return parts[0][1]
    found = [
        named if named.id is not None else replace(named, id=f"{stem}-{number}")
        for stem, part in parts
        for number, named in enumerate(part, 1)
    ]
    return [replace(named, id=name) for named, name in zip(found, unique([str(n.id) for n in found]), strict=True)]


def _check_said(conversations: Sequence[Named]) -> None:
    if not all(is_empty(named.dialogue) for named in conversations):
        return
    first = conversations[0].where
    raise DiasumError(
        f"{first} is empty." if len(conversations) == 1 else f"All conversations are empty, from {first} on.",
        hint="Expected text such as `Anna: Are you coming?`, one turn a line.",
    )


def _stem(file: Path) -> str:
    return Path(file.name.removesuffix(".gz")).stem


def _read_file(file: Path) -> Iterator[Named]:
    _check_there(file)
    if format_of(file) in (".csv", ".tsv", ".parquet"):
        for table in read_path(file).values():
            yield from (_from_record(row, table.where(i)) for i, row in enumerate(table.rows))
        return
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as handle:
            content = handle.read(MOST_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DiasumError(f"{file} is not a readable gzip file: {error}.", hint="Get it again.") from None
    except OSError as error:
        raise DiasumError(f"{file} cannot be read: {error.strerror}.") from None
    yield from _read(content, str(file), file)


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
        there = os.listdir(file.parent) if os.access(file.parent, os.R_OK | os.X_OK) else []
        raise DiasumError(f"No file at {file}.", hint=near_misses(file.name, there)) from None


def _is_lines(file: Path) -> bool:
    return format_of(file) in (".jsonl", ".ndjson")


def _read(content: bytes, where: str, file: Path | None) -> Iterator[Named]:
    if len(content) > MOST_BYTES:
        raise DiasumError(f"{where} is larger than {MOST_BYTES >> 20} MiB.", hint="Split it into several files.")
    name = file.name if file else "FILE"
    raw = content.splitlines(keepends=True)
    text = "".join(decode(line, f"{where}, line {i}", name, first=i == 1) for i, line in enumerate(raw, 1))
    if not text.strip():
        yield _named(_stem(file) if file else None, "", where)
        return
    lines = file is not None and _is_lines(file)
    if not lines and text.lstrip().startswith(("{", "[")):
        tree = _json(text)
        if tree is not None:
            yield from _from_tree(tree, where, file)
            return
        lines = _json(text.lstrip().partition("\n")[0]) is not None
    if lines:
        # splitlines also splits at characters that JSON allows in strings
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield _from_line(line, f"{where}, line {number}")
    else:
        yield _named(_stem(file) if file else None, text, where)


def _json(text: str) -> Any:
    """A JSON object or list, or None where the text is something else, such as ``[10:32] Ana: Hi.``"""
    try:
        tree = loads(text)
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, dict | list) else None


def _from_tree(tree: Any, where: str, file: Path | None) -> Iterator[Named]:
    """One conversation, or the many of a list of them; a list of texts is one."""
    if isinstance(tree, list) and tree and not is_one(tree) and not any(isinstance(item, str) for item in tree):
        yield from (_from_record(item, f"{where}, item {number}") for number, item in enumerate(tree, 1))
    else:
        one = _from_record(tree, where)
        yield one if one.id is not None or file is None else replace(one, id=_stem(file))


def _from_line(line: str, where: str) -> Named:
    try:
        record = loads(line)
    except (ValueError, RecursionError) as error:
        raise DiasumError(f"{where}: not valid JSON ({error}).", hint="Each line must be one JSON object.") from None
    if not isinstance(record, str | list | dict):
        raise DiasumError(f"{where}: expected an object, a text or a list of turns, found {line.strip()[:40]}.")
    return _from_record(record, where)


def _from_record(record: Any, where: str) -> Named:
    key = find_name(record, ID_NAMES) if isinstance(record, dict) else None
    given = "" if key is None or record[key] is None else " ".join(str(record[key]).split())
    return _named(given or None, record, where)


def _named(identifier: str | None, conversation: Any, where: str) -> Named:
    return Named(identifier, as_dialogue(conversation, f"The conversation in {where}", may_be_empty=True), where)
