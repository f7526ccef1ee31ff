"""Tables with a message per row, as helpdesks and speech recognisers write them: which columns they have, and rows to conversations.

In: a `Table`. Out: conversations in the order of their first rows, their messages in the order of time where all rows have one. A column
says which conversation a row belongs to, or all rows are one. Names of columns are those of Zendesk's comments
(https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments), Intercom's conversation parts
(https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations) and the like. All in memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from diasum.dialogue.files.rows import Table, cell_texts, one_line
from diasum.dialogue.files.times import Times, comparable, in_time
from diasum.dialogue.labels import COLON, LABEL, looks_like_a_name
from diasum.dialogue.markup import is_html, text_of_html
from diasum.dialogue.names import (
    DIALOGUE_NAMES,
    SPEAKER_KEYS,
    SUMMARY_NAMES,
    UNMISTAKABLE_NAMES,
    as_name,
    find_name,
)
from diasum.dialogue.text import seconds
from diasum.errors import DiasumError, near_misses
from diasum.wording import counted

GROUP = re.compile(
    r"(^|_)(id|no|nr|number|key|conversation|dialog(ue)?|ticket|call|chat|case|thread|thread_ts|channel|session)$"
)
_OF_CONVERSATION = re.compile(r"conversation|dialog|ticket|thread|case|call|chat|session|interaction|issue|room")
_OF_OTHERS = re.compile(
    r"(author|user|sender|agent|assignee|requester|submitter|customer|contact|message|comment|part|event|organi[sz]ation|brand|account"
    r"|row|parent|reply)(_(id|no|nr|number|key))$"
)
_SPEAKERS = (
    *("speaker", "author", "sender", "from", "author_name", "sender_name", "speaker_name", "from_name", "commenter"),
    *(key for key in SPEAKER_KEYS if key not in ("speaker", "author", "sender", "from", "speaker_name")),
    *("username", "user_name", "display_name", "agent", "actor", "author_type", "sender_type", "participant_role"),
    *("author_email", "sender_email", "from_email", "author_id", "sender_id", "user_id", "direction"),
)
TEXT_NAMES = (
    *("plain_body", "text", "body", "message", "comment", "content", "utterance", "value", "sentence", "message_text"),
    *("message_body", "comment_body", "body_text", "html_body", "description"),
)
_TIMES = (
    *("created_at", "timestamp", "time", "date", "datetime", "date_time", "sent_at", "created", "created_time"),
    *("created_on", "sent", "message_time", "updated_at", "start", "start_time"),
)
_TYPES = ("part_type", "event_type", "message_type", "event", "type")
_STARTS = ("start", "start_time", "begin")
_ENDS = ("end", "end_time", "stop")
OTHER_NAMES = (*_SPEAKERS, *_TIMES, *_STARTS, "ticket_id", "call_id", "chat_id", "thread_id", "session_id", "case_id")
_PEOPLE = (*SPEAKER_KEYS, "author_name", "sender_name", "from_name", "username", "user_name", "display_name")
_FEW = 10  # rows among which nobody need speak twice
_LONG = 100  # words of a text that is rather a conversation than a turn
_LONGEST_TURN = 100  # seconds; turns that last longer are in milliseconds


class MessageColumns(NamedTuple):
    """Columns of a table with a message per row.

    Attributes:
        group: says which conversation a row belongs to; empty where all rows are one.
        speakers: say who speaks, the preferred one first.
        text: what is said.
        time: when, if there is such a column.
        type: what kind of event a row is, if there is such a column.
        start: when a turn starts in a recording, if there is such a column.
        end: likewise.
    """

    group: str
    speakers: tuple[str, ...]
    text: str
    time: str | None
    type: str | None
    start: str | None = None
    end: str | None = None

    @property
    def names_conversations(self) -> bool:
        """Whether the column that joins rows is named after conversations, tickets or the like."""
        return _rank(self.group) == 0


class RowMessage(NamedTuple):
    """A message of a table.

    Attributes:
        speaker: may be empty.
        text: what is said.
        kind: None for speech; ``empty`` or ``notice`` where a row has no words.
        time: when, where the table says so in a way that is clear.
        row: index of its row.
        start: seconds from the beginning of a recording, or of the conversation, where the table says so.
        end: likewise.
    """

    speaker: str
    text: str
    kind: str | None
    time: datetime | None
    row: int
    start: float | None = None
    end: float | None = None


class Joined(NamedTuple):
    """A conversation of a table.

    Attributes:
        id: what its rows share; None where they are all rows.
        messages: in order.
        notes: what a reader should know of the table; of the first conversation only.
    """

    id: str | None
    messages: list[RowMessage]
    notes: list[str]


def message_columns(
    table: Table,
    *,
    group: str | None = None,
    dialogue: str | None = None,
    identifier: str | None = None,
    summaries: Sequence[str] = (),
) -> MessageColumns | None:
    """The columns of a table with a message per row, or whose rows are the turns of one conversation; None of others.

    Args:
        table: the rows.
        group, dialogue, identifier: the columns that the user names: what joins rows, whole conversations, their ids.
        summaries: columns with summaries.

    Raises:
        DiasumError: there is no such column, or the user takes messages for whole conversations.
    """
    if group and dialogue:
        raise DiasumError(
            f"{table.source}: --group-by joins messages by `{group}`, but --dialogue-column names `{dialogue}` as a whole conversation.",
            hint="Leave one of them out.",
        )
    if group:
        return _columns_named(table, group)
    found = find_name(table.names, [as_name(dialogue)] if dialogue else DIALOGUE_NAMES)
    if dialogue and found is None:
        return None  # who reads whole conversations says that there is no such column
    columns = find_columns(table, found, named=dialogue is not None)
    if columns and dialogue:
        raise refuse(table, columns)
    return columns or (None if dialogue or identifier or summaries else _columns_of_one(table))


def _columns_named(table: Table, group: str) -> MessageColumns:
    """The columns of a table whose rows are to be joined by a column that the user names."""
    name = find_name(table.names, [as_name(group)])
    if name is None:
        raise DiasumError(
            f"{table.source} has no column `{group}`, which --group-by names.", hint=near_misses(group, table.names)
        )
    text = find_name((other for other in table.names if other != name), TEXT_NAMES)
    if text is None:
        raise DiasumError(
            f"{table.source}: no column was found that holds what is said.",
            hint=f"Expected one of {', '.join(TEXT_NAMES[:8])} beside `{name}`, found {', '.join(table.names[:12])}.",
        )
    return _with(table, name, text)


def find_columns(table: Table, dialogue: str | None, *, named: bool = False) -> MessageColumns | None:
    """The columns of a table with a message per row; None of others.

    Rows are taken for messages where one column says who speaks, another holds what, and most rows share their conversation's id with
    others.

    Args:
        table: the rows.
        dialogue: the column taken for whole conversations; None where none is found.
        named: whether the user says that it is.
    """
    names = table.names
    # What is taken for the conversation may be its number, beside a column of messages.
    message = find_name((name for name in names if name != dialogue), TEXT_NAMES) or dialogue
    speaker = find_name((name for name in names if name != message), _SPEAKERS)
    if message is None or speaker is None:
        return None
    columns = [name for name in dict.fromkeys((message, dialogue)) if name]
    may_be_whole = [name for name in columns if named or as_name(name) in DIALOGUE_NAMES]
    are_lines = all(_is_line(row.get(name)) for row in table.rows for name in may_be_whole)
    if (named and not are_lines) or _mostly_whole([row.get(message) for row in table.rows]):
        return None
    dated = find_name(names, _TIMES) is not None and may_be_whole in ([], [message])
    groups = [name for name in names if GROUP.search(as_name(name)) and name not in (message, speaker)]
    for name in sorted(groups, key=_rank):
        if not are_lines and not (dated and _rank(name) == 0):
            continue
        # Rows of one text are several summaries of it.
        messages = dict.fromkeys((one_line(row.get(name)), one_line(row.get(message))) for row in table.rows)
        counts = Counter(group for group, _ in messages if group)
        if 2 * sum(count for count in counts.values() if count > 1) >= len(messages):
            return _with(table, name, message)
    return None


def _columns_of_one(table: Table) -> MessageColumns | None:
    """The columns of a table whose rows are the turns of one conversation; None of others.

    They are where a column says who speaks, and people speak again, or columns say when each text starts and ends; and where no column
    has whole conversations, their ids or their summaries.
    """
    names = table.names
    if find_name(names, (*UNMISTAKABLE_NAMES, *SUMMARY_NAMES)) or any(_rank(name) == 0 for name in names):
        return None
    if (text := find_name(names, TEXT_NAMES)) is None:
        return None
    speaker = find_name((name for name in names if name != text), _PEOPLE)
    texts = [one_line(row.get(text)) for row in table.rows]
    words = sorted(len(one.split()) for one in texts)
    if words[len(words) // 2] > _LONG or 2 * sum(map(_is_labelled, texts)) > len(texts):
        return None
    columns = _with(table, "", text)
    if speaker is None:
        return columns if columns.start and columns.end else None
    people = {one_line(row.get(speaker)) for row in table.rows}
    return columns if len(texts) < _FEW or 2 * len(people) <= len(texts) else None


def conversations(table: Table, columns: MessageColumns) -> Iterator[Joined]:
    """The conversations; rows without an id are conversations of their own."""
    groups: dict[str, list[int]] = {}
    for index, row in enumerate(table.rows):
        group = (one_line(row.get(columns.group)) or f"row {index + 1}") if columns.group else ""
        groups.setdefault(group, []).append(index)
    cells = [row.get(columns.time) for row in table.rows] if columns.time else []
    times = Times([cells, *([cells[i] for i in rows] for rows in groups.values())] if cells else [])
    notes = []
    if not times.order.decided:
        notes.append(
            f"{table.source}: no date in `{columns.time}` tells whether day or month comes first; read as {times.order.name}. "
            "The order of messages hangs on it."
        )
    unit = _unit(table, columns)
    for group, rows in groups.items():
        messages = [_message(table.rows[i], i, columns, times.time(cells[i]) if cells else None, unit) for i in rows]
        yield Joined(group or None, _counted(in_time(messages)), notes)
        notes = []


def joined_in_words(table: Table, columns: MessageColumns, count: int) -> str:
    """What became of the rows, as a sentence; `count` is that of the conversations."""
    rows = counted(len(table.rows), "row")
    if columns.group:
        return (
            f"{table.source}: its {rows} are messages of {counted(count, 'conversation')}, joined by `{columns.group}`."
        )
    return f"{table.source}: its {rows} are read as the turns of one conversation, as no column tells several apart."


def refuse(table: Table, columns: MessageColumns) -> DiasumError:
    """The error for a table with a message per row where it cannot be joined."""
    counts = Counter(one_line(row.get(columns.group)) for row in table.rows)
    group, count = counts.most_common(1)[0]
    speaker = f"`{columns.speakers[0]}` says who speaks, and " if columns.speakers else ""
    return DiasumError(
        f"{table.source} has one message per row: {speaker}{count} rows have the `{columns.group}` {group}.",
        hint=f"Each row must be a whole conversation: join the rows of one `{columns.group}` into a text with one turn per line "
        "(`Ana: Are you coming?`) or into a list of turns with speaker and text, beside its summary.",
    )


def _with(table: Table, group: str, text: str) -> MessageColumns:
    others = [name for name in table.names if name not in (group, text)]
    speakers = tuple(name for key in _SPEAKERS if (name := find_name(others, [key])))
    times = (find_name(others, keys) for keys in (_TIMES, _TYPES, _STARTS, _ENDS))
    return MessageColumns(group, speakers, text, *times)


def _rank(name: str) -> int:
    key = as_name(name)
    if _OF_CONVERSATION.search(key):
        return 0
    return 2 if _OF_OTHERS.search(key) else 1


def _unit(table: Table, columns: MessageColumns) -> float:
    """The seconds in a unit of the columns of starts and ends: whole numbers of milliseconds, as Whisper's tables have, or seconds."""
    if not (columns.start and columns.end):
        return 1.0
    pairs = [(_moment(row.get(columns.start)), _moment(row.get(columns.end))) for row in table.rows]
    lengths = [end - start for start, end in pairs if start is not None and end is not None]
    return 1e-3 if lengths and sum(lengths) > _LONGEST_TURN * len(lengths) else 1.0


def _message(
    row: Mapping[str, Any], index: int, columns: MessageColumns, time: datetime | None, unit: float
) -> RowMessage:
    text = "\n".join(cell_texts(row.get(columns.text)))
    if is_html(text):
        text = text_of_html(text)
    speaker = next((label for name in columns.speakers if (label := _label(row.get(name)))), "")
    kind = None if text.strip() else "notice" if columns.type and one_line(row.get(columns.type)) else "empty"
    if kind == "notice" and columns.type:
        text = one_line(row.get(columns.type))
    start, end = (_moment(row.get(name)) if name else None for name in (columns.start, columns.end))
    if time is not None or start is None:
        return RowMessage(speaker, text, kind, time, index)
    return RowMessage(speaker, text, kind, None, index, start * unit, None if end is None else end * unit)


def _moment(cell: Any) -> float | None:
    """A place in a recording, in the table's unit; None of what is none."""
    value = seconds(cell)
    return value if value is not None and 0 <= value < float("inf") else None


def _label(value: Any) -> str:
    """Who speaks: a text, or the name in an object."""
    if isinstance(value, Mapping):
        inner = {str(key).lower(): item for key, item in value.items()}
        keys = ("name", "display_name", "real_name", "username", "email", "type", "id")
        return next((label for key in keys if (label := _label(inner.get(key)))), "")
    return one_line(value)


def _counted(messages: list[RowMessage]) -> list[RowMessage]:
    """Messages with the seconds since the first one that has a time."""
    first = next((message.time for message in messages if message.time is not None), None)
    if first is None or (len(messages) > 1 and all(message.time == first for message in messages)):
        return messages
    return [
        message._replace(start=(comparable(message.time) - comparable(first)).total_seconds())
        if message.time
        else message
        for message in messages
    ]


def _mostly_whole(cells: list[Any]) -> bool:
    """Whether most texts of several lines are conversations: two of their lines begin with a label."""
    texts = [cell for cell in cells if isinstance(cell, str) and not _is_line(cell)]
    whole = sum(sum(_is_labelled(line) for line in text.splitlines()) > 1 for text in texts)
    return 2 * whole > len(texts)


def _is_labelled(line: str) -> bool:
    name = LABEL.match(line)
    return name is not None and COLON.match(line[name.end() :]) is not None and looks_like_a_name(name[0])


def _is_line(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and "\n" not in cell.strip())
