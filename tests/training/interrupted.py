"""What tests of interrupted runs share."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Killed(BaseException):
    """Stands for a kill: nothing but `finally` blocks runs."""


def adapter_bytes(run: Path) -> bytes:
    return (run / "adapter" / "adapter_model.safetensors").read_bytes()


def settings() -> dict[str, Any]:
    return {
        "train.epochs": 3,
        "train.batch_size": 4,
        "train.gradient_accumulation_steps": 2,
        "train.save_steps": 2,
        "train.eval_generate": 2,
        "train.logging_steps": 1,
        "train.report_to": [],
        "train.learning_rate": 0.02,
        "lora.target_modules": "all-linear",
        "train.select_by": "loss",  # falls to the end, so the adapter kept is one trained after the resume
        "generate.max_new_tokens": 6,
        "lora.lora_dropout": 0.2,
    }
