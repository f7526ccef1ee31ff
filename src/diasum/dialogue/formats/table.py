"""Tables and JSON with whole conversations: a row, a line, an item or the file itself holds one, under one of the usual names.

csv and its relatives, parquet, jsonl, and JSON of one conversation (an object or a list of turns) or many (a list of these). A row at
a time, but for JSON, spreadsheets, and rows that are single messages, which are in memory as a whole.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from diasum.dialogue import assistants
from diasum.dialogue.files.decoding import LONGEST_LINE
from diasum.dialogue.files.rows import Table, one_line
from diasum.dialogue.files.separated import each_separated_row
from diasum.dialogue.files.sheets import read_sheet
from diasum.dialogue.files.single_messages import (
    OTHER_NAMES,
    TEXT_NAMES,
    MessageColumns,
    conversations,
    find_columns,
    joined_in_words,
    message_columns,
)
from diasum.dialogue.files.tables import parquet_rows
from diasum.dialogue.formats.documents import is_document
from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Aside, Conversation, Message, messages_of
from diasum.dialogue.formats.source import Source
from diasum.dialogue.forms import as_dialogue, is_one
from diasum.dialogue.names import (
    DIALOGUE_NAMES,
    ID_NAMES,
    SUMMARY_NAMES,
    TABLE_KEYS,
    UNMISTAKABLE_NAMES,
    as_name,
    find_name,
)
from diasum.errors import DiasumError, near_misses
from diasum.json_lines import is_json_lines, json_lines, loads

_LOOKED_AT = 5000  # rows among which single messages are looked for
_NAMES = {".csv": "a csv table", ".tsv": "a tsv table", ".parquet": "a parquet table", ".json": "JSON"}
_FIRST = 4  # rows that tell a table from text
_LONGEST_HEADER = 1000
_LINES = (".jsonl", ".ndjson")
_PARQUET = b"PAR1"


def recognises(head: Head) -> Evidence | None:
    """By the name of a table; by the content of JSON, of spreadsheets, and of rows below the usual names of columns."""
    if is_document(head, ".xlsx", "xl/"):
        return Evidence(Strength.CERTAIN, "a spreadsheet")
    if head.members:
        return None
    if head.content.startswith(_PARQUET):
        return Evidence(Strength.CERTAIN, _NAMES[".parquet"])
    if head.ending in _LINES or is_json_lines(head.text):
        return Evidence(Strength.LIKELY, "JSON, a conversation a line")
    if head.ending in _NAMES:
        return Evidence(Strength.CERTAIN if _has_header(head) else Strength.LIKELY, _NAMES[head.ending])
    if _is_json(head):
        return Evidence(Strength.LIKELY, "JSON")
    return Evidence(Strength.CERTAIN, "a table (csv)") if _is_separated(head) else None


def read(source: Source) -> Iterator[Conversation]:
    """Its conversations, one by one.

    Raises:
        DiasumError: rows are single messages, or one is not a conversation; file and line are named.
    """
    ending = source.head.ending
    if is_document(source.head, ".xlsx", "xl/"):
        table = read_sheet(source.open, source.where)
        yield from _from_records(((row, table.where(i)) for i, row in enumerate(table.rows)), source)
    elif ending == ".parquet" or source.head.content.startswith(_PARQUET):
        with _parquet(source) as file:
            rows = enumerate(parquet_rows(file, source.where), 1)
            yield from _from_records(((row, f"{source.where}, row {i}") for i, row in rows), source)
    elif ending in (".csv", ".tsv"):
        yield from _from_records(_separated(source, ending), source)
    elif _is_separated(source.head) or (
        source.names.group and not source.head.text.lstrip("\ufeff \r\n\t").startswith(("{", "["))
    ):
        yield from _from_records(_separated(source, ".csv"), source)
    elif ending in _LINES or is_json_lines(source.head.text):
        yield from _from_records(_lines(source), source)
    else:
        yield from _from_tree(source.json(), source)


def ending_shown(head: Head) -> str | None:
    """The ending that suits the content of a table whose name has another one, such as ``.csv``; None where it is no table."""
    if is_document(head, ".xlsx", "xl/"):
        return ".xlsx"
    if head.content.startswith(_PARQUET):
        return ".parquet"
    if is_json_lines(head.text):
        return ".jsonl"
    if _is_json(head):
        return ".json"
    return ".csv" if _is_separated(head) else None


def _first_rows(head: Head) -> list[list[str]]:
    """The header and the first rows of what may be a table; nothing of what cannot be one."""
    lines = head.text.lstrip("\ufeff").splitlines(keepends=True)[: None if head.whole else -1]
    if not lines or len(lines[0]) > _LONGEST_HEADER:
        return []
    delimiter = max(",;\t|", key=lines[0].count)
    try:
        return list(islice(csv.reader(lines, delimiter=delimiter, strict=True), _FIRST))
    except csv.Error:
        return []


def _has_header(head: Head) -> bool:
    """Whether the first row names a column with a conversation or with messages, as those of a chat's log do not."""
    header = next(iter(_first_rows(head)), [])
    return len(header) > 1 and find_name(header, (*DIALOGUE_NAMES, *TEXT_NAMES)) is not None


def _is_separated(head: Head) -> bool:
    """Whether the content is a table, whatever its name: below two usual names of columns, each row has as many cells as there are."""
    rows = _first_rows(head)
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows) or not all(map(str.strip, rows[0])):
        return False
    text = find_name(rows[0], (*DIALOGUE_NAMES, *TEXT_NAMES))
    others = [name for name in rows[0] if name != text]
    return text is not None and find_name(others, (*OTHER_NAMES, *ID_NAMES, *SUMMARY_NAMES)) is not None


def _is_json(head: Head) -> bool:
    """Whether the content is JSON; a text may begin with a bracket, too: ``[10:32] Ana: Hi.``"""
    if not head.text.lstrip().startswith(("{", "[")):
        return False
    if not head.whole:
        return isinstance(head.tree, dict | list) and bool(head.tree)
    try:
        loads(head.text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return False
    return True


Record = tuple[Any, str]
"""What a row holds, or the error that says why it holds nothing, and where it stands."""


@contextlib.contextmanager
def _parquet(source: Source) -> Iterator[Path | IO[bytes]]:
    """The file, or its content where it must be unpacked first."""
    if source.path is not None and not source.name.lower().endswith(".gz"):
        yield source.path
        return
    with source.open() as handle:
        yield io.BytesIO(handle.read())


def _separated(source: Source, ending: str) -> Iterator[Record]:
    lines = ((number, f"{line}\n") for number, line in source.lines())
    path = source.path or Path(source.where)
    number = 0
    rows = each_separated_row(path, lines, "\t" if ending == ".tsv" else ",", longest=LONGEST_LINE)
    for number, row in rows:
        yield row, f"{source.where}, line {number}"
    if not number:
        raise DiasumError(f"{source.where} has no rows.", hint="Expected a row for each dialogue.")


def _lines(source: Source) -> Iterator[Record]:
    for number, line in source.each_line():
        place = f"{source.where}, line {number}"
        if isinstance(line, DiasumError):
            yield line, place
            continue
        try:
            records = [_record(value, place) for _, value in json_lines([(number, line)], source.where)]
        except DiasumError as error:
            records = [error]
        yield from ((record, place) for record in records)


def _record(value: Any, where: str) -> Any:
    if not isinstance(value, str | list | dict):
        raise DiasumError(f"{where}: expected an object, a text or a list of turns, found {value!r:.40}.")
    return value


def _from_tree(tree: Any, source: Source) -> Iterator[Conversation]:
    """One conversation, or the many of a list of them, also within an object; a list of texts is one."""
    if isinstance(tree, Mapping):
        held = next((value for key, value in tree.items() if key.lower() in TABLE_KEYS and _are_many(value)), None)
        tree = tree if held is None else held
    if assistants.name_of(tree):
        yield _conversation(source.stem, tree, source.where)
    elif _are_many(tree) or _are_messages(tree, source):
        yield from _from_records(((item, f"{source.where}, item {i}") for i, item in enumerate(tree, 1)), source)
    else:
        one = _from_record(tree, source.where, source)
        one.id = one.id or source.stem
        yield one


def _are_messages(tree: Any, source: Source) -> bool:
    """Whether a list of turns is of several conversations, by a number that each of its items has."""
    if not isinstance(tree, list) or not tree or not all(isinstance(item, dict) for item in tree):
        return False
    if source.names.group:
        return True
    columns = find_columns(Table(source.where, tree[:_LOOKED_AT]), None)
    return columns is not None and columns.names_conversations


def _are_many(tree: Any) -> bool:
    return (
        isinstance(tree, list) and bool(tree) and not is_one(tree) and not any(isinstance(item, str) for item in tree)
    )


def _from_records(records: Iterable[Record], source: Source) -> Iterator[Conversation]:
    """A conversation each; the one empty conversation of a source that has none.

    Raises:
        DiasumError: the user takes single messages for whole conversations; or one is not a conversation, and the source not tolerant.
    """
    records = iter(records)
    first = list(islice(records, _LOOKED_AT))
    if not first:
        yield Conversation((), source.where, source.stem)
    records = chain(first, records)
    sound = [record for record, _ in first if not isinstance(record, DiasumError)]
    rows = [record for record in sound if isinstance(record, dict)]
    if rows and len(rows) == len(sound):
        table = Table(source.where, rows)
        names = source.names
        if columns := message_columns(table, group=names.group, dialogue=names.dialogue, identifier=names.id):
            yield from _joined(records, columns, source)
            return
    for record, place in records:
        if source.passed_over and source.passed_over():
            yield Conversation((), place, may_split=False)
            continue
        try:
            conversation = _from_record(record, place, source)
        except DiasumError as error:
            conversation = _bad(error, place, source)
        yield conversation


def _bad(error: DiasumError, where: str, source: Source) -> Conversation:
    """What stands for a row that is no conversation; raises the error where the source is not tolerant."""
    if not source.tolerant:
        raise error
    return Conversation((), where, error=error)


def _joined(records: Iterable[Record], columns: MessageColumns, source: Source) -> Iterator[Conversation]:
    """The conversations that rows are messages of; before them the rows that are none."""
    rows, places = [], []
    for record, place in records:
        if not isinstance(record, dict):
            found = DiasumError(f"{place}: expected an object, found {record!r:.40}.")
            yield _bad(record if isinstance(record, DiasumError) else found, place, source)
            continue
        rows.append(record)
        places.append(place)
    table = Table(source.where, rows)
    reason = "a table with a message a row" + (f", joined by `{columns.group}`" if columns.group else "")
    joined = list(conversations(table, columns))
    for number, one in enumerate(joined):
        turns = [
            Message(row.speaker, row.text, row.kind, row.time, row.start, row.end, _number(places[row.row]))
            for row in one.messages
        ]
        notes = [] if number else [joined_in_words(table, columns, len(joined)), *one.notes]
        where = places[one.messages[0].row] if one.id else source.where
        yield Conversation(turns, where, one.id or source.stem, reason, notes, may_split=False)


def _number(place: str) -> int | str:
    """The line of ``chats.csv, line 12``, or ``row 12`` where there are no lines."""
    last = place.rpartition(", ")[2]
    return int(last.removeprefix("line ")) if last.startswith("line ") else last


def _from_record(record: Any, where: str, source: Source) -> Conversation:
    if isinstance(record, DiasumError):
        raise record
    if not isinstance(record, dict):
        return _conversation(None, record, where)
    names = source.names
    identifier = one_line(record[key]) if (key := _key(record, names.id, ID_NAMES, where, "--id-column")) else ""
    conversation = record[_key(record, names.dialogue, (), where, "--dialogue-column")] if names.dialogue else record
    return _conversation(identifier or None, conversation, where)


def _key(record: dict[str, Any], named: str | None, usual: Sequence[str], where: str, option: str) -> str | None:
    """The record's key that the user named, or else one of the usual."""
    key = find_name(record, [as_name(named)] if named else usual)
    if named and key is None:
        raise DiasumError(f"{where} has no `{named}`, which {option} names.", hint=near_misses(named, record))
    return key


def _held(value: Any) -> Any:
    """The list of turns that a value is or holds under a usual name; None where there is none."""
    if isinstance(value, Mapping):
        key = find_name(value, UNMISTAKABLE_NAMES)
        value = value[key] if key is not None else None
    return value if isinstance(value, list) else None


def _conversation(identifier: str | None, value: Any, where: str) -> Conversation:
    if (held := _held(value)) and (name := assistants.name_of(held)):
        messages = [
            Message(
                one.speaker,
                one.text,
                one.kind,
                source=f"message {number}",
                asides=tuple(Aside("media", part) for part in one.media),
            )
            for number, one in enumerate(assistants.messages(held), 1)
        ]
        return Conversation(messages, where, identifier, name, may_split=False)
    dialogue = as_dialogue(value, f"The conversation in {where}", may_be_empty=True)
    return Conversation(messages_of(dialogue), where, identifier, may_split=False)
