"""The frozen base in 8 or 4 bits: trained, saved as a plain adapter, used on the base in full."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

import diasum
from diasum.errors import MissingExtraError
from diasum.model import choose_hardware, count_parameters, load_base
from diasum.training import Run
from tests.models import save_model

WIDTH = 64  # of a block: bitsandbytes reads shorter rows wrongly on CPUs with AVX-512
needs_bitsandbytes = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs the extra `quantized`")


def test_the_extra_is_named(base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diasum.model.quantized.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"A base in 4 bits \(train.base_quantization\)") as caught:
        diasum.train(base, corpus, run=tmp_path / "run", settings={"train.base_quantization": "4bit"})
    assert "diasum[quantized]" in str(caught.value.hint)
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_model(tmp_path_factory.mktemp("models") / "wide-t5", width=WIDTH))


@pytest.fixture(scope="module")
def bart(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_model(tmp_path_factory.mktemp("models") / "wide-bart", "bart", width=WIDTH))


@needs_bitsandbytes
@pytest.mark.parametrize("how", ["8bit", "4bit"])
def test_weights_are_smaller_and_outputs_near(base: str, how: Any) -> None:
    hardware = choose_hardware("cpu", "fp32")
    full, small = load_base(base, hardware), load_base(base, hardware, quantization=how)
    assert small.quantization == how
    assert small.weights_sha256 == full.weights_sha256
    assert count_parameters(small.model).total == count_parameters(full.model).total

    def size(model: Any) -> int:
        return sum(p.numel() * p.element_size() for n, p in model.named_parameters() if n.endswith(".q.weight"))

    assert size(small.model) * {"8bit": 4, "4bit": 8}[how] == size(full.model)
    x = torch.randn(5, WIDTH, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, found = (m.model.decoder.block[1].layer[1].EncDecAttention.q(x) for m in (full, small))
    difference = (found - expected).norm() / expected.norm()
    assert 0 < difference < {"8bit": 0.03, "4bit": 0.2}[how]


@needs_bitsandbytes
@pytest.mark.parametrize("how", ["8bit", "4bit"])
def test_a_run_on_it(
    base: str,
    bart: str,
    corpus: str,
    quick: dict[str, Any],
    how: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForSeq2SeqLM

    model = {"8bit": base, "4bit": bart}[how]
    settings = {
        **quick,
        "train.base_quantization": how,
        "train.learning_rate": 0.02,
        "train.epochs": 4,
        "lora.target_modules": "all-linear",
        "train.gradient_checkpointing": True,
    }
    diasum.train(model, corpus, run=tmp_path / "run", settings=settings)
    run = Run(tmp_path / "run")
    assert [record.getMessage() for record in caplog.records if "bitsandbytes" in record.name] == []
    losses = [event["eval_loss"] for event in run.events() if "eval_loss" in event]
    assert losses[-1] < losses[0]
    assert run.manifest()["base"]["quantization"] == how
    plain = PeftModel.from_pretrained(AutoModelForSeq2SeqLM.from_pretrained(model), str(run.adapter))
    weights = [p for name, p in plain.named_parameters() if "lora_B" in name]
    assert all(p.dtype == torch.float32 for p in weights)
    assert any(p.abs().sum() > 0 for p in weights)
    assert diasum.load(run.path).summarize("Anna: Hello.\nBen: Good morning.") is not None


@needs_bitsandbytes
def test_an_evaluation_does_not_change_the_base(base: str) -> None:
    """Where bitsandbytes rearranges 4-bit weights in evaluation mode (CPUs with AVX-512 bf16), training would go on with others."""
    layer = (
        load_base(base, choose_hardware("cpu", "fp32"), quantization="4bit")
        .model.decoder.block[1]
        .layer[1]
        .EncDecAttention.q
    )
    x = torch.randn(5, WIDTH, generator=torch.Generator().manual_seed(0))
    kept = layer.weight.data.clone()
    before = layer.train()(x)
    with torch.no_grad():
        layer.eval()(x)
    assert torch.equal(layer.train()(x), before)
    assert torch.equal(layer.weight.data, kept)
