"""Read conversations to summarise: text files with one conversation each, tables with many, or standard input.

In: paths or a stream. Out: named conversations in the order given. Text is never refused for its form; what looks like JSON is read as
one conversation (an object or a list of turns), as many (a list of them) or as jsonl, whichever it turns out to be.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from diasum.dialogue.files.decoding import decode
from diasum.dialogue.files.rows import Table, one_line, refuse_single_messages, unique
from diasum.dialogue.files.tables import format_of, read_path
from diasum.dialogue.forms import as_dialogue, is_one
from diasum.dialogue.names import DIALOGUE_NAMES, ID_NAMES, TABLE_KEYS, as_name, find_name
from diasum.dialogue.turns import Dialogue
from diasum.errors import DiasumError, near_misses, near_path
from diasum.json_lines import is_json_lines, json_file, json_lines, loads

MOST_BYTES = 256 * 1024 * 1024
_FILE_NAME = re.compile(r"\S+\.(txt|md|log|vtt|srt|csv|tsv|json|jsonl|ndjson|parquet)(\.gz)?", re.I)


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


@dataclass(frozen=True, slots=True)
class Names:
    """Columns or keys that the user names: that of the conversation and of its id."""

    dialogue: str | None = None
    id: str | None = None


def is_file(value: Any) -> bool:
    """Whether a value stands for a file of conversations: a `Path`, or a text of one line that names something that is there.

    A single word that ends like a file (``chatx.txt``) is meant for one, too: nobody says it, and as a slip of the pen it must be told.
    """
    if isinstance(value, os.PathLike):
        return True
    if not isinstance(value, str) or "\n" in value:
        return False
    return os.path.exists(value) or _FILE_NAME.fullmatch(value) is not None


def read_conversations(
    files: Sequence[Path], standard_input: IO[bytes] | None = None, names: Names = Names()
) -> list[Named]:
    """Read all files, or standard input when there are none.

    Ids are unique. Those of a table are the ones that a corpus reader gives, so that summaries can be scored against it: a table whose
    rows have none has none here, and its summaries are matched by their order. Beside others they are ``FILE-1``, ``FILE-2``. For the
    sake of that order, empty conversations stay among others.

    Raises:
        DiasumError: nothing given, a missing or unreadable file, a broken line, empty conversations only (file and line are named).
    """
    if not files and (standard_input is None or standard_input.isatty()):
        raise DiasumError(
            "There is nothing to summarise.",
            hint="Give files, or pipe a conversation in: cat chat.txt | diasum summarize",
        )
    if standard_input is None or files:
        parts = [(_stem(file), list(_read_file(file, names))) for file in files]
    else:
        content = standard_input.read(MOST_BYTES + 1)
        parts = [("conversation", list(_read(content, "standard input", None, names)))]
    _check_said([named for _, part in parts for named in part])
    if len(parts) == 1 and all(named.id is None for named in parts[0][1]):
        return parts[0][1]
    identified = [
        named if named.id is not None else replace(named, id=f"{stem}-{number}")
        for stem, part in parts
        for number, named in enumerate(part, 1)
    ]
    return [
        replace(named, id=name) for named, name in zip(identified, unique([str(n.id) for n in identified]), strict=True)
    ]


def _check_said(conversations: Sequence[Named]) -> None:
    if not all(named.dialogue.is_empty for named in conversations):
        return
    first = conversations[0].where
    raise DiasumError(
        f"{first} is empty." if len(conversations) == 1 else f"All conversations are empty, starting with {first}.",
        hint="Expected text such as `Anna: Are you coming?`, one turn per line.",
    )


def _stem(file: Path) -> str:
    return Path(file.name.removesuffix(".gz")).stem


def _read_file(file: Path, names: Names) -> Iterator[Named]:
    _check_there(file)
    if format_of(file) in (".csv", ".tsv", ".parquet"):
        for table in read_path(file).values():
            yield from _from_records([(row, table.where(i)) for i, row in enumerate(table.rows)], str(file), names)
        return
    try:
        with gzip.open(file) if file.name.lower().endswith(".gz") else file.open("rb") as handle:
            content = handle.read(MOST_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DiasumError(f"{file} is not a readable gzip file: {error}.", hint="Download or copy it again.") from None
    except OSError as error:
        hint = "Give the files in it." if file.is_dir() else None
        raise DiasumError(f"{file} cannot be read: {error.strerror}.", hint=hint) from None
    yield from _read(content, str(file), file, names)


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


def _is_lines(file: Path) -> bool:
    return format_of(file) in (".jsonl", ".ndjson")


def _read(content: bytes, where: str, file: Path | None, names: Names) -> Iterator[Named]:
    if len(content) > MOST_BYTES:
        raise DiasumError(f"{where} is larger than {MOST_BYTES >> 20} MiB.", hint="Split it into several files.")
    name = str(file) if file else "FILE"
    raw = content.splitlines(keepends=True)
    text = "".join(decode(line, f"{where}, line {i}", name, first=i == 1) for i, line in enumerate(raw, 1))
    if not text.strip():
        yield _named(_stem(file) if file else None, "", where)
        return
    lines = (file is not None and _is_lines(file)) or is_json_lines(text)
    if lines:
        # splitlines also splits at characters that JSON allows in strings
        read = list(json_lines(enumerate(text.split("\n"), 1), where))
        yield from _from_records(
            [(_record(value, f"{where}, line {i}"), f"{where}, line {i}") for i, value in read], where, names
        )
    elif (tree := _json(text, where, file)) is not None:
        yield from _from_tree(tree, where, file, names)
    else:
        yield _named(_stem(file) if file else None, text, where)


def _json(text: str, where: str, file: Path | None) -> Any:
    """The object or list that the text is, or None where it is something else, such as ``[10:32] Ana: Hi.``

    Raises:
        DiasumError: the file's name says that it is JSON, and it is not.
    """
    if not text.lstrip().startswith(("{", "[")):
        return None
    if file is not None and format_of(file) == ".json":
        return json_file(text, where)
    try:
        return loads(text)
    except (ValueError, RecursionError):
        return None


def _record(value: Any, where: str) -> Any:
    if not isinstance(value, str | list | dict):
        raise DiasumError(f"{where}: expected an object, a text or a list of turns, found {value!r:.40}.")
    return value


def _from_tree(tree: Any, where: str, file: Path | None, names: Names) -> Iterator[Named]:
    """One conversation, or the many of a list of them, also within an object; a list of texts is one."""
    if isinstance(tree, Mapping):
        held = next((value for key, value in tree.items() if key.lower() in TABLE_KEYS and _are_many(value)), None)
        tree = tree if held is None else held
    if _are_many(tree):
        yield from _from_records([(item, f"{where}, item {i}") for i, item in enumerate(tree, 1)], where, names)
    else:
        one = _from_record(tree, where, names)
        yield one if one.id is not None or file is None else replace(one, id=_stem(file))


def _are_many(tree: Any) -> bool:
    return (
        isinstance(tree, list) and bool(tree) and not is_one(tree) and not any(isinstance(item, str) for item in tree)
    )


def _from_records(records: list[tuple[Any, str]], where: str, names: Names) -> Iterator[Named]:
    """A conversation each.

    Raises:
        DiasumError: they are messages of conversations, one a row, or one is no conversation.
    """
    rows = [record for record, _ in records if isinstance(record, dict)]
    if len(rows) == len(records):
        refuse_single_messages(Table(where, rows), names.dialogue or find_name(rows[0], DIALOGUE_NAMES))
    yield from (_from_record(record, place, names) for record, place in records)


def _from_record(record: Any, where: str, names: Names) -> Named:
    if not isinstance(record, dict):
        return _named(None, record, where)
    identifier = one_line(record[key]) if (key := _key(record, names.id, ID_NAMES, where, "--id-column")) else ""
    conversation = record[_key(record, names.dialogue, (), where, "--dialogue-column")] if names.dialogue else record
    return _named(identifier or None, conversation, where)


def _key(record: dict[str, Any], named: str | None, usual: Sequence[str], where: str, option: str) -> str | None:
    """The record's key that the user named, or else one of the usual."""
    key = find_name(record, [as_name(named)] if named else usual)
    if named and key is None:
        raise DiasumError(f"{where} has no `{named}`, which {option} names.", hint=near_misses(named, record))
    return key


def _named(identifier: str | None, conversation: Any, where: str) -> Named:
    return Named(identifier, as_dialogue(conversation, f"The conversation in {where}", may_be_empty=True), where)
