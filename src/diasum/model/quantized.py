"""The frozen base in 8 or 4 bits, by bitsandbytes: less memory for the weights, on CPU and GPU.

LLM.int8: Dettmers et al., 2022; 4-bit NormalFloat and training adapters on it (QLoRA): Dettmers et al., 2023; computed by bitsandbytes.
Output layer and T5's `wo` stay as they are, as transformers has it.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import Any, Literal

from diasum.errors import MissingExtraError
from diasum.model.hardware import Hardware

Quantization = Literal["none", "8bit", "4bit"]


def quantization_options(how: Quantization, hardware: Hardware) -> dict[str, Any]:
    """What `from_pretrained` needs to quantise while it loads; nothing for ``none``.

    Raises:
        MissingExtraError: bitsandbytes is not installed.
    """
    if how == "none":
        return {}
    if find_spec("bitsandbytes") is None:
        raise MissingExtraError(f"A base in {how[0]} bits (train.base_quantization)", "quantized")
    from transformers import BitsAndBytesConfig

    # The one would warn that an optional kernel, which it can do without, is not there; the other, at each layer and step, of the number
    # type that its inputs always have here.
    for module in ("bitsandbytes.backends.cpu.ops", "bitsandbytes.autograd._functions"):
        logging.getLogger(module).setLevel(logging.ERROR)
    if how == "8bit":
        config = BitsAndBytesConfig(load_in_8bit=True)
    else:
        config = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=hardware.torch_dtype,
        )
    return {"quantization_config": config, "device_map": {"": hardware.device}}


def keep_trainable(model: Any) -> None:
    """Keep 4-bit layers in the layout that training computes with.

    On CPUs with AVX-512 bf16 instructions bitsandbytes rearranges a layer's weights at its first forward pass in evaluation mode, for good,
    and rounds their scales to bf16: an evaluation between two epochs would change the base.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
