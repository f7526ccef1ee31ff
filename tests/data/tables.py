"""Tables in the formats people have, written and read back, for the tests of corpora."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from diasum.config import DataSettings
from diasum.data import Corpus, load_corpus
from diasum.errors import DiasumError

Rows = Sequence[dict[str, Any]]


def rows(n: int, prefix: str = "d") -> list[dict[str, Any]]:
    return [
        {
            "id": f"{prefix}{i}",
            "dialogue": f"Anna: number {prefix} {i}, please\nBen: Here, at 9:30",
            "summary": f"Anna gets {i}.",
            "topic": "t",
        }
        for i in range(n)
    ]


def write_csv(path: Path, table: Rows, delimiter: str = ",") -> None:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(table[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(table)
    data = buffer.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_jsonl(path: Path, table: Rows) -> None:
    data = "".join(json.dumps(row) + "\n" for row in table).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_json(path: Path, tree: Any) -> None:
    data = json.dumps(tree, indent=1).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_parquet(path: Path, table: Rows) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(list(table)), path)


WRITERS: dict[str, Callable[[Path, Rows], None]] = {
    "a.csv": write_csv,
    "a.csv.gz": write_csv,
    "a.tsv": lambda path, table: write_csv(path, table, "\t"),
    "semicolons.csv": lambda path, table: write_csv(path, table, ";"),
    "a.json": write_json,
    "a.json.gz": write_json,
    "data-key.json": lambda path, table: write_json(path, {"version": 1, "data": table}),
    "lines.json": write_jsonl,
    "a.jsonl": write_jsonl,
    "A.JSONL": write_jsonl,
    "a.jsonl.gz": write_jsonl,
    "a.parquet": write_parquet,
}


def load(path: Path | str, **keywords: Any) -> Corpus:
    outside = {name: keywords.pop(name) for name in ("purpose", "split", "need_summaries") if name in keywords}
    return load_corpus(DataSettings(path=str(path), **keywords), **outside)


def fail(path: Path | str, **keywords: Any) -> str:
    with pytest.raises(DiasumError) as caught:
        load(path, **keywords)
    return str(caught.value)
