"""What the fast decode asks of a family: encode sources without padding, and decode one token of every beam."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.data.batching import Budget, Size, stream_batches
from diasum.engines.fast.adapters import rows_of
from diasum.engines.fast.caches import Caches, Step
from diasum.engines.fast.weights import Product, Weights
from diasum.model.fast.kernels import Kernels
from diasum.model.fast.ops import activated
from diasum.model.fast.ops import gated as gated_by
from diasum.model.fast.packed import Segments

if TYPE_CHECKING:
    from diasum.model.fast.beam_attention import BeamAttention
    from diasum.model.fast.compiled import CompiledKernels

_TOGETHER = 512  # source tokens that are encoded at a time


@dataclass
class Work:
    """What computes between the products: torch, or kernels once they are compiled.

    Attributes:
        kernels: norms, gates, and attention in the encoder.
        attention: of the beams; None for torch's.
    """

    kernels: Kernels = field(default_factory=Kernels)
    attention: BeamAttention | None = None

    def use(self, kernels: CompiledKernels) -> None:
        """From now on these."""
        from diasum.model.fast.beam_attention import BeamAttention

        self.kernels, self.attention = kernels, BeamAttention(kernels)


class Decoder(ABC):
    """A lean forward pass over a model's weights, which it copies where it must and never changes.

    Args:
        weights: of the model.
        dtype: to compute in.

    Attributes:
        device: where it computes.
        work: what computes between the products.
    """

    def __init__(self, weights: Weights, dtype: torch.dtype) -> None:
        self.config, self.dtype, self.device = weights.config, dtype, weights.device
        self.work = Work()

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


@dataclass(frozen=True, slots=True)
class Part:
    """The weights of one part of a model, such as a layer, by their names within it, in the type to compute in; and what else computes."""

    weights: Weights
    path: str
    dtype: torch.dtype
    work: Work

    def layers(self, path: str) -> list[Part]:
        """The layers of a list."""
        return [self.at(f"{path}.{i}") for i in range(self.weights.layers(self.path + path))]

    def at(self, path: str) -> Part:
        """A part of this part."""
        return Part(self.weights, f"{self.path}{path}.", self.dtype, self.work)

    def product(self, *names: str) -> Product:
        """Linear layers that read the same rows, as one."""
        paths = [self.path + name for name in names]
        layers, apart = map(self.weights.linear, paths), map(self.weights.kept_apart, paths)
        return Product(list(layers), list(apart), self.dtype)

    def find(self, name: str) -> Tensor | None:
        """A parameter, if there is one of this name."""
        found = self.weights.tensor(self.path + name)
        return None if found is None else found.to(self.dtype)

    def tensor(self, name: str) -> Tensor:
        """A parameter that every model of the family has."""
        found = self.find(name)
        assert found is not None, self.path + name
        return found

    def table(self, name: str) -> Tensor:
        """An embedding (rows, d_model) as the model holds it: only the rows that are read need be converted."""
        found = self.weights.tensor(self.path + name)
        assert found is not None, self.path + name
        return found


class FeedForward:
    """The two products of a feed-forward layer.

    Args:
        inner: linear layers in; two, the gate first, where it is gated.
        outer: the linear layer out.
        gated: whether `inner` are two.
        activation: by name.
        work: what computes it.
    """

    def __init__(self, inner: Product, outer: Product, *, gated: bool, activation: str, work: Work) -> None:
        self._inner, self._outer, self._work = inner, outer, work
        self._activate, self._activation = gated_by if gated else activated, activation

    def __call__(self, x: Tensor, residual: Tensor) -> Tensor:
        """(N, d_model) to (N, d_model), with `residual` added."""
        inner = self._inner(x)
        return self._outer(self._activate(inner, self._activation, self._work.kernels), residual)


def embedded(ids: Tensor, table: Tensor, dtype: torch.dtype) -> Tensor:
    """Rows of an embedding, (N, d_model), of ids (N,)."""
    return F.embedding(ids, table).to(dtype)
