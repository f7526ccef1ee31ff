"""A bulk job that is interrupted, in whatever way, and begun again: nothing is lost, nothing is there twice."""

from __future__ import annotations

import errno
import io
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import diasum
from benchmarks.bulk import kill_and_compare
from benchmarks.bulk_stub import job, stub_worker
from diasum.bulk import BulkResult, journal
from diasum.bulk.inputs import Shard
from diasum.bulk.journal import Output
from diasum.dialogue.read import Reading
from diasum.errors import DiasumError
from tests.data.tables import rows, write_jsonl


class Crash(BaseException):
    """Stands for the end of the process: what runs after it must not matter."""


def run(folder: Path, out: str = "out.jsonl", identity: dict[str, Any] | None = None, **options: Any) -> BulkResult:
    return job([folder / "in.jsonl"], folder / out, **options).run(lambda: stub_worker(**(identity or {})))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """120 rows, some of them bad, and what an uninterrupted job writes of them."""
    lines = ["not json" if i % 10 == 3 else json.dumps(row) for i, row in enumerate(rows(120))]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    run(tmp_path, "whole.jsonl")
    return tmp_path


def same(folder: Path, out: str = "out.jsonl") -> bool:
    """Whether both files are, byte by byte, those of the uninterrupted job, and nothing is left over."""
    pairs = [(out, "whole.jsonl"), (f"{out}.rejected.jsonl", "whole.jsonl.rejected.jsonl")]
    left = [path for path in folder.iterdir() if path.suffix in (".part", ".new")]
    return not left and all((folder / one).read_bytes() == (folder / other).read_bytes() for one, other in pairs)


def crash_at(calls: int) -> Callable[[], bool]:
    """What says at the call of that number that the process ends there."""
    made = iter(range(1, 1000))
    return lambda: next(made) == calls


@pytest.mark.parametrize("calls", range(1, 40))
def test_a_crash_at_any_step_loses_nothing(calls: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job ends at its n-th write, flush or move; a write, half done. What would be cleaned up after it is not."""
    ends = crash_at(calls)
    add, replace = journal._add, os.replace

    def failing_add(file: Any, content: bytes) -> None:
        if ends():
            file.write(content[: len(content) // 2])
            raise Crash
        add(file, content)
        if ends():
            raise Crash

    def failing_replace(old: Any, new: Any) -> None:
        if ends():
            raise Crash
        replace(old, new)
        if ends():
            raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(journal, "_add", failing_add)
        patched.setattr(os, "replace", failing_replace)
        with suppress(Crash):
            run(folder)
    run(folder)
    assert same(folder)


def test_the_steps_are_fewer_than_are_tried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    add, replace = journal._add, os.replace
    monkeypatch.setattr(journal, "_add", lambda file, content: (calls.append("add"), add(file, content)))
    monkeypatch.setattr(os, "replace", lambda old, new: (calls.append("replace"), replace(old, new)))
    run(folder)
    assert 20 < 2 * len(calls) < 40


def test_a_job_that_is_complete_stays_so(folder: Path) -> None:
    run(folder)
    before = (folder / "out.jsonl").stat().st_mtime_ns
    result = run(folder)
    assert (result.done_before, result.summaries) == (120, 108)
    assert (folder / "out.jsonl").stat().st_mtime_ns == before


def interrupted(folder: Path) -> None:
    """A job that ended in its third portion, with half a line of each file written."""

    class Stop(Exception):
        pass

    commit = Output.commit

    def stopping(self: Output, *args: Any) -> None:
        if self.done.portions == 2:
            raise Stop
        commit(self, *args)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Output, "commit", stopping)
        with pytest.raises(Stop):
            run(folder)
    for name in ("out.jsonl.part", "out.jsonl.rejected.jsonl.part", "out.jsonl.journal"):
        with (folder / name).open("ab") as file:
            file.write(b'{"row": 99, "half')


def test_it_goes_on_where_it_was(folder: Path) -> None:
    interrupted(folder)
    result = run(folder)
    assert result.done_before == 24
    assert same(folder)


@pytest.mark.parametrize("change", ["longer", "other", "settings", "shard", "reading", "files", "version"])
def test_another_job_is_refused_and_told(change: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(folder)
    before = {path: path.read_bytes() for path in folder.iterdir() if "out" in path.name}
    options: dict[str, Any] = {}
    content = (folder / "in.jsonl").read_bytes()
    if change == "longer":
        (folder / "in.jsonl").write_bytes(content + b'{"dialogue": "Ana: One more."}\n')
        expected = f"bytes then, {len(content) + 31:,} now"
    elif change == "other":
        (folder / "in.jsonl").write_bytes(content.replace(b"please", b"pleasE"))
        expected = "in.jsonl: its content has changed"
    elif change == "settings":
        options, expected = {"identity": {"num_beams": 2}}, "generate.num_beams: not set then, 2 now"
    elif change == "shard":
        options, expected = {"shard": Shard(1, 2)}, "shard: 1/1 then, 1/2 now"
    elif change == "reading":
        options, expected = {"reading": Reading(keep_nonspeech=True)}, "reading.keep_nonspeech: False then, True now"
    elif change == "files":
        write_jsonl(folder / "more.jsonl", rows(2))
        with pytest.raises(DiasumError, match=r"in\.jsonl then, .*in\.jsonl, .*more\.jsonl now"):
            job([folder / "in.jsonl", folder / "more.jsonl"], folder / "out.jsonl").run(stub_worker)
        return
    else:
        monkeypatch.setattr(diasum, "__version__", "9.9")
        expected = "diasum: 0.1.0 then, 9.9 now"
    with pytest.raises(DiasumError) as caught:
        run(folder, **options)
    assert expected in str(caught.value)
    assert "--restart" in str(caught.value)
    assert {path: path.read_bytes() for path in before} == before, "nothing is touched"
    run(folder, restart=True, **options)
    assert (folder / "out.jsonl").is_file()


def test_restart_says_what_it_discards(folder: Path) -> None:
    interrupted(folder)
    out = io.StringIO()
    run(folder, restart=True, console=Console(file=out, width=300))
    assert "Discards" in out.getvalue()
    assert "out.jsonl.part (21 summaries of an unfinished job)" in out.getvalue()
    assert same(folder)
    run(folder, restart=True)
    assert same(folder), "of one that was complete, too"


def test_an_output_of_unknown_origin_is_not_overwritten(folder: Path) -> None:
    (folder / "out.jsonl").write_text("mine")
    with pytest.raises(DiasumError, match="is there already"):
        run(folder)
    assert (folder / "out.jsonl").read_text() == "mine"
    run(folder, restart=True)
    assert same(folder)


@pytest.mark.parametrize("damage", ["shorter", "changed", "journal", "newer"])
def test_what_is_not_as_the_journal_says_is_refused(damage: str, folder: Path) -> None:
    interrupted(folder)
    part, told = folder / "out.jsonl.part", folder / "out.jsonl.journal"
    if damage == "shorter":
        part.write_bytes(part.read_bytes()[:100])
    elif damage == "changed":
        part.write_bytes(part.read_bytes().replace(b"number d 5", b"number d 6"))
    elif damage == "journal":
        told.write_bytes(told.read_bytes().replace(b'"summaries"', b'"summaries'))
    else:
        told.write_bytes(told.read_bytes().replace(b'{"journal": 1', b'{"journal": 2'))
    with pytest.raises(DiasumError) as caught:
        run(folder)
    assert "--restart" in str(caught.value)
    run(folder, restart=True)
    assert same(folder)


def test_an_output_that_was_moved_away_is_missed(folder: Path) -> None:
    run(folder)
    (folder / "out.jsonl").unlink()
    with pytest.raises(DiasumError, match="is complete, but it is not there"):
        run(folder)


def test_two_at_once_are_refused(folder: Path) -> None:
    with Output(folder / "out.jsonl"), pytest.raises(DiasumError, match="is being written at this moment"):
        run(folder)
    run(folder)


def test_a_full_disk_is_told_and_the_job_goes_on_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add, written = journal._add, 0

    def filling(file: Any, content: bytes) -> None:
        nonlocal written
        written += len(content)
        if written > 20_000:
            file.write(content[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        add(file, content)

    with monkeypatch.context() as patched:
        patched.setattr(journal, "_add", filling)
        with pytest.raises(DiasumError, match="No space left on device") as caught:
            run(folder)
    assert "give the same command again" in str(caught.value)
    assert run(folder).done_before > 0
    assert same(folder)


def test_kills_of_a_real_process(tmp_path: Path) -> None:
    """Three, at random moments; `python -m benchmarks.bulk kills` does the same with fifty."""
    write_jsonl(tmp_path / "in.jsonl", rows(1000))
    killed = kill_and_compare(tmp_path / "in.jsonl", tmp_path, kills=3, pause=0.02, seed=0)
    assert killed.equal
    assert killed.kills == 3
