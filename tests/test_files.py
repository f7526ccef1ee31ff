"""Files appear whole or not at all, and a disk that refuses says so."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from diasum import files
from diasum.errors import DiasumError
from diasum.files import disk_errors, folder_in_place, write_text


def test_an_older_file_survives_a_failed_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DiasumError, match="No space left on device"):
        write_text(target, "new")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    for content in ("one", "two"):
        with folder_in_place(tmp_path / "f") as folder:
            (folder / content).write_text(content)
    assert [p.name for p in (tmp_path / "f").iterdir()] == ["two"]

    def half() -> None:
        with folder_in_place(tmp_path / "f") as folder:
            (folder / "three").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert [p.name for p in (tmp_path / "f").iterdir()] == ["two"]
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_folder_that_could_not_be_replaced_is_still_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = os.rename

    def stopped(source: Path, target: Path) -> None:
        if (Path(source) / "new").exists():
            raise KeyboardInterrupt
        rename(source, target)

    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "old").touch()
    monkeypatch.setattr(os, "rename", stopped)
    with pytest.raises(KeyboardInterrupt), folder_in_place(tmp_path / "f") as folder:
        (folder / "new").touch()
    assert [p.name for p in (tmp_path / "f").iterdir()] == ["old"]
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_other_errors_are_a_full_disk_only_when_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError), disk_errors(tmp_path):
        raise RuntimeError("unexpected pos 64 vs 0")
    monkeypatch.setattr(files, "_is_full", lambda path: True)
    with pytest.raises(DiasumError, match="No space left"), disk_errors(tmp_path):
        raise RuntimeError("unexpected pos 64 vs 0")


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mount.returncode:
        pytest.skip("a small file system can be mounted by root only")
    try:
        assert files._is_full(small / "run" / "checkpoints")
        with pytest.raises(DiasumError, match="No space left"):
            write_text(small / "large.txt", "x" * 200_000)
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)
