"""The fast forward pass of T5, mT5 and umT5: the same function as transformers' modules, held equal by tests.

T5: Raffel et al., 2020; gated feed-forward: Shazeer, 2020. The relative bias is frozen, and computed once for the longest segment met.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.model.fast.attention import attend
from diasum.model.fast.base import FastModel
from diasum.model.fast.kernels import RelativeBias
from diasum.model.fast.ops import Backend, Linear, activated, gated, rms_norm
from diasum.model.fast.packed import Packed, Segments


class FastT5(FastModel):
    """See `FastModel`."""

    def __init__(self, model: Any, backend: Backend, *, recompute: bool = False) -> None:
        super().__init__(model, backend, recompute=recompute)
        config = model.config
        self._scale = config.d_model**-0.5 if scales_output(config) else 1.0
        self._encoder = [_Block(block, config, backend) for block in model.encoder.block]
        self._decoder = [_Block(block, config, backend) for block in model.decoder.block]
        self._convert_frozen()

    def encode(self, packed: Packed) -> Tensor:
        stack = self.model.encoder
        x = F.embedding(packed.source, stack.embed_tokens.weight.detach())
        bias = None
        for block in self._encoder:
            bias = block.bias(max(packed.source_lengths), self.dtype, causal=False, inherited=bias)
            x = self._block(block.encode, x, packed.encoder, bias)
        return self._last_norm(stack, x)

    def decode(self, packed: Packed, memory: Tensor) -> Tensor:
        stack = self.model.decoder
        y = F.embedding(packed.decoder_input, stack.embed_tokens.weight.detach())
        bias = None
        for block in self._decoder:
            bias = block.bias(max(packed.target_lengths), self.dtype, causal=True, inherited=bias)
            y = self._block(block.decode, y, memory, packed, bias)
        y = self._last_norm(stack, y)
        return y * self._scale if self._scale != 1.0 else y

    def _last_norm(self, stack: Any, x: Tensor) -> Tensor:
        norm = stack.final_layer_norm
        return rms_norm(x, norm.weight, norm.variance_epsilon, self.backend.kernels)


class _Block:
    """One layer of the encoder or the decoder."""

    def __init__(self, block: Any, config: Any, backend: Backend) -> None:
        attention, feed = block.layer[0].SelfAttention, block.layer[-1].DenseReluDense
        self._attention = attention
        self._heads, self._scale = config.num_heads, float(attention.scaling)
        self._norms = [layer.layer_norm for layer in block.layer]
        self._kernels = backend.kernels
        self._qkv = Linear([attention.q, attention.k, attention.v], backend)
        self._o = Linear([attention.o], backend)
        if len(block.layer) == 3:
            cross = block.layer[1].EncDecAttention
            self._cross_q, self._cross_o = Linear([cross.q], backend), Linear([cross.o], backend)
            self._cross_kv = Linear([cross.k, cross.v], backend)
        self._activation, self._gated = config.dense_act_fn, config.is_gated_act
        self._wi = Linear([feed.wi_0, feed.wi_1] if self._gated else [feed.wi], backend)
        self._wo = Linear([feed.wo], backend)
        self._bias: RelativeBias | None = None

    def bias(self, length: int, dtype: torch.dtype, *, causal: bool, inherited: RelativeBias | None) -> RelativeBias:
        """That of segments up to `length`, -inf for later keys when causal; the layer before's where this one has none of its own."""
        if not self._attention.has_relative_attention_bias:
            assert inherited is not None
            return inherited
        if self._bias is None or self._bias.longest < length:
            longest = -(-length // 64) * 64
            with torch.no_grad():  # of one query, with as many keys before as behind it
                row = self._attention.compute_bias(1, 2 * longest - 1, past_seen_tokens=longest - 1)
                by_distance = row[0, :, 0].to(dtype).contiguous()
                if causal:
                    by_distance[:, longest:] = float("-inf")
            self._bias = RelativeBias(by_distance)
        return self._bias

    def encode(self, x: Tensor, segments: Segments, bias: RelativeBias) -> Tensor:
        return self._feed_forward(self._self_attention(x, segments, bias))

    def decode(self, y: Tensor, memory: Tensor, packed: Packed, bias: RelativeBias) -> Tensor:
        y = self._self_attention(y, packed.decoder, bias)
        q = self._cross_q(self._norm(y, 1))
        kv = self._cross_kv(memory)
        mixed = attend(q, kv, packed.cross, heads=self._heads, scale=self._scale, kernels=self._kernels)
        return self._feed_forward(self._cross_o(mixed, y))

    def _self_attention(self, x: Tensor, segments: Segments, bias: RelativeBias) -> Tensor:
        qkv = self._qkv(self._norm(x, 0))
        mixed = attend(qkv, None, segments, heads=self._heads, scale=self._scale, bias=bias, kernels=self._kernels)
        return self._o(mixed, x)

    def _feed_forward(self, x: Tensor) -> Tensor:
        inner = self._wi(self._norm(x, -1))
        return self._wo((gated if self._gated else activated)(inner, self._activation, self._kernels), x)

    def _norm(self, x: Tensor, part: int) -> Tensor:
        norm = self._norms[part]
        return rms_norm(x, norm.weight, norm.variance_epsilon, self._kernels)


def scales_output(config: Any) -> bool:
    """The original T5 and umT5 with tied embeddings scale the output layer's input by d_model ** -0.5; mT5 and T5 1.1 do not."""
    if config.model_type == "mt5":
        return False
    return bool(getattr(config, "scale_decoder_outputs", config.tie_word_embeddings))
