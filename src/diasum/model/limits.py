"""What this process may use: the machine's main memory and processors, or less where a container or job is limited.

Such limits stand in the process's control groups (Linux), each of which is bound by those around it, too. There are two versions of
them, whose files have other names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_GROUPS, _OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def memory_bytes() -> int:
    """Main memory, free or not; 0 where the system does not tell."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return 0
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([physical, *(most for most, _ in _memory_limits())])


def free_bytes() -> int:
    """Main memory that can still be had."""
    import psutil

    return min([int(psutil.virtual_memory().available), *(most - held for most, held in _memory_limits())])


def processors() -> float | None:
    """How many processors' time may be used at most, such as 1.5; None without a limit."""
    return min(_processor_limits(), default=None)


def _memory_limits() -> Iterator[tuple[int, int]]:
    """Bytes that each group may hold, and holds; file contents that can be read again do not count."""
    for group, version in _groups("memory"):
        most, held, spare = {
            1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
            2: ("memory.max", "memory.current", "inactive_file"),
        }[version]
        try:
            limit, used = (int((group / name).read_text(encoding="ascii")) for name in (most, held))
            lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
        except (OSError, ValueError):  # no such group, or no limit ("max")
            continue
        yield limit, used - int(dict(line.split() for line in lines).get(spare, 0))


def _processor_limits() -> Iterator[float]:
    for group, version in _groups("cpu"):
        names = {1: ("cpu.cfs_quota_us", "cpu.cfs_period_us"), 2: ("cpu.max",)}[version]
        try:
            used, period = map(int, " ".join((group / name).read_text(encoding="ascii") for name in names).split())
        except (OSError, ValueError):
            continue
        if used > 0 and period > 0:  # without a limit version 1 has -1
            yield used / period


def _groups(controller: str) -> Iterator[tuple[Path, int]]:
    """The folders of this process's groups that may limit it, each followed by those around it, and their version."""
    try:
        lines = _OWN_GROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers and controller not in controllers.split(","):
            continue
        top, version = (_GROUPS / controller, 1) if controllers else (_GROUPS, 2)
        group = top if ".." in Path(path).parts else top / path.lstrip("/")  # as seen from another group
        yield group, version
        while group != top:
            group = group.parent
            yield group, version
