"""The work of a transformer block between its matrix products with frozen weights: low-rank updates, attention, norms, gates, loss.

In: rows of tokens (N, features) in fp32 or bf16. Out: rows of the same type; norms and losses are summed in fp32. Here torch does it,
on any device; `compiled.py` has the same functions in fewer passes over memory. Each function comes with its gradient's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.model.fast import operators
from diasum.model.fast.packed import Segments


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


@dataclass(frozen=True, eq=False)
class RelativeBias:
    """What is added to a score by how far the key stands from the query, as in T5; frozen.

    Attributes:
        by_distance: (heads, 2 * longest - 1), from a key `longest - 1` tokens before the query to one as far behind it.
    """

    by_distance: Tensor

    @property
    def longest(self) -> int:
        """Tokens of the longest segment that it reaches across."""
        return (self.by_distance.shape[1] + 1) // 2

    @cached_property
    def table(self) -> Tensor:
        """One row per query and one column per key, (1, heads, longest, longest), for kernels that add what stands there."""
        return self.by_distance.unfold(1, self.longest, 1).flip(1)[None]


@dataclass(frozen=True, slots=True, eq=False)
class AttentionSpec:
    """How queries are compared with keys.

    Attributes:
        segments: queries of one see the keys of the same.
        heads: attention heads.
        scale: of the products of queries and keys.
        bias: added to them; None for nothing.
        causal: a query sees no later keys.
    """

    segments: Segments
    heads: int
    scale: float
    bias: RelativeBias | None = None
    causal: bool = False

    def table(self, queries: int, keys: int) -> Tensor | None:
        """The bias of a segment of that size, (1, heads, queries, keys)."""
        return None if self.bias is None else self.bias.table[:, :, :queries, :keys]


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

    # ---- attention ----

    def attention(self, q: Tensor, k: Tensor, v: Tensor, spec: AttentionSpec) -> tuple[Tensor, ...]:
        """Every segment's queries mix the values of its keys.

        Args:
            q: (T, heads * K); its rows, like those of k and v, may be parts of wider ones.
            k: (S, heads * K).
            v: (S, heads * K).
            spec: how queries are compared with keys.

        Returns:
            The mixed values (T, heads * K), and for the backward pass logarithms of the softmax's sums, in a form of each kernel's own.
        """
        out = q.new_empty(q.shape)
        log_sums = []
        for a, b, c, d in spec.segments.spans:
            mixed, log_sum = operators.attend(
                _heads(q, a, b, spec), _heads(k, c, d, spec), _heads(v, c, d, spec),
                causal=spec.causal, mask=spec.table(b - a, d - c), scale=spec.scale,
            )  # fmt: skip
            _heads(out, a, b, spec).copy_(mixed)
            log_sums.append(log_sum)
        return out, *log_sums

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
        """Writes the gradients of q, k and v into `into`, whose rows stand as theirs do.

        Args:
            grad: of `out`, (T, heads * K), contiguous.
            q: as before.
            k: as before.
            v: as before.
            out: what `attention` returned.
            log_sums: likewise.
            spec: as before.
            into: for the gradients of q, k and v.
        """
        for (a, b, c, d), log_sum in zip(spec.segments.spans, log_sums, strict=True):
            gradients = operators.attend_backward(
                _heads(grad, a, b, spec), _heads(q, a, b, spec), _heads(k, c, d, spec), _heads(v, c, d, spec),
                _heads(out, a, b, spec), log_sum,
                causal=spec.causal, mask=spec.table(b - a, d - c), scale=spec.scale,
            )  # fmt: skip
            for rows, part, (begin, end) in zip(into, gradients, ((a, b), (c, d), (c, d)), strict=True):
                _heads(rows, begin, end, spec).copy_(part)

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
        to_gate.copy_(operators.gelu_backward(grad * value, gate, approximate="tanh"))
        return out

    def gelu(self, x: Tensor) -> Tensor:
        """GELU in its exact form, of x (N, features)."""
        return F.gelu(x)

    def gelu_backward(self, grad: Tensor, x: Tensor) -> Tensor:
        """The gradient of x, (N, features)."""
        return operators.gelu_backward(grad, x)

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
        buffer = logits.float() if bias is None else logits.float().add_(bias)
        labels, uniform = labels[:, None], smoothing / logits.shape[1]
        log_sum = buffer.logsumexp(-1, keepdim=True)
        total = (log_sum - (1 - smoothing) * buffer.gather(1, labels)).sum()
        if smoothing:
            total -= uniform * buffer.sum()
        buffer.sub_(log_sum).exp_()
        if smoothing:
            buffer -= uniform
        buffer.scatter_add_(1, labels, buffer.new_full(labels.shape, smoothing - 1))
        return total, buffer.to(logits.dtype)


def _heads(rows: Tensor, begin: int, end: int, spec: AttentionSpec) -> Tensor:
    """A segment's, (1, heads, end - begin, K), as the fused kernels take it: a view by one call, since there are hundreds in a step."""
    size, row = rows.shape[1] // spec.heads, rows.stride(0)
    shape, offset = (1, spec.heads, end - begin, size), rows.storage_offset() + begin * row
    return rows.as_strided(shape, (row, size, row, 1), offset)


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
