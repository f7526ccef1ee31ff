"""Products with frozen weights: by torch's choice of library, by oneDNN, or by oneDNN with weights arranged once.

In: an (out, in) weight that never changes. Out: its products with rows, forward and backward. oneDNN works on blocks of a weight; given a
plain one it arranges it anew for every product. Arranged once ("packed"), this takes memory: one more copy for each direction in which a
weight is used, made at its first use.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.errors import DiasumError
from diasum.model.hardware import bf16_support, processor
from diasum.model.limits import memory_bytes
from diasum.wording import size as in_words

Products = Literal["torch", "onednn", "packed"]
_ROWS = 2048  # the number of rows that the layout is chosen for; others work too


class FrozenWeight:
    """A weight (out, in) and bias (out,), whose products keep nothing for gradients of theirs.

    Args:
        weight: frozen; the plain model goes on using it.
        bias: frozen, or None.
        by: `torch`, `onednn` (forward only; backward it needs the weight transposed, and is slower then), or `packed`.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, *, by: Products = "torch") -> None:
        self.weight, self.bias, self.by = weight, bias, by
        self._copies: dict[str, Tensor] = {}

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """x W' + bias + residual; x (N, in), residual (N, out)."""
        if self.by != "torch":
            weight = self._copy("forward") if self.by == "packed" else self.weight
            return onednn_product(x, weight, self.bias, residual)
        if residual is None:
            return F.linear(x, self.weight, self.bias)
        out = torch.addmm(residual, x, self.weight.t())
        return out if self.bias is None else out.add_(self.bias)

    def backward(self, grad: Tensor) -> Tensor:
        """grad W; grad (N, out)."""
        return onednn_product(grad, self._copy("backward"), None, None) if self.by == "packed" else grad @ self.weight

    def _copy(self, way: str) -> Tensor:
        if way not in self._copies:
            plain = self.weight if way == "forward" else self.weight.t().contiguous()
            self._copies[way] = torch.ops.mkldnn._reorder_linear_weight(plain, _ROWS)
        return self._copies[way]


def onednn_product(x: Tensor, weight: Tensor, bias: Tensor | None, residual: Tensor | None) -> Tensor:
    """x W' + bias + residual by oneDNN, of a weight (out, in) that is plain or arranged by it; x (N, in), residual (N, out)."""
    operators: Any = torch.ops.mkldnn
    x = x.contiguous()
    out: Tensor
    if residual is None:
        out = operators._linear_pointwise(x, weight, bias, "none", [], "")
    else:
        out = operators._linear_pointwise.binary(x, residual.contiguous(), weight, bias, "add")
    return out


def has_onednn_products(device: str, dtype: torch.dtype) -> bool:
    """Whether this build of torch has oneDNN's products, for this type on this processor (not all do it in bf16)."""
    if device != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    try:
        weight = torch.ops.mkldnn._reorder_linear_weight(torch.zeros(8, 8, dtype=dtype), _ROWS)
        onednn_product(torch.zeros(1, 8, dtype=dtype), weight, None, torch.zeros(1, 8, dtype=dtype))
    except (AttributeError, RuntimeError, TypeError, ValueError):  # missing, or with other arguments
        return False
    return True


def choose_products(asked: str, device: str, dtype: torch.dtype, *, size: int, recompute: bool) -> tuple[Products, str]:
    """How to compute the products, and why, as a clause; empty where that goes without saying.

    The choice depends on the machine, never on a clock: a resumed run makes the same one, and so the same adapter. Measured at the shape
    of flan-t5-base: in fp32 on AMD processors oneDNN made steps 1.09 times as fast as MKL, which torch takes, and packed weights 1.10
    times; in bf16 on one with AVX-512 packed weights made them 1.05 times as fast.

    Args:
        asked: `train.prepack`: auto, on or off.
        device: where the weights are.
        dtype: their type.
        size: bytes of the weights of linear layers.
        recompute: activations are recomputed, to save memory.

    Raises:
        DiasumError: packed weights were asked for (`on`) and are not available.
    """
    able = has_onednn_products(device, dtype)
    if asked == "on" and not able:
        name = str(dtype).removeprefix("torch.")
        raise DiasumError(
            f"train.prepack is on, but torch cannot multiply by packed {name} weights on this {device}.",
            hint="Use train.prepack=auto.",
        )
    if device != "cpu":
        return "torch", ""
    plain: Products = "onednn" if able and dtype == torch.float32 and "AMD" in processor() else "torch"
    if asked == "off":
        return plain, ""
    if asked == "on":
        return "packed", "weights packed once: as set"
    if not able or dtype != torch.bfloat16 or bf16_support("cpu") is None:
        return plain, ""
    if recompute:
        return plain, "weights not packed: train.gradient_checkpointing asks for less memory"
    if 6 * size > memory_bytes():
        return plain, "weights not packed: the copies would take a third of this machine's memory"
    return "packed", f"weights packed once for its matrix products (up to {in_words(2 * size)} more)"
