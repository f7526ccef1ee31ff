"""Memory that runs out: how to know it from other errors, and how to make room for another try."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # glibc's malloc.h
_MMAP_MAX = 65536  # glibc's own value of M_MMAP_MAX
_kept = False  # whether freed memory stays with the process at present
_CPU_WORDS = ("DefaultCPUAllocator", "not enough memory", "can't allocate memory", "std::bad_alloc")
# Whole messages: "could not create a primitive descriptor for ..." means that there is no such operation. oneDNN gives no reason; once an
# operation has a descriptor, memory for its code, its weights or its scratchpad is what it can lack.
_ONEDNN_ERRORS = ("could not create a primitive", "could not create a memory object", "could not execute a primitive")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: on a GPU, in torch's allocator for CPUs, in oneDNN, or in Python."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    return str(error).strip() in _ONEDNN_ERRORS or any(word in str(error) for word in _CPU_WORDS)


def release_memory() -> None:
    """Give back what nothing refers to any more."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def keep_freed_memory() -> bool:
    """Let freed memory stay with the process for the next step, instead of going back to the system, which clears its pages at each touch.

    By glibc's `mallopt`, process-wide; other C libraries are left as they are. Measured on a T5 of base width in fp32, steps of about 1500
    tokens of four shapes, met a second time: 18,000 page faults a step became 2, at the same peak of memory.

    Returns:
        Whether it took effect.
    """
    global _kept
    libc = _glibc()
    _kept = libc is not None and bool(libc.mallopt(_M_MMAP_MAX, 0) and libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
    return _kept


@contextmanager
def give_back_freed_memory() -> Iterator[None]:
    """Undo `keep_freed_memory` within the block, and give back what is kept; nothing where it is not in force.

    Generation makes a slightly larger tensor for each layer and token, which never fits the hole that the one before leaves: kept, these
    holes add up. Two sources of 3,715 tokens with six beams and 16 new tokens took 1.9 GB with freed memory kept and 1.4 GB without.
    """
    global _kept
    libc = _glibc() if _kept else None
    if libc is None:
        yield
        return
    libc.mallopt(_M_MMAP_MAX, _MMAP_MAX)
    libc.malloc_trim(0)
    _kept = False
    try:
        yield
    finally:
        _kept = bool(libc.mallopt(_M_MMAP_MAX, 0))


def _glibc() -> ctypes.CDLL | None:
    """The C library, where it is glibc."""
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt, libc.malloc_trim  # noqa: B018  # looked up, and so there
    except (OSError, AttributeError, TypeError):
        return None
    return libc
