"""What a base model is, without its weights."""

from __future__ import annotations

from typing import Any

from diasum.model.adapters import linear_modules
from diasum.model.hardware import choose_hardware
from diasum.model.loading import load_base, position_limits


def describe_base(base: str, *, revision: str | None = None) -> dict[str, Any]:
    """A base model's family, size, limits and the modules an adapter can target; no weights are read.

    Raises:
        DiasumError: not an encoder-decoder text model, or it cannot be loaded.
    """
    loaded = load_base(base, choose_hardware("cpu", "fp32"), revision=revision, weights=False)
    model, tokenizer = loaded.model, loaded.tokenizer
    return {
        "base": base,
        "family": loaded.model_type,
        "parameters": sum(p.numel() for p in {id(p): p for p in model.parameters()}.values()),
        "hidden_size": model.config.get_text_config(decoder=True).hidden_size,
        "vocabulary": len(tokenizer),
        "longest_source": position_limits(model)[0] or "any (relative positions)",
        "modules": dict(sorted(linear_modules(model).items())),
    }
