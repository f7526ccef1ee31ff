"""Records of summaries as a parquet file, of which memory holds a row group at a time.

A job writes JSON lines, since a parquet file cannot be gone on with; at its end they are read once more. The types of the columns are
fixed, so that the files of several shards fit together whatever is in them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

_GROUP = 4096  # rows


def to_parquet(lines: Path, out: Path) -> None:
    """Write a file of records, a JSON object a line, as parquet, whole or not at all.

    Raises:
        OSError: the disk is full, say.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    temporary = out.with_name(f".{out.name}.new")
    try:
        with pq.ParquetWriter(temporary, schema()) as writer:
            for group in _groups(lines):
                writer.write_table(pa.Table.from_pylist(group, schema()))
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)


def schema() -> Any:
    """The columns of `diasum.data.summary.Summary.to_record` and where a record came from, as a `pyarrow.Schema`."""
    import pyarrow as pa

    text, whole, share, flag = pa.string(), pa.int64(), pa.float64(), pa.bool_()
    claim = pa.struct({"kind": text, "text": text, "start": whole, "end": whole})
    sentence = pa.struct(
        {
            "text": text,
            "start": whole,
            "end": whole,
            "turns": pa.list_(whole),
            "claims": pa.list_(claim),
            "verdict": text,
            "reasons": pa.list_(text),
        }
    )
    window = pa.struct({"first": whole, "last": whole, "spans": pa.list_(pa.list_(whole)), "whole": flag})
    return pa.schema(
        {
            "row": whole,
            "id": text,
            "file": text,
            "place": text,
            "notes": pa.list_(text),
            "version": whole,
            "summary": text,
            "sentences": pa.list_(sentence),
            "finish_reason": text,
            "engine": text,
            "settings_hash": text,
            "windows": pa.list_(window),
            "passes": whole,
            "tokens_read": whole,
            "cut": flag,
            "summary_cut": flag,
            "turns": whole,
            "turns_cut": whole,
            "words": whole,
            "words_read": whole,
            "read": text,
            "letters_lost": share,
            "letters_dropped": share,
            "scripts_lost": pa.list_(text),
            "dtype": text,
            "dtype_reason": text,
            "engine_reason": text,
            "redacted": pa.map_(text, whole),
            "review": share,
            "not_checked": pa.list_(text),
        }
    )


def _groups(lines: Path) -> Iterator[list[dict[str, Any]]]:
    with lines.open(encoding="utf-8") as file:
        while group := [_row(line) for line in islice(file, _GROUP)]:
            yield group


def _row(line: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(line)
    redacted = record["redacted"]
    return record | {"redacted": None if redacted is None else list(redacted.items())}
