"""Times in a column of a table, whatever they are written as: the order of day and month is decided over the whole column.

Read are ISO 8601, seconds or milliseconds since 1970, dates of numbers with a clock (``12/05/2024 10:30``, with or without halves of the
day), and dates with the English name of their month (RFC 5322).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar

from diasum.dialogue.files.rows import one_line
from diasum.dialogue.stamps import Order, Stamp, plain, stamp_of


class Timed(Protocol):
    """What may have a time."""

    @property
    def time(self) -> datetime | None: ...


T = TypeVar("T", bound=Timed)

_HALF = re.compile(r",? ?([ap])\.?m\.?$", re.I)


class Times:
    """Reads the times of a column.

    Args:
        sequences: cells that follow each other in the order of time, or against it: the whole column, and that of each conversation.

    Attributes:
        order: which of a date's numbers is the day; undecided where the dates leave it open.
    """

    def __init__(self, sequences: Iterable[Iterable[Any]]) -> None:
        self.order = Order()
        for cells in sequences:
            texts = [text for cell in cells if isinstance(cell, str) and (text := plain(one_line(cell)))]
            self.order.see_sequence([(stamp, text) for text in texts if (stamp := _stamp(text))])
        self.order.decide()

    def time(self, cell: Any) -> datetime | None:
        """When a cell says it was; None where it does not."""
        if isinstance(cell, datetime):
            return cell
        if isinstance(cell, date):
            return datetime(cell.year, cell.month, cell.day)
        text = plain(one_line(cell)).removesuffix(" UTC")
        if (time := _unmistakable(text)) is not None:
            return time
        stamp = _stamp(text)
        return self.order.time(stamp) if stamp else _named_month(text)


def comparable(time: datetime) -> datetime:
    """Times with and without a zone in one order: those without one are taken for UTC."""
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def in_time(items: Sequence[T]) -> list[T]:
    """In the order of their times, those of one time as they stand; all as they stand where one has none."""
    times = [comparable(item.time) for item in items if item.time is not None]
    if len(times) < len(items):
        return list(items)
    return [item for _, item in sorted(zip(times, items, strict=True), key=lambda pair: pair[0])]


def _unmistakable(text: str) -> datetime | None:
    try:
        if re.fullmatch(r"\d{9,11}(?:\.\d+)?|\d{13}(?:\.\d+)?", text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if number >= 1e12 else number, UTC)
        return datetime.fromisoformat(text) if re.match(r"\d{4}-?\d\d-?\d\d(?:[T ]|$)", text) else None
    except (ValueError, OverflowError, OSError):
        return None


def _stamp(text: str) -> Stamp | None:
    """The numbers of a date and a clock; a date alone is midnight."""
    if not text[:1].isdigit():
        return None
    stamp = stamp_of(f"[{text}]" if ":" in text else f"[{text} 00:00]")
    return stamp if stamp and stamp.end >= len(text) + 2 else None


def _named_month(text: str) -> datetime | None:
    half = _HALF.search(text)
    try:
        time = parsedate_to_datetime(text[: half.start()] if half else text)
    except (ValueError, IndexError, TypeError):
        return None
    if half is None or time.hour > 12:
        return time
    return time.replace(hour=0) + timedelta(hours=time.hour % 12 + 12 * (half[1].lower() == "p"))
