"""Tiny random encoders with a vocabulary of a few words, saved as their real ones are."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import BertConfig, BertTokenizerFast

_LISTED = "[PAD] [UNK] [CLS] [SEP] [MASK] tom goes to the market and buys apples she sells . : a b anna ben cat report"
WORDS = _LISTED.split()


def save(folder: Path, kind: type, **config: object) -> Path:
    torch.manual_seed(0)
    path = folder / f"{kind.__name__}-{len(config)}"
    if not path.exists():
        shape = BertConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            num_hidden_layers=3,
            num_attention_heads=2,
            intermediate_size=32,
            **config,
        )
        model = kind(shape)
        with torch.no_grad():  # the default initialisation is so small that all texts look alike
            for weight in model.parameters():
                weight.add_(torch.randn_like(weight) * 0.3)
        model.save_pretrained(path)
        tokenizer = BertTokenizerFast(vocab={word: number for number, word in enumerate(WORDS)})
        assert tokenizer.unk_token_id not in tokenizer("tom goes").input_ids, "or all words would be one"
        tokenizer.save_pretrained(path)
    return path
