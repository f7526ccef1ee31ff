"""Runs as a training leaves them, with adapters of random weights, which are made in no time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from diasum.files import write_json
from diasum.model import add_adapter, choose_hardware, load_base
from diasum.model.special_tokens import special_tokens
from diasum.resolve import load_settings
from diasum.training import Run
from tests.models import tiny_bart, tiny_t5

QUICK = {"generate.num_beams": 2, "generate.max_new_tokens": 10, "evaluate.resamples": 200, "lora.r": 2}


def save_base(folder: Path, family: str, *, tied: bool) -> Path:
    """A tiny base whose head is, or is not, the embeddings."""
    model, tokenizer = {"t5": tiny_t5, "bart": tiny_bart}[family]()
    if not tied:
        model.config.tie_word_embeddings = False
        noise = torch.randn(model.lm_head.weight.shape, generator=torch.Generator().manual_seed(2))
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach() + 0.02 * noise)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if family == "t5":  # as Google's own tell whether outputs are scaled
        config = json.loads((folder / "config.json").read_text())
        write_json(folder / "config.json", {**config, "tie_word_embeddings": tied, "scale_decoder_outputs": tied})
    return folder


def make_run(folder: Path, base: str, corpus: str, changes: dict[str, Any] | None = None, adapter: Any = None) -> Run:
    """A complete run with a random adapter.

    Args:
        folder: of the run.
        base, corpus: folders.
        changes: settings.
        adapter: a `peft.PeftConfig` to take instead of LoRA.
    """
    run = Run(folder)
    settings = load_settings(None, {"base": base, "data.path": corpus, **QUICK, **(changes or {})})
    run.start(settings)
    loaded = load_base(base, choose_hardware("cpu", "fp32"))
    tokens = special_tokens(loaded.model)
    if adapter is None:
        wrapped = add_adapter(loaded.model, settings.lora, seed=1)
    else:
        from peft import get_peft_model

        wrapped = get_peft_model(loaded.model, adapter)
    generator = torch.Generator().manual_seed(3)
    for parameter in wrapped.parameters():
        if parameter.requires_grad:
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    wrapped.save_pretrained(run.adapter)
    loaded.tokenizer.save_pretrained(run.adapter)
    side = {"id": base, "revision": None, "sha256": loaded.weights_sha256, "special_tokens": tokens}
    parts = {"prompt": loaded.prompt(settings.prompt), "generate": settings.generate}
    write_json(run.adapter / "diasum.json", {"base": side, **{k: v.model_dump(mode="json") for k, v in parts.items()}})
    run.update_manifest(base=side | {"model_type": loaded.model_type}, data={"path": corpus, "license": "cc-by-sa-4.0"})
    return run
