"""Tables with a message per row, as helpdesks export them: which columns they have, and rows to conversations.

In: a `Table`. Out: conversations in the order of their first rows, their messages in the order of time where all rows have one. Names of
columns are those of Zendesk's comments (https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments), Intercom's
conversation parts (https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations) and the like. All in memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from diasum.dialogue.files.rows import Table, cell_texts, one_line
from diasum.dialogue.labels import COLON, LABEL, looks_like_a_name
from diasum.dialogue.markup import is_html, text_of_html
from diasum.dialogue.names import DIALOGUE_NAMES, SPEAKER_KEYS, as_name, find_name
from diasum.errors import DiasumError, near_misses

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
_TEXTS = (
    *("plain_body", "text", "body", "message", "comment", "content", "utterance", "value", "sentence", "message_text"),
    *("message_body", "comment_body", "body_text", "html_body", "description"),
)
_TIMES = (
    *("created_at", "timestamp", "time", "date", "datetime", "date_time", "sent_at", "created", "created_time"),
    *("created_on", "sent", "message_time", "updated_at", "start", "start_time"),
)
_TYPES = ("part_type", "event_type", "message_type", "event", "type")


class MessageColumns(NamedTuple):
    """Columns of a table with a message per row.

    Attributes:
        group: says which conversation a row belongs to.
        speakers: say who speaks, the preferred one first.
        text: what is said.
        time: when, if there is such a column.
        type: what kind of event a row is, if there is such a column.
    """

    group: str
    speakers: tuple[str, ...]
    text: str
    time: str | None
    type: str | None

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
    """

    speaker: str
    text: str
    kind: str | None
    time: datetime | None
    row: int


def columns_named(table: Table, group: str) -> MessageColumns:
    """The columns of a table whose rows are to be joined by a column that the user names.

    Raises:
        DiasumError: there is no such column, or none with what is said.
    """
    name = find_name(table.names, [as_name(group)])
    if name is None:
        raise DiasumError(
            f"{table.source} has no column `{group}`, which --group-by names.", hint=near_misses(group, table.names)
        )
    text = find_name((other for other in table.names if other != name), _TEXTS)
    if text is None:
        raise DiasumError(
            f"{table.source}: no column was found that holds what is said.",
            hint=f"Expected one of {', '.join(_TEXTS[:8])} beside `{name}`, found {', '.join(table.names[:12])}.",
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
    message = find_name((name for name in names if name != dialogue), _TEXTS) or dialogue
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


def conversations(table: Table, columns: MessageColumns) -> Iterator[tuple[str, list[RowMessage]]]:
    """Ids and messages of the conversations; rows without an id are conversations of their own."""
    groups: dict[str, list[RowMessage]] = {}
    for index, row in enumerate(table.rows):
        group = one_line(row.get(columns.group)) or f"row {index + 1}"
        groups.setdefault(group, []).append(_message(row, index, columns))
    for group, messages in groups.items():
        yield group, _in_time(messages)


def refuse(table: Table, columns: MessageColumns) -> DiasumError:
    """The error for a table with a message per row where it cannot be joined."""
    counts = Counter(one_line(row.get(columns.group)) for row in table.rows)
    group, count = counts.most_common(1)[0]
    return DiasumError(
        f"{table.source} has one message per row: `{columns.speakers[0]}` says who speaks, and {count} rows have the "
        f"`{columns.group}` {group}.",
        hint=f"Each row must be a whole conversation: join the rows of one `{columns.group}` into a text with one turn per line "
        "(`Ana: Are you coming?`) or into a list of turns with speaker and text, beside its summary.",
    )


def _with(table: Table, group: str, text: str) -> MessageColumns:
    others = [name for name in table.names if name not in (group, text)]
    speakers = tuple(name for key in _SPEAKERS if (name := find_name(others, [key])))
    return MessageColumns(group, speakers, text, find_name(others, _TIMES), find_name(others, _TYPES))


def _rank(name: str) -> int:
    key = as_name(name)
    if _OF_CONVERSATION.search(key):
        return 0
    return 2 if _OF_OTHERS.search(key) else 1


def _message(row: Mapping[str, Any], index: int, columns: MessageColumns) -> RowMessage:
    text = "\n".join(cell_texts(row.get(columns.text)))
    if is_html(text):
        text = text_of_html(text)
    speaker = next((label for name in columns.speakers if (label := _label(row.get(name)))), "")
    kind = None if text.strip() else "notice" if columns.type and one_line(row.get(columns.type)) else "empty"
    if kind == "notice" and columns.type:
        text = one_line(row.get(columns.type))
    return RowMessage(speaker, text, kind, _time(row.get(columns.time)) if columns.time else None, index)


def _label(value: Any) -> str:
    """Who speaks: a text, or the name in an object."""
    if isinstance(value, Mapping):
        inner = {str(key).lower(): item for key, item in value.items()}
        keys = ("name", "display_name", "real_name", "username", "email", "type", "id")
        return next((label for key in keys if (label := _label(inner.get(key)))), "")
    return one_line(value)


def _in_time(messages: list[RowMessage]) -> list[RowMessage]:
    times = [_comparable(message.time) for message in messages if message.time is not None]
    if len(times) < len(messages) or times == sorted(times):
        return messages
    return sorted(messages, key=lambda message: _comparable(message.time))


def _comparable(time: datetime | None) -> datetime:
    if time is None:
        return datetime.min.replace(tzinfo=UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _time(value: Any) -> datetime | None:
    """A time that is written so that nobody can mistake it: ISO 8601, or seconds or milliseconds since 1970; None of others."""
    if isinstance(value, datetime):
        return value
    text = one_line(value).removesuffix(" UTC")
    try:
        if re.fullmatch(r"\d{9,11}(?:\.\d+)?|\d{13}(?:\.\d+)?", text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if number >= 1e12 else number, UTC)
        return datetime.fromisoformat(text) if re.match(r"\d{4}-?\d\d-?\d\d[T ]", text) else None
    except (ValueError, OverflowError, OSError):
        return None


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
