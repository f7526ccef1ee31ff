"""The fast decode of T5, mT5 and umT5: the same function as transformers' modules, held equal by tests.

T5: Raffel et al., 2020; gated feed-forward: Shazeer, 2020.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from diasum.engines.fast.caches import Caches, Step
from diasum.engines.fast.decoder import Decoder, FeedForward, embedded
from diasum.engines.fast.weights import Product
from diasum.model.fast.attention import attend
from diasum.model.fast.kernels import Kernels, RelativeBias
from diasum.model.fast.packed import Segments
from diasum.model.fast.t5 import scales_output


class T5Decoder(Decoder):
    """See `Decoder`."""

    def __init__(self, model: Any, dtype: torch.dtype) -> None:
        super().__init__(model, dtype)
        config = model.config
        self._scale = config.d_model**-0.5 if scales_output(config) else 1.0
        self._heads, self._size = config.num_heads, config.d_kv
        self._encoder = [_Layer(block, config, dtype) for block in model.encoder.block]
        self._decoder = [_DecoderLayer(block, config, dtype) for block in model.decoder.block]
        self._norms = [_Norm(stack.final_layer_norm, dtype) for stack in (model.encoder, model.decoder)]
        self._head = Product([model.lm_head], dtype)

    def encode(self, ids: Tensor, segments: Segments) -> Tensor:
        x = embedded(ids, self.model.encoder.embed_tokens, self.dtype)
        bias = None
        for layer in self._encoder:
            bias = layer.bias.both_ways(max(segments.queries)) or bias
            x = layer.encode(x, segments, bias, self.kernels)
        return self._norms[0](x)

    def source_rows(self, states: Tensor) -> list[Tensor]:
        return [layer.cross_kv(states) for layer in self._decoder]

    def decode(self, tokens: Tensor, step: Step) -> Tensor:
        y = embedded(tokens, self.model.decoder.embed_tokens, self.dtype)
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
        return Caches(len(self._decoder), self._heads, self._size, beams, like)


class _Norm:
    """T5's norm: no mean, no bias."""

    def __init__(self, norm: Any, dtype: torch.dtype) -> None:
        self._weight, self._eps = norm.weight.detach().to(dtype), norm.variance_epsilon

    def __call__(self, x: Tensor) -> Tensor:
        return Kernels().rms_norm(x, self._weight, self._eps)[0]


class _Bias:
    """A layer's relative bias, computed once for the longest distance met; nothing where the layer has none of its own."""

    def __init__(self, attention: Any, dtype: torch.dtype) -> None:
        self._attention, self._dtype = attention, dtype
        self._both: RelativeBias | None = None
        self._before: Tensor | None = None

    def both_ways(self, length: int) -> RelativeBias | None:
        """For segments of up to so many tokens."""
        if self._attention.has_relative_attention_bias and (self._both is None or self._both.longest < length):
            longest = -(-length // 64) * 64
            row = self._attention.compute_bias(1, 2 * longest - 1, past_seen_tokens=longest - 1)
            self._both = RelativeBias(row[0, :, 0].to(self._dtype).contiguous())
        return self._both

    def before(self, steps: int) -> Tensor | None:
        """What is added to a token this far before, (heads, at least steps)."""
        if self._attention.has_relative_attention_bias and (self._before is None or self._before.shape[1] < steps):
            longest = -(-steps // 64) * 64
            row = self._attention.compute_bias(1, longest, past_seen_tokens=longest - 1)
            self._before = row[0, :, 0].flip(1).to(self._dtype).contiguous()
        return self._before


class _Layer:
    """One layer of the encoder, or what one of the decoder has in common with it."""

    def __init__(self, block: Any, config: Any, dtype: torch.dtype) -> None:
        attention, feed = block.layer[0].SelfAttention, block.layer[-1].DenseReluDense
        self.heads, self.scale = config.num_heads, float(attention.scaling)
        self.norms = [_Norm(layer.layer_norm, dtype) for layer in block.layer]
        self.qkv, self.o = Product([attention.q, attention.k, attention.v], dtype), Product([attention.o], dtype)
        inner = [feed.wi_0, feed.wi_1] if config.is_gated_act else [feed.wi]
        self.feed_forward = FeedForward(inner, feed.wo, config.dense_act_fn, dtype)
        self.bias = _Bias(attention, dtype)

    def encode(self, x: Tensor, segments: Segments, bias: RelativeBias | None, kernels: Kernels) -> Tensor:
        qkv = self.qkv(self.norms[0](x))
        x = self.o(attend(qkv, None, segments, heads=self.heads, scale=self.scale, bias=bias, kernels=kernels), x)
        return self.feed_forward(self.norms[-1](x), x)


class _DecoderLayer(_Layer):
    """One layer of the decoder."""

    def __init__(self, block: Any, config: Any, dtype: torch.dtype) -> None:
        super().__init__(block, config, dtype)
        cross = block.layer[1].EncDecAttention
        self.cross_q, self.cross_o = Product([cross.q], dtype), Product([cross.o], dtype)
        self.cross_kv = Product([cross.k, cross.v], dtype)

    def decode(self, y: Tensor, number: int, step: Step, mask: Tensor) -> Tensor:
        y = self.o(step.attend_own(number, self.qkv(self.norms[0](y)), mask, self.scale), y)
        y = self.cross_o(step.attend_source(number, self.cross_q(self.norms[1](y)), self.scale), y)
        return self.feed_forward(self.norms[-1](y), y)
