"""The fast forward pass of BART, mBART and Pegasus: the same function as transformers' modules, held equal by tests.

BART (Lewis et al., 2020) norms after each residual sum, mBART (Liu et al., 2020) and Pegasus (Zhang et al., 2020) before each part and
once at the end. Positions are a frozen table, read anew for every segment.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.model.fast.attention import attend
from diasum.model.fast.base import FastModel
from diasum.model.fast.ops import Backend, Linear, activated
from diasum.model.fast.packed import Packed, Segments


class FastBart(FastModel):
    """See `FastModel`."""

    def __init__(self, model: Any, backend: Backend, *, recompute: bool = False) -> None:
        super().__init__(model, backend, recompute=recompute)
        self._norms_first = model.config.model_type != "bart"
        self._encoder = [self._layer(layer) for layer in model.model.encoder.layers]
        self._decoder = [self._layer(layer) for layer in model.model.decoder.layers]
        self._convert_frozen()
        bias = model.final_logits_bias[0]
        self._head_bias = bias if bias.any() else None

    @property
    def head_bias(self) -> Tensor | None:
        return self._head_bias

    def encode(self, packed: Packed) -> Tensor:
        stack = self.model.model.encoder
        x = _embed(stack, packed.source, packed.source_lengths)
        for layer in self._encoder:
            x = self._block(layer.encode, x, packed.encoder)
        return self._last_norm(stack, x)

    def decode(self, packed: Packed, memory: Tensor) -> Tensor:
        stack = self.model.model.decoder
        y = _embed(stack, packed.decoder_input, packed.target_lengths)
        for layer in self._decoder:
            y = self._block(layer.decode, y, memory, packed)
        return self._last_norm(stack, y)

    def _layer(self, layer: Any) -> _Layer:
        return _Layer(layer, self.model.config, self.backend, norms_first=self._norms_first)

    def _last_norm(self, stack: Any, x: Tensor) -> Tensor:
        return _norm(x, stack.layer_norm) if self._norms_first else x


class _Layer:
    """One layer of the encoder or the decoder."""

    def __init__(self, layer: Any, config: Any, backend: Backend, *, norms_first: bool) -> None:
        attention = layer.self_attn
        self._layer, self._norms_first, self._kernels = layer, norms_first, backend.kernels
        self._heads, self._scale = attention.num_heads, float(attention.scaling)
        self._qkv = Linear([attention.q_proj, attention.k_proj, attention.v_proj], backend)
        self._o = Linear([attention.out_proj], backend)
        cross = getattr(layer, "encoder_attn", None)
        if cross is not None:
            self._cross_q, self._cross_o = Linear([cross.q_proj], backend), Linear([cross.out_proj], backend)
            self._cross_kv = Linear([cross.k_proj, cross.v_proj], backend)
        self._activation = config.activation_function
        self._fc1, self._fc2 = Linear([layer.fc1], backend), Linear([layer.fc2], backend)

    def encode(self, x: Tensor, segments: Segments) -> Tensor:
        return self._feed_forward(self._self_attention(x, segments, causal=False))

    def decode(self, y: Tensor, memory: Tensor, packed: Packed) -> Tensor:
        y = self._self_attention(y, packed.decoder, causal=True)
        norm = self._layer.encoder_attn_layer_norm
        q, kv = self._cross_q(self._before(y, norm)), self._cross_kv(memory)
        mixed = attend(q, kv, packed.cross, heads=self._heads, scale=self._scale, kernels=self._kernels)
        return self._feed_forward(self._after(self._cross_o(mixed, y), norm))

    def _self_attention(self, x: Tensor, segments: Segments, *, causal: bool) -> Tensor:
        norm = self._layer.self_attn_layer_norm
        qkv = self._qkv(self._before(x, norm))
        mixed = attend(qkv, None, segments, heads=self._heads, scale=self._scale, causal=causal, kernels=self._kernels)
        return self._after(self._o(mixed, x), norm)

    def _feed_forward(self, x: Tensor) -> Tensor:
        norm = self._layer.final_layer_norm
        inner = activated(self._fc1(self._before(x, norm)), self._activation, self._kernels)
        return self._after(self._fc2(inner, x), norm)

    def _before(self, x: Tensor, norm: Any) -> Tensor:
        return _norm(x, norm) if self._norms_first else x

    def _after(self, x: Tensor, norm: Any) -> Tensor:
        return x if self._norms_first else _norm(x, norm)


def _norm(x: Tensor, norm: Any) -> Tensor:
    return F.layer_norm(x, norm.normalized_shape, norm.weight.detach(), norm.bias.detach(), norm.eps)


def _embed(stack: Any, ids: Tensor, lengths: tuple[int, ...]) -> Tensor:
    """Token and position embeddings, (tokens, d_model); BART's position table has two rows of its own in front."""
    tokens, places = stack.embed_tokens, stack.embed_positions
    scale = getattr(tokens, "embed_scale", getattr(stack, "embed_scale", 1.0))
    positions = Segments.positions(lengths, ids.device) + getattr(places, "offset", 0)
    x = torch.add(F.embedding(positions, places.weight.detach()), F.embedding(ids, tokens.weight.detach()), alpha=scale)
    norm = getattr(stack, "layernorm_embedding", None)
    return x if norm is None else _norm(x, norm)
