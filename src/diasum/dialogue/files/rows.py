"""Tables of rows, whatever file they come from: where a row stands, and what its cells hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one split.

    Attributes:
        source: file or data set the rows come from, for messages.
        rows: one mapping a row.
        lines: the line each row begins at, where the format has lines.
        notes: what a reader should know of how the file was read.
    """

    source: str
    rows: list[dict[str, Any]]
    lines: list[int] | None = None
    notes: tuple[str, ...] = ()

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
