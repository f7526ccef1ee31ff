"""Tiny random models of the families, built from configurations, saved as folders that any loader takes for a real one."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from transformers import BartConfig, BartForConditionalGeneration, T5Config, T5ForConditionalGeneration

from tests.tokenizers import tiny_bart_tokenizer, tiny_t5_tokenizer

CONVERSATIONS = [
    (
        "Anna: Could you send me the report?\nBen: Sure, before lunch.",
        "Anna asks Ben to send the report, and he agrees.",
    ),
    (
        "#Person1#: I have a headache.\n#Person2#: Since when?\n#Person1#: Monday.",
        "#Person1# has had a headache since Monday.",
    ),
    ("Ben: Is the table at nine?\nAnna: At 9:30, I think.\nBen: Good.", "Anna tells Ben the table is at 9:30."),
    ("#Person1#: Have you taken anything?\n#Person2#: No, not yet.", "#Person2# has not taken anything yet."),
    (
        "Anna: The plot is wrong.\nBen: Which one?\nAnna: The old one.\nBen: I'll mend it.",
        "Ben will mend the old plot for Anna.",
    ),
    ("Ben: Are you coming back next week?\nAnna: No, the week after.", "Anna comes back the week after next."),
]


def tiny_t5(seed: int = 0, width: int = 32) -> tuple[Any, Any]:
    """A T5 with gated GELU, two layers a side, about 60,000 parameters, and its tokenizer."""
    tokenizer = tiny_t5_tokenizer()
    torch.manual_seed(seed)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=width,
        d_kv=width // 2,
        d_ff=2 * width,
        num_layers=2,
        num_decoder_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        initializer_factor=3.0,  # strong enough that different sources give different outputs
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    model = T5ForConditionalGeneration(config)
    model.lm_head.weight.data *= 0.05  # the same outputs at a loss that training can lower
    return model, tokenizer


def tiny_bart(seed: int = 0, width: int = 32) -> tuple[Any, Any]:
    """A BART with two layers a side and its tokenizer."""
    tokenizer = tiny_bart_tokenizer()
    torch.manual_seed(seed)
    config = BartConfig(
        vocab_size=len(tokenizer),
        d_model=width,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=2 * width,
        decoder_ffn_dim=2 * width,
        max_position_embeddings=1024,
        init_std=0.5,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
    )
    return BartForConditionalGeneration(config), tokenizer


def save_model(folder: Path, family: str = "t5", seed: int = 0, width: int = 32) -> Path:
    """Save a tiny model and its tokenizer as a folder."""
    model, tokenizer = {"t5": tiny_t5, "bart": tiny_bart}[family](seed, width)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_corpus(folder: Path, copies: int = 4) -> Path:
    """Save a corpus of train, validation and test files in DialogSum's layout."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, number in (("train", copies), ("validation", 1), ("test", 1)):
        rows = [
            {
                "id": f"{split}_{copy}_{i}",
                "dialogue": _told_apart(dialogue, split, copy),
                "summary": summary,
                "topic": "talk",
            }
            for copy in range(number)
            for i, (dialogue, summary) in enumerate(CONVERSATIONS)
        ]
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@lru_cache(maxsize=64)
def _told_apart(dialogue: str, split: str, copy: int) -> str:
    return f"{dialogue}\nAnna: {split} number {copy}."
