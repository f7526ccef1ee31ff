"""What to run on, and why: every automatic choice carries its reason, which is printed and saved with the run."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from diasum.errors import DiasumError
from diasum.libraries import load_torch, waiting_reason
from diasum.model.limits import memory_bytes, processors
from diasum.wording import counted

if TYPE_CHECKING:
    import torch

TORCH_TYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
# These overflow in fp16: T5's feed-forward activations exceed 65504 (transformers issue 4586 and its successors).
FP16_OVERFLOWS = frozenset({"t5", "mt5", "umt5", "longt5", "switch_transformers", "pegasus", "pegasus_x", "t5gemma"})


@dataclass(frozen=True, slots=True)
class Hardware:
    """Where and in which number type a model runs.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        dtype: compute type, ``fp32``, ``bf16`` or ``fp16``.
        reasons: choice name to one sentence, for the user and the manifest.
    """

    device: str
    dtype: str
    reasons: dict[str, str]

    @property
    def torch_dtype(self) -> torch.dtype:
        import torch

        dtype: torch.dtype = getattr(torch, TORCH_TYPES[self.dtype])
        return dtype


def choose_hardware(device: str = "auto", dtype: str = "auto", *, model_type: str = "") -> Hardware:
    """Resolve ``auto`` and check that what was asked for can work.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        dtype: ``auto``, ``fp32``, ``bf16`` or ``fp16``.
        model_type: the model family as its config names it; T5-like ones refuse fp16.

    Raises:
        DiasumError: the device does not exist here, or the type would fail on it or with this model family.
    """
    device, device_reason = _device(device)
    dtype, dtype_reason = _dtype(dtype, device, model_type)
    return Hardware(device, dtype, {"device": device_reason, "dtype": dtype_reason, **_threads(), **_waiting()})


def generation_dtype(asked: str) -> tuple[str, str]:
    """The number type that summaries are generated in, and why.

    Args:
        asked: ``auto``, ``fp32`` or ``bf16``. ``auto`` is fp32 on every device: in bf16 the products' rounding depends on the shape of the
            batch, so that a fifth of the summaries come out differently in a batch than alone.
    """
    if asked == "auto":
        return "fp32", "fp32: a summary is the same alone and in a batch"
    if asked not in ("fp32", "bf16"):
        raise DiasumError(
            f"There is no number type {asked!r} to generate in.",
            hint="Expected one of: auto, fp32, bf16 (generate.dtype).",
        )
    return asked, f"{asked}: as set"


def _threads() -> dict[str, str]:
    """Lowers torch's number of threads, which counts the machine's processors, to those that may be used at a time."""
    allowed = processors()
    count = math.ceil(allowed) if allowed else 0
    if not count or "OMP_NUM_THREADS" in os.environ:
        return {}
    load_torch()
    import torch

    if torch.get_num_threads() <= count:
        return {}
    torch.set_num_threads(count)
    return {"threads": f"{counted(count, 'thread')}: this process may use {allowed:g} of the machine's processors"}


def _waiting() -> dict[str, str]:
    reason = waiting_reason()
    return {"waiting": reason} if reason else {}


@contextlib.contextmanager
def threads(count: int | None) -> Iterator[bool]:
    """Within this context, torch uses this many threads (None: as many as before); their number changes the rounding of sums.

    Yields:
        Whether it does; not where fewer may run at a time.
    """
    import torch

    before = torch.get_num_threads()
    possible = count is None or count == before or count <= math.ceil(processors() or os.cpu_count() or 1)
    if count is not None and possible:
        torch.set_num_threads(count)
    try:
        yield possible
    finally:
        torch.set_num_threads(before)


def thread_count() -> int:
    """On how many threads torch computes, or would if it were loaded: unless something else is set, one a core."""
    if "torch" in sys.modules:
        import torch

        return torch.get_num_threads()
    import psutil

    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if asked.isdecimal() and int(asked):
        return int(asked)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(psutil.cpu_count(logical=False) or 1, usable or 1)


def _device(asked: str) -> tuple[str, str]:
    if asked == "cpu" or (asked == "auto" and _torch_is_for_cpus()):  # known without torch, whose import takes seconds
        return "cpu", "cpu: " + ("as set" if asked == "cpu" else "no GPU found")
    load_torch()
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if asked == "auto":
        device = next(name for name, present in there.items() if present)
        return device, f"{device}: " + ("the fastest device found" if device != "cpu" else "no GPU found")
    if asked not in list(there):
        raise DiasumError(f"There is no device {asked!r}.", hint="Expected one of: auto, cpu, cuda, mps.")
    if not there[asked]:
        present = ", ".join(name for name, yes in there.items() if yes)
        raise DiasumError(
            f"train.device is {asked}, but there is no such device here (found: {present}).",
            hint="Use train.device=auto.",
        )
    return asked, f"{asked}: as set"


def _torch_is_for_cpus() -> bool:
    """Whether the installed torch cannot compute on anything else, as its version says."""
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False


def _dtype(asked: str, device: str, model_type: str) -> tuple[str, str]:
    if asked not in ("auto", "fp32", "bf16", "fp16"):
        raise DiasumError(f"There is no number type {asked!r}.", hint="Expected one of: auto, fp32, bf16, fp16.")
    if asked == "fp16":
        if model_type in FP16_OVERFLOWS:
            raise DiasumError(
                f"train.dtype is fp16, which overflows to NaN in {model_type} models (their activations exceed 65504).",
                hint="Use train.dtype=auto: bf16 where the hardware has it, fp32 elsewhere.",
            )
        if device != "cuda":
            raise DiasumError(
                f"train.dtype is fp16, which needs a CUDA GPU; the device is {device}.", hint="Use train.dtype=auto."
            )
    if asked != "auto":
        return asked, f"{asked}: as set"
    support = bf16_support(device)
    return ("bf16", f"bf16: {support}") if support else ("fp32", f"fp32: this {device} has no bf16 matrix units")


def bf16_support(device: str) -> str | None:
    """Why bf16 is fast on this device, or None where it is not."""
    import torch

    if device == "cuda":
        return "the GPU computes in bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else None
    if device == "cpu" and _onednn_has_bf16():
        amx: Any = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        avx: Any = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        if amx():
            return "the CPU has AMX matrix units"
        if avx():
            return "the CPU has AVX-512 bf16 instructions"
    return None


def _onednn_has_bf16() -> bool:
    """Whether oneDNN computes in bf16: held to older instructions (``ONEDNN_MAX_CPU_ISA``), it is left to loops many times as slow."""
    import torch

    has: Any = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    return bool(has())


def describe_machine() -> dict[str, Any]:
    """This machine, for the manifest: processor, cores, memory (bytes), threads, GPU."""
    import torch

    machine: dict[str, Any] = {
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "bf16_cpu": bf16_support("cpu") is not None,
    }
    if reason := waiting_reason():
        machine["waiting"] = reason
    if known := memory_bytes():
        machine["memory_bytes"] = known
    if torch.cuda.is_available():
        machine["gpu"] = torch.cuda.get_device_name()
    return machine


def processor() -> str:
    """The CPU's name as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def cpu_flags() -> str:
    """What the processor can do, as Linux tells it (``avx2``, ``avx512_vnni`` ... between spaces); nothing elsewhere."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return next((line for line in file if line.startswith(("flags", "Features"))), "")
    except OSError:
        return ""
