"""Several adapters on one base: a product is computed once for all rows, and what an adapter adds is computed for its own rows.

LoRA (Hu et al., 2021): scale B A x. Whose rows are whose is said around a pass through the layers (`rows_of`), as their number type is by
`torch.autocast`, so that no layer need hand it on. A single adapter is merged instead (`diasum.engines.fast.weights`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class LowRank(NamedTuple):
    """What an adapter adds to a linear layer.

    Attributes:
        a: (rank, in).
        b: (out, rank).
        scale: of the product.
        first: the layer's first column, where its product is one with those of other layers.
    """

    a: Tensor
    b: Tensor
    scale: float
    first: int


Added = Mapping[str, Sequence[LowRank]]  # to a product, by the names of adapters

_ROWS: ContextVar[Sequence[tuple[str, Tensor]]] = ContextVar("_ROWS", default=())


@contextlib.contextmanager
def rows_of(adapters: Sequence[str], counts: Sequence[int]) -> Iterator[None]:
    """Within this context, products have the rows of these adapters, one after the other.

    Args:
        adapters: one for each source; the same one may come several times. Of none, rows are nobody's.
        counts: how many rows each source has.
    """
    rows = torch.split(torch.arange(sum(counts)), list(counts)) if adapters else ()
    own: dict[str, list[Tensor]] = {}
    for adapter, some in zip(adapters, rows, strict=True):
        own.setdefault(adapter, []).append(some)
    token = _ROWS.set([(adapter, torch.cat(some)) for adapter, some in own.items()])
    try:
        yield
    finally:
        _ROWS.reset(token)


def kept_apart(module: Any) -> dict[str, LowRank]:
    """What the adapters of a linear layer add to its product, where these are switched off in the layer itself."""
    if not getattr(module, "disable_adapters", False) or not hasattr(module, "lora_A"):
        return {}
    return {
        name: LowRank(a.weight.detach(), module.lora_B[name].weight.detach(), float(module.scaling[name]), 0)
        for name, a in module.lora_A.items()
    }


def side_by_side(layers: Sequence[Mapping[str, LowRank]], columns: Sequence[int], dtype: torch.dtype) -> Added:
    """What is added to the product of several layers.

    Args:
        layers: what is added to each.
        columns: how many each has.
        dtype: to compute in.
    """
    added: dict[str, list[LowRank]] = {}
    first = 0
    for layer, count in zip(layers, columns, strict=True):
        for name, part in layer.items():
            added.setdefault(name, []).append(LowRank(part.a.to(dtype), part.b.to(dtype), part.scale, first))
        first += count
    return added


def add_to(out: Tensor, x: Tensor, added: Added) -> Tensor:
    """`out` (N, out), with what is added to the rows of each adapter, in place; x (N, in)."""
    for adapter, rows in _ROWS.get():
        everything = len(rows) == len(x)
        for part in added.get(adapter, ()):
            more = F.linear(F.linear(x if everything else x[rows], part.a), part.b)
            columns = out[:, part.first : part.first + len(part.b)]
            if everything:
                columns.add_(more, alpha=part.scale)
            else:
                columns.index_add_(0, rows, more, alpha=part.scale)
    return out
