"""Read conversations to summarise: text files with one conversation each, tables with many, or standard input.

In: paths or a stream. Out: named conversations in the order given. Text is never refused for its form; what looks like JSON is read as
one conversation (an object or a list of turns), as many (a list of objects) or as jsonl, whichever it turns out to be.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from diasum.data.columns import DIALOGUE_NAMES, ID_NAMES, find_name
from diasum.data.readers import format_of, loads, read_path
from diasum.dialogue import Dialogue
from diasum.errors import DiasumError, near_misses
from diasum.inference.summarizer import as_dialogue

MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Named:
    """A conversation and what to call it: its id, its file's name, or its place in the input."""

    id: str
    dialogue: Dialogue


def read_conversations(files: Sequence[Path], standard_input: IO[bytes]) -> list[Named]:
    """Read all files, or standard input when there are none.

    Raises:
        DiasumError: nothing given, a missing, empty or unreadable file, a broken line, an empty conversation (file and line are named).
    """
    if files:
        return [named for file in files for named in _read_file(file)]
    if standard_input.isatty():
        raise DiasumError(
            "There is nothing to summarise.",
            hint="Give files, or pipe a conversation in: cat chat.txt | diasum summarize",
        )
    return list(_read(standard_input.read(MOST_BYTES + 1), "standard input", "1"))


def _read_file(file: Path) -> list[Named]:
    if not file.exists():
        siblings = [p.name for p in file.parent.iterdir()] if file.parent.is_dir() else []
        raise DiasumError(f"No file at {file}.", hint=near_misses(file.name, siblings))
    if format_of(file) in (".csv", ".tsv", ".parquet"):
        return [
            _from_record(row, table.where(i), str(i + 1))
            for table in read_path(file).values()
            for i, row in enumerate(table.rows)
        ]
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as handle:
            content = handle.read(MOST_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DiasumError(f"{file} is not a readable gzip file: {error}.", hint="Get it again.") from None
    except OSError as error:
        raise DiasumError(f"{file} cannot be read: {error.strerror}.") from None
    return list(_read(content, str(file), file.name.split(".")[0] or file.name, lines=_is_lines(file)))


def _is_lines(file: Path) -> bool:
    return format_of(file) in (".jsonl", ".ndjson")


def _read(content: bytes, where: str, name: str, *, lines: bool = False) -> Iterator[Named]:
    if len(content) > MOST_BYTES:
        raise DiasumError(f"{where} is larger than {MOST_BYTES >> 20} MiB.", hint="Split it into several files.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DiasumError(
            f"{where} is not UTF-8 text (byte {error.start}).", hint="Convert it: iconv -f latin1 -t utf-8 FILE"
        ) from None
    if not text.strip():
        raise DiasumError(f"{where} is empty.", hint="Expected text such as `Anna: Are you coming?`, one turn a line.")
    if not lines and text.lstrip().startswith(("{", "[")):
        tree = _json(text)
        if tree is not None:
            yield from _from_tree(tree, where, name)
            return
        lines = _json(text.lstrip().partition("\n")[0]) is not None
    if lines:
        for number, line in enumerate(
            text.split("\n"), 1
        ):  # splitlines also splits at characters that JSON allows in strings
            if line.strip():
                yield _from_line(line, f"{where}, line {number}", str(number))
    else:
        yield Named(name, as_dialogue(text, where))


def _json(text: str) -> Any:
    """A JSON object or list, or None where the text is something else, such as ``[10:32] Ana: Hi.``"""
    try:
        tree = loads(text)
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, dict | list) else None


def _from_tree(tree: Any, where: str, name: str) -> Iterator[Named]:
    """One conversation, or the many of a list of objects that each hold one."""
    if isinstance(tree, list) and tree and all(isinstance(item, dict) and _holds_turns(item) for item in tree):
        for number, item in enumerate(tree, 1):
            yield _from_record(item, f"{where}, item {number}", str(number))
    else:
        yield _from_record(tree, where, name)


def _holds_turns(item: Mapping[str, Any]) -> bool:
    """Whether an object is a conversation and not one of its turns, which has a ``text``, too."""
    return find_name(item, [name for name in DIALOGUE_NAMES if name != "text"]) is not None


def _from_line(line: str, where: str, name: str) -> Named:
    try:
        record = loads(line)
    except (ValueError, RecursionError) as error:
        raise DiasumError(f"{where}: not valid JSON ({error}).", hint="Each line must be one JSON object.") from None
    if not isinstance(record, str | list | dict):
        raise DiasumError(f"{where}: expected an object, a text or a list of turns, found {line.strip()[:40]}.")
    return _from_record(record, where, name)


def _from_record(record: Any, where: str, name: str) -> Named:
    if isinstance(record, dict):
        key = find_name(record, DIALOGUE_NAMES)
        if key is None:
            raise DiasumError(
                f"{where}: no conversation found; its keys are {', '.join(map(str, record)) or 'none'}.",
                hint=near_misses("dialogue", DIALOGUE_NAMES),
            )
        identifier = find_name(record, ID_NAMES)
        if identifier is not None and record[identifier] not in (None, ""):
            name = str(record[identifier])
        record = record[key]
    return Named(name, as_dialogue(record, where))
