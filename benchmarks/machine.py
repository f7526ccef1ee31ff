"""Which class of processor figures are of: they differ more between classes than between processors of one.

A benchmark saves its results under its class's name (``results/training-amx.json``), so that those of another machine stay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
CLASSES = {
    "cuda": "A CUDA GPU",
    "amx": "AMX matrix units",
    "avx512-bf16": "AVX-512 with bf16 instructions",
    "avx512": "AVX-512 without bf16 instructions",
    "avx2": "AVX2 only",
    "other": "Another processor",
}


def processor_class(device: str = "cpu") -> str:
    """The key in `CLASSES` of what computes on `device`."""
    import torch

    if device == "cuda":
        return "cuda"
    for name, probe in (("amx", "_is_amx_tile_supported"), ("avx512-bf16", "_is_avx512_bf16_supported")):
        supported: Any = getattr(torch.cpu, probe, lambda: False)
        if supported():
            return name
    # What torch uses may be less than what the processor has (ATEN_CPU_CAPABILITY), and is what the figures are of.
    return {"AVX512": "avx512", "AVX2": "avx2"}.get(torch.backends.cpu.get_cpu_capability(), "other")


def results_file(benchmark: str, device: str = "cpu") -> Path:
    """Where a benchmark's results on this machine go."""
    return RESULTS / f"{benchmark}-{processor_class(device)}.json"


def results_by_class(benchmark: str) -> dict[str, Path]:
    """The saved results of a benchmark, by class of processor, in the order of `CLASSES`."""
    files = {name: RESULTS / f"{benchmark}-{name}.json" for name in CLASSES}
    return {name: file for name, file in files.items() if file.is_file()}
