"""Block-diagonal attention over padding-free rows, through the fused kernels.

In: projections of all tokens in one row; out: the mixed values in one row. On a CPU each segment is one call of the fused kernel,
whose results and gradients are written straight into the rows. Elsewhere the segments are gathered into a padded table and one call
does them all. A relative bias is frozen here, so it needs no gradient, which would switch the fused kernels off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.model.fast.ops import run
from diasum.model.fast.packed import Segments

_forward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def attend(
    q: Tensor,
    kv: Tensor | None,
    segments: Segments,
    *,
    heads: int,
    scale: float,
    bias: Tensor | None = None,
    causal: bool = False,
    padded: bool | None = None,
) -> Tensor:
    """Attention of every segment's queries to its keys.

    Args:
        q: queries (T, heads * K); without `kv` queries, keys and values side by side (T, 3 * heads * K).
        kv: keys and values side by side (S, 2 * heads * K), of a cross-attention.
        segments: where the pairs are.
        heads: attention heads.
        scale: of the scores.
        bias: added to the scores (1, heads, longest, longest) or larger, the same for every segment; no gradient.
        causal: a query sees no later keys.
        padded: through one padded table (True) or segment by segment (False); None takes what is faster on the device.

    Returns:
        (T, heads * K).
    """
    if padded if padded is not None else q.device.type != "cpu":
        return _padded(q, kv, segments, heads, scale, bias, causal)
    return run(_BySegment, q, kv, segments, heads, scale, bias, causal)


def _parts(q: Tensor, kv: Tensor | None, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Views of queries, keys and values, each (tokens, heads, K)."""
    if kv is None:
        queries, keys, values = q.view(len(q), 3, heads, -1).unbind(1)
        return queries, keys, values
    keys, values = kv.view(len(kv), 2, heads, -1).unbind(1)
    return q.view(len(q), heads, -1), keys, values


@dataclass(frozen=True, slots=True)
class _Part:
    """One of `parts` that stand side by side in rows (tokens, parts * heads * K), in the form that the fused kernels take."""

    rows: Tensor
    heads: int
    place: int = 0
    parts: int = 1

    def __call__(self, begin: int, end: int) -> Tensor:
        """A segment's, (1, heads, end - begin, K), a view; one call of torch, since there are hundreds in a step."""
        width = self.rows.shape[1] // self.parts
        size, row = width // self.heads, self.rows.stride(0)
        offset = self.rows.storage_offset() + begin * row + self.place * width
        return self.rows.as_strided((1, self.heads, end - begin, size), (row, size, row, 1), offset)


def _queries_keys_values(q: Tensor, kv: Tensor | None, heads: int) -> list[_Part]:
    if kv is None:
        return [_Part(q, heads, place, 3) for place in range(3)]
    return [_Part(q, heads), _Part(kv, heads, 0, 2), _Part(kv, heads, 1, 2)]


class _BySegment(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        q: Tensor,
        kv: Tensor | None,
        segments: Segments,
        heads: int,
        scale: float,
        bias: Tensor | None,
        causal: bool,
    ) -> Tensor:
        q, kv = q.contiguous(), None if kv is None else kv.contiguous()
        out = q.new_empty(len(q), q.shape[1] // (3 if kv is None else 1))
        queries, keys, values = _queries_keys_values(q, kv, heads)
        mixed, sums = _Part(out, heads), []
        for a, b, c, d in segments.spans:
            made, log_sum = _forward(
                queries(a, b), keys(c, d), values(c, d), 0.0, causal, attn_mask=_cut(bias, b - a, d - c), scale=scale
            )
            mixed(a, b).copy_(made)
            sums.append(log_sum)
        ctx.save_for_backward(q, kv, out, bias, *sums)
        ctx.rest = (segments, heads, scale, causal)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        q, kv, out, bias, *sums = ctx.saved_tensors
        segments, heads, scale, causal = ctx.rest
        grad_q, grad_kv = torch.empty_like(q), None if kv is None else torch.empty_like(kv)
        queries, keys, values = _queries_keys_values(q, kv, heads)
        into = _queries_keys_values(grad_q, grad_kv, heads)
        grad, mixed = _Part(grads[0].contiguous(), heads), _Part(out, heads)
        for (a, b, c, d), log_sum in zip(segments.spans, sums, strict=True):
            made = _backward(
                grad(a, b), queries(a, b), keys(c, d), values(c, d), mixed(a, b), log_sum,
                0.0, causal, attn_mask=_cut(bias, b - a, d - c), scale=scale,
            )  # fmt: skip
            for target, part, (begin, end) in zip(into, made, ((a, b), (c, d), (c, d)), strict=True):
                target(begin, end).copy_(part)
        return grad_q, grad_kv, None, None, None, None, None


def _cut(bias: Tensor | None, queries: int, keys: int) -> Tensor | None:
    return None if bias is None else bias[:, :, :queries, :keys]


def _padded(
    q: Tensor, kv: Tensor | None, segments: Segments, heads: int, scale: float, bias: Tensor | None, causal: bool
) -> Tensor:
    n = len(segments.queries)
    parts = []
    for rows, lengths in zip(_parts(q, kv, heads), (segments.queries, segments.keys, segments.keys), strict=True):
        index = Segments.padded_index(lengths, q.device)
        table = rows.new_zeros(n * max(lengths), *rows.shape[1:]).index_copy(0, index, rows)
        parts.append(table.view(n, max(lengths), *rows.shape[1:]).transpose(1, 2))
    mask = _mask(segments, causal, bias, q.dtype, q.device)
    queries, keys, values = parts
    mixed = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=scale)
    index = Segments.padded_index(segments.queries, q.device)
    return mixed.transpose(1, 2).flatten(0, 1)[index].flatten(1)


@lru_cache(maxsize=4)  # those of one batch: they are the same for every layer
def _mask(segments: Segments, causal: bool, bias: Tensor | None, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Which keys a query sees, (segments, 1, longest, longest) bool, or what is added to the scores, (segments, heads, ...)."""
    width, depth = max(segments.queries), max(segments.keys)
    ends = torch.tensor(segments.keys, device=device)[:, None]
    seen = (torch.arange(depth, device=device) < ends)[:, None, None, :]
    if causal:
        seen = seen & torch.ones(width, depth, dtype=torch.bool, device=device).tril()
    return seen if bias is None else bias[:, :, :width, :depth].to(dtype).masked_fill(~seen, float("-inf"))
