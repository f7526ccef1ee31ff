"""Several adapters on one base in one batch: each source gets what its own adapter writes of it alone, and the base is there once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from diasum.config import GenerateSettings
from diasum.engines.fast.engine import FastEngine
from diasum.engines.plain import PlainEngine
from tests.models import CONVERSATIONS, tiny_bart, tiny_t5

ADAPTERS: dict[str, dict[str, Any]] = {
    "default": {"r": 2, "target_modules": ["q", "v", "q_proj", "v_proj"]},
    "every": {"r": 3, "target_modules": "all-linear", "use_rslora": True, "alpha_pattern": {"(v|v_proj)": 7}},
    "few": {"r": 4, "target_modules": ["k", "o", "k_proj", "out_proj"], "rank_pattern": {"(k|k_proj)": 1}},
}


def adapted(make: Any) -> tuple[Any, Any]:
    """A model of which each adapter makes another one."""
    model, tokenizer = make(seed=18)
    for name, values in ADAPTERS.items():
        config = LoraConfig(task_type="SEQ_2_SEQ_LM", lora_alpha=4, **values)
        if name == "default":
            model = get_peft_model(model, config)
        else:
            model.add_adapter(name, config)
    torch.manual_seed(0)
    with torch.no_grad():
        for path, parameter in model.named_parameters():
            if "lora_B" in path:
                parameter.normal_(std=0.3)
    return model.eval(), tokenizer


@pytest.mark.parametrize("budget", [130, 8192], ids=["entering and leaving", "together"])
@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("make", [tiny_t5, tiny_bart])
def test_each_source_gets_what_its_own_adapter_writes_alone(make: Any, beams: int, budget: int) -> None:
    model, tokenizer = adapted(make)
    sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS * 3]
    assert len({len(source) for source in sources}) > 3
    names = list(ADAPTERS)
    whose = [names[(i // 2 + i) % 3] for i in range(len(sources))]
    settings = GenerateSettings(num_beams=beams, max_new_tokens=16, batch_tokens=budget)
    made = FastEngine(model, tokenizer, adapters=names).generate(sources, settings, adapters=whose)
    for name in names:
        model.set_adapter(name)
        own = [source for source, adapter in zip(sources, whose, strict=True) if adapter == name]
        expected = PlainEngine(model, tokenizer).generate(own, settings)
        assert [one for one, adapter in zip(made, whose, strict=True) if adapter == name] == expected
        assert FastEngine(model, tokenizer).generate(own, settings) == expected, "merged"
    texts = [FastEngine(model, tokenizer, adapters=names).of(name).generate(sources[:3], settings) for name in names]
    assert texts[0] != texts[1] != texts[2] != texts[0], "the adapters must differ here"


@pytest.mark.parametrize("make", [tiny_t5, tiny_bart])
def test_the_base_is_there_once(make: Any) -> None:
    """The engine holds what it holds for the base alone, and of the adapters nothing that the model does not hold."""
    model, tokenizer = adapted(make)
    settings = GenerateSettings()
    several = FastEngine(model, tokenizer, adapters=list(ADAPTERS)).current_decoder(settings)
    alone = FastEngine(make(seed=18)[0], tokenizer).current_decoder(settings)
    low_rank = {parameter.data_ptr() for name, parameter in model.named_parameters() if "lora_" in name}
    of_adapters = [tensor for tensor in tensors_of(several) if pointer(tensor) in low_rank]
    assert len(of_adapters) == len(low_rank)
    others = [tensor for tensor in tensors_of(several) if pointer(tensor) not in low_rank]
    assert sum(map(size, others)) == sum(map(size, tensors_of(alone)))


def size(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def pointer(tensor: torch.Tensor) -> int:
    return id(tensor) if tensor.is_mkldnn else tensor.data_ptr()


def tensors_of(thing: Any) -> list[torch.Tensor]:
    """Those that a decoder has made for itself, each once; what belongs to the model itself is not looked into."""
    found: dict[int, torch.Tensor] = {}

    def walk(one: Any) -> Iterator[torch.Tensor]:
        if isinstance(one, torch.Tensor):
            yield one
        elif isinstance(one, dict):
            for value in one.values():
                yield from walk(value)
        elif isinstance(one, list | tuple):
            for value in one:
                yield from walk(value)
        elif type(one).__module__.startswith("diasum.engines.fast"):
            yield from walk(vars(one))

    for tensor in walk(thing):
        found.setdefault(pointer(tensor), tensor)
    return list(found.values())
