"""A bulk job: what it writes, in which order, and what it sets aside; with a stub in the place of the model."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks.bulk_stub import job, stub_worker
from diasum.bulk import BulkResult, Worker
from diasum.bulk.inputs import Shard
from diasum.bulk.portions import FIRST, LARGEST
from diasum.data.summary import NOTHING, Summary
from diasum.dialogue.formats.source import Names
from diasum.dialogue.read import Reading
from diasum.errors import DiasumError
from tests.data.tables import WRITERS, rows, write_jsonl

ROOT = Path(__file__).parents[2]
BAD = ["not json", '{"dialogue": ""}', "17", '{"id": "x", "dialogue": {"a": 1}}', '{"dialogue": ["broken', '"\\u0000"']


def run(files: list[Path], out: Path, **options: Any) -> BulkResult:
    return job(files, out, **options).run(stub_worker)


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """300 rows, every tenth of which is bad."""
    lines = [BAD[i // 10 % len(BAD)] if i % 10 == 3 else json.dumps(row) for i, row in enumerate(rows(300))]
    (tmp_path / "mixed.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path / "mixed.jsonl"


def test_records_stand_in_the_order_of_the_input(mixed: Path, tmp_path: Path) -> None:
    result = run([mixed], tmp_path / "out.jsonl")
    written = records(tmp_path / "out.jsonl")
    assert [one["row"] for one in written] == [i + 1 for i in range(300) if i % 10 != 3]
    assert [one["id"] for one in written] == [f"d{i}" for i in range(300) if i % 10 != 3]
    assert written[5]["place"] == "line 7"
    assert written[5]["file"] == str(mixed)
    assert all(Summary.from_record(one).finish_reason == "stop" for one in written)
    assert (result.summaries, result.set_aside, result.done_before) == (270, 30, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(".out.jsonl.lock", "mixed.jsonl", "out.jsonl", "out.jsonl.journal", "out.jsonl.rejected.jsonl")
    ]


def test_bad_rows_are_set_aside_with_their_reasons(mixed: Path, tmp_path: Path) -> None:
    result = run([mixed], tmp_path / "out.jsonl")
    assert result.rejected is not None
    rejected = records(result.rejected)
    assert [one["row"] for one in rejected] == list(range(4, 300, 10))
    assert {one["place"] for one in rejected[:2]} == {"line 4", "line 14"}
    reasons = [one["reason"] for one in rejected[: len(BAD)]]
    for reason, part in zip(
        reasons,
        ["not valid JSON", "nothing is said", "expected an object", "", "not valid JSON", "nothing is said"],
        strict=True,
    ):
        assert part in reason
        assert "mixed.jsonl, line" in reason


def test_strict_ends_at_the_first_bad_row(mixed: Path, tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match="line 4: not valid JSON"):
        run([mixed], tmp_path / "out.jsonl", strict=True)
    assert not (tmp_path / "out.jsonl").exists()
    assert run([mixed], tmp_path / "out.jsonl").summaries == 270, "without it, the same job goes on"


def test_only_bad_rows_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("\n".join(BAD))
    with pytest.raises(DiasumError, match="None of the 6 rows could be summarised"):
        run([tmp_path / "bad.jsonl"], tmp_path / "out.jsonl")
    assert len(records(tmp_path / "out.jsonl.rejected.jsonl")) == 6
    assert not (tmp_path / "out.jsonl").exists()
    assert not (tmp_path / "out.jsonl.journal").exists(), "once mended, the input is another one"


@pytest.mark.parametrize("name", WRITERS)
def test_every_table_is_read(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name, rows(20))
    run([tmp_path / name], tmp_path / "out.jsonl")
    written = records(tmp_path / "out.jsonl")
    assert [(one["row"], one["id"]) for one in written] == [(i + 1, f"d{i}") for i in range(20)]
    assert [one["summary"] for one in written][:2] == ["number d 0, please", "number d 1, please"]


def test_several_files_and_folders_are_numbered_through(tmp_path: Path) -> None:
    (tmp_path / "chats").mkdir()
    for name in ("b", "a"):
        (tmp_path / "chats" / f"{name}.txt").write_text(f"Ana: This is {name}.\nBen: I see.\n")
    (tmp_path / "chats" / "c.json").write_text("[broken")
    (tmp_path / "chats" / "d.txt").write_text("Ana: This is d.\n")
    write_jsonl(tmp_path / "one.jsonl", rows(3))
    run([tmp_path / "one.jsonl", tmp_path / "chats"], tmp_path / "out.jsonl")
    written = records(tmp_path / "out.jsonl")
    assert [(one["row"], one["id"], one["place"]) for one in written[2:]] == [
        (3, "d2", "line 3"),
        (4, "a", "a.txt"),
        (5, "b", "b.txt"),
        (7, "d", "d.txt"),
    ]
    (rejected,) = records(tmp_path / "out.jsonl.rejected.jsonl")
    assert (rejected["row"], rejected["place"]) == (6, "c.json")


def test_a_table_with_a_message_a_row(tmp_path: Path) -> None:
    table = [{"ticket_id": i // 3, "author": "Ana" if i % 2 else "Ben", "body": f"Words {i}."} for i in range(30)]
    WRITERS["a.csv"](tmp_path / "a.csv", table)
    run([tmp_path / "a.csv"], tmp_path / "out.jsonl", reading=Reading(names=Names(group="ticket_id")))
    written = records(tmp_path / "out.jsonl")
    assert [one["id"] for one in written] == [str(i) for i in range(10)]
    assert "joined by `ticket_id`" in written[0]["notes"][0]


def test_rows_of_csv_that_do_not_fit_are_set_aside(tmp_path: Path) -> None:
    lines = [
        "id,dialogue",
        "a,Ana: One.",
        "b,Ana: Two,three",
        'c,"Ana: ""Three"" Four."',
        'd,"Ana: "Three" Four."',
        "e,Ana: Five.",
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    run([tmp_path / "a.csv"], tmp_path / "out.jsonl")
    assert [one["id"] for one in records(tmp_path / "out.jsonl")] == ["a", "c", "e"]
    reasons = [one["reason"] for one in records(tmp_path / "out.jsonl.rejected.jsonl")]
    assert "line 3: expected 2 columns" in reasons[0]
    assert "line 5: not readable as csv" in reasons[1]


def test_a_far_too_long_line_is_one_bad_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from diasum.dialogue.formats import source

    monkeypatch.setattr(source, "LONGEST_LINE", 2000)
    table = rows(5)
    table[2]["dialogue"] = "Ana: " + 700 * "word " + "\nBen: Yes."
    write_jsonl(tmp_path / "a.jsonl", table)
    run([tmp_path / "a.jsonl"], tmp_path / "out.jsonl")
    assert [one["id"] for one in records(tmp_path / "out.jsonl")] == ["d0", "d1", "d3", "d4"]
    (rejected,) = records(tmp_path / "out.jsonl.rejected.jsonl")
    assert "line 3: longer than" in rejected["reason"]


def test_a_file_that_breaks_off_is_refused_before_anything_starts(tmp_path: Path) -> None:
    write_jsonl(
        tmp_path / "a.jsonl.gz",
        [row | {"dialogue": row["dialogue"] + f" {i * 7919 % 104729}"} for i, row in enumerate(rows(9000))],
    )
    content = (tmp_path / "a.jsonl.gz").read_bytes()
    (tmp_path / "a.jsonl.gz").write_bytes(content[: len(content) - 2000])
    with pytest.raises(DiasumError, match="not a readable gzip file"):
        job([tmp_path / "a.jsonl.gz"], tmp_path / "out.jsonl").run(lambda: pytest.fail("loaded"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl.gz"]


def test_what_cannot_be_read_further_on_is_one_bad_row(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows(9000)), tmp_path / "a.parquet", row_group_size=1000, compression="none")
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    place = content.index(b"number d 8500")
    content[place : place + 2000] = b"\xff" * 2000
    (tmp_path / "a.parquet").write_bytes(bytes(content))
    write_jsonl(tmp_path / "b.jsonl", rows(3))
    result = run([tmp_path / "a.parquet", tmp_path / "b.jsonl"], tmp_path / "out.jsonl")
    assert result.set_aside == 1
    (rejected,) = records(tmp_path / "out.jsonl.rejected.jsonl")
    assert "The rest of this file was not read" in rejected["reason"]
    assert [one["id"] for one in records(tmp_path / "out.jsonl")][-3:] == ["d0", "d1", "d2"]
    assert result.summaries >= 7000


def test_shards_put_together_are_the_whole(mixed: Path, tmp_path: Path) -> None:
    run([mixed], tmp_path / "whole.jsonl")
    parts = []
    for index in (1, 2, 3):
        run([mixed], tmp_path / f"part-{index}.jsonl", shard=Shard.parse(f"{index}/3"))
        parts += records(tmp_path / f"part-{index}.jsonl")
        assert all(one["row"] % 3 == index % 3 for one in records(tmp_path / f"part-{index}.jsonl"))
    assert sorted(parts, key=lambda one: int(one["row"])) == records(tmp_path / "whole.jsonl")
    (command,) = re.findall(r"^LC_ALL=C (sort .*) > out.jsonl", (ROOT / "docs" / "bulk.md").read_text(), re.M)
    if shutil.which("sort"):
        command = command.replace("part-1.jsonl part-2.jsonl", "part-2.jsonl part-3.jsonl part-1.jsonl")
        put_together = subprocess.run(
            shlex.split(command), cwd=tmp_path, env={"LC_ALL": "C", **os.environ}, capture_output=True, check=True
        )
        assert put_together.stdout == (tmp_path / "whole.jsonl").read_bytes()


def test_a_shard_without_rows_is_an_empty_file(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", rows(2))
    run([tmp_path / "a.jsonl"], tmp_path / "out.jsonl", shard=Shard.parse("3/3"))
    assert (tmp_path / "out.jsonl").read_bytes() == b""


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/0", "a/b", "-1/2", "1/2/3", ""])
def test_shards_that_are_none(text: str) -> None:
    if text == "":
        assert Shard.parse(text) == Shard(), "not given"
        return
    with pytest.raises(DiasumError, match="--shard expects I/N"):
        Shard.parse(text)


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_shares_of_rows(count: int) -> None:
    for total in (0, 1, 6, 7, 50):
        for index in range(1, count + 1):
            shard = Shard(index, count)
            assert shard.share(total) == sum(shard.has(number) for number in range(1, total + 1))


def test_portions_begin_small_and_grow(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", rows(1200))
    run([tmp_path / "a.jsonl"], tmp_path / "out.jsonl")
    journal = records(tmp_path / "out.jsonl.journal")
    ends = [0, *(entry["row"] for entry in journal[1:-1])]
    assert [end - begin for begin, end in pairwise(ends)] == [8, 16, 32, 64, 128, 256, 256, 256, 184]
    assert (FIRST, LARGEST) == (8, 256)


def test_parquet_holds_every_field(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    from diasum.bulk.parquet import schema

    write_jsonl(tmp_path / "a.jsonl", rows(50))
    run([tmp_path / "a.jsonl"], tmp_path / "out.jsonl")
    run([tmp_path / "a.jsonl"], tmp_path / "out.parquet")
    lines = records(tmp_path / "out.jsonl")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.schema == schema()
    assert table.to_pylist() == lines
    assert set(schema().names) == lines[0].keys() == {"row", "id", "file", "place", "notes", *NOTHING.to_record()}
    assert not (tmp_path / "out.parquet.part").exists()


def test_nothing_is_left_of_parquet_that_could_not_be_written(tmp_path: Path) -> None:
    from diasum.bulk.parquet import to_parquet

    (tmp_path / "lines").write_text("{}\n")
    with pytest.raises(KeyError):
        to_parquet(tmp_path / "lines", tmp_path / "out.parquet")
    assert [file.name for file in tmp_path.iterdir()] == ["lines"]


def test_parquet_holds_nested_fields(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    from diasum.bulk.parquet import to_parquet
    from diasum.data.summary import Window

    summary = Summary.of_text("Ana pays Ben $40 at nine. Ben agrees.", english=True)
    record = {"row": 1, "id": None, "file": "a", "place": None, "notes": ["n"], **summary.to_record()}
    record["redacted"] = {"email": 2}
    record["windows"] = [{"first": 0, "last": 4, "spans": [[0, 1], [3, 4]], "whole": False}]
    assert record["windows"][0].keys() == {"first", "last", *Window.__dataclass_fields__}
    (tmp_path / "a.jsonl").write_text(json.dumps(record) + "\n")
    to_parquet(tmp_path / "a.jsonl", tmp_path / "a.parquet")
    (read,) = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert dict(read.pop("redacted")) == record.pop("redacted")
    assert read == record
    assert record["sentences"][0]["claims"]


def test_standard_input(tmp_path: Path) -> None:
    content = "".join(json.dumps(row) + "\n" for row in rows(20)).encode()
    result = job([io.BytesIO(content)], tmp_path / "out.jsonl").run(stub_worker)  # type: ignore[list-item]
    assert result.summaries == 20
    assert records(tmp_path / "out.jsonl")[0]["file"] == "standard input"


@pytest.mark.parametrize("out", ["out.txt", "in.jsonl", "chats/out.jsonl", "."])
def test_outputs_that_are_refused(out: str, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", rows(2))
    (tmp_path / "chats").mkdir()
    (tmp_path / "chats" / "a.txt").write_text("Ana: Hello.\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(DiasumError):
        run([tmp_path / "in.jsonl", tmp_path / "chats"], tmp_path / out)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("content", [b"%PDF-1.7 \xff\x00", b"PAR1 damaged", b"a,a\n1,2\n", b"\x1f\x8b\x08damaged"])
def test_a_file_that_cannot_be_read_is_refused_before_anything_starts(content: bytes, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", rows(2))
    (tmp_path / "b.csv").write_bytes(content)
    with pytest.raises(DiasumError, match=r"b\.csv"):
        job([tmp_path / "a.jsonl", tmp_path / "b.csv"], tmp_path / "out.jsonl").run(lambda: pytest.fail("loaded"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.csv"]


def test_a_file_that_grows_while_it_is_read_is_told(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", rows(20))

    def growing() -> Worker:
        with (tmp_path / "a.jsonl").open("a") as file:
            file.write('{"dialogue": "Ana: One more."}\n')
        return stub_worker()

    with pytest.raises(DiasumError, match=r"a\.jsonl was changed while it was read"):
        job([tmp_path / "a.jsonl"], tmp_path / "out.jsonl").run(growing)
    assert not (tmp_path / "out.jsonl").exists()


def test_aliases(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", rows(20))
    out = io.StringIO()
    reading = Reading(aliases={"Ana": "Anna", "Anna": "Hannah"})
    run([tmp_path / "a.jsonl"], tmp_path / "out.jsonl", reading=reading, console=Console(file=out, width=200))
    assert "note: no speaker has the label `Ana`" in out.getvalue()
    assert "`Anna`, for" not in out.getvalue()


def test_how_an_export_is_read_is_told_once(tmp_path: Path) -> None:
    lines = [
        f"[{day:02}.11.26, 10:00:00] Ana: Words {day}.\n[{day:02}.11.26, 10:01:00] Ben: Yes.\n" for day in range(1, 29)
    ]
    (tmp_path / "_chat.txt").write_text("".join(lines))
    out = io.StringIO()
    reading = Reading(split_pause=timedelta(hours=8))
    result = run(
        [tmp_path / "_chat.txt"], tmp_path / "out.jsonl", reading=reading, console=Console(file=out, width=200)
    )
    assert result.summaries == 28
    assert out.getvalue().count("read as: WhatsApp export") == 1


def test_progress_is_told(mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diasum.progress.LINE_SECONDS", -1)
    out = io.StringIO()
    run([mixed], tmp_path / "out.jsonl", console=Console(file=out, width=200))
    assert "summarising: 300 of 300" in out.getvalue()
    assert "30 set aside" in out.getvalue()
