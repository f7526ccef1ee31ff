"""Models for the benchmark of inference: the shapes of public ones with random weights, and ends of texts as in real summaries.

Weights are random and logits small, so that no token is likely; the row of the end token is scaled until summaries have the mean length
wanted. Its logit varies from step to step, but more from source to source: by itself, it would end some texts at once and others never,
so that lengths need bounds (`generate.min_new_tokens` and `max_new_tokens`), too.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.inference_systems import Counting
from benchmarks.training import SHAPES, write_tokenizer
from diasum.config import GenerateSettings, PromptSettings
from diasum.data import PairEncoder
from diasum.dialogue import Dialogue
from diasum.files import write_json

STEPS = 7  # of the search for the scale; the eighth would change the mean length by less than a token
SOURCES = 8  # summarised in each


def write_model(
    folder: Path, shape: str, dialogues: Sequence[Dialogue], length: float, settings: GenerateSettings
) -> dict[str, Any]:
    """Write a model and its tokenizer to ``folder/model``.

    Args:
        folder: with ``corpus/train.jsonl``, whose words the tokenizer has.
        shape: a key of `benchmarks.training.SHAPES`.
        dialogues: to try lengths on.
        length: of the mean summary, in tokens.
        settings: of generation.

    Returns:
        What it is, with the mean length that was reached.
    """
    import torch
    from transformers import AutoModelForSeq2SeqLM, BartConfig, T5Config

    from diasum.engines.fast.engine import FastEngine

    torch.manual_seed(0)
    config = (BartConfig if shape.startswith("bart") else T5Config)(**SHAPES[shape])
    tokenizer = write_tokenizer(folder, config.model_type)
    model = AutoModelForSeq2SeqLM.from_config(config).eval()
    if config.model_type == "t5":
        head = torch.randn(config.vocab_size, config.d_model) * config.d_model**-0.5
        model.lm_head.weight = torch.nn.Parameter(head)
    rows, end = model.lm_head.weight.data, tokenizer.eos_token_id
    row = rows[end].clone()
    encoded, _ = PairEncoder(tokenizer, PromptSettings()).encode_dialogues(dialogues[:SOURCES])
    ids = [one.input_ids for one in encoded]
    low, high = 1.0, 64.0
    for _ in range(STEPS):  # the larger the row, the sooner a text ends
        scale = (low * high) ** 0.5
        rows[end] = row * scale
        counting = Counting(tokenizer, 1)
        FastEngine(model, counting).generate(ids, settings)
        mean = statistics.mean(counting.lengths)
        low, high = (scale, high) if mean > length else (low, scale)
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    if config.model_type == "t5":
        file = folder / "model" / "config.json"
        saved = json.loads(file.read_text(encoding="utf-8"))
        write_json(file, {**saved, "tie_word_embeddings": False, "scale_decoder_outputs": False})
    return {"shape": shape, "parameters": model.num_parameters(), "end_scale": scale, "mean_length_tried": mean}


def convert_model(folder: Path, quantization: str) -> Path:
    """Convert ``folder/model`` for CTranslate2; returns where it stands."""
    from diasum.exporting.conversion import convert
    from diasum.exporting.merged import read_plain

    place = folder / f"ct2-{quantization}"
    place.mkdir()
    convert(read_plain(folder / "model"), folder / "model", place, quantization)
    return place


def flop_per_token(model: Any) -> tuple[int, int]:
    """FLOP that a source token and a token of a beam need at least: 2 for each weight of a linear layer that it meets."""
    from torch import nn

    by_source = by_target = 0
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            reads_source = ".encoder." in f".{name}" or name.endswith(
                ("EncDecAttention.k", "EncDecAttention.v", "encoder_attn.k_proj", "encoder_attn.v_proj")
            )
            size = 2 * module.weight.numel()
            by_source, by_target = (by_source + size, by_target) if reads_source else (by_source, by_target + size)
    return by_source, by_target
