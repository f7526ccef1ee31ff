"""A head more: predictions stay, and the new heads attend where they should."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch

from pretraining import heads
from pretraining.heads import Sought, fit, sentence_starts, turn_starts, with_one_more_head, write_own_turn
from pretraining.model import Shape, build_model
from pretraining.tokenizer import train_tokenizer

SHAPE = Shape(vocab_size=420, d_model=64, d_ff=64, d_kv=16, num_heads=2, encoder_layers=2, decoder_layers=3)
WORDS = ["the", "train", "is", "late", "we", "meet", "at", "noon", "with", "two", "cakes", "and", "no", "tea"]


def talk(rng: random.Random) -> tuple[str, str]:
    people = ("Ann", "Bob")
    said = [(people[k % 2], " ".join(rng.choices(WORDS, k=rng.randint(3, 8)))) for k in range(5)]
    body = "\n".join(f"{who}: {text}." for who, text in said)
    target = " ".join(f"{who} says that {text}." for who, text in said)
    return f"Summarize the following conversation.\n\n{body}\n\nSummary:", target


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str]]:
    rng = random.Random(0)
    return [talk(rng) for _ in range(48)]


@pytest.fixture(scope="module")
def tokenizer(pairs: list[tuple[str, str]]) -> Any:
    return train_tokenizer([text for pair in pairs for text in pair], 420)


def test_one_more_head_changes_no_prediction() -> None:
    model = build_model(SHAPE).eval()
    grown = with_one_more_head(model).eval()
    ids = torch.randint(3, 400, (2, 17))
    with torch.no_grad():
        before, after = (m(input_ids=ids, labels=ids[:, :9].contiguous()).logits for m in (model, grown))
    assert grown.config.num_heads == 3
    assert grown.encoder.block[0].layer[0].SelfAttention.q.weight.shape == (48, 64)
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-5)
    assert grown.lm_head.weight.data_ptr() == grown.shared.weight.data_ptr()


def test_turns_and_sentences_are_found() -> None:
    source = [
        "ĠSummarize",
        ".",
        "Ċ",
        "Ċ",
        "ĠAnn",
        ":",
        "Ġhi",
        "Ċ",
        "ĠMr",
        ".",
        "ĠB",
        ":",
        "Ġno",
        "Ċ",
        "Ċ",
        "ĠSummary",
        ":",
        "</s>",
    ]
    assert turn_starts(source) == [-1] * 4 + [4, 4, 4, -1, 8, 8, 8, 8, 8, -1, -1, -1, -1, -1]
    target = ["ĠMr", ".", "ĠB", "Ġwaits", ".", "ĠAnn", "Ġpays", "Ġ3", ".", "5", ".", "</s>"]
    assert sentence_starts(target) == [0] * 5 + [5] * 7


@pytest.mark.parametrize("causal", [False, True])
def test_attention_goes_where_it_is_sought(causal: bool) -> None:
    """The nearest marked token before each is found among random ones, on sequences that were not fitted."""
    generator = torch.Generator().manual_seed(0)
    mark = torch.randn(32, generator=generator)
    sought = []
    for _ in range(64):
        states = torch.randn(40, 32, generator=generator)
        starts = [0, *sorted(torch.randperm(39, generator=generator)[:3].add(1).tolist())]
        states[starts] += 3 * mark
        states[:, 0] = 1.0  # what all tokens share
        sought.append(
            Sought(states, torch.tensor([max(s for s in starts if s <= i) for i in range(40)]), torch.zeros(40))
        )
    stack = build_model(SHAPE).decoder if causal else build_model(SHAPE).encoder
    *_, reached = fit(sought, stack.block[0].layer[0].SelfAttention, steps=800, seed=0)
    assert reached > 0.9


def test_words_know_their_turn(pairs: list[tuple[str, str]], tokenizer: Any) -> None:
    grown = with_one_more_head(build_model(SHAPE))
    reached = write_own_turn(grown, tokenizer, pairs, steps=300)
    assert reached["encoder"] > 0.9
    source = tokenizer(pairs[-1][0], return_tensors="pt").input_ids
    tokens = tokenizer.convert_ids_to_tokens(source[0].tolist())
    grown.set_attn_implementation("eager")
    with torch.no_grad():
        attention = grown.encoder(source, output_attentions=True).attentions[heads.LAYERS["encoder"]][0, -1]
    at = torch.tensor(turn_starts(tokens))
    found = attention[at >= 0].argmax(-1)
    assert float((found == at[at >= 0]).float().mean()) > 0.8
