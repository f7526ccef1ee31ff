"""`Kernels` by a library that `compiling.py` makes of `native/`.

In and out: as in `kernels.py`, tensors on the CPU; low-rank products stay in fp32. Torch runs each function as five or ten passes over
memory; beside matrix products in bf16, these passes would take most of a training step.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from diasum.model.fast.kernels import AttentionSpec, Dropout, Kernels
from diasum.model.hardware import bf16_support

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
        self.library = library
        self.unit: int = library.attention_unit()
        self.attends = dtype == torch.float32 or self.unit > 0 or bf16_support("cpu") is None
        for name, types in _SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes, function.restype = types, None

    def lora(
        self, out: Tensor, x: Tensor, a: Tensor, b: Tensor, scale: float, dropout: Dropout | None = None
    ) -> Tensor:
        x, a, b = self.rows(x), _fp32(a), _fp32(b)
        (rows, columns), outs, rank = x.shape, len(b), len(a)
        expect(rank, columns, of=a)
        expect(outs, rank, of=b)
        expect(rows, outs, of=out)
        inner = torch.empty(rows, rank, dtype=torch.float32)
        self.library.lora(
            address(x), x.stride(0), address(a), address(b), address(inner), address(self.rows(out, copy=False)), out.stride(0),
            rows, columns, outs, rank, scale, *_drawn(dropout), threads(),
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
        grad, x, inner, a, b = self.rows(grad), self.rows(x), _fp32(inner), _fp32(a), _fp32(b)
        (rows, columns), outs, rank = x.shape, len(b), len(a)
        expect(rank, columns, of=a)
        expect(outs, rank, of=b)
        expect(rows, outs, of=grad)
        expect(rows, rank, of=inner)
        at_grad_x = stride = 0
        if grad_x is not None:
            expect(rows, columns, of=grad_x)
            at_grad_x, stride = address(self.rows(grad_x, copy=False)), grad_x.stride(0)
        grad_a, grad_b = torch.empty_like(a), torch.empty_like(b)
        self.library.lora_backward(
            address(grad), grad.stride(0), address(x), x.stride(0), address(inner),
            address(a), address(b), address(grad_a), address(grad_b), at_grad_x, stride,
            rows, columns, outs, rank, scale, *_drawn(dropout), threads(),
        )  # fmt: skip
        return grad_a, grad_b

    def attention(self, q: Tensor, k: Tensor, v: Tensor, spec: AttentionSpec) -> tuple[Tensor, ...]:
        if not self.attends:
            return super().attention(q, k, v, spec)
        how = self._how(q, k, v, spec)
        out, log_sums = q.new_empty(q.shape), torch.empty(len(q), spec.heads, dtype=torch.float32)
        self.library.attention(*_places(q, k, v), *how, address(out), address(log_sums), threads())
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
            expect(*like.shape, of=self.rows(rows, copy=False))
        expect(len(q), spec.heads, of=log_sums[0])
        if [part.stride() for part in into] != [part.stride() for part in (q, k, v)]:
            raise TypeError("the gradients' rows do not stand as those of queries, keys and values do")
        self.library.attention_backward(
            address(grad), *_places(q, k, v), address(out), address(log_sums[0]), *how, *map(address, into), threads()
        )

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        x, weight = self._whole(x), self._whole(weight)
        expect(x.shape[1], of=weight)
        out, scales = torch.empty_like(x), torch.empty(len(x), dtype=torch.float32)
        self.library.rms_norm(address(x), address(weight), address(out), address(scales), *x.shape, eps, threads())
        return out, scales

    def rms_norm_backward(self, grad: Tensor, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
        grad, x, weight = self._whole(grad), self._whole(x), self._whole(weight)
        expect(*x.shape, of=grad)
        out = torch.empty_like(x)
        self.library.rms_norm_backward(
            address(grad), address(x), address(weight), address(scale), address(out), *x.shape, threads()
        )
        return out

    def gated_gelu(self, x: Tensor) -> Tensor:
        x = self._whole(x)
        out = x.new_empty(len(x), x.shape[1] // 2)
        self.library.gated_gelu(address(x), address(out), *out.shape, threads())
        return out

    def gated_gelu_backward(self, grad: Tensor, x: Tensor) -> Tensor:
        grad, x = self._whole(grad), self._whole(x)
        expect(len(x), x.shape[1] // 2, of=grad)
        out = torch.empty_like(x)
        self.library.gated_gelu_backward(address(grad), address(x), address(out), *grad.shape, threads())
        return out

    def gelu(self, x: Tensor) -> Tensor:
        x = self._whole(x)
        out = torch.empty_like(x)
        self.library.gelu(address(x), address(out), *out.shape, threads())
        return out

    def gelu_backward(self, grad: Tensor, x: Tensor) -> Tensor:
        grad, x = self._whole(grad), self._whole(x)
        expect(*x.shape, of=grad)
        out = torch.empty_like(x)
        self.library.gelu_backward(address(grad), address(x), address(out), *out.shape, threads())
        return out

    def cross_entropy(
        self, logits: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float
    ) -> tuple[Tensor, Tensor]:
        if bias is not None:  # of BART's heads, nearly always zero and then None
            return super().cross_entropy(logits, bias, labels, smoothing)
        logits, labels = self._whole(logits), labels.contiguous()
        expect(len(logits), of=labels)
        least, most = (int(labels.min()), int(labels.max())) if len(labels) else (0, 0)
        if not 0 <= least <= most < logits.shape[1]:
            raise IndexError(f"labels from {least} to {most}, logits of {logits.shape[1]}")
        losses = torch.empty(len(logits), dtype=torch.float32)
        self.library.cross_entropy(
            address(logits), address(labels), address(losses), *logits.shape, smoothing, threads()
        )
        return losses.sum(), logits

    def _how(self, q: Tensor, k: Tensor, v: Tensor, spec: AttentionSpec) -> tuple[Any, ...]:
        """Where the bias of no distance is and its stride, where the segments are, and what else both passes of attention are told."""
        for rows in (q, k, v):
            self.rows(rows, copy=False)
        spans = spec.segments.spans
        ends = (spans[-1][1], spans[-1][3]) if spans else (0, 0)
        expect(ends[0], q.shape[1], of=q)
        expect(ends[1], q.shape[1], of=k)
        expect(ends[1], q.shape[1], of=v)
        if k.stride(0) != v.stride(0):
            raise TypeError("rows of keys and values must stand alike")
        bias: tuple[int, int] = (0, 0)
        if spec.bias is not None and spans:
            rows, longest = self.rows(spec.bias.by_distance, copy=False), spec.bias.longest
            reach = max(longest, *spec.segments.queries, *spec.segments.keys)
            expect(spec.heads, 2 * reach - 1, of=rows)
            bias = (address(rows[:, longest - 1 :]), rows.stride(0))
        flat = (ctypes.c_int64 * (4 * len(spans)))(*(place for span in spans for place in span))
        size = q.shape[1] // spec.heads
        return (*bias, flat, len(spans), spec.heads, size, spec.scale, int(spec.causal))

    def rows(self, x: Tensor, *, copy: bool = True) -> Tensor:
        """x, each of whose rows is in one piece; what is written to cannot be a copy."""
        if x.dtype != self.dtype or x.device.type != "cpu":
            raise TypeError(f"kernels for {self.dtype} on the CPU were given {x.dtype} on {x.device}")
        if x.stride(-1) != 1 and not copy:
            raise TypeError("rows that are written to must be in one piece each")
        return x if x.stride(-1) == 1 else x.contiguous()

    def _whole(self, x: Tensor) -> Tensor:
        """x in one piece."""
        return self.rows(x).contiguous()


def expect(*shape: int, of: Tensor) -> None:
    """The library would read what is not there."""
    if of.shape != shape:
        raise TypeError(f"kernels expected a shape of {shape}, and were given {tuple(of.shape)}")


def _fp32(x: Tensor) -> Tensor:
    return x.to(torch.float32).contiguous()


def _drawn(dropout: Dropout | None) -> tuple[int, int]:
    """Seed, and below which of 16 random bits an element is dropped."""
    return (dropout.seed, min(round(dropout.p * 2**16), 2**16 - 1)) if dropout else (0, 0)


def _places(q: Tensor, k: Tensor, v: Tensor) -> tuple[int, ...]:
    return address(q), q.stride(0), address(k), address(v), k.stride(0)


def address(tensor: Tensor) -> int:
    return tensor.data_ptr()


def threads() -> int:
    return torch.get_num_threads()
