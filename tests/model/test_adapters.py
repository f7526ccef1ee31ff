"""What the section `lora.` names must be in the model, else it is refused, with what there is; the saved adapter is the trained one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from diasum.config import LoraSettings
from diasum.errors import DiasumError
from diasum.model import add_adapter
from tests.models import tiny_t5


def test_a_module_to_save_that_is_not_there_is_refused() -> None:
    model, _ = tiny_t5()
    with pytest.raises(DiasumError, match=r"lora\.modules_to_save: `lm_haed` is not in t5") as caught:
        add_adapter(model, LoraSettings(modules_to_save=["lm_haed"]), seed=0)
    assert "Did you mean `lm_head`?" in str(caught.value)
    wrapped = add_adapter(model, LoraSettings(modules_to_save=["lm_head"]), seed=0)
    assert any("lm_head" in name and p.requires_grad for name, p in wrapped.named_parameters())


def test_what_peft_stumbles_over_is_an_error_of_the_settings() -> None:
    model, _ = tiny_t5()
    with pytest.raises(DiasumError, match="lora: "):
        add_adapter(model, LoraSettings(rank_pattern={"q": "many"}), seed=0)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("lora", "message", "hint"),
    [
        (
            {"rank_pattern": {"query": 4}},
            r"lora\.rank_pattern: `query` is not one of the adapted modules",
            "Available: q, v",
        ),
        ({"alpha_pattern": {"k": 4}}, r"lora\.alpha_pattern: `k` is not one of the adapted modules", "Available: q, v"),
        ({"exclude_modules": ["qq"]}, r"lora\.exclude_modules: `qq` is not in t5", "Did you mean `q`?"),
        ({"exclude_modules": "q"}, r"lora\.exclude_modules: no module of t5 is called `q`", "names go in a list"),
        ({"trainable_token_indices": [5, 999999]}, r"expected 0 to 319, .*found 999999", ""),
        ({"trainable_token_indices": {"shared": [-5]}}, r"expected 0 to 319, .*found -5", ""),
        ({"trainable_token_indices": {"sharde": [5]}}, "`sharde` is not in t5", "Did you mean `shared`?"),
        ({"megatron_config": {"a": 1}, "megatron_core": "megatron.none"}, "lora: No module named", "Install it"),
        ({"layers_pattern": ["("], "layers_to_transform": [0]}, "lora: missing", ""),
    ],
)
def test_what_peft_would_pass_over_or_stumble_on(lora: dict[str, Any], message: str, hint: str) -> None:
    model, _ = tiny_t5()
    with pytest.raises(DiasumError, match=message) as caught:
        add_adapter(model, LoraSettings(**lora), seed=0)
    assert hint in (caught.value.hint or "")


def test_loftq_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    lora = {"init_lora_weights": "loftq", "loftq_config": {"loftq_bits": 4, "loftq_iter": 1}}
    with pytest.raises(DiasumError, match="only on a CUDA GPU"):
        add_adapter(tiny_t5()[0], LoraSettings(**lora), seed=0)  # type: ignore[arg-type]


def test_patterns_that_hold_for_some_modules_are_taken() -> None:
    model, _ = tiny_t5()
    lora = {
        "rank_pattern": {r"decoder\.block\.0.*\.q": 2},
        "alpha_pattern": {"v": 7},
        "exclude_modules": r"encoder\..*",
        "trainable_token_indices": [0, 319],
    }
    wrapped = add_adapter(model, LoraSettings(**lora), seed=0)  # type: ignore[arg-type]
    layers = {name: module for name, module in wrapped.named_modules() if hasattr(module, "lora_A")}
    assert not any(".encoder." in name for name in layers)
    assert {module.r["default"] for module in layers.values()} == {2, 8}
    assert {module.lora_alpha["default"] for module in layers.values()} == {7, 32}


def test_the_models_modules_are_listed_where_targets_are_the_matter() -> None:
    for lora, listed in (({"target_modules": "nothing"}, True), ({"init_lora_weights": "unheard_of"}, False)):
        model, _ = tiny_t5()
        with pytest.raises(DiasumError, match="lora: ") as caught:
            add_adapter(model, LoraSettings(**lora), seed=0)  # type: ignore[arg-type]
        assert ("This model has: k, o, q" in str(caught.value)) is listed


@pytest.mark.parametrize("start", ["pissa", "olora", "orthogonal"])
def test_the_loaded_adapter_is_the_one_that_was_trained(start: str, tmp_path: Path) -> None:
    """The first two take their start out of the base's weights, and peft does it again on loading."""
    from peft import PeftModel

    ids = torch.arange(3, 20)[None]
    wrapped = add_adapter(tiny_t5()[0], LoraSettings(init_lora_weights=start), seed=0).eval()  # type: ignore[call-arg]
    wrapped.save_pretrained(tmp_path)
    base = tiny_t5()[0]
    torch.manual_seed(7)
    loaded = PeftModel.from_pretrained(base, str(tmp_path)).eval()
    with torch.no_grad():
        trained, again = (model(input_ids=ids, decoder_input_ids=ids).logits for model in (wrapped, loaded))
    assert torch.equal(trained, again)
