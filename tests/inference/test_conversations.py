"""Conversations to summarise, from files and streams of every form."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from diasum.errors import DiasumError
from diasum.inference.conversations import Named, read_conversations

TEXT = "Anna: Lunch?\nBen: At nine."
TURNS = [{"speaker": "Anna", "text": "Lunch?"}, {"speaker": "Ben", "text": "At nine."}]
RECORDS = [{"id": "a", "dialogue": TEXT}, {"id": "b", "turns": TURNS}]


def piped(content: str | bytes) -> list[Named]:
    return read_conversations([], io.BytesIO(content.encode() if isinstance(content, str) else content))


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (TEXT, ["1"]),
        ("\ufeff" + TEXT.replace("\n", "\r\n"), ["1"]),
        (json.dumps(TURNS), ["1"]),
        (json.dumps(TURNS, indent=1), ["1"]),
        (json.dumps([["Anna", "Lunch?"], ["Ben", "At nine."]], indent=1), ["1"]),
        (json.dumps({"id": "a", "Transcript": TEXT}, indent=1), ["a"]),
        (json.dumps(RECORDS), ["a", "b"]),
        (json.dumps(RECORDS, indent=1), ["a", "b"]),
        ("\n".join(map(json.dumps, RECORDS)) + "\n", ["a", "b"]),
        ("\n\n" + json.dumps(TURNS) + "\n\n" + json.dumps(TURNS), ["3", "5"]),
        ("[00:12] Anna: Lunch?\n[00:14] Ben: At nine.", ["1"]),
    ],
)
def test_forms_on_standard_input(content: str, ids: list[str]) -> None:
    found = piped(content)
    assert [named.id for named in found] == ids
    assert {named.dialogue.text for named in found} == {TEXT}


@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz", "parquet", "json", "jsonl", "jsonl.gz", "json.gz"])
def test_tables_as_files(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"talks.{ending}"
    rows = [{"id": "a", "dialogue": TEXT}, {"id": "b", "dialogue": TEXT}]
    text = io.StringIO()
    if ending == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), file)
    else:
        if ending.startswith(("csv", "tsv")):
            writer = csv.DictWriter(text, ["id", "dialogue"], delimiter="," if ending.startswith("csv") else "\t")
            writer.writeheader()
            writer.writerows(rows)
        else:
            text.write(
                json.dumps(rows) if ending.startswith("json.") or ending == "json" else "\n".join(map(json.dumps, rows))
            )
        content = text.getvalue().encode()
        file.write_bytes(gzip.compress(content) if ending.endswith(".gz") else content)
    found = read_conversations([file], io.BytesIO())
    assert [named.id for named in found] == ["a", "b"]
    assert {named.dialogue.text for named in found} == {TEXT}


def test_a_line_separator_inside_a_string_does_not_end_the_line() -> None:
    (named,) = piped(json.dumps({"dialogue": "Anna: a\u2028b"}, ensure_ascii=False) + "\n")
    assert named.dialogue.speakers == ("Anna",)


def test_half_a_surrogate_pair_can_be_printed() -> None:
    (named,) = piped('{"id": "x\\ud800", "dialogue": "Anna: \\ud83d."}')
    (named.id + named.dialogue.text).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "standard input is empty"),
        (b"caf\xe9", "not UTF-8"),
        ('{"id": 1, "dialogue": "Anna: Hi."}\n{"id": 2, broken', "standard input, line 2: not valid JSON"),
        ('{"dialogue": "Anna: Hi."}\n{"dialogue": ' + "[" * 100_000, "standard input, line 2: not valid JSON"),
        ('{"dialogue": "Anna: Hi."}\n{"dialogue": " "}', "standard input, line 2 is empty"),
        ('{"dialogue": "Anna: Hi."}\n7', "line 2: expected an object, a text or a list of turns, found 7"),
        ('{"dialogue": 7}', "standard input cannot be read: expected text or a list of turns, found int"),
        ('{"dialogue": [{"who": "Anna"}]}', "turn 1 has no text"),
        ('{"speech": "Anna: Hi."}', "no conversation found; its keys are speech"),
        ("{}", "no conversation found; its keys are none"),
        ("\x00\x01", "standard input is empty"),
    ],
)
def test_complaints_name_the_place(content: Any, message: str) -> None:
    with pytest.raises(DiasumError) as caught:
        piped(content)
    assert message in str(caught.value)


def test_a_cut_gzip_file(tmp_path: Path) -> None:
    file = tmp_path / "talks.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps(RECORDS[0]).encode())[:-9])
    with pytest.raises(DiasumError, match="not a readable gzip file"):
        read_conversations([file], io.BytesIO())
