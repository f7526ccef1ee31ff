"""Memory that stays with the process: no page is touched for the first time twice."""

from __future__ import annotations

import platform
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from diasum.config import GenerateSettings
from diasum.engines import generate
from diasum.engines.fast.engine import FastEngine
from diasum.model import memory
from tests.models import tiny_t5

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


GROWING = """
import numpy
from diasum.model.memory import give_back_freed_memory, keep_freed_memory
keep_freed_memory()
def held():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
before = held()
with give_back_freed_memory():
    tables = [numpy.ones(500_000) for _ in range(10)]
    for step in range(20):  # as a decoder's keys and values do, token by token
        for layer, table in enumerate(tables):
            tables[layer] = numpy.concatenate([table, numpy.ones(50_000)])
print(held() - before)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or sys.platform != "linux", reason="mallopt is glibc's, /proc is Linux's"
)
def test_what_grows_leaves_no_holes() -> None:
    done = subprocess.run([sys.executable, "-c", GROWING], capture_output=True, text=True, check=True)
    live = 10 * 1_500_000 * 8 / 1024  # kB at the end
    assert int(done.stdout) < 1.2 * live


@pytest.mark.parametrize("engine", ["torch-fast", "torch-plain"])
def test_generation_gives_back_freed_memory(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = tiny_t5()
    calls: list[str] = []
    libc = SimpleNamespace(
        mallopt=lambda option, value: calls.append(f"mallopt({option}, {value})") or 1,
        malloc_trim=lambda pad: calls.append("trim"),
    )
    holder, name = {"torch-fast": (FastEngine, "current_decoder"), "torch-plain": (model, "generate")}[engine]
    search = getattr(holder, name)
    monkeypatch.setattr(memory, "_glibc", lambda: libc)
    monkeypatch.setattr(memory, "_kept", True)
    monkeypatch.setattr(holder, name, lambda *args, **inputs: calls.append("search") or search(*args, **inputs))
    generate(model, tokenizer, [[5, 6, 7, 1]], GenerateSettings(num_beams=1, max_new_tokens=4, engine=engine))
    assert calls == ["mallopt(-4, 65536)", "trim", "search", "mallopt(-4, 0)"]
    assert memory._kept
