"""What the decoder attends to: keys and values of the sources, once each, and of the tokens written so far.

A source being summarised has a *slot*, with as many rows as beams; the slots in use are always the first `count`, so that a step reads
views. The beams of a slot attend together to the keys of its source, which are not repeated, and to all tokens that any of its beams
wrote: where a beam continues another, nothing is copied, but `ancestors` says whose token it follows at each step, and the rest is masked
(by torch) or not looked at (by compiled kernels).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from diasum.model.fast.beam_attention import BeamAttention

_NOBODY = -1  # wrote a token that a beam follows


class Room(NamedTuple):
    """For how many slots, tokens of a source, and tokens written."""

    slots: int
    source: int
    steps: int


_UNITS = Room(8, 64, 32)  # multiples of which there is room for


class LayerCache:
    """Keys and values of one decoder layer.

    Args:
        heads: attention heads.
        size: of one head.
        beams: of a slot.
        like: a tensor of their type and device.
    """

    def __init__(self, heads: int, size: int, beams: int, like: Tensor) -> None:
        self.source_keys = like.new_zeros(0, heads, 0, size)
        self.source_values = like.new_zeros(0, heads, 0, size)
        self.own_keys = like.new_zeros(0, heads, 0, beams, size)
        self.own_values = like.new_zeros(0, heads, 0, beams, size)

    def resize(self, room: Room) -> None:
        """Make exactly so much room; what is in both stays."""
        _, heads, _, beams, size = self.own_keys.shape
        slots, source, steps = room
        self.source_keys = _resized(self.source_keys, (slots, heads, source, size))
        self.source_values = _resized(self.source_values, (slots, heads, source, size))
        self.own_keys = _resized(self.own_keys, (slots, heads, steps, beams, size))
        self.own_values = _resized(self.own_values, (slots, heads, steps, beams, size))

    def read_source(self, slot: int, rows: Tensor) -> None:
        """Take in keys and values of a source, side by side in `rows` (tokens, 2 * heads * size)."""
        _, heads, _, size = self.source_keys.shape
        keys, values = rows.view(len(rows), 2, heads, size).unbind(1)
        self.source_keys[slot, :, : len(rows)] = keys.transpose(0, 1)
        self.source_values[slot, :, : len(rows)] = values.transpose(0, 1)

    def move(self, source: int, target: int, length: int, steps: int) -> None:
        """A slot to another's place: so many source tokens and written ones."""
        self.source_keys[target, :, :length] = self.source_keys[source, :, :length]
        self.source_values[target, :, :length] = self.source_values[source, :, :length]
        self.own_keys[target, :, :steps] = self.own_keys[source, :, :steps]
        self.own_values[target, :, :steps] = self.own_values[source, :, :steps]


class Caches:
    """Those of all layers, and where each slot stands.

    Args:
        layers: of the decoder.
        heads: attention heads.
        size: of one head.
        beams: of a slot.
        like: a tensor of the keys' type and device.
        attention: compiled; None for torch's.

    Attributes:
        count: slots in use.
        positions: tokens that each slot's beams wrote so far, (count,) int64.
        lengths: tokens of each slot's source.
    """

    def __init__(
        self, layers: int, heads: int, size: int, beams: int, like: Tensor, attention: BeamAttention | None = None
    ) -> None:
        self.layers = [LayerCache(heads, size, beams, like) for _ in range(layers)]
        self.heads, self.beams, self.like = heads, beams, like
        self.count = 0
        self.positions = torch.zeros(0, dtype=torch.long, device=like.device)
        self.lengths: list[int] = []
        self._ancestors = self.positions.new_zeros(0, beams, 0)
        self._attention = attention
        self._source_mask: Tensor | None = None
        self._room = Room(0, 0, 0)

    def admit(self, sources: Sequence[Tensor], lengths: Sequence[int]) -> None:
        """Give slots to sources.

        Args:
            sources: for each layer keys and values of all of them, (tokens, 2 * heads * size), one source after another.
            lengths: tokens of each source.
        """
        self.make_room(self.count + len(lengths), max(lengths))
        for layer, rows in zip(self.layers, sources, strict=True):
            for slot, part in enumerate(torch.split(rows, list(lengths)), self.count):
                layer.read_source(slot, part)
        self._ancestors[self.count : self.count + len(lengths)] = _NOBODY
        self.count += len(lengths)
        self.lengths += lengths
        self.positions = torch.cat([self.positions, self.positions.new_zeros(len(lengths))])
        self._source_mask = None

    def keep(self, places: Sequence[int]) -> None:
        """Free all slots but these; place i is taken by the slot `places[i]`, which is i or a later one that is not kept elsewhere."""
        positions = self.positions.tolist()
        for target, source in enumerate(places):
            if source != target:
                for layer in self.layers:
                    layer.move(source, target, self.lengths[source], positions[source])
                self._ancestors[target] = self._ancestors[source]
        self.count = len(places)
        self.lengths = [self.lengths[source] for source in places]
        self.positions = self.positions[list(places)]
        self._source_mask = None

    def begin_step(self) -> Step:
        """What a step attends to, once its own token is there."""
        steps = int(self.positions.max()) + 1
        self.make_room(self.count, 0, steps)
        slots = torch.arange(self.count, device=self.positions.device)
        own = torch.arange(self.beams, device=self.positions.device)
        self._ancestors[slots, :, self.positions] = own
        if self._attention is not None:
            return CompiledStep(self, steps, self._attention, self._ancestors)
        seen = self._ancestors[: self.count, :, :steps, None] == own
        return TorchStep(self, steps, slots, seen)

    def end_step(self, parents: Tensor) -> None:
        """Each beam goes on from another of its slot; parents (count, beams) int64."""
        index = parents[:, :, None].expand(-1, -1, self._ancestors.shape[2])
        self._ancestors[: self.count] = self._ancestors[: self.count].gather(1, index)
        self.positions += 1

    def source_mask(self) -> Tensor:
        """Added to the scores of source tokens, (count * heads, beams, longest): -inf behind a source's end."""
        if self._source_mask is None:
            lengths = torch.tensor(self.lengths, device=self.positions.device)
            places = torch.arange(max(self.lengths), device=lengths.device)
            mask = self.like.new_zeros(self.count, 1, 1, len(places))
            mask.masked_fill_((places >= lengths[:, None])[:, None, None], float("-inf"))
            self._source_mask = mask.expand(-1, self.heads, self.beams, -1).flatten(0, 1)
        return self._source_mask

    def make_room(self, slots: int, source: int, steps: int = 1) -> None:
        """For at least so many slots, tokens of the longest source and tokens written.

        More slots come as sources get shorter; each then gets no more room than the longest source that is there now needs.
        """
        need = Room(slots, max([source, *self.lengths]), max([steps, *(self.positions + 1).tolist()]))
        have = self._room
        if all(there >= wanted for there, wanted in zip(have, need, strict=True)):
            return
        fitting = Room(*(_up_to(wanted, unit) for wanted, unit in zip(need, _UNITS, strict=True)))
        if slots <= have.slots:
            fitting = Room(*(max(pair) for pair in zip(have, fitting, strict=True)))
        self._room = fitting
        for layer in self.layers:
            layer.resize(fitting)
        self._ancestors = _resized(self._ancestors, (fitting.slots, self.beams, fitting.steps), _NOBODY)


class Step(ABC):
    """One step of all slots.

    Args:
        caches: where it reads and writes.
        steps: tokens that the slot with the most of them has, with this step's.
    """

    def __init__(self, caches: Caches, steps: int) -> None:
        self.caches, self.steps = caches, steps

    @abstractmethod
    def own_mask(self, by_distance: Tensor | None) -> Tensor | None:
        """What `attend_own` needs to know of a relative bias, for all layers that share it.

        Args:
            by_distance: what the bias adds to a token this far before, (heads, at least steps).
        """

    @abstractmethod
    def attend_own(self, layer: int, qkv: Tensor, mask: Tensor | None, scale: float) -> Tensor:
        """Attention to the tokens written so far and this one.

        Args:
            layer: its number.
            qkv: queries, keys and values of this token side by side, (count * beams, 3 * heads * size).
            mask: by `own_mask`.
            scale: of the scores.

        Returns:
            (count * beams, heads * size).
        """

    @abstractmethod
    def attend_source(self, layer: int, q: Tensor, scale: float) -> Tensor:
        """Attention of all beams to the tokens of their source; q and what is returned are (count * beams, heads * size)."""


class CompiledStep(Step):
    """By compiled kernels; the mask is the relative bias itself.

    Args:
        caches: as in `Step`.
        steps: as in `Step`.
        attention: the kernels.
        ancestors: of `Caches`.
    """

    def __init__(self, caches: Caches, steps: int, attention: BeamAttention, ancestors: Tensor) -> None:
        super().__init__(caches, steps)
        self._attention, self._ancestors = attention, ancestors
        self._lengths = torch.tensor(caches.lengths)

    def own_mask(self, by_distance: Tensor | None) -> Tensor | None:
        return by_distance

    def attend_own(self, layer: int, qkv: Tensor, mask: Tensor | None, scale: float) -> Tensor:
        cache, caches = self.caches.layers[layer], self.caches
        return self._attention.written(
            qkv, cache.own_keys, cache.own_values, self._ancestors, caches.positions, mask, scale
        )

    def attend_source(self, layer: int, q: Tensor, scale: float) -> Tensor:
        cache = self.caches.layers[layer]
        return self._attention.sources(q, cache.source_keys, cache.source_values, self._lengths, scale)


class TorchStep(Step):
    """By torch.

    Args:
        caches: as in `Step`.
        steps: as in `Step`.
        slots: 0 to count, (count,) int64.
        seen: which of its slot's tokens each beam follows, (count, beams, steps, beams) bool.
    """

    def __init__(self, caches: Caches, steps: int, slots: Tensor, seen: Tensor) -> None:
        super().__init__(caches, steps)
        self.slots, self.seen = slots, seen

    def own_mask(self, by_distance: Tensor | None) -> Tensor:
        """Added to the scores of tokens, (count * heads, beams, steps * beams)."""
        caches = self.caches
        shape = (caches.count, caches.heads, caches.beams, self.steps, caches.beams)
        if by_distance is None:
            added = caches.like.new_zeros(()).expand(shape)
        else:
            places = torch.arange(self.steps, device=self.slots.device)
            distances = (caches.positions[:, None] - places).clamp_(min=0)
            added = by_distance[:, distances].transpose(0, 1)[:, :, None, :, None].expand(shape)
        return added.masked_fill(~self.seen[:, None], float("-inf")).flatten(0, 1).flatten(2)

    def attend_own(self, layer: int, qkv: Tensor, mask: Tensor | None, scale: float) -> Tensor:
        assert mask is not None
        caches = self.caches
        cache = caches.layers[layer]
        parts = qkv.view(caches.count, caches.beams, 3, caches.heads, -1).permute(2, 0, 3, 1, 4)
        queries, keys, values = parts.unbind(0)
        cache.own_keys[self.slots, :, caches.positions] = keys
        cache.own_values[self.slots, :, caches.positions] = values
        all_keys = cache.own_keys[: caches.count, :, : self.steps].flatten(0, 1).flatten(1, 2)
        all_values = cache.own_values[: caches.count, :, : self.steps].flatten(0, 1).flatten(1, 2)
        return _mixed(queries, all_keys, all_values, mask, scale)

    def attend_source(self, layer: int, q: Tensor, scale: float) -> Tensor:
        caches = self.caches
        cache, mask = caches.layers[layer], caches.source_mask()
        queries = q.view(caches.count, caches.beams, caches.heads, -1).transpose(1, 2)
        keys = cache.source_keys[: caches.count, :, : mask.shape[2]].flatten(0, 1)
        values = cache.source_values[: caches.count, :, : mask.shape[2]].flatten(0, 1)
        return _mixed(queries, keys, values, mask, scale)


def _mixed(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor, scale: float) -> Tensor:
    """softmax(scale * queries keys + mask) values.

    Args:
        queries: (slots, heads, beams, size).
        keys: (slots * heads, tokens, size).
        values: (slots * heads, tokens, size).
        mask: (slots * heads, beams, tokens).
        scale: of the scores.

    Returns:
        (slots * beams, heads * size).
    """
    slots, heads, beams, size = queries.shape
    scores = torch.baddbmm(mask, queries.reshape(slots * heads, beams, size), keys.mT, alpha=scale)
    mixed = torch.bmm(scores.softmax(-1), values)
    return mixed.view(slots, heads, beams, size).transpose(1, 2).reshape(slots * beams, heads * size)


def _up_to(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _resized(tensor: Tensor, shape: tuple[int, ...], value: int = 0) -> Tensor:
    """What fits of it, and `value` elsewhere; that is finite, since what is masked must be."""
    if tensor.shape == shape:
        return tensor
    resized = tensor.new_full(shape, value)
    both = tuple(slice(min(pair)) for pair in zip(tensor.shape, shape, strict=True))
    resized[both] = tensor[both]
    return resized
