"""Memory that runs out in a step costs time, not the run; recomputed activations change no gradient."""

from __future__ import annotations

import json
import shutil
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Seq2SeqTrainingArguments

import diasum
from diasum.config import LoraSettings, Settings
from diasum.engines import generate
from diasum.errors import DiasumError
from diasum.model import Hardware, add_adapter, is_out_of_memory
from diasum.training import Run
from diasum.training.arguments import training_arguments
from diasum.training.memory import MicroBatches
from diasum.training.trainer import DialogueTrainer
from tests.models import tiny_bart, tiny_t5

CPU_ERROR = "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes."


def test_errors_are_told_apart() -> None:
    assert is_out_of_memory(RuntimeError(CPU_ERROR))
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    assert is_out_of_memory(MemoryError())
    for words in ("could not create a primitive", "could not execute a primitive", "could not create a memory object"):
        assert is_out_of_memory(RuntimeError(words)), "as oneDNN says it"
    assert is_out_of_memory(RuntimeError("std::bad_alloc"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(
        RuntimeError("could not create a primitive descriptor for the matmul primitive. Run ...")
    )
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value), "this torch words it otherwise"


class Square:
    """A model of one weight whose work fails above so many rows."""

    def __init__(self, most: int) -> None:
        self.weight = torch.nn.Parameter(torch.tensor([2.0, 3.0]))
        self.most = most
        self.sizes: list[int] = []

    def __call__(self, batch: Any) -> torch.Tensor:
        rows = len(batch["input_ids"])
        loss = ((batch["input_ids"].float() @ self.weight + batch["nested"]["more"]) ** 2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        if rows > self.most:
            raise RuntimeError(CPU_ERROR)  # after the gradients were added to: they must be put back
        self.sizes.append(rows)
        return loss


def batch(rows: int = 7) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(0, 9, (rows, 2), generator=generator)
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "labels": ids,
        "nested": {"more": torch.arange(rows).float()},
    }


def test_parts_add_up_to_the_same_loss_and_gradient() -> None:
    whole, parts = Square(99), Square(2)
    said: list[str] = []
    micro = MicroBatches(said.append)
    for square in (whole, parts):
        square.weight.grad = torch.tensor([5.0, 7.0])  # of an accumulated batch before
    expected = MicroBatches(said.append).run(batch(), whole, parameters=[whole.weight])
    found = micro.run(batch(), parts, parameters=[parts.weight])
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(parts.weight.grad, whole.weight.grad)
    assert parts.sizes == [2, 2, 2, 1]
    assert len(said) == 2
    assert "7 pairs of 28 tokens" in said[0]
    assert micro.limit == 8
    parts.sizes.clear()
    micro.run(batch(5), parts, parameters=[parts.weight])
    assert parts.sizes == [2, 2, 1], "remembered: no more failures"
    assert len(said) == 2


def test_the_limit_is_of_tokens_and_goes_into_checkpoints(tmp_path: Path) -> None:
    micro = MicroBatches(lambda sentence: None)
    micro.save(tmp_path)
    assert not list(tmp_path.iterdir())
    micro.limit = 12
    micro.save(tmp_path)
    again = MicroBatches(lambda sentence: None)
    again.load(tmp_path)
    assert again.limit == 12
    square = Square(99)
    again.run(batch(6), square, parameters=[square.weight])
    assert square.sizes == [3, 3]


def test_what_onednn_said_is_told() -> None:
    """It gives no reason, so the user should see its words where smaller parts do not help."""

    def work(part: Any) -> torch.Tensor:
        raise RuntimeError("could not create a primitive")

    with pytest.raises(DiasumError, match=r"single pair of 4 tokens \(could not create a primitive\)"):
        MicroBatches(lambda sentence: None).run(batch(), work, parameters=[])


def test_not_even_one_pair_fits() -> None:
    square = Square(0)
    with pytest.raises(DiasumError, match="Memory ran out on a single pair of 4 tokens") as caught:
        MicroBatches(lambda sentence: None).run(batch(), square, parameters=[square.weight])
    assert "train.gradient_checkpointing=true" in str(caught.value.hint)


def test_several_processes_do_not_try_again_alone() -> None:
    square = Square(3)
    with pytest.raises(DiasumError, match="several processes"):
        MicroBatches(lambda sentence: None, alone=False).run(batch(), square, parameters=[square.weight])


def test_other_errors_pass() -> None:
    def work(part: Any) -> torch.Tensor:
        raise RuntimeError("something else")

    with pytest.raises(RuntimeError, match="something else"):
        MicroBatches(lambda sentence: None).run(batch(), work, parameters=[])


def test_random_numbers_are_those_of_a_first_try() -> None:
    drawn: list[torch.Tensor] = []

    def work(part: Any) -> torch.Tensor:
        drawn.append(torch.rand(3))
        if len(part["input_ids"]) > 4:
            raise torch.OutOfMemoryError
        return torch.zeros(())

    MicroBatches(lambda sentence: None).run(batch(), work, parameters=[])
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[1], drawn[2])


def test_a_run_goes_on(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory runs out above two pairs from step 3 on: the step is that of a run with memory enough; killed, it resumes."""
    still = tmp_path / "base"
    shutil.copytree(base, still)
    config = json.loads((still / "config.json").read_text())
    (still / "config.json").write_text(json.dumps({**config, "dropout_rate": 0.0}))
    settings = {**quick, "train.epochs": 1, "train.save_steps": 1, "lora.lora_dropout": 0.0}
    diasum.train(str(still), corpus, run=tmp_path / "plenty", settings=settings)
    real = DialogueTrainer.compute_loss
    sizes: list[int] = []

    def scarce(self: Any, model: Any, inputs: Any, *args: Any, **more: Any) -> Any:
        labels = inputs["labels"]
        if self.model.training and self.state.global_step >= 2:
            if len(labels) > 2:
                raise RuntimeError(CPU_ERROR)
            sizes.append(len(labels))
        if len(sizes) == 7:
            sizes.append(0)
            raise KeyboardInterrupt
        return real(self, model, inputs, *args, **more)

    monkeypatch.setattr(DialogueTrainer, "compute_loss", scarce)
    with pytest.raises(KeyboardInterrupt):
        diasum.train(str(still), corpus, run=tmp_path / "scarce", settings=settings)
    last = Run(tmp_path / "scarce").last_checkpoint()
    assert last is not None
    assert (last / "memory.json").is_file()
    reductions = len([e for e in Run(tmp_path / "scarce").events() if "memory" in e])
    assert reductions == 1
    diasum.train(run=tmp_path / "scarce", resume=True)
    run = Run(tmp_path / "scarce")
    assert len([e for e in run.events() if "memory" in e]) == 1, "the resumed run knew"
    assert "memory ran out on 4 pairs" in run.manifest()["memory_reductions"][0]["what"]
    for plenty, scarce_event in zip(
        *([e for e in r.events() if "loss" in e] for r in (Run(tmp_path / "plenty"), run)), strict=True
    ):
        assert scarce_event["step"] == plenty["step"]
        assert scarce_event["learning_rate"] == plenty["learning_rate"]
        if plenty["step"] <= 3:  # later Adam makes full steps of gradients that are all rounding, and the two part
            assert scarce_event["loss"] == pytest.approx(plenty["loss"], rel=1e-5)
            assert scarce_event["grad_norm"] == pytest.approx(plenty["grad_norm"], rel=1e-4)


def test_generation_goes_on_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = tiny_t5()
    settings = Settings().generate.model_copy(update={"max_new_tokens": 5, "num_beams": 2, "engine": "torch-plain"})
    sources = [[5 + i, 9, 7, 1] for i in range(7)]
    expected = generate(model, tokenizer, sources, settings)
    real = type(model).generate

    def scarce(self: Any, input_ids: torch.Tensor, **kwargs: Any) -> Any:
        if len(input_ids) > most:
            raise torch.OutOfMemoryError
        return real(self, input_ids=input_ids, **kwargs)

    monkeypatch.setattr(type(model), "generate", scarce)
    most = 2
    assert generate(model, tokenizer, sources, settings) == expected
    most = 0
    with pytest.raises(DiasumError, match="one source of 4 tokens"):
        generate(model, tokenizer, sources, settings)


@pytest.mark.parametrize("make", [tiny_t5, tiny_bart])
@pytest.mark.parametrize("decoder_only", [False, True])
def test_checkpointed_gradients_are_the_same(make: Any, decoder_only: bool, tmp_path: Path) -> None:
    """With what the settings give the trainer; that activations are recomputed shows in how often a block runs."""
    settings = Settings.model_validate({"train": {"gradient_checkpointing": True}})
    arguments = training_arguments(settings, Run(tmp_path), Hardware("cpu", "fp32", {}))
    assert arguments.activation_checkpointing
    model, _ = make()
    wrapped = add_adapter(
        model,
        LoraSettings(target_modules="all-linear", init_lora_weights=False),
        seed=0,
        decoder_only=decoder_only,  # type: ignore[call-arg]
    )
    ids = torch.randint(3, 90, (3, 12), generator=torch.Generator().manual_seed(0))
    calls = {"encoder": 0, "decoder": 0}

    def count(side: str) -> Any:
        return lambda *_: calls.__setitem__(side, calls[side] + 1)

    for side, stack in (("encoder", model.get_encoder()), ("decoder", model.get_decoder())):
        layers = stack.block if hasattr(stack, "block") else stack.layers
        for layer in layers:
            (layer.layer[-1] if hasattr(layer, "layer") else layer.fc1).register_forward_pre_hook(count(side))
    gradients = []
    for checkpointing in (False, True):
        if checkpointing:
            wrapped.activation_checkpointing_enable(
                activation_checkpointing_kwargs=arguments.activation_checkpointing_kwargs
            )
        wrapped.train()
        torch.manual_seed(0)
        wrapped.zero_grad()
        wrapped(input_ids=ids, labels=ids).loss.backward()
        gradients.append({name: p.grad for name, p in wrapped.named_parameters() if p.requires_grad})
        assert calls["decoder"] == 2 + (4 if checkpointing else 0), "recomputed in the backward pass"
    for name, gradient in gradients[0].items():
        assert torch.equal(gradients[1][name], gradient), name


def test_one_process_trains_on_one_of_several_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers would wrap the model in `DataParallel`, which the fast path does not go through, and divide by the number of GPUs."""

    def four_gpus(self: Any) -> torch.device:
        self._n_gpu = 4
        return torch.device("cpu")

    monkeypatch.setattr(Seq2SeqTrainingArguments, "_setup_devices", cached_property(four_gpus))
    Seq2SeqTrainingArguments.__dict__["_setup_devices"].__set_name__(Seq2SeqTrainingArguments, "_setup_devices")
    arguments = training_arguments(Settings(), Run(tmp_path), Hardware("cpu", "fp32", {}))
    assert arguments.device == torch.device("cpu")
    assert arguments.n_gpu == 1
