"""Rows that are single messages to rows that are conversations, before a table becomes pairs.

In: a `Table` as it was read. Out: the same, or one with a row per conversation: `id`, `dialogue`, and those columns that are the same in
all rows of a conversation, its summary and topic among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from diasum.config import DataSettings
from diasum.dialogue import Dialogue, Turn
from diasum.dialogue.files.rows import Table, cell_texts
from diasum.dialogue.files.single_messages import (
    RowMessage,
    conversations,
    joined_in_words,
    message_columns,
    refuse,
)
from diasum.dialogue.names import as_name
from diasum.dialogue.text import one_line

_MADE = ("id", "dialogue", "began")


def join_messages(table: Table, settings: DataSettings, summaries: Sequence[str]) -> tuple[Table, list[str]]:
    """Join the rows of a table with a message per row.

    Args:
        table: the rows.
        settings: may name the column that joins them (`data.group_by`).
        summaries: columns with summaries.

    Returns:
        The table, and notes where its rows were joined.

    Raises:
        DiasumError: the rows of a conversation have different summaries, the user takes messages for whole conversations, or there is no
            such column.
    """
    columns = message_columns(
        table,
        group=settings.group_by,
        dialogue=settings.dialogue_column,
        identifier=settings.id_column,
        summaries=summaries,
    )
    if columns is None:
        return table, []
    rows, lines, notes = [], [], []
    for one in conversations(table, columns):
        members = [table.rows[message.row] for message in one.messages]
        shared = _shared(members, [name for name in table.names if name not in (columns.text, *columns.speakers)])
        if any(name not in shared and any(cell_texts(row.get(name)) for row in members) for name in summaries):
            raise refuse(table, columns)
        first = one.messages[0]
        rows.append({**shared, "id": one.id, "dialogue": _dialogue(one.messages), "began": first.time})
        lines.append(table.lines[first.row] if table.lines else first.row + 1)
        notes += one.notes
    notes = [joined_in_words(table, columns, len(rows)), *notes]
    return Table(table.source, rows, lines if table.lines else None), notes


def _shared(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """The columns with one value, whatever rows it stands in."""
    shared = {}
    for name in names:
        values = {tuple(texts): row[name] for row in rows if (texts := cell_texts(row.get(name)))}
        if len(values) == 1 and as_name(name) not in _MADE:
            shared[name] = next(iter(values.values()))
    return shared


def _dialogue(messages: Sequence[RowMessage]) -> Dialogue:
    return Dialogue(
        tuple(
            Turn(
                one_line(message.speaker),
                one_line(message.text),
                message.start,
                message.end,
                source=f"row {message.row + 1}",
            )
            for message in messages
            if message.kind is None
        )
    )
