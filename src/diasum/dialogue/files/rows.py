"""Tables of rows, whatever file they come from: where a row stands, and what its cells hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from diasum.dialogue.names import SPEAKER_KEYS, TEXT_KEYS, as_name, find_name
from diasum.errors import DiasumError

_GROUP = re.compile(
    r"(^|_)(id|no|nr|number|key|conversation|dialog(ue)?|ticket|call|chat|case|thread|thread_ts|channel|session)$"
)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one split.

    Attributes:
        source: file or data set the rows come from, for messages.
        rows: one mapping a row.
        lines: the line each row begins at, where the format has lines.
    """

    source: str
    rows: list[dict[str, Any]]
    lines: list[int] | None = None

    @property
    def names(self) -> list[str]:
        """The columns of all rows, in order of first appearance."""
        return list(dict.fromkeys(str(name) for row in self.rows for name in row))

    def place(self, index: int) -> str:
        """For example ``line 12``."""
        return f"line {self.lines[index]}" if self.lines else f"row {index + 1}"

    def where(self, index: int) -> str:
        """For example ``chats.jsonl, line 12``."""
        return f"{self.source}, {self.place(index)}"


def refuse_single_messages(table: Table, dialogue: str | None) -> None:
    """Stop where a row is one message, which would become a conversation of one turn.

    Rows are taken for messages where one column says who speaks, another holds single lines, and most rows share their id with others.

    Args:
        table: the rows.
        dialogue: the column taken for the conversation; None where none is found.

    Raises:
        DiasumError: each row holds a single message.
    """
    names = table.names
    # What is taken for the conversation may be its number, beside a column of messages.
    message = find_name((name for name in names if name != dialogue), TEXT_KEYS) or dialogue
    speaker = find_name((name for name in names if name != message), SPEAKER_KEYS)
    if (
        message is None
        or speaker is None
        or not all(_is_line(row.get(n)) for row in table.rows for n in (message, dialogue) if n)
    ):
        return
    for name in names:
        if not _GROUP.search(as_name(name)):
            continue
        # Rows of one text are several summaries of it.
        messages = dict.fromkeys((one_line(row.get(name)), one_line(row.get(message))) for row in table.rows)
        counts = Counter(group for group, _ in messages if group)
        if 2 * sum(count for count in counts.values() if count > 1) >= len(messages):
            group, count = counts.most_common(1)[0]
            raise DiasumError(
                f"{table.source} has one message per row: `{speaker}` says who speaks, and {count} rows have the `{name}` {group}.",
                hint=f"Each row must be a whole conversation: join the rows of one `{name}` into a text with one turn per line "
                "(`Ana: Are you coming?`) or into a list of turns with speaker and text, beside its summary.",
            )


def _is_line(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and "\n" not in cell.strip())


def cell_texts(value: Any) -> list[str]:
    """The texts in a cell, which holds one or a list of them; none where it is empty or missing."""
    if isinstance(value, str):
        text = value.replace("\r\n", "\n").strip()
        return [text] if text else []
    if isinstance(value, Iterable):
        return [text for item in (value.values() if isinstance(value, dict) else value) for text in cell_texts(item)]
    missing = value is None or value != value  # not-a-number, as tables write what is missing
    return [] if missing else [str(value)]


def one_line(value: Any) -> str:
    """A cell as an id or a label: nothing where it is missing, the items of a list joined."""
    return " ".join(" ".join(cell_texts(value)).split())


def unique(names: Sequence[str]) -> list[str]:
    """The names, with a number added to those that were used before: ``x``, ``x-2``."""
    taken, seen = set(names), set()
    result = []
    for name in names:
        new, number = name, 2
        if name in seen:
            while (new := f"{name}-{number}") in taken:
                number += 1
            taken.add(new)
        seen.add(name)
        result.append(new)
    return result
