"""The shape of `mini`, its structured initialisation, and a lean training forward pass.

Flow: `build_model(config)` gives a standard `T5ForConditionalGeneration`; `structured_init(model)` writes an induction circuit into
it, so that it copies from its source before the first step; `loss_sum(model, batch)` computes the same loss as the model's own forward.

Trade-off: the lean forward repeats what transformers' T5 does (a test holds the two equal) in order to run about twice as fast on
a CPU: one matrix product for q, k and v, one for every decoder layer's cross keys and values, fused norms, and no logits for padding.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import T5Config, T5ForConditionalGeneration

# The label that the loss leaves out, as in torch; not imported, since a GPU's machine trains without `diasum`.
IGNORE = -100


@dataclass(frozen=True)
class Shape:
    """Sizes of the model; defaults are the shipped `mini`."""

    vocab_size: int = 8192
    d_model: int = 256
    d_ff: int = 512
    d_kv: int = 64
    num_heads: int = 4
    encoder_layers: int = 3
    decoder_layers: int = 3

    def to_config(self) -> T5Config:
        """The transformers configuration: gated GELU, tied embeddings, no dropout, pad 0, end 1, decoding starts from pad."""
        sizes = asdict(self)
        return T5Config(
            num_layers=sizes.pop("encoder_layers"),
            num_decoder_layers=sizes.pop("decoder_layers"),
            **sizes,
            dropout_rate=0.0,
            feed_forward_proj="gated-gelu",
            pad_token_id=0,
            eos_token_id=1,
            decoder_start_token_id=0,
        )


@dataclass
class Batch:
    """One padded batch.

    `source` (B, S) int64 ids padded with 0; `lengths` (B,) source lengths; `decoder_input` and `labels` (B, T), labels padded with -100;
    `tasks` names each row's task.
    """

    source: Tensor
    lengths: Tensor
    decoder_input: Tensor
    labels: Tensor
    tasks: list[str]

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        source, lengths, inputs, labels = (
            t.to(device) for t in (self.source, self.lengths, self.decoder_input, self.labels)
        )
        return Batch(source, lengths, inputs, labels, self.tasks)


def build_model(shape: Shape, seed: int = 0, structured: bool = True) -> T5ForConditionalGeneration:
    """A fresh model of `shape`; with `structured`, `structured_init` is applied on top of transformers' own initialisation."""
    torch.manual_seed(seed)
    model = T5ForConditionalGeneration(shape.to_config())
    if structured:
        structured_init(model, seed)
    return model


def orthonormal(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """(rows, columns) with orthonormal rows; rows <= columns."""
    basis: Tensor = torch.linalg.qr(torch.randn(columns, rows, generator=generator))[0]
    return basis.T.contiguous()


# What a head looks at: a fixed offset, or whatever its content fits, the nearest before it first (None).
ENCODER_OFFSETS: tuple[int | None, ...] = (-1, 1, -2, None)
DECODER_OFFSETS: tuple[int | None, ...] = (None, -1, -2, None)


def prefer_nearest(bias: Tensor, head: int, *, bidirectional: bool, near: float, far: float, after: float) -> None:
    """Let a head prefer what stands shortly before a token: `bias` (buckets, heads) falls by `near` a token, then `far` a bucket.

    A turn's words must find the label of their own turn, not those of all turns: without this slope the heads of a model that had seen
    29M tokens put 0.1 of their attention on their own label and 0.7 on others', and it did not know who said what.
    """
    buckets = len(bias) // 2 if bidirectional else len(bias)
    exact = buckets // 2  # those of one token; the others grow with the logarithm of the distance
    for bucket in range(buckets):
        bias[bucket, head] = -near * min(bucket, exact) - far * max(0, bucket - exact) * 8 / (buckets - exact)
    if bidirectional:
        bias[buckets:, head] = after


@torch.no_grad()
def structured_init(
    model: Any,
    seed: int = 0,
    *,
    embedding_std: float = 0.6,
    match_score: float = 10.0,
    copy_gain: float = 4.0,
    bias_strength: float = 8.0,
    context: float = 0.9,
) -> None:
    """Initialise so that copying works before training.

    The induction head (Olsson et al. 2022) is written in rather than waited for: a head of encoder layer 0 attends to the previous token
    and writes a random projection of its embedding into the residual; cross-attention of the decoder's inner layers has keys that read
    that projection and queries that read the current token's, so it finds the place in the source where the current token occurred and
    writes out the embedding of what followed. So that a "the" is found after the same word only, the tokens before these two are
    written and matched in the same way, with the weight `context`: of the tokens of natural turns 81% are then copied, 58% without.
    Other cross heads match content with content (q and k share a projection, after Trockman & Kolter 2023, "Mimetic initialization of
    self-attention layers"). Outputs of feed-forward layers start small.

    `match_score` is the attention score of a match before noise; `copy_gain` scales what cross-attention writes.
    """
    generator = torch.Generator().manual_seed(seed)
    config = model.config
    d, d_kv, heads = config.d_model, config.d_kv, config.num_heads
    model.shared.weight.normal_(std=embedding_std, generator=generator)
    model.shared.weight[config.pad_token_id] *= 0.1

    for stack, offsets in ((model.encoder, ENCODER_OFFSETS), (model.decoder, DECODER_OFFSETS)):
        first = stack.block[0].layer[0].SelfAttention
        bias = first.relative_attention_bias.weight
        bias.zero_()
        for head in range(heads):
            offset = offsets[head % len(offsets)]
            if offset is None:
                slopes = (0.3, 1.0) if first.is_decoder else (0.5, 2.5)
                prefer_nearest(
                    bias,
                    head,
                    bidirectional=not first.is_decoder,
                    near=slopes[0],
                    far=slopes[1],
                    after=-5 * bias_strength,
                )
                continue
            relative = torch.tensor([[offset]])
            bucket = first._relative_position_bucket(
                relative,
                bidirectional=not first.is_decoder,
                num_buckets=config.relative_attention_num_buckets,
                max_distance=config.relative_attention_max_distance,
            )
            bias[int(bucket), head] = bias_strength
        for block in stack.block:
            attention = block.layer[0].SelfAttention
            attention.q.weight.mul_(0.5)
            attention.o.weight.mul_(0.3)
            block.layer[-1].DenseReluDense.wo.weight.mul_(0.3)

    # the previous-token head: reads with `probe`, writes into the span of `slot`
    probe = orthonormal(d_kv, d, generator)
    slot = orthonormal(d_kv, d, generator)
    writer = model.encoder.block[0].layer[0].SelfAttention
    writer.v.weight[:d_kv] = probe
    writer.o.weight[:, :d_kv] = slot.T
    # the same one token earlier: the encoder's head at -2, the decoder's at -1
    earlier_probe = orthonormal(d_kv, d, generator)
    earlier_slot = orthonormal(d_kv, d, generator)
    for stack, offsets, offset in ((model.encoder, ENCODER_OFFSETS, -2), (model.decoder, DECODER_OFFSETS, -1)):
        head = offsets.index(offset)
        if head < heads:
            attention = stack.block[0].layer[0].SelfAttention
            rows = slice(head * d_kv, (head + 1) * d_kv)
            attention.v.weight[rows] = earlier_probe
            attention.o.weight[:, rows] = earlier_slot.T

    blocks = model.decoder.block
    for index, block in enumerate(blocks):
        cross = block.layer[1].EncDecAttention
        cross.o.weight.mul_(0.3)
        for h in range(heads):
            rows = slice(h * d_kv, (h + 1) * d_kv)
            induction = index in (1, 2) if len(blocks) > 2 else index == len(blocks) - 1
            if induction and h < heads // 2 + 1:
                scale = math.sqrt(match_score / d_kv)
                earlier = orthonormal(d_kv, d_kv, generator) @ earlier_slot * context if heads > 2 else 0.0
                cross.q.weight[rows] = (probe + earlier) * scale
                cross.k.weight[rows] = (slot + earlier) * scale
                mix = orthonormal(d_kv, d, generator)
                cross.v.weight[rows] = mix
                cross.o.weight[:, rows] = mix.T * copy_gain
            else:
                mix = orthonormal(d_kv, d, generator) * math.sqrt(0.3 * match_score / d_kv)
                cross.q.weight[rows] = mix
                cross.k.weight[rows] = mix


# ---- the lean forward pass -------------------------------------------------------------------------------------------------------


def _norm(x: Tensor, norm: Any) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), norm.weight.to(x.dtype), norm.variance_epsilon)


def _heads(x: Tensor, heads: int) -> Tensor:
    """(B, L, H * K) to (B, H, L, K)."""
    return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def _attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """(B, H, Q, K) inputs to (B, Q, H * K); scores are not scaled, as in T5."""
    if q.device.type == "cpu" and bias is not None and bias.requires_grad:
        # the fused CPU kernel refuses a bias with a gradient and its fallback is slower than this
        out = torch.softmax(q @ k.transpose(-1, -2) + bias, dim=-1) @ v
    else:
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0)
    return out.transpose(1, 2).flatten(2)


def _self_attention(x: Tensor, layer: Any, bias: Tensor) -> Tensor:
    attention = layer.SelfAttention
    weight = torch.cat((attention.q.weight, attention.k.weight, attention.v.weight))
    q, k, v = F.linear(_norm(x, layer.layer_norm), weight).chunk(3, dim=-1)
    heads = attention.n_heads
    mixed = _attend(_heads(q, heads), _heads(k, heads), _heads(v, heads), bias)
    return x + F.linear(mixed, attention.o.weight)


def _feed_forward(x: Tensor, layer: Any) -> Tensor:
    dense = layer.DenseReluDense
    gate, value = F.linear(_norm(x, layer.layer_norm), torch.cat((dense.wi_0.weight, dense.wi_1.weight))).chunk(
        2, dim=-1
    )
    return x + F.linear(F.gelu(gate, approximate="tanh") * value, dense.wo.weight)


def _dropped(x: Tensor, before: Tensor | None, rate: float) -> Tensor:
    """`x` with a share `rate` of what a layer added to `before` (None: nothing) left out, the rest scaled up."""
    if not rate:
        return x
    return F.dropout(x, rate) if before is None else before + F.dropout(x - before, rate)


def hidden_states(model: Any, batch: Batch, dropout: float = 0.0) -> Tensor:
    """Final decoder states (B, T, d_model), scaled for the tied output layer; `dropout` of embeddings and of what each layer adds."""
    encoder, decoder, heads = model.encoder, model.decoder, model.config.num_heads
    x = _dropped(F.embedding(batch.source, model.shared.weight), None, dropout)
    dtype = x.dtype
    lowest = torch.finfo(dtype).min / 2
    keys = torch.arange(batch.source.shape[1], device=x.device) < batch.lengths[:, None]
    mask = torch.zeros(keys.shape, dtype=dtype, device=x.device).masked_fill_(~keys, lowest)[:, None, None, :]
    length = batch.source.shape[1]
    bias = encoder.block[0].layer[0].SelfAttention.compute_bias(length, length) + mask
    for block in encoder.block:
        x = _dropped(_self_attention(x, block.layer[0], bias), x, dropout)
        x = _dropped(_feed_forward(x, block.layer[1]), x, dropout)
    memory = _norm(x, encoder.final_layer_norm)

    crosses = [block.layer[1].EncDecAttention for block in decoder.block]
    weight = torch.cat([w for cross in crosses for w in (cross.k.weight, cross.v.weight)])
    memories = F.linear(memory, weight).chunk(2 * len(crosses), dim=-1)

    y = _dropped(F.embedding(batch.decoder_input, model.shared.weight), None, dropout)
    length = batch.decoder_input.shape[1]
    causal = torch.full((length, length), lowest, dtype=dtype, device=x.device).triu_(1)
    bias = decoder.block[0].layer[0].SelfAttention.compute_bias(length, length) + causal
    for index, block in enumerate(decoder.block):
        y = _dropped(_self_attention(y, block.layer[0], bias), y, dropout)
        cross = block.layer[1].EncDecAttention
        q = F.linear(_norm(y, block.layer[1].layer_norm), cross.q.weight)
        k, v = memories[2 * index : 2 * index + 2]
        read = F.linear(_attend(_heads(q, heads), _heads(k, heads), _heads(v, heads), mask), cross.o.weight)
        y = y + _dropped(read, None, dropout)
        y = _dropped(_feed_forward(y, block.layer[2]), y, dropout)
    scale: float = model.config.d_model**-0.5
    return _norm(y, decoder.final_layer_norm) * scale


def with_words_replaced(batch: Batch, share: float, vocabulary: int) -> Batch:
    """The same batch with a share of what the decoder reads replaced by any token, the first excepted.

    What it says next must then come from the source: with all of its own words before it, a small model learns summaries by heart
    (word dropout: Bowman et al. 2016, arXiv 1511.06349).
    """
    inputs = batch.decoder_input
    chosen = torch.rand(inputs.shape, device=inputs.device) < share
    chosen[:, 0] = False
    other = torch.randint(2, vocabulary, inputs.shape, device=inputs.device)
    return replace(batch, decoder_input=torch.where(chosen, other, inputs))


def token_losses(model: Any, batch: Batch, dropout: float = 0.0) -> Tensor:
    """Cross-entropy (N,) float32 of the N real target tokens, in row-major order of `batch.labels`; padding gets no logits."""
    states = hidden_states(model, batch, dropout)
    real = batch.labels != IGNORE
    logits = F.linear(states[real], model.shared.weight)
    return F.cross_entropy(logits.float(), batch.labels[real], reduction="none")
