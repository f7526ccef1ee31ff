"""Give a trained model one more attention head, written so that every word knows who says it.

In: a trained model, its tokenizer and example texts. Out: a model with one head more in every attention, whose predictions are nearly
the same: the new heads write nothing, but for two. In an encoder layer one attends from each token to the name at the start of its
turn, in a decoder layer one attends to the name its sentence began with; both write that name, as one and the same code, into
directions that the stream of activations uses least. What a turn's words and a sentence under way have in common can then be learnt as
a match of directions instead of being found anew. Where to look is fitted (half a minute on a CPU), not hoped for: after 58M tokens the
best head of the trained model gave half of its attention to the label of its own turn.

    python -m pretraining.heads --start src/diasum/assets/mini --to build/pretraining/grown

Then train from there (`python -m pretraining.train --start build/pretraining/grown ...`).
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, T5ForConditionalGeneration

from pretraining.model import orthonormal, prefer_nearest

# Where a token is already told what stands before it (a line break, a full stop); the decoder's stream has it late.
LAYERS = {"encoder": 1, "decoder": 2}
SLOT = 0.1  # what a name writes, relative to the stream that carries it
MATCH, BESIDE = 32.0, 8.0  # gains of what a sentence and a turn of one name add to the scores of a cross-attention
LABEL_TOKENS = 9  # a label with its colon is at most this long


@dataclass
class Sought:
    """One sequence: `states` (L, d) enters the layer, and position `i` should attend to position `at[i]`, or to any where that is -1."""

    states: Tensor
    at: Tensor
    ids: Tensor


@torch.no_grad()
def with_one_more_head(model: T5ForConditionalGeneration) -> T5ForConditionalGeneration:
    """A copy of `model` with a head more in each attention that writes nothing; queries and keys of the new heads start small."""
    config = type(model.config)(**{**model.config.to_dict(), "num_heads": model.config.num_heads + 1})
    grown = T5ForConditionalGeneration(config)
    old = model.state_dict()
    for name, new in grown.state_dict().items():
        was = old[name]
        if new.shape == was.shape:
            new.copy_(was)
            continue
        new.zero_() if name.endswith(("o.weight", "bias.weight")) else new.mul_(0.5)
        new[: was.shape[0], : was.shape[1]] = was
    return grown


def turn_starts(tokens: Sequence[str]) -> list[int]:
    """For each token the position of the first one of its turn's label; -1 outside of the conversation."""
    starts = [
        i + 1 for i, token in enumerate(tokens[:-2]) if token == "Ċ" and ":" in tokens[i + 1 : i + 1 + LABEL_TOKENS]
    ]
    firsts = [-1] * len(tokens)
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        if end is None:  # "Summary:" and the like
            break
        for i in range(start, end - 1):
            firsts[i] = start
    return firsts


def sentence_starts(tokens: Sequence[str]) -> list[int]:
    """For each token of a target the position of its sentence's first; a full stop after a title ("Mr.") does not end one."""
    firsts, start = [], 0
    for i, token in enumerate(tokens):
        firsts.append(start)
        ends = token[:1] in ".?!" and (i == 0 or tokens[i - 1] not in ("ĠMr", "ĠMrs", "ĠMs", "ĠDr"))
        if ends and i + 1 < len(tokens) and tokens[i + 1].startswith("Ġ"):
            start = i + 1
    return firsts


def fit(sought: Sequence[Sought], attention: Any, *, steps: int, seed: int) -> tuple[Tensor, Tensor, Tensor, float]:
    """Queries and keys (d_kv, d) and a relative bias (buckets,) by which attention goes where it is sought.

    Args:
        sought: what to attend to.
        attention: a self-attention with its relative buckets; a decoder's does not look ahead.
        steps: of Adam, on eight sequences each.
        seed: for the start and the order.

    Returns:
        Those three, and the share of attention that then goes there, 0..1, on the last eighth of the sequences, which is not fitted.
    """
    generator = torch.Generator().manual_seed(seed)
    d, width = sought[0].states.shape[1], attention.key_value_proj_dim
    query, key = (torch.randn(width, d, generator=generator).mul_(d**-0.5).requires_grad_() for _ in range(2))
    start = torch.zeros(attention.relative_attention_num_buckets, 1)
    causal = bool(attention.is_decoder)
    prefer_nearest(start, 0, bidirectional=not causal, near=0.3, far=1.5, after=-40.0)
    bias = start[:, 0].requires_grad_()
    optimizer = torch.optim.Adam([{"params": [query, key], "lr": 5e-3}, {"params": [bias], "lr": 2e-2}])
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 * (1 - step / steps)))
    held_out = max(1, len(sought) // 8)

    def chances(one: Sought) -> Tensor:
        at = torch.arange(len(one.at))
        relative = at[None, :] - at[:, None]
        bucket = attention._relative_position_bucket(
            relative,
            bidirectional=not causal,
            num_buckets=attention.relative_attention_num_buckets,
            max_distance=attention.relative_attention_max_distance,
        )
        scores = (one.states @ query.T) @ (one.states @ key.T).T + bias[bucket]
        if causal:
            scores = scores.masked_fill(relative > 0, -torch.inf)
        real = one.at >= 0
        return scores[real].log_softmax(-1).gather(1, one.at[real, None])[:, 0]

    for _ in range(steps):
        some = torch.randint(len(sought) - held_out, (8,), generator=generator).tolist()
        loss = -torch.cat([chances(sought[i]) for i in some]).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        reached = torch.cat([chances(one) for one in sought[-held_out:]]).exp().mean()
    return query.detach(), key.detach(), bias.detach(), float(reached)


@torch.no_grad()
def gather(model: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]]) -> dict[str, tuple[list[Sought], Tensor]]:
    """For "encoder" and "decoder": what the new head should attend to in (source, target) texts, and the stream (N, d) that carries what
    it writes to where it is read: into the encoder's last norm, into that of the decoder layer's cross-attention."""
    gathered: dict[str, tuple[list[Sought], list[Tensor]]] = {"encoder": ([], []), "decoder": ([], [])}
    readers = {
        "encoder": model.encoder.final_layer_norm,
        "decoder": model.decoder.block[LAYERS["decoder"]].layer[1].layer_norm,
    }
    hooks = [
        norm.register_forward_pre_hook(lambda _, inputs, into=gathered[name][1]: into.append(inputs[0][0]))
        for name, norm in readers.items()
    ]
    for source, target in pairs:
        source_ids = tokenizer(source, return_tensors="pt", truncation=True, max_length=512).input_ids
        labels = tokenizer(target, return_tensors="pt", truncation=True, max_length=160).input_ids
        out = model(input_ids=source_ids, labels=labels, output_hidden_states=True)
        tokens = [tokenizer.convert_ids_to_tokens(ids[0].tolist()) for ids in (source_ids, labels)]
        starts = {
            "encoder": turn_starts(tokens[0]),
            # the decoder reads a target one position later
            "decoder": [-1, *(at + 1 for at in sentence_starts(tokens[1])[:-1])],
        }
        for name, ids in (("encoder", source_ids[0]), ("decoder", torch.cat((labels[0, :1] * 0, labels[0, :-1])))):
            layer, states = LAYERS[name], out[f"{name}_hidden_states"]
            norm = getattr(model, name).block[layer].layer[0].layer_norm
            gathered[name][0].append(Sought(norm(states[layer])[0], torch.tensor(starts[name]), ids))
    for hook in hooks:
        hook.remove()
    return {name: (sought, torch.cat(streams)) for name, (sought, streams) in gathered.items()}


@torch.no_grad()
def reader(sought: Sequence[Sought], codes: Tensor) -> Tensor:
    """(d_kv, d): from the states of the tokens sought to the codes (vocabulary, d_kv) of those tokens, by ridge regression."""
    places = [(one, torch.tensor(sorted(set(one.at.tolist()) - {-1}))) for one in sought]
    picked = [(one.states[at], codes[one.ids[at]]) for one, at in places if len(at)]
    states, wanted = (torch.cat(parts) for parts in zip(*picked, strict=True))
    square = states.T @ states
    square.diagonal().add_(0.02 * square.diagonal().mean())
    read: Tensor = torch.linalg.solve(square, states.T @ wanted)
    return read.T


def quiet(stream: Tensor, width: int) -> Tensor:
    """(width, d) orthonormal directions in which `stream` (N, d) varies least."""
    directions: Tensor = torch.linalg.eigh(stream.T @ stream)[1]
    return directions[:, :width].T.contiguous()


def write_own_turn(
    model: T5ForConditionalGeneration,
    tokenizer: Any,
    pairs: Sequence[tuple[str, str]],
    *,
    steps: int = 1500,
    seed: int = 0,
) -> dict[str, float]:
    """Write the last head of one encoder and one decoder layer, and of that layer's cross-attention, as the module says.

    Args:
        model: a trained T5 whose last head may be lost, such as one from `with_one_more_head`; changed in place.
        tokenizer: its tokenizer.
        pairs: (source, target) texts in the layout of the pretraining tasks, a few hundred.
        steps: of fitting.
        seed: of fitting and of the names' codes.

    Returns:
        For "encoder" and "decoder" the share of the head's attention that goes where it should.
    """
    model.eval()
    generator = torch.Generator().manual_seed(seed)
    config, head = model.config, model.config.num_heads - 1
    width, rows = config.d_kv, slice(head * config.d_kv, None)
    layers = {name: getattr(model, name).block[LAYERS[name]].layer for name in LAYERS}
    with torch.no_grad():
        for layer in layers.values():
            layer[0].SelfAttention.o.weight[:, rows] = 0
    names = torch.nn.functional.normalize(model.shared.weight.detach(), dim=-1)
    codes = names @ orthonormal(width, config.d_model, generator).T * config.d_model**0.5
    reached, slots = {}, {}
    for name, (sought, stream) in gather(model, tokenizer, pairs).items():
        first, attention = getattr(model, name).block[0].layer[0].SelfAttention, layers[name][0].SelfAttention
        # in a target that quotes, a sentence may begin in what is quoted
        plain = [one for one, (_, target) in zip(sought, pairs, strict=True) if name == "encoder" or '"' not in target]
        query, key, bias, reached[name] = fit(plain, first, steps=steps, seed=seed)
        slots[name] = quiet(stream, width)
        with torch.no_grad():
            attention.q.weight[rows], attention.k.weight[rows] = query, key
            first.relative_attention_bias.weight[:, head] = bias
            attention.v.weight[rows] = reader(plain, codes)
            attention.o.weight[:, rows] = slots[name].T * stream.pow(2).mean().sqrt() * SLOT
    # the cross-attention after it: a sentence finds the turns of whom it is about, by this head alone and, weaker, by the others
    cross, norm = layers["decoder"][1].EncDecAttention, layers["decoder"][1].layer_norm
    query, key = slots["decoder"] / norm.weight, slots["encoder"] / model.encoder.final_layer_norm.weight
    with torch.no_grad():
        for h in range(head):
            mix = orthonormal(width, width, generator) * (BESIDE / width) ** 0.5
            cross.q.weight[h * width : (h + 1) * width] += mix @ query
            cross.k.weight[h * width : (h + 1) * width] += mix @ key
        cross.q.weight[rows], cross.k.weight[rows] = query * (MATCH / width) ** 0.5, key * (MATCH / width) ** 0.5
    return reached


def main() -> None:
    from pretraining.invented import SHARE, rename
    from pretraining.tasks import TaskMixture

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", default="src/diasum/assets/mini", help="folder of the trained model")
    parser.add_argument("--to", required=True, help="folder for the grown one, with its tokenizer")
    parser.add_argument("--data", default=os.environ.get("DIASUM_DATA", "../shared/data"))
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--again", action="store_true", help="write the last head anew instead of adding one")
    options = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(options.start)
    model = AutoModelForSeq2SeqLM.from_pretrained(options.start, dtype=torch.float32)
    mixture, rng = TaskMixture(Path(options.data)), random.Random(0)
    pairs = []
    for words in (60, 110, 170, 230) * (options.pairs // 4):
        example = mixture.sample(rng, max_words=words, weights={"report": 0.7, "summary": 0.3})
        pair = (example.source, example.target)
        pairs.append(rename(rng, *pair) if rng.random() < SHARE else pair)
    grown = model if options.again else with_one_more_head(model)
    reached = write_own_turn(grown, tokenizer, pairs)
    print("share of attention that goes to the name sought:", reached)
    grown.save_pretrained(options.to)
    tokenizer.save_pretrained(options.to)


if __name__ == "__main__":
    main()
