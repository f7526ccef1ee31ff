"""The engine `torch-fast` writes what `torch-plain` writes, for every family, adapter and rule that it does not refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from diasum.config import GenerateSettings, LoraSettings
from diasum.engines.fast.engine import FastEngine
from diasum.engines.plain import PlainEngine
from diasum.model import add_adapter
from diasum.model.fast.compiling import compiled
from tests.model.fast_models import FAMILIES, VOCABULARY, adapted
from tests.models import CONVERSATIONS, tiny_bart, tiny_t5
from tests.tokenizers import tiny_bart_tokenizer, tiny_t5_tokenizer

SETTINGS: dict[str, dict[str, Any]] = {
    "greedy": {"num_beams": 1},
    "greedy, rules": {"num_beams": 1, "repetition_penalty": 1.4, "no_repeat_ngram_size": 2, "min_new_tokens": 5},
    "beams": {"num_beams": 4},
    "two tokens a beam": {"num_beams": 2, "length_penalty": 0.0},
    "long": {"num_beams": 3, "length_penalty": 2.5, "min_new_tokens": 9},
    "short": {"num_beams": 3, "length_penalty": -1.0},
    "no repeats": {"num_beams": 4, "no_repeat_ngram_size": 3},
    "no token twice": {"num_beams": 3, "no_repeat_ngram_size": 1},
    "penalty": {"num_beams": 4, "repetition_penalty": 1.6},
    "all that was found": {"num_beams": 4, "rerank": True},
    "all, with rules": {
        "num_beams": 3,
        "rerank": True,
        "no_repeat_ngram_size": 2,
        "min_new_tokens": 6,
        "length_penalty": 0.5,
    },
    "all of one token": {"num_beams": 3, "rerank": True, "max_new_tokens": 1},
    "bonus": {"num_beams": 4, "repetition_penalty": 0.8, "no_repeat_ngram_size": 2},
    "one token": {"num_beams": 3, "max_new_tokens": 1},
}


def random_sources(count: int = 7, seed: int = 0) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, 60, (count,), generator=generator).tolist()
    return [[*torch.randint(3, VOCABULARY, (n,), generator=generator).tolist(), 1] for n in lengths]


def both(model: Any, tokenizer: Any, sources: list[list[int]], settings: GenerateSettings) -> tuple[Any, Any]:
    fast, config = FastEngine(model, tokenizer), model.config
    assert fast.unsupported(settings) is None
    # transformers makes a cache of as many layers as the encoder has
    config.num_layers = getattr(config, "num_decoder_layers", None)
    made = fast.generate(sources, settings)
    assert made == by_torch(model, tokenizer, sources, settings), "compiled kernels and torch"
    return made, PlainEngine(model, tokenizer).generate(sources, settings)


@pytest.fixture(autouse=True)
def compiled_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where there was enough to do to compile them, or they were there; without a compiler torch stands on both sides."""
    monkeypatch.setattr(FastEngine, "_kernels", lambda self, dtype, compile: compiled(dtype)[0])


def by_torch(model: Any, tokenizer: Any, sources: list[list[int]], settings: GenerateSettings) -> Any:
    fast = FastEngine(model, tokenizer)
    fast._kernels = lambda dtype, compile: None  # type: ignore[method-assign]
    return fast.generate(sources, settings)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("make", [tiny_t5, tiny_bart])
def test_every_setting(make: Any, name: str) -> None:
    model, tokenizer = make(seed=18)
    sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS]
    settings = GenerateSettings(**{"max_new_tokens": 20, **SETTINGS[name]})
    made, expected = both(model, tokenizer, sources, settings)
    assert made == expected
    assert len({one.text for one in made}) > 1 or "one token" in name, (
        "different sources must give different texts here"
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("beams", [1, 4])
def test_every_family_with_an_adapter(family: str, beams: int) -> None:
    """Which is merged into copies: the model's own weights and mode stay."""
    model = adapted(family)
    model.train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    tokenizer = tiny_t5_tokenizer() if "t5" in family else tiny_bart_tokenizer()
    made, expected = both(model, tokenizer, random_sources(), GenerateSettings(num_beams=beams, max_new_tokens=16))
    assert made == expected
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(
    "settings", [{"use_dora": True}, {"use_rslora": True}, {"target_modules": "all-linear"}], ids=str
)
def test_every_adapter_that_it_merges(settings: dict[str, Any]) -> None:
    model = adapted("flan-t5", **settings)
    made, expected = both(model, tiny_t5_tokenizer(), random_sources(), GenerateSettings(max_new_tokens=12))
    assert made == expected


def test_an_adapter_that_is_switched_off_or_trained_on_counts_at_once() -> None:
    model, tokenizer = tiny_t5()
    sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS]
    settings = GenerateSettings(num_beams=2, max_new_tokens=10)
    model = add_adapter(model, LoraSettings(r=2), seed=1)
    fast = FastEngine(model, tokenizer)
    fresh = fast.generate(sources, settings)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
    trained = fast.generate(sources, settings)
    assert trained != fresh
    assert trained == PlainEngine(model, tokenizer).generate(sources, settings)
    with model.disable_adapter():
        assert fast.generate(sources, settings) == fresh
    model.merge_adapter()
    assert fast.generate(sources, settings) == trained


def test_modules_that_are_trained_whole_are_taken() -> None:
    model, tokenizer = tiny_t5()
    model = add_adapter(model, LoraSettings(r=2, modules_to_save=["lm_head"]), seed=1)
    with torch.no_grad():
        model.get_base_model().lm_head.modules_to_save["default"].weight.mul_(-1)
    sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS]
    made, expected = both(model, tokenizer, sources, GenerateSettings(num_beams=2, max_new_tokens=10))
    assert made == expected


def test_a_forced_first_token_and_several_ends() -> None:
    model, tokenizer = tiny_bart(seed=3)
    model.generation_config.forced_bos_token_id = 9
    model.generation_config.eos_token_id = [2, 7, 11]
    sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS]
    for beams in (1, 3):
        made, expected = both(model, tokenizer, sources, GenerateSettings(num_beams=beams, max_new_tokens=12))
        assert made == expected


def test_a_closing_line_comes_no_earlier() -> None:
    model, tokenizer = tiny_t5(seed=18)
    source = [tokenizer(" ".join(dialogue for dialogue, _ in CONVERSATIONS)).input_ids]
    settings = GenerateSettings(num_beams=2, min_new_tokens=8, max_new_tokens=16, closing="a")
    made, expected = both(model, tokenizer, source, settings)
    assert made == expected


def test_bf16_is_computed_in_bf16() -> None:
    """Another rounding than that of transformers, so not always the same texts: its logits are near, and not those of fp32."""
    model = adapted("flan-t5")
    fast, sources = FastEngine(model, tiny_t5_tokenizer()), random_sources()
    logits = {}
    for dtype in ("fp32", "bf16"):
        decoder = fast.current_decoder(GenerateSettings(dtype=dtype))
        with torch.inference_mode():
            caches = decoder.caches(1)
            decoder.admit(sources, caches)
            start = torch.zeros(len(sources), dtype=torch.long)
            logits[dtype] = decoder.logits(decoder.decode(start, caches.begin_step()))
    assert not torch.equal(logits["fp32"], logits["bf16"])
    torch.testing.assert_close(logits["bf16"], logits["fp32"], rtol=0.1, atol=0.1 * float(logits["fp32"].std()))
