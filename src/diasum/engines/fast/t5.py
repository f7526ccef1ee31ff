"""The fast decode of T5, mT5 and umT5: the same function as transformers' modules, held equal by tests.

T5: Raffel et al., 2020; gated feed-forward: Shazeer, 2020.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from diasum.engines.fast.caches import Caches, Step
from diasum.engines.fast.decoder import Decoder, FeedForward, Part, embedded
from diasum.engines.fast.weights import Weights
from diasum.model.fast.attention import attend
from diasum.model.fast.kernels import Kernels, RelativeBias
from diasum.model.fast.packed import Segments
from diasum.model.fast.t5 import scales_output


class T5Decoder(Decoder):
    """See `Decoder`."""

    def __init__(self, weights: Weights, dtype: torch.dtype) -> None:
        super().__init__(weights, dtype)
        config, model = weights.config, Part(weights, "", dtype, self.work)
        self._scale = config.d_model**-0.5 if scales_output(config) else 1.0
        self._heads, self._size = config.num_heads, config.d_kv
        self._encoder = [_Layer(block, config) for block in model.layers("encoder.block")]
        self._decoder = [_DecoderLayer(block, config) for block in model.layers("decoder.block")]
        self._tables = [model.table(f"{stack}.embed_tokens.weight") for stack in ("encoder", "decoder")]
        self._norms = [_Norm(model.at(f"{stack}.final_layer_norm"), config) for stack in ("encoder", "decoder")]
        self._head = model.product("lm_head")

    def encode(self, ids: Tensor, segments: Segments) -> Tensor:
        x = embedded(ids, self._tables[0], self.dtype)
        bias = None
        for layer in self._encoder:
            bias = layer.bias.both_ways(max(segments.queries)) or bias
            x = layer.encode(x, segments, bias, self.work.kernels)
        return self._norms[0](x)

    def source_rows(self, states: Tensor) -> list[Tensor]:
        return [layer.cross_kv(states) for layer in self._decoder]

    def decode(self, tokens: Tensor, step: Step) -> Tensor:
        y = embedded(tokens, self._tables[1], self.dtype)
        mask = None
        for number, layer in enumerate(self._decoder):
            bias = layer.bias.before(step.steps)
            if mask is None or bias is not None:
                mask = step.own_mask(bias)
            y = layer.decode(y, number, step, mask)
        return self._norms[1](y)

    def logits(self, states: Tensor) -> Tensor:
        return self._head(states * self._scale if self._scale != 1.0 else states).float()

    def caches(self, beams: int) -> Caches:
        like = torch.empty(0, dtype=self.dtype, device=self.device)
        return Caches(len(self._decoder), self._heads, self._size, beams, like, self.work.attention)


class _Norm:
    """T5's norm: no mean, no bias."""

    def __init__(self, part: Part, config: Any) -> None:
        self._weight, self._eps, self._work = part.tensor("weight"), config.layer_norm_epsilon, part.work

    def __call__(self, x: Tensor) -> Tensor:
        return self._work.kernels.rms_norm(x, self._weight, self._eps)[0]


class _Bias:
    """A layer's relative bias, computed once for the longest distance met; nothing where the layer has none of its own."""

    def __init__(self, attention: Part, config: Any) -> None:
        self._table = attention.find("relative_attention_bias.weight")
        self._buckets, self._farthest = (
            config.relative_attention_num_buckets,
            config.relative_attention_max_distance,
        )
        self._both: RelativeBias | None = None
        self._before: Tensor | None = None

    def both_ways(self, length: int) -> RelativeBias | None:
        """For segments of up to so many tokens."""
        if self._table is not None and (self._both is None or self._both.longest < length):
            longest = -(-length // 64) * 64
            distances = torch.arange(1 - longest, longest, device=self._table.device)
            half = self._buckets // 2
            buckets = bucket_of(distances.abs(), half, self._farthest) + half * (distances > 0)
            self._both = RelativeBias(self._table[buckets].T.contiguous())
        return self._both

    def before(self, steps: int) -> Tensor | None:
        """What is added to a token this far before, (heads, at least steps)."""
        if self._table is not None and (self._before is None or self._before.shape[1] < steps):
            distances = torch.arange(-(-steps // 64) * 64, device=self._table.device)
            self._before = self._table[bucket_of(distances, self._buckets, self._farthest)].T.contiguous()
        return self._before


def bucket_of(distances: Tensor, buckets: int, farthest: int) -> Tensor:
    """The bucket of each distance: one for each of the nearest, then wider ones, in steps of equal ratio up to the farthest.

    Args:
        distances: in tokens, (n,) int64, none below 0.
        buckets: how many there are; half of them hold one distance each.
        farthest: from which on all distances share the last bucket.
    """
    own = buckets // 2
    ratio = torch.log(distances.float() / own) / math.log(farthest / own)
    shared = own + (ratio * (buckets - own)).long()
    return torch.where(distances < own, distances, shared.clamp(max=buckets - 1))


class _Layer:
    """One layer of the encoder, or what one of the decoder has in common with it."""

    def __init__(self, block: Part, config: Any) -> None:
        last = 2 if "decoder" in block.path else 1
        attention, feed = block.at("layer.0.SelfAttention"), block.at(f"layer.{last}.DenseReluDense")
        self.heads, self.scale = config.num_heads, 1.0  # the scale is in T5's weights
        self.norms = [_Norm(block.at(f"layer.{i}.layer_norm"), config) for i in range(last + 1)]
        self.qkv, self.o = attention.product("q", "k", "v"), attention.product("o")
        self.feed_forward = FeedForward(
            feed.product("wi_0", "wi_1") if config.is_gated_act else feed.product("wi"),
            feed.product("wo"),
            gated=config.is_gated_act,
            activation=config.dense_act_fn,
            work=block.work,
        )
        self.bias = _Bias(attention, config)

    def encode(self, x: Tensor, segments: Segments, bias: RelativeBias | None, kernels: Kernels) -> Tensor:
        qkv = self.qkv(self.norms[0](x))
        x = self.o(attend(qkv, None, segments, heads=self.heads, scale=self.scale, bias=bias, kernels=kernels), x)
        return self.feed_forward(self.norms[-1](x), x)


class _DecoderLayer(_Layer):
    """One layer of the decoder."""

    def __init__(self, block: Part, config: Any) -> None:
        super().__init__(block, config)
        cross = block.at("layer.1.EncDecAttention")
        self.cross_q, self.cross_o = cross.product("q"), cross.product("o")
        self.cross_kv = cross.product("k", "v")

    def decode(self, y: Tensor, number: int, step: Step, mask: Tensor | None) -> Tensor:
        y = self.o(step.attend_own(number, self.qkv(self.norms[0](y)), mask, self.scale), y)
        y = self.cross_o(step.attend_source(number, self.cross_q(self.norms[1](y)), self.scale), y)
        return self.feed_forward(self.norms[-1](y), y)
