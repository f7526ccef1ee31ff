"""Rows in portions, and what is written of a portion.

A portion is what is summarised together, sorted by length inside, and what is lost at most when a job is killed. The first ones are
small, so that there are results at once; they grow until batches are dense. Where each begins depends on the rows alone, not on time, so
that a job that was interrupted summarises the same conversations together as one that was not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from diasum.bulk.inputs import Inputs, Row, Shard
from diasum.data.summary import Summary
from diasum.dialogue import Dialogue
from diasum.errors import DiasumError

FIRST, LARGEST = 8, 256  # rows
MOST_LETTERS = 4_000_000  # of a portion: that many megabytes of text in memory, and some times that as turns and tokens

Summarize = Callable[[Sequence[Dialogue]], Sequence[Summary]]


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows that are summarised together; at least one.

    Attributes:
        rows: in order.
        renamed: labels for which an alias stood in, in these rows or those before.
    """

    rows: tuple[Row, ...]
    renamed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """The portions that are not done yet; read when they are asked for, in this or another process.

    Attributes:
        inputs: the files.
        shard: the part of their rows.
        after: number of the last row that is done.
        done: portions before.
        strict: refuse a row that cannot be summarised.
    """

    inputs: Inputs
    shard: Shard
    after: int
    done: int
    strict: bool

    @property
    def whole(self) -> bool:
        """Whether these are all rows of the files."""
        return self.after == 0 and self.shard.count == 1

    def __iter__(self) -> Iterator[Portion]:
        """Raises DiasumError at a row that cannot be summarised, where `strict`."""
        for portion in portions(self.inputs.rows(self.shard, self.after), self.done, strict=self.strict):
            yield replace(portion, renamed=tuple(sorted(self.inputs.reading.renamed)))


@dataclass(frozen=True, slots=True)
class Written:
    """What is written of a portion.

    Attributes:
        lines: records of summaries.
        rejected: records of rows set aside.
        row: number of the last row.
        cut: how many of the summaries reached their length limit before they ended.
        readings: what rows were read as, each once, where that is not plain to see.
        renamed: as of the portion.
    """

    lines: Sequence[str]
    rejected: Sequence[str]
    row: int
    cut: int = 0
    readings: Sequence[str] = ()
    renamed: Sequence[str] = ()


def portions(rows: Iterable[Row], done: int = 0, *, strict: bool = False) -> Iterator[Portion]:
    """Rows in portions.

    Args:
        rows: in order.
        done: portions before them.
        strict: refuse a row that cannot be summarised.

    Raises:
        DiasumError: such a row, where `strict`.
    """
    held: list[Row] = []
    letters = 0
    size = min(FIRST << min(done, 30), LARGEST)
    for row in rows:
        if strict and row.problem:
            raise DiasumError(row.problem, hint="Mend or remove it; without --strict such rows are set aside.")
        held.append(row)
        letters += sum(len(turn.text) for turn in row.read.dialogue.turns)
        if len(held) >= size or letters >= MOST_LETTERS:
            yield Portion(tuple(held))
            held, letters, size = [], 0, min(2 * size, LARGEST)
    if held:
        yield Portion(tuple(held))


def written(portion: Portion, summarize: Summarize) -> Written:
    """Summarise a portion; the records are in the order of its rows."""
    sound = [row for row in portion.rows if row.problem is None]
    summaries = summarize([row.read.dialogue for row in sound]) if sound else []
    lines = tuple(_line(row, summary) for row, summary in zip(sound, summaries, strict=True))
    rejected = tuple(_json(row.origin() | {"reason": row.problem}) for row in portion.rows if row.problem is not None)
    readings = dict.fromkeys(row.read.reason for row in sound if row.read.format not in ("plain", "table"))
    cut = sum(summary.finish_reason == "length" for summary in summaries)
    return Written(lines, rejected, portion.rows[-1].number, cut, tuple(readings), portion.renamed)


def _line(row: Row, summary: Summary) -> str:
    return _json(row.origin() | {"notes": list(row.read.notes)} | summary.to_record())


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False)
