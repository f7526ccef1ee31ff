"""Frozen weights in the layout that a CPU's matrix products take, made once instead of at every product.

In: an (out, in) weight that never changes. Out: its products with rows, forward and backward. oneDNN, which computes them, works on blocks;
given a plain weight it (or MKL, in fp32) arranges it anew for every product. The price is memory: one more copy for each direction in
which a weight is used, made at its first use.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.model.hardware import bf16_support, memory_bytes, processor

_ROWS = 2048  # the number of rows that the layout is chosen for; others work too


class FrozenWeight:
    """A weight (out, in) and bias (out,), whose products keep nothing for gradients of theirs.

    Args:
        weight: frozen; the plain model goes on using it.
        bias: frozen, or None.
        packed: arrange copies for oneDNN (`can_pack`).
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, packed: bool) -> None:
        self.weight, self.bias, self.packed = weight, bias, packed
        self._copies: dict[str, Tensor] = {}

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """x W' + bias + residual; x (N, in), residual (N, out)."""
        if self.packed:
            return _packed_product(x, self._copy("forward"), self.bias, residual)
        if residual is None:
            return F.linear(x, self.weight, self.bias)
        out = torch.addmm(residual, x, self.weight.t())
        return out if self.bias is None else out.add_(self.bias)

    def backward(self, grad: Tensor) -> Tensor:
        """grad W; grad (N, out)."""
        return _packed_product(grad, self._copy("backward"), None, None) if self.packed else grad @ self.weight

    def _copy(self, way: str) -> Tensor:
        if way not in self._copies:
            plain = self.weight if way == "forward" else self.weight.t().contiguous()
            self._copies[way] = torch.ops.mkldnn._reorder_linear_weight(plain, _ROWS)
        return self._copies[way]


def _packed_product(x: Tensor, weight: Tensor, bias: Tensor | None, residual: Tensor | None) -> Tensor:
    operators: Any = torch.ops.mkldnn
    x = x.contiguous()
    out: Tensor
    if residual is None:
        out = operators._linear_pointwise(x, weight, bias, "none", [], "")
    else:
        out = operators._linear_pointwise.binary(x, residual.contiguous(), weight, bias, "add")
    return out


def can_pack(device: str, dtype: torch.dtype) -> bool:
    """Whether this build of torch has products with packed weights, for this type on this processor (not all do it in bf16)."""
    if device != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    try:
        weight = torch.ops.mkldnn._reorder_linear_weight(torch.zeros(8, 8, dtype=dtype), _ROWS)
        _packed_product(torch.zeros(1, 8, dtype=dtype), weight, None, torch.zeros(1, 8, dtype=dtype))
    except (AttributeError, RuntimeError):
        return False
    return True


def choose_packing(asked: str, device: str, dtype: torch.dtype, *, size: int, recompute: bool) -> tuple[bool, str]:
    """Whether to pack the frozen weights, and why, as a clause; empty where that goes without saying.

    The choice depends on the machine, never on a clock: a resumed run makes the same one, and so the same adapter.

    Args:
        asked: `train.prepack`: auto, on or off.
        device: where the weights are.
        dtype: their type.
        size: bytes of the weights of linear layers.
        recompute: activations are recomputed, to save memory.
    """
    if device != "cpu" or asked == "off":
        return False, ""
    if not can_pack(device, dtype):
        name = str(dtype).removeprefix("torch.")
        return False, f"weights not packed: torch has no products with packed {name} weights on this machine"
    if asked == "on":
        return True, "weights packed once: as set"
    if recompute:
        return False, "weights not packed: train.gradient_checkpointing asks for less memory"
    # in fp32 torch takes MKL, which on AMD processors is slower than oneDNN
    pays = bf16_support("cpu") is not None if dtype == torch.bfloat16 else "AMD" in processor()
    if not pays:
        return False, ""
    if 6 * size > memory_bytes():
        return False, "weights not packed: the copies would take a third of this machine's memory"
    return True, f"weights packed once for its matrix products (up to {2 * size / 1e9:.1f} GB more)"
