"""A saved adapter is put on its base whole, or refused: what peft leaves out would leave the base as it is, under the adapter's name."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from diasum.errors import DiasumError
from diasum.summarization.loading import load_trained
from tests.models import save_model, tiny_t5

Tensors = dict[str, Tensor]
Q = {"target_modules": ["q"]}
KINDS: dict[str, tuple[type, dict[str, Any]]] = {
    "lora": (peft.LoraConfig, Q),
    "dora": (peft.LoraConfig, {**Q, "use_dora": True}),
    "lora of embeddings": (peft.LoraConfig, {"target_modules": ["q", "embed_tokens"]}),
    "modules to save": (peft.LoraConfig, {**Q, "modules_to_save": ["lm_head"]}),
    "tokens": (peft.LoraConfig, {**Q, "trainable_token_indices": [3, 4]}),
    "ia3": (peft.IA3Config, {"target_modules": ["k", "v", "wo"], "feedforward_modules": ["wo"]}),
    "adalora": (peft.AdaLoraConfig, {**Q, "total_step": 10, "tinit": 1, "tfinal": 1}),
    "prefix": (peft.PrefixTuningConfig, {"num_virtual_tokens": 4}),
    "prompt": (peft.PromptTuningConfig, {"num_virtual_tokens": 4}),
}


def save_adapter(folder: Path, kind: str) -> Path:
    method, values = KINDS[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped = peft.get_peft_model(tiny_t5()[0], method(task_type="SEQ_2_SEQ_LM", **values))
        wrapped.save_pretrained(folder)
    return folder


def change(folder: Path, how: Callable[[Tensors], Tensors]) -> None:
    file = folder / "adapter_model.safetensors"
    tensors = {name: tensor.clone() for name, tensor in load_file(file).items()}
    save_file(how(tensors), file, metadata={"format": "pt"})


def renamed(tensors: Tensors) -> Tensors:
    return {f"other.{name}": tensor for name, tensor in tensors.items()}


def halved(tensors: Tensors) -> Tensors:
    return dict(sorted(tensors.items())[: len(tensors) // 2])


def enlarged(tensors: Tensors) -> Tensors:
    return {**tensors, "base_model.model.encoder.block.7.layer.0.SelfAttention.q.lora_A.weight": torch.zeros(8, 32)}


@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_that_matches_loads(kind: str, base: str, tmp_path: Path) -> None:
    assert load_trained(save_adapter(tmp_path, kind), base=base).has_adapter


@pytest.mark.parametrize("how", [renamed, halved, enlarged])
@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_that_does_not_match_is_refused(
    kind: str, how: Callable[[Tensors], Tensors], base: str, tmp_path: Path
) -> None:
    folder = save_adapter(tmp_path, kind)
    change(folder, how)
    with pytest.raises(DiasumError, match="does not fit") as caught:
        load_trained(folder, base=base)
    assert "copy them again" in str(caught.value)


def test_what_is_missing_and_what_is_left_over_is_named(base: str, tmp_path: Path) -> None:
    folder = save_adapter(tmp_path, "lora")
    change(folder, halved)
    with pytest.raises(
        DiasumError, match=r"it lacks 6 of 12 tensors \(base_model\S+lora_A\.weight, .*, and 3 more\)\."
    ):
        load_trained(folder, base=base)
    save_adapter(folder, "lora")
    change(folder, enlarged)
    with pytest.raises(DiasumError, match=r"1 of its 13 tensors have no place \(base_model\S+block\.7\S+\)\."):
        load_trained(folder, base=base)


def test_sizes_that_differ_are_told(tmp_path: Path) -> None:
    wide = save_model(tmp_path / "wide", width=64)
    with pytest.raises(DiasumError, match=r"q\.lora_A\.default\.weight is 8 x 32, expected 8 x 64; .*; and 9 more\."):
        load_trained(save_adapter(tmp_path / "adapter", "lora"), base=str(wide))


def test_a_kind_that_peft_does_not_know(base: str, tmp_path: Path) -> None:
    folder = save_adapter(tmp_path, "lora")
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "peft_type": "LORAX"}))
    with pytest.raises(
        DiasumError, match="is of the kind `LORAX` \\(peft_type\\), which the installed peft does not know"
    ) as caught:
        load_trained(folder, base=base)
    assert "Did you mean `LORA`?" in str(caught.value)


@pytest.mark.parametrize("kind", [{}, {"peft_type": None}])
def test_no_kind_at_all(kind: dict[str, None], base: str, tmp_path: Path) -> None:
    folder = save_adapter(tmp_path, "lora")
    config = json.loads((folder / "adapter_config.json").read_text())
    del config["peft_type"]
    (folder / "adapter_config.json").write_text(json.dumps({**config, **kind}))
    with pytest.raises(DiasumError, match="does not say what kind of adapter this is \\(`peft_type`\\)"):
        load_trained(folder, base=base)


def test_warnings_that_are_errors_are_no_damage(base: str, tmp_path: Path) -> None:
    folder = save_adapter(tmp_path, "lora")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_trained(folder, base=base).has_adapter
