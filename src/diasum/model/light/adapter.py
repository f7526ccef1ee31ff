"""A LoRA adapter from its files: which layers it adapts, and how strongly.

LoRA: Hu et al., 2021, "LoRA: Low-Rank Adaptation of Large Language Models"; scale of rank-stabilised LoRA: Kalajdzievski, 2023.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from diasum.model.light.checks import NUMBER, json_object
from diasum.model.light.tensors import HEAD, Shape, stored_shapes

_PREFIX = "base_model.model."
_PLAIN = {"peft_type": "LORA", "task_type": "SEQ_2_SEQ_LM", "bias": "none"}
_INITIAL = (True, False, "gaussian")  # others change the base, too
# Fields that are read here, or say nothing of what the adapter computes. Whatever else is set asks for more than plain LoRA.
_KNOWN = {
    *_PLAIN,
    *("r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern", "target_modules", "init_lora_weights"),
    *("base_model_name_or_path", "revision", "inference_mode", "lora_dropout", "peft_version"),
    *("megatron_core", "qalora_group_size"),
}
# Parts of the families' modules that hold no tensors; adapters have no place there.
_WITHOUT_TENSORS = ("dropout", "act", "activation_fn")


def read_scales(folder: Path, layers: Mapping[str, Shape], modules: Iterable[str]) -> dict[str, float] | None:
    """By what each adapted layer's update is multiplied, by the layer's path.

    Args:
        folder: of the adapter.
        layers: the base's linear layers but for its head, with their shapes.
        modules: paths of all of the base's modules that hold tensors.

    Returns:
        None for anything but plain LoRA, and for an adapter whose tensors are not exactly those that its settings ask for.
    """
    config = json_object(folder / "adapter_config.json")
    shapes = stored_shapes(folder / "adapter_model.safetensors")
    if config is None or shapes is None:
        return None
    if any(config.get(name) != value for name, value in _PLAIN.items()):
        return None
    if any(value for name, value in config.items() if name not in _KNOWN):
        return None
    if config.get("init_lora_weights", True) not in _INITIAL:
        return None
    rank, alpha = config.get("r"), config.get("lora_alpha")
    patterns = [config.get(name) or {} for name in ("rank_pattern", "alpha_pattern")]
    dropout = config.get("lora_dropout", 0.0)
    if type(dropout) not in NUMBER or not 0 <= dropout <= 1:
        return None
    if type(rank) is not int or type(alpha) not in NUMBER or not all(isinstance(one, dict) for one in patterns):
        return None
    targets = _targets(config.get("target_modules"), layers, modules)
    scales, expected = {}, {}
    for path in targets:
        own_rank, own_alpha = (
            _by_pattern(pattern, path, value) for pattern, value in zip(patterns, (rank, alpha), strict=True)
        )
        if type(own_rank) is not int or own_rank < 1 or type(own_alpha) not in NUMBER:
            return None
        scales[path] = own_alpha / (math.sqrt(own_rank) if config.get("use_rslora") else own_rank)
        out, into = layers[path]
        expected[f"{_PREFIX}{path}.lora_A.weight"] = (own_rank, into)
        expected[f"{_PREFIX}{path}.lora_B.weight"] = (out, own_rank)
    return scales if scales and shapes == expected else None


def factors(tensors: Mapping[str, Any], path: str) -> tuple[Any, Any]:
    """A (rank, in) and B (out, rank) of a layer's update."""
    return tensors[f"{_PREFIX}{path}.lora_A.weight"], tensors[f"{_PREFIX}{path}.lora_B.weight"]


def _targets(wanted: object, layers: Mapping[str, Shape], modules: Iterable[str]) -> list[str]:
    """The layers that these settings adapt; none where they name anything that is not such a layer, or cannot be understood."""
    everything = {*modules, *layers, HEAD}
    everything |= {f"{path}.{name}" for path in everything for name in _WITHOUT_TENSORS} | set(_WITHOUT_TENSORS)
    if isinstance(wanted, str):
        try:
            matched = {path for path in everything if re.fullmatch(wanted, path)}
        except (re.error, RecursionError):
            return []
    elif isinstance(wanted, list) and all(isinstance(one, str) and one for one in wanted):
        matched = {path for path in everything for one in wanted if path == one or path.endswith(f".{one}")}
        if any(not any(path == one or path.endswith(f".{one}") for path in matched) for one in wanted):
            return []
    else:
        return []
    return [path for path in layers if path in matched] if matched <= layers.keys() else []


def _by_pattern(pattern: Mapping[str, Any], path: str, otherwise: Any) -> Any:
    """The value of the first key that matches the end of a path, as peft looks it up."""
    try:
        found = next((key for key in pattern if re.match(rf"(.*\.)?({key})$", path)), None)
    except re.error:
        return None
    return otherwise if found is None else pattern[found]
