"""Tables with a message per row, written as each kind of file."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq

Rows = list[dict[str, Any]]
ZENDESK: Rows = [
    {
        "ticket_id": 35,
        "author": "Ana Li",
        "plain_body": "My order is late.\n\nAna",
        "created_at": "2024-05-12T10:00:00Z",
        "public": True,
    },
    {
        "ticket_id": 36,
        "author": "Cem",
        "plain_body": "Reset my password: it fails.",
        "created_at": "2024-05-12T10:01:00Z",
        "public": True,
    },
    {
        "ticket_id": 35,
        "author": "Support",
        "plain_body": "We look into it.",
        "created_at": "2024-05-12T10:02:00Z",
        "public": True,
    },
    {"ticket_id": 36, "author": "Support", "plain_body": "Done.", "created_at": "2024-05-12T10:03:30Z", "public": True},
]
EXPECTED = [
    ("35", [("Ana Li", "My order is late. Ana"), ("Support", "We look into it.")]),
    ("36", [("Cem", "Reset my password: it fails."), ("Support", "Done.")]),
]


def separated(rows: Rows, delimiter: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def json_lines(rows: Rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(rows: Rows) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def xlsx(*sheets: list[list[Any]]) -> bytes:
    """A workbook with the least that the format asks for."""
    buffer = io.BytesIO()
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006"
    numbers = range(1, len(sheets) + 1)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        parts = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="application/vnd.openxmlformats-officedocument.'
            'spreadsheetml.worksheet+xml"/>'
            for n in numbers
        )
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{packages}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
            'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
            f'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>{parts}</Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r" Type="{relation}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        names = "".join(f'<sheet name="Sheet{n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
        archive.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets>{names}</sheets></workbook>'
        )
        links = "".join(
            f'<Relationship Id="r{n}" Type="{relation}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{packages}/relationships">{links}</Relationships>'
        )
        for number, rows in enumerate(sheets, 1):
            cells = "".join(f'<row r="{r}">{"".join(map(cell, row))}</row>' for r, row in enumerate(rows, 1))
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
            )
    return buffer.getvalue()


def cell(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


def sheet(rows: Rows) -> bytes:
    return xlsx([list(rows[0]), *(list(row.values()) for row in rows)])


KINDS: dict[str, Callable[[Rows], bytes]] = {
    "csv": separated,
    "tsv": lambda rows: separated(rows, "\t"),
    "jsonl": json_lines,
    "json": lambda rows: json.dumps(rows).encode(),
    "parquet": parquet,
    "xlsx": sheet,
}


def write(folder: Path, kind: str, rows: Rows) -> Path:
    path = folder / f"tickets.{kind}"
    path.write_bytes(KINDS[kind](rows))
    return path
