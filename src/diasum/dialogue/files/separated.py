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
    """Read a header and rows.

    Args:
        path: for messages.
        lines: of the file, numbered.
        delimiter: that of the file's name. For a comma, another one that the header has more often is taken, as is one that a first line
            `sep=;` names.
        longest: characters in a cell.

    Returns:
        The rows, and the line that each begins at.

    Raises:
        DiasumError: two columns have one name, a row has more or fewer cells than the header, or quotes do not match.
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

    limit = csv.field_size_limit(longest)
    rows, numbers = [], []
    try:
        reader = csv.reader(text(), delimiter=delimiter, strict=True)
        header = [name.strip() for name in next(reader, [])]
        if repeated := next((name for name in header if name and header.count(name) > 1), None):
            raise DiasumError(
                f"{path}, line {number}: two columns are named `{repeated}`.", hint="Rename or remove one of them."
            )
        began = number + 1
        for cells in reader:
            if cells and (cells != [""] or len(header) == 1):  # `""` is how an empty cell of one column is written
                if len(cells) != len(header):
                    raise DiasumError(
                        f"{path}, line {began}: expected {len(header)} columns ({', '.join(header[:8])}), found {len(cells)}.",
                        hint=f"Text with the separator ({_shown(delimiter)}), a quote or a line break must stand in quotes, and quotes in "
                        'it be doubled ("").',
                    )
                rows.append(dict(zip(header, cells, strict=True)))
                numbers.append(began)
            began = number + 1
    except csv.Error as error:
        raise DiasumError(
            f"{path}, line {began}: not readable as {'tsv' if delimiter == chr(9) else 'csv'}: {_cause(error)}.",
            hint='Text with line breaks or quotes must be quoted, and quotes in it doubled ("").',
        ) from None
    finally:
        csv.field_size_limit(limit)
    return rows, numbers


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
