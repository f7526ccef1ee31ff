"""Padding-free rows: all tokens of a batch's pairs one after another, and where each pair begins and ends.

In: a collated batch. Out: `Packed`, whose linear layers, norms and losses see real tokens only; attention
looks at the `Segments`. One row of S source tokens and one of T target tokens stand for the whole batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor

from diasum.data.batching import IGNORED


@dataclass(frozen=True)
class Segments:
    """Block-diagonal attention: queries of segment i see the keys of segment i.

    Attributes:
        queries: tokens of each segment on the query side.
        keys: the same on the key side.
    """

    queries: tuple[int, ...]
    keys: tuple[int, ...]

    @cached_property
    def spans(self) -> list[tuple[int, int, int, int]]:
        """(query begin, query end, key begin, key end) of each segment in the two rows."""
        ends = zip(
            pairwise(accumulate(self.queries, initial=0)), pairwise(accumulate(self.keys, initial=0)), strict=True
        )
        return [(*q, *k) for q, k in ends]

    @staticmethod
    @lru_cache(maxsize=4)
    def positions(lengths: tuple[int, ...], device: torch.device) -> Tensor:
        """Each token's place in its segment, (tokens,) int64."""
        return torch.cat([torch.arange(length) for length in lengths]).to(device)

    @staticmethod
    @lru_cache(maxsize=4)  # every layer of a step asks for the same
    def padded_index(lengths: tuple[int, ...], device: torch.device) -> Tensor:
        """Each token's place in a flattened (segments, longest) table, (tokens,) int64."""
        width = max(lengths)
        return torch.cat([torch.arange(n) + i * width for i, n in enumerate(lengths)]).to(device)


@dataclass(frozen=True)
class Packed:
    """A batch without padding.

    Attributes:
        source: token ids (S,).
        decoder_input: token ids (T,); each target shifted right.
        labels: token ids (T,).
        source_lengths: tokens of each pair's source; they sum to S.
        target_lengths: tokens of each pair's target; they sum to T.
    """

    source: Tensor
    decoder_input: Tensor
    labels: Tensor
    source_lengths: tuple[int, ...]
    target_lengths: tuple[int, ...]

    @staticmethod
    def of(batch: Mapping[str, Tensor]) -> Packed:
        """The real tokens of a batch collated with padding on the right (`diasum.data.Seq2SeqCollator`)."""
        real, target = batch["attention_mask"].bool(), batch["labels"] != IGNORED
        rows = (batch["input_ids"][real], batch["decoder_input_ids"][target], batch["labels"][target])
        return Packed(*rows, tuple(real.sum(1).tolist()), tuple(target.sum(1).tolist()))

    @staticmethod
    def states_of(batch: Mapping[str, Any]) -> Tensor | None:
        """Encoder states (S, d_model) that a batch comes with as `encoder_outputs` (pairs, longest, d_model)."""
        if batch.get("encoder_outputs") is None:
            return None
        states: Tensor = batch["encoder_outputs"]["last_hidden_state"][batch["attention_mask"].bool()]
        return states

    @cached_property
    def encoder(self) -> Segments:
        """Self-attention of the sources."""
        return Segments(self.source_lengths, self.source_lengths)

    @cached_property
    def decoder(self) -> Segments:
        """Self-attention of the targets."""
        return Segments(self.target_lengths, self.target_lengths)

    @cached_property
    def cross(self) -> Segments:
        """Attention of the targets to their sources."""
        return Segments(self.target_lengths, self.source_lengths)
