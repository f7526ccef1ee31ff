"""Put a LoRA adapter on a base model and say what it trains."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from diasum.config import LoraSettings
from diasum.errors import DiasumError, near_misses
from diasum.libraries import load_peft, without_bitsandbytes
from diasum.model.new_adapter_checks import check_read, check_tokens_tied, check_tying

_QUERY_AND_VALUE = [("q", "v"), ("q_proj", "v_proj"), ("query", "value")]  # LED has two of them, one in its encoder
# What peft raises for values that it checks only while working
BY_PEFT = (AttributeError, ImportError, LookupError, TypeError, ValueError, re.error)


@dataclass(frozen=True, slots=True)
class ParameterCount:
    """How many parameters are trained, of how many."""

    trainable: int
    total: int

    def __str__(self) -> str:
        return f"{self.trainable:,} of {self.total:,} parameters are trained ({self.trainable / self.total:.2%})"


def linear_modules(model: Any) -> dict[str, int]:
    """Names of the modules an adapter can target, by last part (``q``, ``wi_0``), with how often each occurs; not the head."""
    return dict(Counter(path.rsplit(".", 1)[-1] for path in _linear_paths(model)))


def lora_config(model: Any, settings: LoraSettings, *, decoder_only: bool = False) -> Any:
    """The `peft.LoraConfig` of the settings, with its targets checked against the model.

    LoRA: Hu et al., 2021, "LoRA: Low-Rank Adaptation of Large Language Models"; computed by peft.

    Args:
        model: the base.
        settings: the section `lora.`.
        decoder_only: leave the encoder's modules out of the targets.

    Raises:
        DiasumError: a target, a module to save or one to exclude is not in the model, or a target not in its decoder where only that is
            adapted (the names there are listed), or a token not in the vocabulary, or a value that peft refuses.
    """
    load_peft()
    import torch
    from peft import LoraConfig, TaskType

    values = settings.model_dump(exclude_none=True)
    targets = values.get("target_modules")
    if targets is None:
        model_type = model.config.model_type
        targets = _default_targets(model_type, _decoder_names(model) if decoder_only else linear_modules(model))
        if targets is None:
            raise DiasumError(
                f"peft has no default LoRA targets for {model_type} models.",
                hint=f"Set lora.target_modules to some of: {', '.join(sorted(linear_modules(model)))}, or to all-linear.",
            )
    if values.get("init_lora_weights") == "loftq" and not torch.cuda.is_available():
        raise DiasumError(
            "lora.init_lora_weights: peft computes `loftq` only on a CUDA GPU, also when the adapter is loaded; there is no GPU here.",
            hint="Use `pissa` or `olora`, or leave it out.",
        )
    if isinstance(targets, list):
        _check_names(model, "target_modules", targets)
    _check_saved(model, "modules_to_save", settings.modules_to_save or [])
    _check_excluded(model, values.get("exclude_modules") or [])
    _check_tokens(model, values.get("trainable_token_indices") or [])
    if decoder_only:
        targets = _outside_encoder(model, targets)
    if values["lora_alpha"] == int(values["lora_alpha"]):
        values["lora_alpha"] = int(values["lora_alpha"])
    try:
        return LoraConfig(**{**values, "target_modules": targets, "task_type": TaskType.SEQ_2_SEQ_LM})
    except (ImportError, TypeError, ValueError) as error:
        raise DiasumError(f"lora: peft rejects these settings: {error}") from None


def add_adapter(model: Any, settings: LoraSettings, *, seed: int, decoder_only: bool = False) -> Any:
    """Wrap the model in a `peft.PeftModel` with a fresh adapter, seeded.

    Raises:
        DiasumError: as `lora_config`; or a rank or alpha is for modules that are not adapted; or something of the encoder would be
            trained although `decoder_only`; or something that the model does not read would be trained.
    """
    load_peft()
    from peft import get_peft_model
    from transformers import set_seed

    check_tying(settings.model_dump())
    config = lora_config(model, settings, decoder_only=decoder_only)
    quantizes = settings.model_dump().get("init_lora_weights") == "loftq"
    names = linear_modules(model)  # peft may give up when half of its own modules are already in place
    set_seed(seed)
    try:
        with nullcontext() if quantizes else without_bitsandbytes(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `untied` reports tied weights
            wrapped = get_peft_model(model, config)
    except BY_PEFT as error:
        hint = None
        if isinstance(error, ImportError):
            hint = "Install it, or leave out the setting that needs it."
        elif re.search("target[ _]module", str(error), re.IGNORECASE):
            hint = f"This model has: {', '.join(sorted(names))}."
        raise DiasumError(f"lora: {error}", hint=hint) from None
    _check_patterns(wrapped, settings)
    trained = [name for name, p in model.get_encoder().named_parameters() if p.requires_grad] if decoder_only else []
    if trained:
        raise DiasumError(
            f"train.frozen_encoder keeps the encoder as it is, but these settings train {len(trained)} of its tensors, such as "
            f"{trained[0]}.",
            hint="Take its modules out of lora.modules_to_save, set lora.bias=none, or set train.frozen_encoder=false.",
        )
    check_tokens_tied(wrapped)
    check_read(wrapped)
    return wrapped


def without_dropout(model: Any) -> None:
    """Switch off the dropout (and layer drop) that the model's own modules do in training; the configuration stays as it is."""
    from torch import nn

    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        for name in ("dropout", "attention_dropout", "activation_dropout", "hidden_dropout", "layerdrop"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)


def count_parameters(model: Any) -> ParameterCount:
    """Trainable and all parameters; a tied weight counts once, a byte of 4-bit weights as two."""
    sizes = {
        id(p): (p.numel() * (2 * p.element_size() if hasattr(p, "quant_storage") else 1), p.requires_grad)
        for p in model.parameters()
    }
    return ParameterCount(sum(n for n, grad in sizes.values() if grad), sum(n for n, _ in sizes.values()))


def _default_targets(model_type: str, names: Iterable[str]) -> list[str] | str | None:
    """Those of peft; else the attention's query and value, where they go by names that the families share."""
    from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as OF_PEFT

    shared = [name for pair in _QUERY_AND_VALUE if all(name in names for name in pair) for name in pair]
    return OF_PEFT.get(model_type) or shared or None


def _check_names(model: Any, field: str, names: list[str]) -> None:
    paths = [path for path, _ in model.named_modules()]
    for name in names:
        if not any(path == name or path.endswith(f".{name}") for path in paths):
            raise DiasumError(
                f"lora.{field}: `{name}` is not in {model.config.model_type}.",
                hint=near_misses(name, linear_modules(model), initials=True),
            )


def _check_saved(model: Any, field: str, names: Iterable[str]) -> None:
    """peft itself says nothing of a name that no module has."""
    paths = [path for path, _ in model.named_modules() if path]
    for name in names:
        if not any(path.endswith(name) for path in paths):
            last = {path.rsplit(".", 1)[-1] for path in paths}
            raise DiasumError(
                f"lora.{field}: `{name}` is not in {model.config.model_type}.",
                hint=near_misses(name, (part for part in last if not part.isdigit()), listed=30),
            )


def _check_excluded(model: Any, excluded: list[str] | str) -> None:
    """peft only warns of a name that no module has."""
    paths = [path for path, _ in model.named_modules()]
    if isinstance(excluded, str):
        if not any(re.fullmatch(excluded, path) for path in paths):
            raise DiasumError(
                f"lora.exclude_modules: no module of {model.config.model_type} is called `{excluded}`.",
                hint="A string is a regular expression for the whole path, such as `.*decoder.*`; names go in a list, such as [q].",
            )
        return
    _check_names(model, "exclude_modules", excluded)


def _check_tokens(model: Any, tokens: list[int] | dict[str, list[int]]) -> None:
    if isinstance(tokens, dict):
        _check_saved(model, "trainable_token_indices", tokens)
    rows = model.get_input_embeddings().weight.shape[0]
    lists = tokens.values() if isinstance(tokens, dict) else [tokens]
    outside = [token for listed in lists for token in listed if not 0 <= token < rows]
    if outside:
        raise DiasumError(
            f"lora.trainable_token_indices: expected 0 to {rows - 1}, the tokens of this base (found {outside[0]})."
        )


def _check_patterns(wrapped: Any, settings: LoraSettings) -> None:
    """peft only warns of a pattern that no adapted module matches."""
    adapted = [*wrapped.base_model.targeted_module_names, *wrapped.base_model.targeted_parameter_names]
    for field in ("rank_pattern", "alpha_pattern"):
        for pattern in (settings.model_extra or {}).get(field) or ():
            if not any(re.match(rf"(.*\.)?({pattern})$", path) for path in adapted):
                raise DiasumError(
                    f"lora.{field}: `{pattern}` is not one of the adapted modules.",
                    hint=near_misses(str(pattern), (path.rsplit(".", 1)[-1] for path in adapted), initials=True),
                )


def _outside_encoder(model: Any, targets: list[str] | str) -> str:
    """The same targets as a regular expression (which plain peft reads from the saved adapter) that no module of the encoder matches."""
    inside, outside = _encoder_prefix(model), _decoder_names(model)
    if targets == "all-linear":
        targets = sorted(outside)
    if isinstance(targets, str):
        return rf"(?!{re.escape(inside)})(?:{targets})"
    for target in targets:
        paths = [path for path, _ in model.named_modules() if path == target or path.endswith(f".{target}")]
        if all(path.startswith(inside) for path in paths):
            raise DiasumError(
                f"lora.target_modules: `{target}` is only in the encoder of {model.config.model_type}, which train.frozen_encoder "
                "leaves as it is.",
                hint=f"{near_misses(target, outside, initials=True)} Or set train.frozen_encoder=false.",
            )
    names = "|".join(re.escape(target) for target in targets)
    return rf"(?!{re.escape(inside)})(?:.*\.)?(?:{names})"


def _encoder_prefix(model: Any) -> str:
    return next(f"{path}." for path, module in model.named_modules() if module is model.get_encoder())


def _decoder_names(model: Any) -> set[str]:
    inside = _encoder_prefix(model)
    return {path.rsplit(".", 1)[-1] for path in _linear_paths(model) if not path.startswith(inside)}


def _linear_paths(model: Any) -> list[str]:
    from torch import nn

    head = model.get_output_embeddings()
    return [path for path, module in model.named_modules() if isinstance(module, nn.Linear) and module is not head]
