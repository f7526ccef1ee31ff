"""Rows of csv and its relatives, with whatever separator they use; every complaint names the line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from diasum.errors import DiasumError


def separated_rows(
    path: Path, lines: Iterator[tuple[int, str]], delimiter: str, *, longest: int
) -> tuple[list[dict[str, str]], list[int]]:
    """Read a header and all rows.

    Args:
        path, lines, delimiter, longest: as `each_separated_row`.

    Returns:
        The rows, and the line that each begins at.

    Raises:
        DiasumError: two columns have one name, or as a row of `each_separated_row`.
    """
    rows, numbers = [], []
    for number, row in each_separated_row(path, lines, delimiter, longest=longest):
        if isinstance(row, DiasumError):
            raise row
        rows.append(row)
        numbers.append(number)
    return rows, numbers


def each_separated_row(
    path: Path, lines: Iterator[tuple[int, str]], delimiter: str, *, longest: int
) -> Iterator[tuple[int, dict[str, str] | DiasumError]]:
    """Read a header, and rows one by one.

    Args:
        path: for messages.
        lines: of the file, numbered.
        delimiter: that of the file's name. For a comma, another one that the header has more often is taken, as is one that a first line
            `sep=;` names.
        longest: characters in a cell.

    Yields:
        The line that a row begins at, and the row; or why it is none: it has more or fewer cells than the header, or its quotes do not
        match. After such a row one may go on.

    Raises:
        DiasumError: two columns have one name.
    """
    lines = _at_returns(lines)
    number, first = next(lines, (0, ""))
    if marked := re.fullmatch(r'"?sep=([,;|\t])"?', first.strip("\r\n")):  # a spreadsheet's own line
        delimiter = marked[1]
        number, first = next(lines, (number, ""))
    elif delimiter == ",":  # spreadsheets write `;` where the comma is decimal, and tabs under any name
        delimiter = max(",;\t|", key=first.count)
    began = number

    def text() -> Iterator[str]:
        nonlocal number
        yield first
        for number, line in lines:  # noqa: B007  (the number is read outside)
            yield line

    reader = csv.reader(text(), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        try:
            cells = _next(reader, longest)
        except csv.Error as error:
            kind = "tsv" if delimiter == "\t" else "csv"
            yield (
                began,
                DiasumError(
                    f"{path}, line {began}: not readable as {kind}: {_cause(error)}.",
                    hint='Text with line breaks or quotes must be quoted, and quotes in it doubled ("").',
                ),
            )
            began = number + 1
            continue
        if cells is None:
            return
        if header is None:
            header = _header(cells, f"{path}, line {number}")
        elif cells and (cells != [""] or len(header) == 1):  # `""` is how an empty cell of one column is written
            if len(cells) == len(header):
                yield began, dict(zip(header, cells, strict=True))
            else:
                yield began, _other_number_of_cells(f"{path}, line {began}", header, cells, delimiter)
        began = number + 1


def _next(reader: Iterator[list[str]], longest: int) -> list[str] | None:
    """The cells of the next row, None at the end; the limit of a cell, which is one for the whole process, is put back at once."""
    limit = csv.field_size_limit(longest)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(limit)


def _header(cells: list[str], where: str) -> list[str]:
    header = [name.strip() for name in cells]
    if repeated := next((name for name in header if name and header.count(name) > 1), None):
        raise DiasumError(f"{where}: two columns are named `{repeated}`.", hint="Rename or remove one of them.")
    return header


def _other_number_of_cells(where: str, header: list[str], cells: list[str], delimiter: str) -> DiasumError:
    return DiasumError(
        f"{where}: expected {len(header)} columns ({', '.join(header[:8])}), found {len(cells)}.",
        hint=f"Text with the separator ({_shown(delimiter)}), a quote or a line break must stand in quotes, and quotes in "
        'it be doubled ("").',
    )


def _at_returns(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines of a file that ends them with a return alone, as its first one tells; those of others as they are."""
    number, first = next(lines, (0, ""))
    if not re.search(r"\r(?![\r\n]|\Z)", first):
        yield number, first
        yield from lines
        return
    texts = chain([first], (text for _, text in lines))
    yield from enumerate((part for text in texts for part in re.split(r"(?<=\r)(?!\n|\Z)", text)), 1)


def _cause(error: csv.Error) -> str:
    """Without advice to programmers: "... - do you need to open the file with newline=''?"."""
    return str(error).partition(" - ")[0]


def _shown(delimiter: str) -> str:
    return "a tab" if delimiter == "\t" else f"`{delimiter}`"
