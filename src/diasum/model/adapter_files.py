"""Put a saved adapter on a base, whole or not at all: peft itself leaves what does not match at its start, where it changes nothing."""

from __future__ import annotations

import contextlib
import json
import re
import warnings
from pathlib import Path
from typing import Any

from diasum.errors import DiasumError, near_misses
from diasum.libraries import load_peft, without_bitsandbytes
from diasum.model.adapters import BY_PEFT
from diasum.model.loading import ONE_AT_A_TIME
from diasum.model.memory import is_out_of_memory
from diasum.model.weights import listed

# What fields of adapter_config.json may hold (the first stands for none) for the adapter to be a low-rank update and nothing else: some
# initialisations change the base's weights.
_PLAIN: dict[str, tuple[Any, ...]] = {
    "bias": ("none",),
    "lora_bias": (False,),
    "use_dora": (False,),
    "init_lora_weights": (True, "gaussian", "eva", "orthogonal"),
    **dict.fromkeys(
        (
            "modules_to_save",
            "trainable_token_indices",
            "layer_replication",
            "target_parameters",
            "alora_invocation_tokens",
        ),
        (None,),
    ),
}

_MISMATCH = re.compile(r"size mismatch for (\S+): .*?\[([\d, ]*)\]\D*?\[([\d, ]*)\]")


def read_adapter(model: Any, folder: Path, *, base: str, trained_on: object, name: str = "default") -> Any:
    """The model as a `peft.PeftModel` with the adapter of a folder.

    Args:
        model: the base, or a `peft.PeftModel` that has other adapters already; peft changes it in place.
        folder: holds adapter_config.json and adapter_model.safetensors, both whole.
        base: what the model is, for messages.
        trained_on: the base that the adapter names.
        name: of the adapter in the model.

    Raises:
        DiasumError: peft cannot use its settings or weights, or tensors are missing, left over or of other sizes.
    """
    load_peft()
    from peft import PeftModel
    from safetensors import SafetensorError

    quantizes = (
        json.loads((folder / "adapter_config.json").read_text(encoding="utf-8")).get("init_lora_weights") == "loftq"
    )
    hint = f"It was trained on {trained_on}: give that base. If it is that one, the adapter's files were changed: copy them again."
    try:
        with (
            ONE_AT_A_TIME,
            contextlib.nullcontext() if quantizes else without_bitsandbytes(),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            if isinstance(model, PeftModel):
                model.load_adapter(str(folder), name)
                wrapped = model
            else:
                wrapped = PeftModel.from_pretrained(model, str(folder), name)
    # peft raises many kinds for weights or settings that it cannot use
    except (*BY_PEFT, SafetensorError, RuntimeError, AssertionError, OSError) as error:
        if is_out_of_memory(error):
            raise
        raise DiasumError(f"The adapter in {folder} does not fit {base}: {_peft_message(error)}", hint=hint) from None
    wanted, stored = _wanted(wrapped, name), _stored(folder)
    missing, unexpected = sorted(wanted - stored), sorted(stored - wanted - wrapped.state_dict().keys())
    parts = []
    if missing:
        parts.append(f"it lacks {len(missing)} of {len(wanted)} tensors ({listed(missing)})")
    if unexpected:
        parts.append(f"{len(unexpected)} of its {len(stored)} tensors have no place ({listed(unexpected)})")
    if parts:
        raise DiasumError(f"The adapter in {folder} does not fit {base}: {'; '.join(parts)}.", hint=hint)
    return wrapped


def check_kind(config: dict[str, Any], folder: Path) -> None:
    """Refuse a kind of adapter that the installed peft does not know, before its base is loaded.

    Raises:
        DiasumError: its adapter_config.json has no `peft_type`, or one that is none of peft's.
    """
    load_peft()
    from peft import PeftType

    kind = config.get("peft_type")
    known = [one.value for one in PeftType]
    if kind is None:
        raise DiasumError(
            f"{folder / 'adapter_config.json'} does not say what kind of adapter this is (`peft_type`).",
            hint='The file was changed: copy it again. For LoRA it says "peft_type": "LORA".',
        )
    if kind not in known:
        raise DiasumError(
            f"The adapter in {folder} is of the kind `{kind}` (peft_type), which the installed peft does not know.",
            hint=f"{near_misses(str(kind), known)} A newer peft may know it: pip install -U peft",
        )


def check_plain(config: dict[str, Any], folder: Path) -> None:
    """Refuse an adapter that is more than a low-rank update of linear layers, and so cannot be kept apart from others on one base.

    Raises:
        DiasumError: it is no LoRA, or one that also changes something else; what is named.
    """
    kind = config.get("peft_type")
    more = [f"{name}={config[name]!r}" for name, plain in _PLAIN.items() if (config.get(name) or plain[0]) not in plain]
    if kind != "LORA" or more:
        raise DiasumError(
            f"The adapter in {folder} is {', '.join(more) or kind}; only plain LoRA can be loaded beside other adapters.",
            hint="Load it by itself.",
        )


def _wanted(wrapped: Any, name: str) -> set[str]:
    """Names of the tensors that peft would save of this adapter."""
    from peft import get_peft_model_state_dict

    return set(get_peft_model_state_dict(wrapped, adapter_name=name, save_embedding_layers=False))


def _stored(folder: Path) -> set[str]:
    from safetensors import safe_open

    with safe_open(folder / "adapter_model.safetensors", "np") as tensors:
        return set(tensors.keys())


def _peft_message(error: Exception) -> str:
    """What peft says, in a sentence."""
    text = str(error)
    if sizes := [
        f"{name} is {stored.replace(', ', ' x ')}, expected {wanted.replace(', ', ' x ')}"
        for name, stored, wanted in _MISMATCH.findall(text)
    ]:
        return f"{listed(sizes, '; ')}."
    if isinstance(error, KeyError):  # of weights beside the adapter's own, such as those of modules_to_save
        return f"it lacks {error.args[0]}."
    return next(iter(text.splitlines()), type(error).__name__)
