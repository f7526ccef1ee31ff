"""`Kernels` compiled for the machine's CPU, where it has a compiler.

In and out: as in `kernels.py`, tensors on the CPU; low-rank products stay in fp32. Torch runs each function as five or ten passes over
memory; beside matrix products in bf16, these passes would take most of a training step. Compiling takes a few seconds, once per machine,
version and number type: the library is kept in the user's cache folder. Without a compiler the same is computed by torch.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from diasum.errors import DiasumError
from diasum.model.fast.kernels import AttentionSpec, Dropout, Kernels
from diasum.model.hardware import bf16_support, processor

_SOURCES = Path(__file__).with_name("native")
# No fast-math: infinities and NaN must come through, since training stops at the first loss that is not finite.
_FLAGS = ("-O3", "-march=native", "-std=c++17", "-fPIC", "-fopenmp", "-fno-math-errno", "-fno-trapping-math")
_COMPILE_SECONDS = 120  # more than any machine needs; a compiler that hangs must not hang the training
_P, _N, _I, _F, _U, _S = (
    ctypes.c_void_p, ctypes.c_int64, ctypes.c_int, ctypes.c_float, ctypes.c_uint64, ctypes.c_uint16
)  # fmt: skip
_SIGNATURES = {
    "lora": (_P, _N, _P, _P, _P, _P, _N, _N, _N, _N, _N, _F, _U, _S, _I),
    "lora_backward": (_P, _N, _P, _N, _P, _P, _P, _P, _P, _P, _N, _N, _N, _N, _N, _F, _U, _S, _I),
    "attention": (_P, _N, _P, _P, _N, _P, _N, _P, _N, _N, _N, _F, _I, _P, _P, _I),
    "attention_backward": (_P, _P, _N, _P, _P, _N, _P, _P, _P, _N, _P, _N, _N, _N, _F, _I, _P, _P, _P, _I),
    "rms_norm": (_P, _P, _P, _P, _N, _N, _F, _I),
    "rms_norm_backward": (_P, _P, _P, _P, _P, _N, _N, _I),
    "gated_gelu": (_P, _P, _N, _N, _I),
    "gated_gelu_backward": (_P, _P, _P, _N, _N, _I),
    "gelu": (_P, _P, _N, _N, _I),
    "gelu_backward": (_P, _P, _P, _N, _N, _I),
    "cross_entropy": (_P, _P, _P, _N, _N, _F, _I),
}


UNITS = ("fp32 vectors", "bf16 vectors", "the matrix unit (AMX)")


class CompiledKernels(Kernels):
    """The functions of a compiled library.

    Args:
        library: made from `native/`.
        dtype: float32 or bfloat16, the type of rows that it was compiled for.

    Attributes:
        unit: what multiplies in attention, an index into `UNITS`.
        attends: attention is computed here and not by torch, which does it where the processor has bf16 instructions that the compiler
            did not know.
    """

    def __init__(self, library: ctypes.CDLL, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self._library = library
        self.unit: int = library.attention_unit()
        self.attends = dtype == torch.float32 or self.unit > 0 or bf16_support("cpu") is None
        for name, types in _SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes, function.restype = types, None

    def lora(
        self, out: Tensor, x: Tensor, a: Tensor, b: Tensor, scale: float, dropout: Dropout | None = None
    ) -> Tensor:
        x, a, b = self._rows(x), _fp32(a), _fp32(b)
        (rows, columns), outs, rank = x.shape, len(b), len(a)
        _expect(rank, columns, of=a)
        _expect(outs, rank, of=b)
        _expect(rows, outs, of=out)
        inner = torch.empty(rows, rank, dtype=torch.float32)
        self._library.lora(
            _at(x), x.stride(0), _at(a), _at(b), _at(inner), _at(self._rows(out, copy=False)), out.stride(0),
            rows, columns, outs, rank, scale, *_drawn(dropout), _threads(),
        )  # fmt: skip
        return inner

    def lora_backward(
        self,
        grad: Tensor,
        x: Tensor,
        inner: Tensor,
        a: Tensor,
        b: Tensor,
        scale: float,
        dropout: Dropout | None = None,
        grad_x: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        grad, x, inner, a, b = self._rows(grad), self._rows(x), _fp32(inner), _fp32(a), _fp32(b)
        (rows, columns), outs, rank = x.shape, len(b), len(a)
        _expect(rank, columns, of=a)
        _expect(outs, rank, of=b)
        _expect(rows, outs, of=grad)
        _expect(rows, rank, of=inner)
        at_grad_x = stride = 0
        if grad_x is not None:
            _expect(rows, columns, of=grad_x)
            at_grad_x, stride = _at(self._rows(grad_x, copy=False)), grad_x.stride(0)
        grad_a, grad_b = torch.empty_like(a), torch.empty_like(b)
        self._library.lora_backward(
            _at(grad), grad.stride(0), _at(x), x.stride(0), _at(inner), _at(a), _at(b), _at(grad_a), _at(grad_b), at_grad_x, stride,
            rows, columns, outs, rank, scale, *_drawn(dropout), _threads(),
        )  # fmt: skip
        return grad_a, grad_b

    def attention(self, q: Tensor, k: Tensor, v: Tensor, spec: AttentionSpec) -> tuple[Tensor, ...]:
        if not self.attends:
            return super().attention(q, k, v, spec)
        how = self._how(q, k, v, spec)
        out, log_sums = q.new_empty(q.shape), torch.empty(len(q), spec.heads, dtype=torch.float32)
        self._library.attention(*_places(q, k, v), *how, _at(out), _at(log_sums), _threads())
        return out, log_sums

    def attention_backward(
        self,
        grad: Tensor,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        out: Tensor,
        log_sums: Sequence[Tensor],
        spec: AttentionSpec,
        into: tuple[Tensor, Tensor, Tensor],
    ) -> None:
        if not self.attends:
            super().attention_backward(grad, q, k, v, out, log_sums, spec, into)
            return
        how = self._how(q, k, v, spec)
        grad, out = self._whole(grad), self._whole(out)
        for rows, like in zip((grad, out, *into), (q, q, q, k, v), strict=True):
            _expect(*like.shape, of=self._rows(rows, copy=False))
        _expect(len(q), spec.heads, of=log_sums[0])
        if [part.stride() for part in into] != [part.stride() for part in (q, k, v)]:
            raise TypeError("the gradients' rows do not stand as those of queries, keys and values do")
        self._library.attention_backward(
            _at(grad), *_places(q, k, v), _at(out), _at(log_sums[0]), *how, *map(_at, into), _threads()
        )

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        x, weight = self._whole(x), self._whole(weight)
        _expect(x.shape[1], of=weight)
        out, scales = torch.empty_like(x), torch.empty(len(x), dtype=torch.float32)
        self._library.rms_norm(_at(x), _at(weight), _at(out), _at(scales), *x.shape, eps, _threads())
        return out, scales

    def rms_norm_backward(self, grad: Tensor, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
        grad, x, weight = self._whole(grad), self._whole(x), self._whole(weight)
        _expect(*x.shape, of=grad)
        out = torch.empty_like(x)
        self._library.rms_norm_backward(_at(grad), _at(x), _at(weight), _at(scale), _at(out), *x.shape, _threads())
        return out

    def gated_gelu(self, x: Tensor) -> Tensor:
        x = self._whole(x)
        out = x.new_empty(len(x), x.shape[1] // 2)
        self._library.gated_gelu(_at(x), _at(out), *out.shape, _threads())
        return out

    def gated_gelu_backward(self, grad: Tensor, x: Tensor) -> Tensor:
        grad, x = self._whole(grad), self._whole(x)
        _expect(len(x), x.shape[1] // 2, of=grad)
        out = torch.empty_like(x)
        self._library.gated_gelu_backward(_at(grad), _at(x), _at(out), *grad.shape, _threads())
        return out

    def gelu(self, x: Tensor) -> Tensor:
        x = self._whole(x)
        out = torch.empty_like(x)
        self._library.gelu(_at(x), _at(out), *out.shape, _threads())
        return out

    def gelu_backward(self, grad: Tensor, x: Tensor) -> Tensor:
        grad, x = self._whole(grad), self._whole(x)
        _expect(*x.shape, of=grad)
        out = torch.empty_like(x)
        self._library.gelu_backward(_at(grad), _at(x), _at(out), *out.shape, _threads())
        return out

    def cross_entropy(
        self, logits: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float
    ) -> tuple[Tensor, Tensor]:
        if bias is not None:  # of BART's heads, nearly always zero and then None
            return super().cross_entropy(logits, bias, labels, smoothing)
        logits, labels = self._whole(logits), labels.contiguous()
        _expect(len(logits), of=labels)
        least, most = (int(labels.min()), int(labels.max())) if len(labels) else (0, 0)
        if not 0 <= least <= most < logits.shape[1]:
            raise IndexError(f"labels from {least} to {most}, logits of {logits.shape[1]}")
        losses = torch.empty(len(logits), dtype=torch.float32)
        self._library.cross_entropy(_at(logits), _at(labels), _at(losses), *logits.shape, smoothing, _threads())
        return losses.sum(), logits

    def _how(self, q: Tensor, k: Tensor, v: Tensor, spec: AttentionSpec) -> tuple[Any, ...]:
        """Where the bias of no distance is and its stride, where the segments are, and what else both passes of attention are told."""
        for rows in (q, k, v):
            self._rows(rows, copy=False)
        spans = spec.segments.spans
        ends = (spans[-1][1], spans[-1][3]) if spans else (0, 0)
        _expect(ends[0], q.shape[1], of=q)
        _expect(ends[1], q.shape[1], of=k)
        _expect(ends[1], q.shape[1], of=v)
        if k.stride(0) != v.stride(0):
            raise TypeError("rows of keys and values must stand alike")
        bias: tuple[int, int] = (0, 0)
        if spec.bias is not None and spans:
            rows, longest = self._rows(spec.bias.by_distance, copy=False), spec.bias.longest
            reach = max(longest, *spec.segments.queries, *spec.segments.keys)
            _expect(spec.heads, 2 * reach - 1, of=rows)
            bias = (_at(rows[:, longest - 1 :]), rows.stride(0))
        flat = (ctypes.c_int64 * (4 * len(spans)))(*(place for span in spans for place in span))
        size = q.shape[1] // spec.heads
        return (*bias, flat, len(spans), spec.heads, size, spec.scale, int(spec.causal))

    def _rows(self, x: Tensor, *, copy: bool = True) -> Tensor:
        """x, each of whose rows is in one piece; what is written to cannot be a copy."""
        if x.dtype != self.dtype or x.device.type != "cpu":
            raise TypeError(f"kernels for {self.dtype} on the CPU were given {x.dtype} on {x.device}")
        if x.stride(-1) != 1 and not copy:
            raise TypeError("rows that are written to must be in one piece each")
        return x if x.stride(-1) == 1 else x.contiguous()

    def _whole(self, x: Tensor) -> Tensor:
        """x in one piece."""
        return self._rows(x).contiguous()


def _expect(*shape: int, of: Tensor) -> None:
    """The library would read what is not there."""
    if of.shape != shape:
        raise TypeError(f"kernels expected a shape of {shape}, and were given {tuple(of.shape)}")


def _fp32(x: Tensor) -> Tensor:
    return x.to(torch.float32).contiguous()


def _drawn(dropout: Dropout | None) -> tuple[int, int]:
    """Seed, and below which of 16 random bits an element is dropped."""
    return (dropout.seed, min(round(dropout.p * 2**16), 2**16 - 1)) if dropout else (0, 0)


def _places(q: Tensor, k: Tensor, v: Tensor) -> tuple[int, ...]:
    return _at(q), q.stride(0), _at(k), _at(v), k.stride(0)


def _at(tensor: Tensor) -> int:
    return tensor.data_ptr()


def _threads() -> int:
    return torch.get_num_threads()


# ---- compiling -------------------------------------------------------------------------------------------------------------------


def choose_kernels(asked: str, device: str, dtype: torch.dtype) -> tuple[Kernels, str]:
    """Compiled kernels where they can be had, else torch's, and why, as a clause; empty where that goes without saying.

    Args:
        asked: `train.kernels`: auto, on or off.
        device: where the model is.
        dtype: the type of its rows.

    Raises:
        DiasumError: kernels were asked for (`on`) and are not available.
    """
    if device != "cpu" and asked == "on":
        raise DiasumError(
            f"train.kernels is on, but they are for CPUs; the device is {device}.", hint="Use train.kernels=auto."
        )
    if device != "cpu" or dtype not in (torch.float32, torch.bfloat16) or asked == "off":
        return Kernels(), ""
    kernels, reason = compiled(dtype)
    if kernels is None and asked == "on":
        raise DiasumError(
            f"train.kernels is on, but they are not available: {reason}.",
            hint="Install g++ (Debian and Ubuntu: apt install g++), or set train.kernels=auto.",
        )
    return (kernels, reason) if kernels else (Kernels(), f"work between matrix products by torch: {reason}")


@cache
def compiled(dtype: torch.dtype) -> tuple[CompiledKernels | None, str]:
    """The kernels for rows of that type, compiled if that was not done before, or None; and a clause that says why (not)."""
    if sys.platform != "linux":
        return None, "its kernels are compiled on Linux only"
    compiler = shlex.split(os.environ.get("CXX", "")) or ["g++"]
    name = compiler[0]
    if shutil.which(name) is None:
        return None, f"there is no {name} to compile its kernels"
    try:
        path = _library(compiler, dtype)
        kernels = CompiledKernels(ctypes.CDLL(str(path)), dtype)
        attention = f", attention by {UNITS[kernels.unit]}" if kernels.unit else ""
        return kernels, f"work between matrix products by compiled kernels{attention}"
    except subprocess.TimeoutExpired:
        return None, f"{name} took over {_COMPILE_SECONDS} s for its kernels"
    except subprocess.CalledProcessError as error:
        return None, f"{name} could not compile its kernels ({_first_line(error.stderr)})"
    except (OSError, AttributeError) as error:
        return None, f"its compiled kernels could not be loaded ({error})"


def _library(compiler: list[str], dtype: torch.dtype) -> Path:
    """The compiled library's path in the cache folder, with a checksum next to it."""
    compile = [*compiler, *_FLAGS, *(["-DDIASUM_BF16"] if dtype == torch.bfloat16 else [])]
    openmp = _openmp_of_torch()
    sources = sorted(_SOURCES.glob("*.cpp"))
    texts = [path.read_text(encoding="utf-8") for path in (*sources, *_SOURCES.glob("*.h"))]
    inputs = [*texts, *compile, openmp, processor(), _cpu_flags()]
    name = f"kernels-{hashlib.sha256(chr(0).join(inputs).encode()).hexdigest()[:32]}.so"
    library = _cache_folder() / name
    checksum = library.with_suffix(".sha256")
    # Loading a library that a full disk or a sync cut short would kill the process.
    if not (library.is_file() and checksum.is_file() and checksum.read_bytes() == _digest(library)):
        with tempfile.TemporaryDirectory(dir=library.parent, prefix="compiling-") as scratch:
            built, digest = Path(scratch, name), Path(scratch, "digest")
            objects = [str(Path(scratch, path.stem)) + ".o" for path in sources]
            with ThreadPoolExecutor() as pool:
                commands = [[*compile, "-c", str(p), "-o", code] for p, code in zip(sources, objects, strict=True)]
                list(pool.map(_run, commands))
            _run([*compiler, "-shared", *objects, openmp, "-o", str(built)])
            digest.write_bytes(_digest(built))
            built.replace(library)
            digest.replace(checksum)
    return library


def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).hexdigest().encode()


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, errors="replace", timeout=_COMPILE_SECONDS)


def _openmp_of_torch() -> str:
    """What to link with: torch's own copy of GCC's OpenMP library, since two of them would have twice the threads."""
    package = Path(torch.__file__).parent
    for folder in (package / "lib", package.parent / "torch.libs"):
        for path in sorted(folder.glob("libgomp*.so*")):
            return str(path)
    return "-lgomp"


def _cache_folder() -> Path:
    """A folder that only this user can write, since code is loaded from it."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "diasum"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = folder.stat()
        if (
            mine.st_uid == os.getuid()
            and not mine.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            and os.access(folder, os.W_OK)
        ):
            return folder
    except (OSError, RuntimeError):
        pass  # a home that is read-only, or none at all
    return _scratch_folder()


@cache
def _scratch_folder() -> Path:
    """One for this process only."""
    folder = Path(tempfile.mkdtemp(prefix="diasum-kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _cpu_flags() -> str:
    """What the processor can do: a home folder may be shared by several machines."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            return next((line for line in file if line.startswith(("flags", "Features"))), "")
    except OSError:
        return ""


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")[:200]
