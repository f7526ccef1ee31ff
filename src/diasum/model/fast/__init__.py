"""The fast path: LoRA training of encoder-decoder models without padding, without gradients of what is frozen, with few passes.

`fast_path` says whether it holds for a model with its adapter, and why not; what it returns computes the loss that the plain model
would, faster. Nothing else changes: optimiser, checkpoints and the saved adapter are plain PEFT's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from diasum.model.fast import operators
from diasum.model.fast.base import FastModel
from diasum.model.fast.compiling import choose_kernels
from diasum.model.fast.frozen import choose_products
from diasum.model.fast.ops import ACTIVATIONS, Backend
from diasum.model.fast.packed import Packed, Segments
from diasum.wording import with_article

__all__ = ["FastChoice", "FastModel", "Packed", "Segments", "fast_path"]

_T5, _BART = ("t5", "mt5", "umt5"), ("bart", "mbart", "pegasus")


@dataclass(frozen=True, slots=True)
class FastChoice:
    """Whether the fast path is taken.

    Attributes:
        model: the fast model, or None for the plain path.
        reason: one sentence for the user and the manifest.
    """

    model: FastModel | None
    reason: str


def fast_path(
    model: Any,
    dtype: torch.dtype = torch.float32,
    *,
    recompute: bool = False,
    prepack: str = "off",
    kernels: str = "off",
) -> FastChoice:
    """Build the fast path of a `peft.PeftModel` if it holds for it.

    The model's frozen weights are brought to `dtype` and put side by side in memory; the plain model works on with them.

    Args:
        model: the model with its adapter.
        dtype: compute type; the adapter's weights stay in fp32.
        recompute: recompute activations in the backward pass (gradient checkpointing).
        prepack: `on`, `off` or `auto`: pack the frozen weights once for the CPU's matrix products.
        kernels: `on`, `off` or `auto`: compile for this CPU what is not a product with a frozen weight.

    Raises:
        DiasumError: kernels or packed weights were asked for (`on`) and are not available.
    """
    obstacle = _obstacle(model, dtype)
    if obstacle:
        return FastChoice(None, f"plain path: {obstacle}")
    from diasum.model.fast.bart import FastBart
    from diasum.model.fast.t5 import FastT5

    base = model.get_base_model()
    family = FastT5 if base.config.model_type in _T5 else FastBart
    linear = [module for module in base.modules() if type(module) is nn.Linear]
    size = sum(module.weight.numel() for module in linear) * dtype.itemsize
    products, packing = choose_products(prepack, base.device.type, dtype, size=size, recompute=recompute)
    compiled, compiling = choose_kernels(kernels, base.device.type, dtype)
    reason = (
        f"fast path for {base.config.model_type}: fused pieces on rows without padding, no gradients of what is frozen"
    )
    backend = Backend(dtype, products, compiled)
    return FastChoice(family(base, backend, recompute=recompute), "; ".join(filter(None, (reason, packing, compiling))))


def _obstacle(model: Any, dtype: torch.dtype) -> str | None:
    """Why the plain path must be taken, or None."""
    from peft import PeftModel, PeftType

    if not isinstance(model, PeftModel):
        return "the model has no PEFT adapter"
    kinds = {config.peft_type for config in model.peft_config.values()}
    if kinds != {PeftType.LORA} or len(model.peft_config) != 1:
        return f"it computes one LoRA adapter, not {', '.join(sorted(kind.value for kind in kinds))}"
    base = model.get_base_model()
    if base.config.model_type not in _T5 + _BART:
        return f"it knows {', '.join(_T5 + _BART)}, not {base.config.model_type}"
    if getattr(base, "is_quantized", False):
        return "the base is quantised"
    if dtype == torch.float16:
        return "it computes in fp32 and bf16, not in fp16"
    if base.device.type == "cpu" and (problem := operators.problem()):
        return problem
    activation = base.config.dense_act_fn if base.config.model_type in _T5 else base.config.activation_function
    if activation not in ACTIVATIONS:
        return f"it knows the activations {', '.join(ACTIVATIONS)}, not {activation}"
    return _adapter_obstacle(model, base)


def _adapter_obstacle(model: Any, base: Any) -> str | None:
    from peft.tuners.lora import Linear, LoraLayer

    head, trained = base.get_output_embeddings(), set()
    for path, module in base.named_modules():
        if isinstance(module, LoraLayer):
            name = path.rsplit(".", 1)[-1]
            if type(module) is not Linear or type(module.base_layer) is not nn.Linear:
                return f"`{name}` is {with_article(type(module.get_base_layer()).__name__)}, it adapts plain linear layers only"
            if module is head:
                return f"`{name}` is the output layer"
            if module.lora_variant:
                variant = type(next(iter(module.lora_variant.values()))).__name__.removesuffix("LinearVariant")
                return f"it computes plain and rank-stabilised LoRA, not {variant}"
            if (
                module.fan_in_fan_out
                or module.merged
                or len(module.active_adapters) != 1
                or any(module.lora_bias.values())
            ):
                return f"`{name}` has a setting of peft that it does not compute"
            trained |= {id(p) for part in (module.lora_A, module.lora_B) for p in part.parameters()}
    others = [path for path, p in base.named_parameters() if p.requires_grad and id(p) not in trained]
    if others:
        return f"weights beside LoRA's are trained ({others[0]})"
    frozen = [path for path, p in base.named_parameters() if not p.requires_grad and id(p) in trained]
    return f"a part of the adapter is frozen ({frozen[0]})" if frozen else None
