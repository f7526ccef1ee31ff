"""What a run's log history says: which evaluation was the best one, and whether the score stalls."""

from __future__ import annotations

import math
from typing import Any

from diasum.config import TrainSettings


def best_evaluation(history: list[dict[str, Any]], settings: TrainSettings) -> dict[str, Any] | None:
    """The logged evaluation with the best value of `select_by`, the earliest of equals; by loss where nothing was generated.

    One whose loss is not finite is none: its adapter is broken.
    """
    evaluations = [event for event in history if math.isfinite(event.get("eval_loss", math.nan))]
    key = f"eval_{settings.select_by}"
    if settings.select_by == "loss" or not all(key in event for event in evaluations):
        return min(evaluations, key=lambda event: event["eval_loss"], default=None)
    return max(evaluations, key=lambda event: event[key], default=None)


def stalled(history: list[dict[str, Any]], settings: TrainSettings) -> bool:
    """Whether `early_stopping_patience` evaluations have passed since the best one."""
    best = best_evaluation(history, settings)
    if settings.early_stopping_patience is None or best is None:
        return False
    since = sum("eval_loss" in event and event["step"] > best["step"] for event in history)
    return bool(since >= settings.early_stopping_patience)
