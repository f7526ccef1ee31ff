"""The fields of `peft.LoraConfig` that the settings pass on by name: that they exist, and hold what peft takes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, get_args

from diasum.errors import near_misses
from diasum.libraries import load_peft

_OWN = {"peft_type", "auto_mapping", "peft_version", "task_type", "inference_mode"}  # peft's bookkeeping
_FROM_DATA = {"eva", "corda", "lora_ga"}  # initialisations that peft computes from batches before the training


def check_lora_fields(values: Mapping[str, Any]) -> list[str]:
    """What is wrong with them, a sentence each; peft is imported only when there are any."""
    if not values:
        return []
    from dataclasses import fields
    from typing import get_type_hints

    load_peft()
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
        except (ImportError, TypeError, ValueError) as error:
            problems = [f"lora: {error}"]
    return problems


def not_a_pattern(pattern: object) -> str:
    """What makes it no regular expression; empty when it is one."""
    try:
        re.compile(str(pattern))
    except re.error as error:
        return f"`{pattern}` is not a regular expression: {error}"
    return ""


def _wrong(name: str, value: object, annotation: Any) -> str:
    """peft's dataclass checks no types: a wrong one fails in the middle of its work, or counts as true."""
    from pydantic import TypeAdapter, ValidationError

    if name == "init_lora_weights" and isinstance(value, str):
        return _initialisation(value)
    kind = TypeAdapter(annotation)
    try:
        if isinstance(value, list):  # also for what peft types as a tuple, which YAML does not have
            kind.validate_json(json.dumps(value, default=str), strict=True)
        else:
            kind.validate_python(value, strict=True)
    except ValidationError:
        return f"lora.{name}: expected {_in_words(annotation)} (found {value!r})"
    wrong = ""
    if name in ("exclude_modules", "layers_pattern") and isinstance(value, str):
        wrong = not_a_pattern(value)
    elif name in ("rank_pattern", "alpha_pattern") and isinstance(value, Mapping):
        wrong = "; ".join(filter(None, (not_a_pattern(p) or _no_size(name, p, size) for p, size in value.items())))
    return f"lora.{name}: {wrong}" if wrong else ""


def _no_size(name: str, pattern: object, size: object) -> str:
    """An adapter of alpha 0 adds nothing, whatever it learns."""
    kinds = int if name == "rank_pattern" else (int, float)
    if isinstance(size, kinds) and not isinstance(size, bool) and 0 < size < math.inf:
        return ""
    expected = "a whole number of at least 1" if kinds is int else "a number above 0"
    return f"expected {expected} for `{pattern}` (found {size!r})"


def _initialisation(name: str) -> str:
    """Those that would not train what their name says, or not be the same model again when loaded; peft checks the other names."""
    if name.startswith("pissa_"):
        return (
            f"lora.init_lora_weights: `{name}` takes a random part out of the base, a different one each time the adapter is loaded: "
            "it would not be the model that was trained. Use `pissa`, whose decomposition is exact"
        )
    if name in _FROM_DATA:
        return (
            f"lora.init_lora_weights: `{name}` is computed from data before the training, which diasum does not do. Use `pissa`, "
            "`olora` or `orthogonal`, or leave it out"
        )
    return ""


def _in_words(annotation: Any) -> str:
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    if isinstance(annotation, type) or not kinds:
        kinds = [annotation]
    words = (kind.__name__ if type(kind) is type else str(kind) for kind in kinds)
    return " or ".join(words).replace("typing.", "")
