"""What the fast decode can do: families, adapters and settings. Everything else is for `torch-plain`."""

from __future__ import annotations

from typing import Any

from diasum.config import GenerateSettings
from diasum.model.fast.operators import problem
from diasum.model.fast.ops import ACTIVATIONS
from diasum.model.light import LightModel
from diasum.wording import with_article

T5 = ("t5", "mt5", "umt5")
BART = ("bart", "mbart", "pegasus")


def obstacle(model: Any, settings: GenerateSettings, *, convert: bool) -> str | None:
    """Why the fast decode cannot honour these settings for this model, as a clause; None where it can."""
    if settings.do_sample:
        return "it does not sample (generate.do_sample)"
    if not convert:
        return "it needs whole weights, of one type"
    if isinstance(model, LightModel):
        return _activation_obstacle(model.config) or problem(gradients=False)
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    return _model_obstacle(base) or _adapter_obstacle(model, base)


def _model_obstacle(base: Any) -> str | None:
    kind = base.config.model_type
    if kind not in T5 + BART:
        return f"it knows {', '.join(T5 + BART)}, not {kind}"
    if not type(base).__module__.startswith("transformers.models."):
        return f"it knows the {kind} of transformers, not {type(base).__name__} of {type(base).__module__}"
    if getattr(base, "is_quantized", False):
        return "the base is quantised"
    if {parameter.device.type for parameter in base.parameters()} != {"cpu"}:
        return "it runs on a CPU"
    return _activation_obstacle(base.config) or problem(gradients=False)


def _activation_obstacle(config: Any) -> str | None:
    activation = config.dense_act_fn if config.model_type in T5 else config.activation_function
    return None if activation in ACTIVATIONS else f"it knows the activations {', '.join(ACTIVATIONS)}, not {activation}"


def _adapter_obstacle(model: Any, base: Any) -> str | None:
    if model is base:
        return None  # without peft, whose import takes a second
    from diasum.libraries import load_peft

    load_peft()
    from peft import PeftModel
    from peft.tuners.lora import Linear
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import AuxiliaryTrainingWrapper, ModulesToSaveWrapper
    from torch import nn

    if not isinstance(model, PeftModel):
        return f"it knows adapters of peft, not {with_article(type(model).__name__)}"
    for path, module in base.named_modules():
        name = path.rsplit(".", 1)[-1]
        if isinstance(module, BaseTunerLayer):
            if type(module) is not Linear or type(module.get_base_layer()) is not nn.Linear:
                return (
                    f"`{name}` is {with_article(type(module).__name__)} of peft; it merges LoRA of linear layers only"
                )
            kinds = {type(variant).__name__.removesuffix("LinearVariant") for variant in module.lora_variant.values()}
            if kinds - {"Dora"}:
                return f"it merges LoRA and DoRA, not {', '.join(sorted(kinds))}"
        elif isinstance(module, AuxiliaryTrainingWrapper) and type(module) is not ModulesToSaveWrapper:
            return f"`{name}` is {with_article(type(module).__name__)} of peft"
    others = {config.peft_type.value for config in model.peft_config.values() if config.is_prompt_learning}
    return f"it does not do {', '.join(sorted(others))}" if others else None
