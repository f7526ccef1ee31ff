"""The fields of `peft.LoraConfig` that the settings pass on by name: that they exist, and hold what peft takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

from diasum.errors import near_misses

_OWN = {"peft_type", "auto_mapping", "peft_version", "task_type", "inference_mode"}  # peft's bookkeeping


def check_lora_fields(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with them, a sentence each; peft is imported only when there are any."""
    if not values:
        return []
    from dataclasses import fields
    from typing import get_type_hints

    from peft import LoraConfig

    types = get_type_hints(LoraConfig)
    known = {field.name for field in fields(LoraConfig)} - _OWN
    problems = [
        f"lora.{name}: LoraConfig has no such field. {near_misses(name, known)}"
        if name not in known
        else _wrong(name, value, types[name])
        for name, value in values.items()
    ]
    problems = [problem for problem in problems if problem]
    if not problems:
        try:
            LoraConfig(**values)
        except (TypeError, ValueError) as error:
            problems = [f"lora: {error}"]
    return problems


def _wrong(name: str, value: object, annotation: Any) -> str:
    """peft's dataclass checks no types: a wrong one fails in the middle of its work, or counts as true."""
    from pydantic import TypeAdapter, ValidationError

    if name == "init_lora_weights" and isinstance(value, str):
        return ""  # names with numbers in them (`pissa_niter_4`), which peft checks itself
    kind = TypeAdapter(annotation)
    try:
        if isinstance(value, list):  # also for what peft types as a tuple, which YAML does not have
            kind.validate_json(json.dumps(value, default=str), strict=True)
        else:
            kind.validate_python(value, strict=True)
    except ValidationError:
        return f"lora.{name}: expected {_in_words(annotation)} (found {value!r})"
    return ""


def _in_words(annotation: Any) -> str:
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    if isinstance(annotation, type) or not kinds:
        kinds = [annotation]
    words = (kind.__name__ if type(kind) is type else str(kind) for kind in kinds)
    return " or ".join(words).replace("typing.", "")
