"""Tiny random models with LoRA for the fast path's tests: every family it knows, smooth enough that fp32 sums agree to 1e-6."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    MBartConfig,
    MBartForConditionalGeneration,
    MT5Config,
    MT5ForConditionalGeneration,
    PegasusConfig,
    PegasusForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
    UMT5Config,
    UMT5ForConditionalGeneration,
)

from diasum.data import Seq2SeqCollator

VOCABULARY = 120
RAGGED = ((30, 6), (7, 1), (75, 20), (1, 3), (30, 6))


def _t5(config: type, model: type, feed_forward: str, **extra: Any) -> Any:
    return model(
        config(
            vocab_size=VOCABULARY, d_model=32, d_kv=16, d_ff=48, num_layers=2, num_decoder_layers=3, num_heads=2, dropout_rate=0.0,
            feed_forward_proj=feed_forward, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1, **extra,
        )
    )  # fmt: skip


def _bart(config: type, model: type, **extra: Any) -> Any:
    made = model(
        config(
            vocab_size=VOCABULARY, d_model=32, encoder_layers=2, decoder_layers=3, encoder_attention_heads=2, decoder_attention_heads=2,
            encoder_ffn_dim=48, decoder_ffn_dim=48, max_position_embeddings=128, init_std=0.15, dropout=0.0, attention_dropout=0.0,
            activation_dropout=0.0, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, **extra,
        )
    )  # fmt: skip
    for name, parameter in made.named_parameters():
        if name.endswith("bias"):
            parameter.data.normal_(std=0.1)
    made.final_logits_bias.normal_()
    return made


FAMILIES: dict[str, Callable[[], Any]] = {
    "t5": lambda: _t5(T5Config, T5ForConditionalGeneration, "relu"),
    "flan-t5": lambda: _t5(T5Config, T5ForConditionalGeneration, "gated-gelu", tie_word_embeddings=False),
    "t5-silu": lambda: _t5(T5Config, T5ForConditionalGeneration, "gated-silu"),
    "mt5": lambda: _t5(MT5Config, MT5ForConditionalGeneration, "gated-gelu"),
    "umt5": lambda: _t5(UMT5Config, UMT5ForConditionalGeneration, "gated-gelu"),
    "bart": lambda: _bart(BartConfig, BartForConditionalGeneration, scale_embedding=True),
    "mbart": lambda: _bart(MBartConfig, MBartForConditionalGeneration),
    "pegasus": lambda: _bart(
        PegasusConfig, PegasusForConditionalGeneration, activation_function="relu", scale_embedding=True
    ),
}


def adapted(family: str, seed: int = 0, **lora: Any) -> Any:
    """A model of the family with an adapter that does something already, in evaluation mode."""
    torch.manual_seed(seed)
    model = FAMILIES[family]()
    targets = ["q", "v"] if "t5" in family else ["q_proj", "v_proj"]
    settings = {"r": 4, "lora_alpha": 8, "target_modules": targets, "init_lora_weights": False, **lora}
    model = get_peft_model(model, LoraConfig(task_type="SEQ_2_SEQ_LM", **settings))
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data *= 0.5
    return model.eval()


def batch(lengths: tuple[tuple[int, int], ...] = RAGGED, seed: int = 0) -> dict[str, Tensor]:
    """A padded batch of random ids with the given (source, target) lengths."""
    generator = torch.Generator().manual_seed(seed)

    def ids(n: int) -> list[int]:
        return torch.randint(3, VOCABULARY, (n,), generator=generator).tolist()

    features = [{"input_ids": ids(source), "labels": ids(target)} for source, target in lengths]
    return Seq2SeqCollator(0, decoder_start_token_id=2)(features)


def plain_loss(model: Any, inputs: dict[str, Tensor], smoothing: float = 0.0) -> Tensor:
    """The summed loss of transformers and peft themselves."""
    logits = model(**{name: inputs[name] for name in ("input_ids", "attention_mask", "decoder_input_ids")}).logits
    labels = inputs["labels"].flatten()
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1).float(), labels, ignore_index=-100, reduction="sum", label_smoothing=smoothing
    )


def gradients(model: Any, loss: Tensor) -> dict[str, Tensor]:
    """The adapter's gradients by name; the model's are cleared."""
    model.zero_grad()
    loss.backward()
    made = {name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad and p.grad is not None}
    model.zero_grad()
    return made


def distance(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> float:
    """Largest difference of a parameter's gradient relative to that gradient (2-norms). Where both are below a millionth of the largest
    gradient they are zero but for rounding and count as equal: a self-attention over one token has no gradient of its query."""
    assert ours.keys() == theirs.keys()
    zero = max(float(grad.norm()) for grad in theirs.values()) * 1e-6
    pairs = [(ours[name], grad) for name, grad in theirs.items()]
    return max(float((a - b).norm() / b.norm()) for a, b in pairs if max(float(a.norm()), float(b.norm())) > zero)
