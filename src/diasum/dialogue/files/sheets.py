"""Spreadsheets to tables: the one sheet of an xlsx file that has rows, its first row with cells as the header.

Read by `python-calamine` (https://pypi.org/project/python-calamine), which comes with the extra `formats`. In memory as a whole.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import IO, Any

from diasum.dialogue.files.decoding import MIB
from diasum.dialogue.files.rows import Table
from diasum.errors import DiasumError, MissingExtraError

MOST_UNPACKED = 512 * MIB


def read_sheet(open_: Callable[[], IO[bytes]], where: str) -> Table:
    """Read a spreadsheet.

    Args:
        open_: opens its bytes.
        where: what to call it in messages.

    Raises:
        DiasumError: it is damaged, protected, too large, or several of its sheets have rows.
        MissingExtraError: `python-calamine` is not installed.
    """
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError:
        raise MissingExtraError("Reading spreadsheets (.xlsx)", "formats") from None
    try:
        with open_() as handle:
            content = handle.read()
        check_unpacked(content, where, "spreadsheet", MOST_UNPACKED)
        book = CalamineWorkbook.from_filelike(BytesIO(content))
        sheets = {name: rows for name in book.sheet_names if (rows := book.get_sheet_by_name(name).to_python())}
    except (CalamineError, OSError, ValueError, UnicodeError) as error:
        raise DiasumError(
            f"{where} is not a readable spreadsheet: {error}.", hint="Open and save it again, or save it as csv."
        ) from None
    with_rows = {name: rows for name, rows in sheets.items() if len(rows) > 1}
    if len(with_rows) > 1:
        raise DiasumError(
            f"{where} has several sheets with rows: {', '.join(with_rows)}.",
            hint="Save the one that you mean to a file of its own.",
        )
    return _table(next(iter(with_rows.values()), []), where)


def check_unpacked(content: bytes, where: str, kind: str, most: int) -> None:
    """Raises DiasumError where a zip archive is damaged or unpacks to more bytes than `most`; `kind` is what it should be."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DiasumError(
            f"{where} is not a readable {kind}: {error}.", hint="It may be incomplete: download or copy it again."
        ) from None
    if unpacked > most:
        raise DiasumError(
            f"{where} would be {unpacked // MIB:,} MiB when unpacked; at most {most // MIB} MiB are read.",
            hint="Split it into several files, or save it as text.",
        )


def _table(rows: list[list[Any]], where: str) -> Table:
    if not rows:
        return Table(where, [])
    header = [_cell(cell) for cell in rows[0]]
    names = [str(name).strip() if name is not None else "" for name in header]
    if repeated := next((name for name in names if name and names.count(name) > 1), None):
        raise DiasumError(f"{where}: two columns are named `{repeated}`.", hint="Rename or remove one of them.")
    table: list[dict[str, Any]] = []
    numbers: list[int] = []
    for number, cells in enumerate(rows[1:], 2):
        row = {name: _cell(cell) for name, cell in zip(names, cells, strict=False) if name}
        if any(cell is not None for cell in row.values()):
            table.append(row)
            numbers.append(number)
    return Table(where, table, numbers)


def _cell(value: Any) -> Any:
    """A cell as other tables have it: whole numbers as such, dates as times, empty ones as None."""
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return str(value) if isinstance(value, time | timedelta) else value
