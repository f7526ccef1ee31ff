"""The frozen encoder: its states on disk give the training that computing them each time gives."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from transformers import Seq2SeqTrainingArguments, T5Config, T5ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput
from transformers.training_args import OptimizerNames

import diasum
from diasum.config import LoraSettings
from diasum.data import Seq2SeqCollator
from diasum.errors import DiasumError
from diasum.model import Base, Hardware, add_adapter
from diasum.training import Run, encoder_cache
from diasum.training.arguments import training_arguments
from diasum.training.encoder_cache import build_cache
from diasum.training.trainer import DialogueTrainer
from tests.models import tiny_bart, tiny_t5

CPU = Hardware("cpu", "fp32", {})
FAMILIES = {"t5": tiny_t5, "bart": tiny_bart}
SILENT = Console(quiet=True)


def make(family: str) -> tuple[Base, list[dict[str, list[int]]]]:
    model, tokenizer = FAMILIES[family]()
    generator = torch.Generator().manual_seed(1)
    features = [
        {
            "input_ids": torch.randint(3, 90, (length,), generator=generator).tolist(),
            "labels": torch.randint(3, 90, (1 + length // 4,), generator=generator).tolist(),
        }
        for length in (5, 31, 12, 1, 17, 12, 40)
    ]
    return Base("tiny", model, tokenizer, family, None, "0" * 64), features


def gradients(base: Base, model: Any, batch: dict[str, Any]) -> tuple[float, dict[str, torch.Tensor]]:
    model.eval()  # no dropout
    loss = model(**batch).loss
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    return loss.item(), dict(zip(trained, torch.autograd.grad(loss, trained.values()), strict=True))


def adapted(base: Base, family: str) -> Any:
    model = add_adapter(base.model, LoraSettings(r=4, init_lora_weights=False), seed=0, decoder_only=True)  # type: ignore[call-arg]
    assert not any("encoder." in name for name, p in model.named_parameters() if p.requires_grad)
    return model


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_loss_and_gradients_are_those_of_computing_the_encoder(family: str, dtype: str, tmp_path: Path) -> None:
    """In bf16 those of the computed states rounded to bf16."""
    base, features = make(family)
    model = adapted(base, family)
    cache, report = build_cache(tmp_path, base, CPU, [f["input_ids"] for f in features], dtype, SILENT)
    collate = Seq2SeqCollator(
        base.tokenizer.pad_token_id, decoder_start_token_id=base.model.config.decoder_start_token_id
    )
    for rows in ([0, 1, 2], [3], [4, 5, 6]):
        chosen = [features[i] for i in rows]
        batch = collate(chosen)
        if dtype == "bf16":
            encoder = base.model.get_encoder().eval()
            states = encoder(batch["input_ids"], attention_mask=batch["attention_mask"])[0].detach()
            batch["encoder_outputs"] = BaseModelOutput(last_hidden_state=states.bfloat16().float())
        plain = gradients(base, model, batch)
        cached_batch = cache.collator(collate)(chosen)
        assert cached_batch["encoder_outputs"].last_hidden_state.dtype == torch.float32
        cached = gradients(base, model, {**cached_batch, "input_ids": None})
        assert cached[0] == pytest.approx(plain[0], rel=1e-5)
        for name, gradient in plain[1].items():
            off = (cached[1][name] - gradient).norm()
            tolerance = 1e-5 if dtype == "fp32" else 1e-4  # a value between two may round either way
            assert off <= tolerance * gradient.norm(), name
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert report.bytes <= size < report.bytes * 2 + 4096
    assert report.bytes == report.tokens * 32 * {"fp32": 4, "bf16": 2}[dtype]


def test_bf16_states_are_the_rounded_ones(tmp_path: Path) -> None:
    base, features = make("t5")
    sources = [f["input_ids"] for f in features]
    exact, _ = build_cache(tmp_path / "a", base, CPU, sources, "fp32", SILENT)
    rounded, _ = build_cache(tmp_path / "b", base, CPU, sources, "bf16", SILENT)
    for source in sources:
        assert torch.equal(rounded.states(source), exact.states(source).bfloat16().float())
        assert len(exact.states(source)) == len(source)


def test_whole_shards_are_used_again_and_others_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, features = make("t5")
    sources = [f["input_ids"] for f in features]
    monkeypatch.setattr(encoder_cache, "_BATCH_TOKENS", 32)
    monkeypatch.setattr(encoder_cache, "_SHARD_BYTES", 1)
    first, report = build_cache(tmp_path, base, CPU, sources, "fp32", SILENT)
    states = [first.states(source).clone() for source in sources]  # they are views of the files
    shards = sorted(tmp_path.iterdir())
    assert report.reused == 0
    assert len(shards) > 3
    _, report = build_cache(tmp_path, base, CPU, sources, "fp32", SILENT)
    assert report.reused == len(sources)
    # One shard lost, one changed in a single byte, one cut short: these three are computed again, to the same states.
    shards[0].unlink()
    content = bytearray(shards[1].read_bytes())
    content[-1] ^= 1
    shards[1].write_bytes(content)
    shards[2].write_bytes(shards[2].read_bytes()[:-4])
    again, report = build_cache(tmp_path, base, CPU, sources, "fp32", SILENT)
    assert 0 < report.reused < len(sources)
    assert all(torch.equal(again.states(source), old) for source, old in zip(sources, states, strict=True))
    base.weights_sha256 = "1" * 64
    _, report = build_cache(tmp_path, base, CPU, sources, "fp32", SILENT)
    assert report.reused == 0, "another base"
    _, report = build_cache(tmp_path, base, CPU, sources, "bf16", SILENT)
    assert report.reused == 0, "another type"


def test_too_little_space_is_found_before_computing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, features = make("t5")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 100, 100))
    monkeypatch.setattr(encoder_cache, "_encode", None)
    with pytest.raises(DiasumError, match="are free there") as caught:
        build_cache(tmp_path / "cache", base, CPU, [f["input_ids"] for f in features], "bf16", SILENT)
    assert "train.frozen_encoder=false" in str(caught.value.hint)


def test_a_disk_that_fills_up_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, features = make("t5")

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(encoder_cache, "save_file", full)
    with pytest.raises(DiasumError, match="No space left on device"):
        build_cache(tmp_path, base, CPU, [f["input_ids"] for f in features], "bf16", SILENT)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("lora", "message"),
    [
        (
            {"target_modules": ["block.0.layer.0.SelfAttention.q", "encoder.block.1.layer.0.SelfAttention.q"]},
            "only in the encoder",
        ),
        ({"target_modules": r"encoder\..*\.q"}, "lora: "),
        ({"target_modules": ["q"], "modules_to_save": ["encoder.final_layer_norm"]}, "keeps the encoder as it is"),
    ],
)
def test_what_trains_the_encoder_is_refused(lora: dict[str, Any], message: str) -> None:
    model, _ = tiny_t5()
    with pytest.raises(DiasumError, match=message):
        add_adapter(model, LoraSettings(**lora), seed=0, decoder_only=True)


def test_trained_biases_of_the_encoder_are_refused() -> None:
    model, _ = tiny_bart()
    with pytest.raises(DiasumError, match=r"lora.bias=none"):
        add_adapter(model, LoraSettings(bias="all"), seed=0, decoder_only=True)


@pytest.mark.parametrize("targets", [None, "all-linear", ["q", "v"]])
def test_targets_are_the_decoders(targets: Any) -> None:
    from torch import nn

    model, _ = tiny_t5()
    wrapped = add_adapter(model, LoraSettings(target_modules=targets), seed=0, decoder_only=True)
    found = {name for name, _ in wrapped.named_modules() if name.endswith("lora_A.default")}
    linear = [n for n, m in tiny_t5()[0].get_decoder().named_modules() if isinstance(m, nn.Linear)]
    wanted = linear if targets == "all-linear" else [n for n in linear if n.endswith((".q", ".v"))]
    assert found == {f"base_model.model.decoder.{name}.lora_A.default" for name in wanted}


def test_a_run_with_it(base: str, corpus: str, quick: dict[str, Any], tmp_path: Path) -> None:
    """Killed and resumed it ends with the same adapter, which plain peft loads; the cache is gone at the end."""
    from peft import PeftModel
    from transformers import AutoModelForSeq2SeqLM

    settings = {**quick, "train.frozen_encoder": True, "train.save_steps": 2, "train.learning_rate": 0.02}
    diasum.train(base, corpus, run=tmp_path / "whole", settings=settings)
    manifest = Run(tmp_path / "whole").manifest()
    assert manifest["encoder_cache"]["sources"] == 30
    assert manifest["encoder_cache"]["reused"] == 0
    assert not (tmp_path / "whole" / "cache").exists()

    real = DialogueTrainer.training_step

    def kill(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == 3:
            raise KeyboardInterrupt
        return real(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DialogueTrainer, "training_step", kill)
        with pytest.raises(KeyboardInterrupt):
            diasum.train(base, corpus, run=tmp_path / "killed", settings=settings)
    assert (tmp_path / "killed" / "cache").exists()
    diasum.train(run=tmp_path / "killed", resume=True)
    assert Run(tmp_path / "killed").manifest()["encoder_cache"]["reused"] == 30
    name = "adapter/adapter_model.safetensors"
    assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()

    plain = PeftModel.from_pretrained(AutoModelForSeq2SeqLM.from_pretrained(base), str(tmp_path / "whole" / "adapter"))
    assert any("lora_B" in name and p.abs().sum() > 0 for name, p in plain.named_parameters())
    assert not any("lora" in name and ".encoder." in name for name, _ in plain.named_parameters())
    assert diasum.load(tmp_path / "whole").summarize("Anna: Hello.\nBen: Good morning.") is not None


def test_training_goes_as_it_does_when_the_encoder_is_computed(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole runs, without dropout in the base: the losses of computing the encoder each time."""
    still = tmp_path / "base"
    shutil.copytree(base, still)
    # the tests' usual start is so strong that it makes rounding 1,000 times larger in the gradients
    config = T5Config.from_pretrained(base, dropout_rate=0.0, initializer_factor=1.0)
    torch.manual_seed(0)
    T5ForConditionalGeneration(config).save_pretrained(still)
    settings = {
        **quick,
        "train.frozen_encoder": True,
        "train.encoder_cache_dtype": "fp32",
        "train.epochs": 1,
        "lora.lora_dropout": 0.0,
        "train.learning_rate": 0.01,
    }

    def plain_descent(*args: Any) -> Seq2SeqTrainingArguments:
        """Adam makes full steps of gradients that are all rounding, which differs from machine to machine."""
        made = training_arguments(*args)
        made.optim = OptimizerNames.SGD
        return made

    monkeypatch.setattr("diasum.training.fit.training_arguments", plain_descent)
    diasum.train(str(still), corpus, run=tmp_path / "cached", settings=settings)
    monkeypatch.setattr("diasum.training.fit.encode_once", lambda *args: None)
    diasum.train(str(still), corpus, run=tmp_path / "computed", settings=settings)
    cached, computed = (
        [(event["loss"], event["grad_norm"]) for event in Run(tmp_path / name).events() if "loss" in event]
        for name in ("cached", "computed")
    )
    assert len(cached) > 3
    for (loss, norm), (expected_loss, expected_norm) in zip(cached, computed, strict=True):
        assert loss == pytest.approx(expected_loss, rel=1e-5)
        assert norm == pytest.approx(expected_norm, rel=1e-4)
