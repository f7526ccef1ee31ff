"""Memory that runs out: how to know it from other errors, and how to make room for another try."""

from __future__ import annotations

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # glibc's malloc.h
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
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, 2**31 - 1))
