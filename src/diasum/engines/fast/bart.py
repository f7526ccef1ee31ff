"""The fast decode of BART, mBART and Pegasus: the same function as transformers' modules, held equal by tests.

BART (Lewis et al., 2020) norms after each residual sum, mBART (Liu et al., 2020) and Pegasus (Zhang et al., 2020) before each part and
once at the end.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.engines.fast.caches import Caches, Step
from diasum.engines.fast.decoder import Decoder, FeedForward, Part, embedded
from diasum.engines.fast.weights import Weights
from diasum.model.fast.attention import attend
from diasum.model.fast.kernels import Kernels
from diasum.model.fast.packed import Segments

_EPSILON = 1e-5  # of the norms, in all of these families


class BartDecoder(Decoder):
    """See `Decoder`."""

    def __init__(self, weights: Weights, dtype: torch.dtype) -> None:
        super().__init__(weights, dtype)
        config, model = weights.config, Part(weights, "", dtype, self.work)
        self._scale = math.sqrt(config.d_model) if config.scale_embedding else 1.0
        self._offset = 0 if config.model_type == "pegasus" else 2  # rows of the position table that are not positions
        self._encoder = [_Layer(layer, config) for layer in model.layers("model.encoder.layers")]
        self._decoder = [_DecoderLayer(layer, config) for layer in model.layers("model.decoder.layers")]
        stacks = [model.at("model.encoder"), model.at("model.decoder")]
        self._tables = [(one.table("embed_tokens.weight"), one.table("embed_positions.weight")) for one in stacks]
        self._first_norms = [_Norm(one.at("layernorm_embedding")) for one in stacks]
        self._last_norms = [_Norm(one.at("layer_norm")) for one in stacks]
        self._head = model.product("lm_head")
        self._head_bias = model.tensor("final_logits_bias")[0]

    def encode(self, ids: Tensor, segments: Segments) -> Tensor:
        x = self._embed(0, ids, Segments.positions(segments.queries, ids.device))
        for layer in self._encoder:
            x = layer.encode(x, segments, self.work.kernels)
        return self._last_norms[0](x)

    def source_rows(self, states: Tensor) -> list[Tensor]:
        return [layer.cross_kv(states) for layer in self._decoder]

    def decode(self, tokens: Tensor, step: Step) -> Tensor:
        y = self._embed(1, tokens, step.caches.positions.repeat_interleave(step.caches.beams))
        mask = step.own_mask(None)
        for number, layer in enumerate(self._decoder):
            y = layer.decode(y, number, step, mask)
        return self._last_norms[1](y)

    def logits(self, states: Tensor) -> Tensor:
        return self._head(states).add_(self._head_bias).float()

    def caches(self, beams: int) -> Caches:
        heads, like = self._decoder[0].heads, torch.empty(0, dtype=self.dtype, device=self.device)
        return Caches(len(self._decoder), heads, self.config.d_model // heads, beams, like, self.work.attention)

    def _embed(self, stack: int, ids: Tensor, positions: Tensor) -> Tensor:
        """Token and position embeddings, (N, d_model); BART's position table has two rows of its own in front."""
        of_tokens, of_positions = self._tables[stack]
        places = embedded(positions + self._offset, of_positions, self.dtype)
        tokens = embedded(ids, of_tokens, self.dtype)
        return self._first_norms[stack](tokens.mul_(self._scale).add_(places))


class _Norm:
    """Layer norm; nothing where the model has none at this place."""

    def __init__(self, part: Part) -> None:
        self._weight, self._bias = part.find("weight"), part.find("bias")

    def __call__(self, x: Tensor) -> Tensor:
        if self._weight is None:
            return x
        return F.layer_norm(x, self._weight.shape, self._weight, self._bias, _EPSILON)


class _Layer:
    """One layer of the encoder, or what one of the decoder has in common with it."""

    def __init__(self, layer: Part, config: Any) -> None:
        heads = config.decoder_attention_heads if "decoder" in layer.path else config.encoder_attention_heads
        self.heads, self.scale = heads, (config.d_model // heads) ** -0.5
        self.norms_first = config.model_type != "bart"
        self.own_norm, self.last_norm = _Norm(layer.at("self_attn_layer_norm")), _Norm(layer.at("final_layer_norm"))
        attention = layer.at("self_attn")
        self.qkv, self.o = attention.product("q_proj", "k_proj", "v_proj"), attention.product("out_proj")
        self._feed_forward = FeedForward(
            layer.product("fc1"),
            layer.product("fc2"),
            gated=False,
            activation=config.activation_function,
            work=layer.work,
        )

    def encode(self, x: Tensor, segments: Segments, kernels: Kernels) -> Tensor:
        qkv = self.qkv(self.before(x, self.own_norm))
        mixed = attend(qkv, None, segments, heads=self.heads, scale=self.scale, kernels=kernels)
        return self.feed_forward(self.after(self.o(mixed, x), self.own_norm))

    def feed_forward(self, x: Tensor) -> Tensor:
        return self.after(self._feed_forward(self.before(x, self.last_norm), x), self.last_norm)

    def before(self, x: Tensor, norm: _Norm) -> Tensor:
        return norm(x) if self.norms_first else x

    def after(self, x: Tensor, norm: _Norm) -> Tensor:
        return x if self.norms_first else norm(x)


class _DecoderLayer(_Layer):
    """One layer of the decoder."""

    def __init__(self, layer: Part, config: Any) -> None:
        super().__init__(layer, config)
        cross = layer.at("encoder_attn")
        self.cross_norm = _Norm(layer.at("encoder_attn_layer_norm"))
        self.cross_q, self.cross_o = cross.product("q_proj"), cross.product("out_proj")
        self.cross_kv = cross.product("k_proj", "v_proj")

    def decode(self, y: Tensor, number: int, step: Step, mask: Tensor | None) -> Tensor:
        qkv = self.qkv(self.before(y, self.own_norm))
        y = self.after(self.o(step.attend_own(number, qkv, mask, self.scale), y), self.own_norm)
        q = self.cross_q(self.before(y, self.cross_norm))
        y = self.after(self.cross_o(step.attend_source(number, q, self.scale), y), self.cross_norm)
        return self.feed_forward(y)
