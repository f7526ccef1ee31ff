"""Block-diagonal attention over padding-free rows, through the fused kernels.

In: projections of all tokens in one row; out: the mixed values in one row. On a CPU segment by segment, and results and gradients are
written straight into the rows. Elsewhere the segments are gathered into a padded table and one call of the fused kernel does them all.
A relative bias is frozen here, so it needs no gradient, which would switch the fused kernels off.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.model.fast.kernels import AttentionSpec, Kernels, RelativeBias
from diasum.model.fast.ops import run
from diasum.model.fast.packed import Segments


def attend(
    q: Tensor,
    kv: Tensor | None,
    segments: Segments,
    *,
    heads: int,
    scale: float,
    bias: RelativeBias | None = None,
    causal: bool = False,
    padded: bool | None = None,
    kernels: Kernels | None = None,
) -> Tensor:
    """Attention of every segment's queries to its keys.

    Args:
        q: queries (T, heads * K); without `kv` queries, keys and values side by side (T, 3 * heads * K).
        kv: keys and values side by side (S, 2 * heads * K), of a cross-attention.
        segments: where the pairs are.
        heads: attention heads.
        scale: of the scores.
        bias: added to the scores, the same for every segment; no gradient.
        causal: a query sees no later keys.
        padded: through one padded table (True) or segment by segment (False); None takes what is faster on the device.
        kernels: what attends segment by segment; torch when not given.

    Returns:
        (T, heads * K).
    """
    if padded if padded is not None else q.device.type != "cpu":
        return _padded(q, kv, segments, heads, scale, bias, causal)
    return run(_BySegment, q, kv, segments, heads, scale, bias, causal, kernels or Kernels())


class _BySegment(torch.autograd.Function):
    """Keeps what it reads, what it makes and one number a query and head; the weights are computed again in the backward pass."""

    @staticmethod
    def forward(
        ctx: Any,
        q: Tensor,
        kv: Tensor | None,
        segments: Segments,
        heads: int,
        scale: float,
        bias: RelativeBias | None,
        causal: bool,
        kernels: Kernels,
    ) -> Tensor:
        q, kv = q.contiguous(), None if kv is None else kv.contiguous()
        ctx.spec = AttentionSpec(segments, heads, scale, bias, causal)
        out, *log_sums = kernels.attention(*_columns(q, kv), ctx.spec)
        ctx.save_for_backward(q, kv, out, *log_sums)
        ctx.kernels = kernels
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        q, kv, out, *log_sums = ctx.saved_tensors
        grad_q, grad_kv = torch.empty_like(q), None if kv is None else torch.empty_like(kv)
        into = _columns(grad_q, grad_kv)
        ctx.kernels.attention_backward(grads[0].contiguous(), *_columns(q, kv), out, log_sums, ctx.spec, into)
        return grad_q, grad_kv, None, None, None, None, None, None


def _columns(q: Tensor, kv: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Views of queries, keys and values, each (tokens, heads * K)."""
    if kv is None:
        queries, keys, values = q.chunk(3, dim=1)
        return queries, keys, values
    keys, values = kv.chunk(2, dim=1)
    return q, keys, values


def _padded(
    q: Tensor, kv: Tensor | None, segments: Segments, heads: int, scale: float, bias: RelativeBias | None, causal: bool
) -> Tensor:
    n = len(segments.queries)
    parts = []
    for columns, lengths in zip(_columns(q, kv), (segments.queries, segments.keys, segments.keys), strict=True):
        index, rows = Segments.padded_index(lengths, q.device), columns.reshape(len(columns), heads, -1)
        table = rows.new_zeros(n * max(lengths), *rows.shape[1:]).index_copy(0, index, rows)
        parts.append(table.view(n, max(lengths), *rows.shape[1:]).transpose(1, 2))
    mask = _mask(segments, causal, bias, q.dtype, q.device)
    queries, keys, values = parts
    mixed = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=scale)
    index = Segments.padded_index(segments.queries, q.device)
    return mixed.transpose(1, 2).flatten(0, 1)[index].flatten(1)


@lru_cache(maxsize=4)  # those of one batch: they are the same for every layer
def _mask(
    segments: Segments, causal: bool, bias: RelativeBias | None, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """Which keys a query sees, (segments, 1, longest, longest) bool, or what is added to the scores, (segments, heads, ...)."""
    width, depth = max(segments.queries), max(segments.keys)
    ends = torch.tensor(segments.keys, device=device)[:, None]
    seen = (torch.arange(depth, device=device) < ends)[:, None, None, :]
    if causal:
        seen = seen & torch.ones(width, depth, dtype=torch.bool, device=device).tril()
    return seen if bias is None else bias.table[:, :, :width, :depth].to(dtype).masked_fill(~seen, float("-inf"))
