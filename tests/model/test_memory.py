"""Memory that stays with the process: no page is touched for the first time twice."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

CODE = """
import resource, numpy
from diasum.model.memory import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for size in (9_000_000, 5_000_000, 8_000_000):
        numpy.ones(size, dtype=numpy.float32)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
plain = faults()
took = keep_freed_memory()
faults()
print(took, plain, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="mallopt is glibc's")
def test_freed_memory_is_kept() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    took, plain, kept = done.stdout.split()
    assert took == "True"
    assert int(kept) < int(plain) / 10
