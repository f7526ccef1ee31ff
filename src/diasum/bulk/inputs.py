"""What a bulk job reads: files to numbered rows, one by one, and the fingerprints by which a changed file is known.

In: paths or a binary stream. Out: `Row`s, numbered over all files from 1, bad ones among them. Memory holds what one format needs at a
time: of a table with a conversation a row, the rows that are looked at to find its columns.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from diasum.dialogue.files.decoding import MIB
from diasum.dialogue.formats import MEMBERS, Source, choose
from diasum.dialogue.formats.source import standard_input
from diasum.dialogue.read import ReadDialogue, Reading, read_source
from diasum.dialogue.turns import Dialogue
from diasum.errors import DiasumError

_A_ROW_A_LINE = (".jsonl", ".ndjson", ".csv", ".tsv")
Tell = Callable[[int, int], None]  # done, of how many


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of the rows: those whose numbers leave the remainder `index` - 1 when 1 is taken off and they are divided by `count`.

    So nobody has to count the rows first, and a file that is sorted by length is shared out evenly; contiguous parts would need the one
    and miss the other.
    """

    index: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str | None) -> Shard:
        """From ``2/8``; the whole from None.

        Raises:
            DiasumError: it is not of this form, or there is no such shard.
        """
        match = re.fullmatch(r"\s*([0-9]{1,9})\s*/\s*([0-9]{1,9})\s*", text or "1/1")
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise DiasumError(
                f"--shard expects I/N with I from 1 to N, found `{text}`.",
                hint="For example --shard 2/8, the second of 8.",
            )
        return cls(int(match[1]), int(match[2]))

    def has(self, number: int) -> bool:
        """Whether the row of this number, from 1, belongs to it."""
        return (number - 1) % self.count == self.index - 1

    def share(self, rows: int) -> int:
        """How many of so many rows belong to it."""
        return max(0, (rows - self.index) // self.count + 1)

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the input.

    Attributes:
        number: from 1, over all files, bad rows included.
        file: the file it is in, as the user named it.
        read: the dialogue and how it was read.
    """

    number: int
    file: str
    read: ReadDialogue

    @property
    def problem(self) -> str | None:
        """Why it cannot be summarised; None where it can."""
        if self.read.error is not None:
            return str(self.read.error.message)
        return f"{self.read.where}: nothing is said in it." if self.read.dialogue.is_empty else None

    def origin(self) -> dict[str, Any]:
        """Where it came from, as the first keys of its record; `row` comes first, so that lines can be sorted by it."""
        place = self.read.where.removeprefix(self.file).lstrip(",:/\\ ")
        return {"row": self.number, "id": self.read.id, "file": self.file, "place": place or None}


class Inputs:
    """The files of a job.

    Args:
        files: files and folders, or one binary stream.
        reading: what the user says of how they are read.

    Raises:
        DiasumError: one of them is not there, is in no known format, or its beginning cannot be read.
    """

    def __init__(self, files: Sequence[Path | IO[bytes]], reading: Reading) -> None:
        self.files, self.reading = files, reading
        self._passed_over: Callable[[], bool] = lambda: False
        self.sources = [
            replace(_source(one, reading), tolerant=True, passed_over=lambda: self._passed_over()) for one in files
        ]
        names = [source.where for source in self.sources]
        if repeated := next((name for name in names if names.count(name) > 1), None):
            raise DiasumError(f"{repeated} is given twice.", hint="Name each file once.")
        for source in self.sources:
            next(read_source(source, reading), None)

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process the files are opened again."""
        return Inputs, (self.files, self.reading)

    def rows(self, shard: Shard, after: int = 0) -> Iterator[Row]:
        """The rows of a shard that come after the row of that number; what has to be read before them is passed over quickly."""
        number = 0

        def passed_over() -> bool:
            return number + 1 <= after or not shard.has(number + 1)

        self._passed_over = passed_over
        for source in self.sources:
            for one in self._dialogues(source):
                unread = passed_over()
                number += 1
                if not unread:
                    yield Row(number, source.where, one)

    def _dialogues(self, source: Source) -> Iterator[ReadDialogue]:
        """Those of one file; what cannot be read of it, from some place to its end, counts as one bad row."""
        try:
            yield from read_source(source, self.reading)
        except DiasumError as error:
            rest = DiasumError(f"The rest of this file was not read: {error.message}", hint=error.hint)
            yield ReadDialogue(None, Dialogue(()), source.where, error=rest)

    def fingerprints(self, tell: Tell) -> list[dict[str, Any]]:
        """Name, bytes and SHA-256 of each file, as stored; of a folder, of its files' names and contents together.

        Args:
            tell: called with MiB read, of how many.
        """
        total = sum(path.stat().st_size for source in self.sources for path in _paths(source))
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            tell(done // MIB, max(done, total) // MIB)

        self._state = self._states()
        return [{"file": source.where, **_fingerprint(source, advance)} for source in self.sources]

    def check_unchanged(self) -> None:
        """Raises DiasumError where a file was written while it was read, since its fingerprint was taken."""
        for source, before, now in zip(self.sources, self._state, self._states(), strict=True):
            if before != now:
                raise DiasumError(
                    f"{source.where} was changed while it was read.",
                    hint="Let whatever writes it end, or copy it, and begin anew with --restart.",
                )

    def _states(self) -> list[list[tuple[int, int]]]:
        """Size and time of the last change of each file, or of all in a folder."""
        return [
            [(found.st_size, found.st_mtime_ns) for path in _paths(source) if (found := path.stat())]
            for source in self.sources
        ]

    def estimate(self) -> int:
        """About how many rows there are, without reading them: lines, or what a parquet file says of itself."""
        return sum(map(_estimate, self.sources))


def _source(file: Path | IO[bytes], reading: Reading) -> Source:
    return Source.of_path(file, reading.names) if isinstance(file, Path) else standard_input(file, reading.names)


def _paths(source: Source) -> list[Path]:
    """The file, or those in a folder; none of a stream."""
    if source.path is None:
        return []
    return [one.path for one in source.members if one.path] if source.path.is_dir() else [source.path]


def _fingerprint(source: Source, advance: Callable[[int], None]) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    if source.path is not None and source.path.is_dir():
        for member in source.members:
            inner = _fingerprint(member, advance)
            digest.update(f"{member.within}\0{inner['bytes']}\0{inner['sha256']}\n".encode("utf-8", "surrogateescape"))
            size += inner["bytes"]
    else:
        with source.readable(), source.open_raw() as handle:
            while block := handle.read(MIB):
                digest.update(block)
                size += len(block)
                advance(len(block))
    return {"bytes": size, "sha256": digest.hexdigest()}


def _estimate(source: Source) -> int:
    if source.is_container and choose(source)[0] == MEMBERS:
        return sum(map(_estimate, source.members))
    if source.head.content.startswith(b"PAR1") and source.path is not None:
        import pyarrow.parquet as pq

        return int(pq.read_metadata(source.path).num_rows)
    if source.head.ending in _A_ROW_A_LINE:
        with source.readable(), source.open() as handle:
            return sum(block.count(b"\n") for block in iter(lambda: handle.read(MIB), b""))
    return 1
