"""What the fast decode asks of a family: encode sources without padding, and decode one token of every beam."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.data.batching import Budget, Size, stream_batches
from diasum.engines.fast.adapters import rows_of
from diasum.engines.fast.caches import Caches, Step
from diasum.engines.fast.weights import Product, active
from diasum.model.fast.kernels import Kernels
from diasum.model.fast.ops import ACTIVATIONS
from diasum.model.fast.packed import Segments

_TOGETHER = 512  # source tokens that are encoded at a time


class Decoder(ABC):
    """A lean forward pass over a model's weights, which it copies where it must and never changes.

    Args:
        model: the base model inside (a transformers model, its linear layers adapted by peft or not).
        dtype: to compute in.

    Attributes:
        device: where it computes.
        kernels: what attends in the encoder.
    """

    def __init__(self, model: Any, dtype: torch.dtype) -> None:
        self.model, self.dtype, self.device = model, dtype, model.device
        self.kernels = Kernels()

    @abstractmethod
    def encode(self, ids: Tensor, segments: Segments) -> Tensor:
        """Encoder states (tokens, d_model) of sources that stand one after another in `ids` (tokens,)."""

    @abstractmethod
    def source_rows(self, states: Tensor) -> list[Tensor]:
        """Keys and values of sources side by side, (tokens, 2 * heads * size), for each decoder layer, given encoder states."""

    @abstractmethod
    def decode(self, tokens: Tensor, step: Step) -> Tensor:
        """The output layer's input (count * beams, d_model) after one token of every beam, (count * beams,) int64."""

    @abstractmethod
    def logits(self, states: Tensor) -> Tensor:
        """(N, vocabulary) fp32, of the output layer's input."""

    @abstractmethod
    def caches(self, beams: int) -> Caches:
        """Empty ones."""

    def admit(self, sources: Sequence[Sequence[int]], caches: Caches, adapters: Sequence[str] = ()) -> None:
        """Encode sources and give them slots; some at a time, so that what is computed on the way stays in the processor's caches.

        Args:
            sources: token ids.
            caches: where the slots are.
            adapters: of each source, where several are kept apart.
        """
        caches.make_room(caches.count + len(sources), max(len(source) for source in sources))
        numbers = ((i, Size(len(source))) for i, source in enumerate(sources))
        for some in stream_batches(numbers, Budget(_TOGETHER)):
            lengths = tuple(len(sources[i]) for i in some)
            ids = torch.tensor([token for i in some for token in sources[i]], device=self.device)
            with rows_of([adapters[i] for i in some] if adapters else (), lengths):
                rows = self.source_rows(self.encode(ids, Segments(lengths, lengths)))
            caches.admit(rows, lengths)


class FeedForward:
    """The two products of a feed-forward layer.

    Args:
        inner: linear layers in; two, the gate first, where it is gated.
        outer: the linear layer out.
        activation: by name.
        dtype: to compute in.
    """

    def __init__(self, inner: Sequence[Any], outer: Any, activation: str, dtype: torch.dtype) -> None:
        self._inner, self._outer = Product(inner, dtype), Product([outer], dtype)
        self._gated, self._activation = len(inner) == 2, ACTIVATIONS[activation]

    def __call__(self, x: Tensor, residual: Tensor) -> Tensor:
        """(N, d_model) to (N, d_model), with `residual` added."""
        inner = self._inner(x)
        if self._gated:
            gate, value = inner.chunk(2, dim=-1)
            return self._outer(self._activation(gate).mul_(value), residual)
        return self._outer(self._activation(inner), residual)


def embedded(ids: Tensor, table: Any, dtype: torch.dtype) -> Tensor:
    """Rows of an embedding, (N, d_model), of ids (N,)."""
    return F.embedding(ids, active(table).weight.detach()).to(dtype)
