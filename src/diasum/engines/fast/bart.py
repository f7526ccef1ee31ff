"""The fast decode of BART, mBART and Pegasus: the same function as transformers' modules, held equal by tests.

BART (Lewis et al., 2020) norms after each residual sum, mBART (Liu et al., 2020) and Pegasus (Zhang et al., 2020) before each part and
once at the end.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.engines.fast.caches import Caches, Step
from diasum.engines.fast.decoder import Decoder, FeedForward, embedded
from diasum.engines.fast.weights import Product
from diasum.model.fast.attention import attend
from diasum.model.fast.kernels import Kernels
from diasum.model.fast.packed import Segments


class BartDecoder(Decoder):
    """See `Decoder`."""

    def __init__(self, model: Any, dtype: torch.dtype) -> None:
        super().__init__(model, dtype)
        norms_first = model.config.model_type != "bart"
        self._stacks = model.model.encoder, model.model.decoder
        self._encoder = [_Layer(layer, model.config, dtype, norms_first) for layer in model.model.encoder.layers]
        self._decoder = [_DecoderLayer(layer, model.config, dtype, norms_first) for layer in model.model.decoder.layers]
        self._first_norms = [_norm_of(stack, "layernorm_embedding", dtype) for stack in self._stacks]
        self._last_norms = [_norm_of(stack, "layer_norm", dtype) for stack in self._stacks]
        self._head = Product([model.lm_head], dtype)
        self._head_bias = model.final_logits_bias[0].to(dtype)

    def encode(self, ids: Tensor, segments: Segments) -> Tensor:
        x = self._embed(0, ids, Segments.positions(segments.queries, ids.device))
        for layer in self._encoder:
            x = layer.encode(x, segments, self.kernels)
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
        return Caches(len(self._decoder), heads, self.model.config.d_model // heads, beams, like)

    def _embed(self, stack: int, ids: Tensor, positions: Tensor) -> Tensor:
        """Token and position embeddings, (N, d_model); BART's position table has two rows of its own in front."""
        module = self._stacks[stack]
        scale = getattr(module.embed_tokens, "embed_scale", getattr(module, "embed_scale", 1.0))
        places = embedded(positions + getattr(module.embed_positions, "offset", 0), module.embed_positions, self.dtype)
        tokens = embedded(ids, module.embed_tokens, self.dtype)
        return self._first_norms[stack](tokens.mul_(scale).add_(places))


class _Norm:
    """Layer norm; nothing where the model has none at this place."""

    def __init__(self, norm: Any, dtype: torch.dtype) -> None:
        self._norm = norm and (
            norm.normalized_shape,
            norm.weight.detach().to(dtype),
            norm.bias.detach().to(dtype),
            norm.eps,
        )

    def __call__(self, x: Tensor) -> Tensor:
        return x if self._norm is None else F.layer_norm(x, *self._norm)


def _norm_of(stack: Any, name: str, dtype: torch.dtype) -> _Norm:
    return _Norm(getattr(stack, name, None), dtype)


class _Layer:
    """One layer of the encoder, or what one of the decoder has in common with it."""

    def __init__(self, layer: Any, config: Any, dtype: torch.dtype, norms_first: bool) -> None:
        attention = layer.self_attn
        self.heads, self.scale, self.norms_first = attention.num_heads, float(attention.scaling), norms_first
        self.own_norm, self.last_norm = _Norm(layer.self_attn_layer_norm, dtype), _Norm(layer.final_layer_norm, dtype)
        self.qkv = Product([attention.q_proj, attention.k_proj, attention.v_proj], dtype)
        self.o = Product([attention.out_proj], dtype)
        self._feed_forward = FeedForward([layer.fc1], layer.fc2, config.activation_function, dtype)

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

    def __init__(self, layer: Any, config: Any, dtype: torch.dtype, norms_first: bool) -> None:
        super().__init__(layer, config, dtype, norms_first)
        cross = layer.encoder_attn
        self.cross_norm = _Norm(layer.encoder_attn_layer_norm, dtype)
        self.cross_q, self.cross_o = Product([cross.q_proj], dtype), Product([cross.out_proj], dtype)
        self.cross_kv = Product([cross.k_proj, cross.v_proj], dtype)

    def decode(self, y: Tensor, number: int, step: Step, mask: Tensor) -> Tensor:
        qkv = self.qkv(self.before(y, self.own_norm))
        y = self.after(self.o(step.attend_own(number, qkv, mask, self.scale), y), self.own_norm)
        q = self.cross_q(self.before(y, self.cross_norm))
        y = self.after(self.cross_o(step.attend_source(number, q, self.scale), y), self.cross_norm)
        return self.feed_forward(y)
