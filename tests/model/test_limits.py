"""Memory and processors as a container's or a job's control groups limit them, and what is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from diasum.model import choose_hardware, limits

GB = 10**9
VERSIONS = pytest.mark.parametrize("version", [1, 2])
NO_LIMIT = {1: {"memory": 9223372036854771712, "cpu": -1}, 2: {"memory": "max", "cpu": "max"}}
PLACES = [
    ("/", {"": 2}, 2),  # in a container
    ("/slurm/job_7/step_0", {"slurm/job_7": 3, "slurm/job_7/step_0": None, "slurm": 5}, 3),
    ("/docker/1234", {"": 2}, 2),  # its own group is not to be seen
    ("/../../other", {"": 2}, 2),
    ("/user", {"user": None}, None),
]


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 64 GB, 50 GB of them free, and folders for its control groups."""
    monkeypatch.setattr(limits, "_GROUPS", tmp_path)
    monkeypatch.setattr(limits, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr("os.sysconf", {"SC_PHYS_PAGES": 16_000_000, "SC_PAGE_SIZE": 4000}.__getitem__)
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 50 * GB}))
    return tmp_path


def place(groups: Path, version: int, path: str) -> None:
    lines = f"2:cpu,memory:{path}\n1:blkio:/elsewhere\n0::/\n" if version == 1 else f"0::{path}\n"
    (groups / "own").write_text(lines)


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n")


@VERSIONS
@pytest.mark.parametrize(("path", "limited", "most"), PLACES)
def test_memory(version: int, path: str, limited: dict[str, int | None], most: int | None, groups: Path) -> None:
    """Each group holds 1 GB, 0.3 GB of it file contents that can be read again."""
    place(groups, version, path)
    for name, limit in limited.items():
        bound = NO_LIMIT[version]["memory"] if limit is None else limit * GB
        if version == 1:
            files = {"memory.limit_in_bytes": f"{bound}", "memory.usage_in_bytes": f"{GB}"}
            files["memory.stat"] = f"inactive_file 1\ntotal_inactive_file {GB * 3 // 10}"
        else:
            files = {"memory.max": f"{bound}", "memory.current": f"{GB}"}
            files["memory.stat"] = f"anon 5\ninactive_file {GB * 3 // 10}"
        write((groups / "memory" if version == 1 else groups) / name, files)
    assert limits.memory_bytes() == (most or 64) * GB
    assert limits.free_bytes() == pytest.approx((most - 0.7 if most else 50) * GB)


def limit_processors(groups: Path, version: int, count: float | None, name: str = "") -> None:
    used = NO_LIMIT[version]["cpu"] if count is None else int(count * 100_000)
    if version == 1:
        write(groups / "cpu" / name, {"cpu.cfs_quota_us": f"{used}", "cpu.cfs_period_us": "100000"})
    else:
        write(groups / name, {"cpu.max": f"{used} 100000"})


@VERSIONS
@pytest.mark.parametrize(("path", "limited", "most"), PLACES)
def test_processors(version: int, path: str, limited: dict[str, int | None], most: int | None, groups: Path) -> None:
    place(groups, version, path)
    for name, count in limited.items():
        limit_processors(groups, version, count, name)
    assert limits.processors() == most


@pytest.mark.parametrize(("allowed", "threads"), [(1.5, 2), (0.2, 1), (16, 4), (None, 4)])
@pytest.mark.usefixtures("threads")
def test_no_more_threads_than_processors(
    allowed: float | None, threads: int, groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torch takes a thread for each processor of the machine; those that may not run hold up the others at every meeting."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    place(groups, 2, "/")
    limit_processors(groups, 2, allowed)
    torch.set_num_threads(4)
    reason = choose_hardware("cpu").reasons.get("threads")
    assert torch.get_num_threads() == threads
    assert reason == (
        f"{threads} thread{'' if threads == 1 else 's'}: this process may use {allowed} of the machine's processors"
        if threads < 4
        else None
    )
    torch.set_num_threads(4)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert "threads" not in choose_hardware("cpu").reasons
    assert torch.get_num_threads() == 4, "the user's own number stands"


def test_this_machine_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 < limits.free_bytes() <= limits.memory_bytes()
    monkeypatch.setattr(limits, "_OWN_GROUPS", Path("/nowhere"))  # as where there are no control groups
    assert 0 < limits.free_bytes() <= limits.memory_bytes()
    assert limits.processors() is None
