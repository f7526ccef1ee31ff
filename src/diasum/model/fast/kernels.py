"""The work of a transformer block between its matrix products with frozen weights: low-rank updates, norms, gates, loss.

In: rows of tokens (N, features) in fp32 or bf16. Out: rows of the same type; norms and losses are summed in fp32. Here torch does it,
on any device; `compiled.py` has the same functions in fewer passes over memory. Each function comes with its gradient's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Dropout:
    """Which elements of some rows are dropped: a seed instead of a mask, from which the backward pass draws the same ones again.

    Attributes:
        p: probability of each; on a CPU it is rounded to 1/65536.
        seed: of the draw, 63 bits. Other kernels draw other elements from it.
    """

    p: float
    seed: int

    @staticmethod
    def draw(p: float) -> Dropout | None:
        """With a seed from torch's generator; None where nothing is dropped."""
        return Dropout(p, int(torch.randint(2**63 - 1, ()))) if p else None


class Kernels:
    """By torch."""

    # ---- low-rank updates (LoRA: Hu et al., 2021) ----

    def lora(
        self, out: Tensor, x: Tensor, a: Tensor, b: Tensor, scale: float, dropout: Dropout | None = None
    ) -> Tensor:
        """Adds scale * dropout(x) A' B' to `out`, in place.

        Args:
            out: (N, out); its rows may be parts of wider ones.
            x: (N, in).
            a: lora_A, (r, in).
            b: lora_B, (out, r).
            scale: includes the factor 1 / (1 - p) of what dropout keeps.
            dropout: of x.

        Returns:
            dropout(x) A', (N, r), for the backward pass.
        """
        inner = _dropped(x, dropout) @ a.to(x.dtype).t()
        out.addmm_(inner, b.to(x.dtype).t(), alpha=scale)
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
        """The gradients of A (r, in) and B (out, r); that of x is added to `grad_x` (N, in), in place, if given.

        Args:
            grad: of `out`, (N, out); its rows may be parts of wider ones.
            x: as before.
            inner: what `lora` returned.
            a: as before.
            b: as before.
            scale: as before.
            dropout: as before.
            grad_x: (N, in), contiguous, or None where x needs no gradient.
        """
        grad_inner = (grad @ b.to(x.dtype)).mul_(scale)
        grad_a, grad_b = grad_inner.t() @ _dropped(x, dropout), (grad.t() @ inner).mul_(scale)
        if grad_x is not None and dropout:
            grad_x.add_(_dropped(grad_inner @ a.to(x.dtype), dropout))
        elif grad_x is not None:
            grad_x.addmm_(grad_inner, a.to(x.dtype))
        return grad_a, grad_b

    # ---- norms and gates ----

    def rms_norm(self, x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        """T5's norm of x (N, features), and each row's scale in fp32."""
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.promote_types(x.dtype, torch.float32))
        scale = length.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
        return torch.mul(x, scale).mul_(weight).to(x.dtype), scale

    def rms_norm_backward(self, grad: Tensor, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
        """The gradient of x, (N, features)."""
        grad = grad * weight
        along = (grad * x).sum(-1, keepdim=True).mul_(scale.pow(3)).div_(-x.shape[-1])
        return grad.mul_(scale).addcmul_(x.to(grad.dtype), along).to(x.dtype)

    def gated_gelu(self, x: Tensor) -> Tensor:
        """gelu(gate) * value, (N, F), of x (N, 2 F) with gates and then values in each row; GELU in its tanh form."""
        gate, value = x.chunk(2, dim=-1)
        return F.gelu(gate, approximate="tanh").mul_(value)

    def gated_gelu_backward(self, grad: Tensor, x: Tensor) -> Tensor:
        """The gradient of x, (N, 2 F)."""
        gate, value = x.chunk(2, dim=-1)
        out = torch.empty_like(x)
        to_gate, to_value = out.chunk(2, dim=-1)
        torch.mul(F.gelu(gate, approximate="tanh"), grad, out=to_value)
        to_gate.copy_(torch.ops.aten.gelu_backward(grad * value, gate, approximate="tanh"))
        return out

    # ---- the loss ----

    def cross_entropy(
        self, logits: Tensor, bias: Tensor | None, labels: Tensor, smoothing: float
    ) -> tuple[Tensor, Tensor]:
        """The summed loss, fp32, and its gradient with respect to the logits, (N, vocabulary).

        Args:
            logits: (N, vocabulary); they may be overwritten.
            bias: (vocabulary,) added to them in fp32, or None.
            labels: (N,) int64.
            smoothing: label smoothing, as in `torch.nn.functional.cross_entropy`.
        """
        made = logits.float() if bias is None else logits.float().add_(bias)
        labels, uniform = labels[:, None], smoothing / logits.shape[1]
        log_sum = made.logsumexp(-1, keepdim=True)
        total = (log_sum - (1 - smoothing) * made.gather(1, labels)).sum()
        if smoothing:
            total -= uniform * made.sum()
        made.sub_(log_sum).exp_()
        if smoothing:
            made -= uniform
        made.scatter_add_(1, labels, made.new_full(labels.shape, smoothing - 1))
        return total, made.to(logits.dtype)


def _dropped(x: Tensor, dropout: Dropout | None) -> Tensor:
    """x with 0 for what is dropped; what is kept is not scaled."""
    return x if dropout is None else x * _kept(x, dropout)


def _kept(x: Tensor, dropout: Dropout) -> Tensor:
    """A boolean mask; on a CPU four elements share one 64-bit draw, which is over three times as fast as a draw for each."""
    generator = torch.Generator(x.device).manual_seed(dropout.seed)
    if x.device.type != "cpu":
        return torch.empty(x.shape, dtype=torch.bool, device=x.device).bernoulli_(1 - dropout.p, generator=generator)
    count = x.numel()
    bits = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None, generator=generator)
    return bits.view(torch.int16)[:count].view(x.shape) >= round(dropout.p * 2**16) - 2**15
