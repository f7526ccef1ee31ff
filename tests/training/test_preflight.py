"""The estimate before training: near what is then measured, without a trace in the training."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import diasum
from diasum.config import Settings
from diasum.engines import generate
from diasum.errors import DiasumError
from diasum.evaluation.evaluate import quick_scores
from diasum.model.fast import compiling
from diasum.resolve import load_settings
from diasum.training import Run, estimate, probe
from diasum.training.estimate import Preflight
from diasum.training.fit import dry_run, make_trainer
from diasum.training.prepare import prepare
from diasum.training.probe import LiveBytes
from diasum.training.trainer import DialogueTrainer

CHECKPOINTING, QUANTIZED = "train.gradient_checkpointing=true", "train.base_quantization=4bit"


@pytest.fixture(autouse=True)
def not_tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "TINY", 0)


def example(**changes: Any) -> Preflight:
    fields: dict[str, Any] = {
        "device": "cpu",
        "memory_bytes": 3_100_000_000,
        "available_bytes": 20_400_000_000,
        "seconds": 2460.0,
        "least_seconds": 1500.0,
        "most_seconds": 4800.0,
        "evaluation_seconds": 360.0,
        "probe_seconds": 1.0,
        "batch_tokens": 4096,
        "fitting_tokens": None,
    }
    return Preflight(**{**fields, **changes})


def test_words() -> None:
    assert example().sentence() == (
        "about 3.1 GB (20.4 GB available) and 25 to 80 minutes on this CPU, at most 6 minutes of it for summaries at evaluations"
    )
    assert (
        example(evaluation_seconds=0.4, most_seconds=7300.0)
        .sentence()
        .endswith("and 25 minutes to 2.0 hours on this CPU")
    )
    assert example().warning() is None
    warning = example(available_bytes=2_000_000_000, advice=("a=1", "b=2")).warning()
    assert warning is not None
    assert warning.endswith("Try a=1 or b=2.")


@pytest.mark.parametrize(
    ("train", "weights_outweigh", "expected"),
    [
        ({"batch_tokens": 4096}, False, ["train.batch_tokens=1024 with more train.gradient_accumulation_steps", CHECKPOINTING]),
        ({"batch_size": 12}, True, ["train.batch_size=3 with more train.gradient_accumulation_steps", CHECKPOINTING, QUANTIZED]),
        ({"batch_size": 1, "gradient_checkpointing": True, "base_quantization": "8bit"}, True,
         ["train.batch_size=1 with more train.gradient_accumulation_steps"]),
    ],
)  # fmt: skip
def test_advice_is_of_what_would_help(train: dict[str, Any], weights_outweigh: bool, expected: list[str]) -> None:
    base = SimpleNamespace(model=torch.nn.Linear(100, 100, bias=False))
    peak = 40_000 * (1.5 if weights_outweigh else 3)
    found = estimate._advice(Settings.model_validate({"train": train}).train, base, peak, 0.25)  # type: ignore[arg-type]
    assert list(found) == expected


def test_live_bytes_are_counted_and_given_back() -> None:
    live = LiveBytes()
    with live:
        a = torch.zeros(1000)
        b = a.view(10, 100)  # no memory of its own
        assert live.peak == 4000
        del a, b
        torch.zeros(500)
        c = torch.zeros(1500, requires_grad=True)
        loss = (c * c).sum()  # 6000 more, and 4 for the sum
        assert live.peak == 12004
        torch.autograd.grad(loss, c)
    assert live.peak >= 18004


@pytest.mark.parametrize(
    "extra", [{}, {"train.fast_path": "off"}, {"train.gradient_checkpointing": True}, {"train.prepack": "on"}]
)
def test_two_small_steps_tell_the_memory_of_a_large_one(
    extra: dict[str, Any], base: str, corpus: str, quick: dict[str, Any], tmp_path: Path
) -> None:
    """The tensors of the whole largest batch, counted, against the estimate from one pair and two."""
    settings = load_settings(None, {"base": base, "data.path": corpus, **quick, "train.batch_size": 12, **extra})
    prepared = prepare(settings, None)
    trainer = make_trainer(settings, Run(tmp_path), prepared, [])
    longest = max(prepared.features, key=lambda f: len(f["input_ids"]) + len(f["labels"]))
    steps = probe.ProbeSteps(trainer, trainer.data_collator, settings)
    steps.seconds([longest])
    one, two, twelve = (steps.peak([longest] * count) for count in (1, 2, 12))
    assert twelve == pytest.approx(one + 11 * (two - one), rel=0.15)


@pytest.mark.parametrize(("engine", "compiled"), [("torch-fast", False), ("torch-fast", True), ("torch-plain", False)])
@pytest.mark.parametrize("beams", [1, 6])
@pytest.mark.parametrize("lengths", [[600], [600, 590, 580], [600, 40, 40, 40, 40, 40, 40, 40]])
def test_generation_at_evaluations_belongs_to_the_memory(
    engine: str,
    compiled: bool,
    beams: int,
    lengths: list[int],
    base: str,
    corpus: str,
    quick: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tensors of all batches of long sources, counted, against the estimate."""
    kernels = compiling.compiled(torch.float32)[0] if compiled else None
    if compiled and kernels is None:
        pytest.skip("no compiler")
    monkeypatch.setattr(compiling, "compiled_before", lambda dtype: kernels)
    given: dict[str, Any] = {"generate.num_beams": beams, "generate.batch_tokens": 1800, "generate.max_new_tokens": 12}
    given["generate.engine"] = engine
    settings = load_settings(None, {"base": base, "data.path": corpus, **quick, **given})
    prepared = prepare(settings, quick_scores)
    trainer = make_trainer(settings, Run(tmp_path), prepared, [])
    trainer.validation.sources = [[5 + i % 60 for i in range(length)] for length in lengths]
    found = probe._generation_bytes(trainer, prepared.base, settings.generate)
    live = LiveBytes()
    with live:
        generate(trainer.model, prepared.base.tokenizer, trainer.validation.sources, settings.generate)
    if not compiled:  # compiled attention makes no tables
        tables = {"torch-plain": 3, "torch-fast": 2}[engine]  # scores, bias and, of the plain one, their sum
        assert live.peak > tables * 2 * 600 * 600 * 4, "of two heads"
    assert 0.95 * live.peak < found < 1.6 * live.peak


def test_the_validation_loss_takes_no_larger_batches_than_training(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(None, {"base": base, "data.path": corpus, **quick, "train.batch_tokens": 200})
    trainer = make_trainer(settings, Run(tmp_path), prepare(settings, None), [])
    taken: list[list[int]] = []

    def losses(inputs: Any) -> torch.Tensor:
        taken.append((inputs["attention_mask"].sum(1) + (inputs["labels"] != -100).sum(1)).tolist())
        return torch.zeros(len(inputs["labels"]))

    monkeypatch.setattr(trainer, "_pair_losses", losses)
    trainer._validation_losses()
    assert sum(map(len, taken)) == 6
    assert max(map(len, taken)) > 1
    assert all(len(batch) == 1 or sum(batch) <= 200 for batch in taken)


@pytest.mark.parametrize("extra", [{}, {"train.frozen_encoder": True}])
def test_nothing_of_the_training_changes(
    extra: dict[str, Any],
    base: str,
    corpus: str,
    quick: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {**quick, "train.epochs": 1, "lora.lora_dropout": 0.2, **extra}
    diasum.train(base, corpus, run=tmp_path / "with", settings=settings)
    monkeypatch.setattr(estimate, "TINY", 1e30)
    diasum.train(base, corpus, run=tmp_path / "without", settings=settings)
    found = Run(tmp_path / "with").manifest()["preflight"]
    assert 0 < found["least_seconds"] < found["seconds"] < found["most_seconds"]
    assert 1e7 < found["memory_bytes"] < found["available_bytes"]
    assert "preflight" not in Run(tmp_path / "without").manifest(), "a tiny run needs none"
    name = "adapter/adapter_model.safetensors"
    assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def test_dry_run_writes_nothing(base: str, corpus: str, quick: dict[str, Any], tmp_path: Path) -> None:
    settings = load_settings(None, {"base": base, "data.path": corpus, **quick})
    found = dry_run(settings, tmp_path / "run", measure=quick_scores)
    assert found is not None
    assert found.evaluation_seconds > 0
    assert not (tmp_path / "run").exists()


def test_the_command(base: str, corpus: str, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from diasum.cli import app

    command = ["train", "--base", base, "--data", corpus, "--run", str(tmp_path / "run"), "--dry-run", "--json"]
    done = CliRunner().invoke(app, [*command, "--set", "train.eval_generate=0"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["memory_bytes"] > 0
    assert "needs  about" in done.stderr
    assert not (tmp_path / "run").exists()


def test_too_little_memory_is_warned_of(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_free", lambda hardware: -(1 << 40))
    settings = load_settings(None, {"base": base, "data.path": corpus, **quick})
    found = dry_run(settings, tmp_path / "run")
    assert found is not None
    assert "more memory than is available" in str(found.warning())


def test_what_can_be_had_is_at_most_the_limit(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "memory_bytes", lambda: 5 << 20)
    found = dry_run(load_settings(None, {"base": base, "data.path": corpus, **quick}), tmp_path / "run")
    assert found is not None
    assert found.available_bytes == 5 << 20


CPU_ERROR = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes."


def scarce(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Memory for so many pairs at a time."""
    real = DialogueTrainer.compute_loss

    def compute_loss(self: Any, model: Any, inputs: Any, *args: Any, **more: Any) -> Any:
        if self.model.training and len(inputs["labels"]) > most:
            raise RuntimeError(CPU_ERROR)
        return real(self, model, inputs, *args, **more)

    monkeypatch.setattr(DialogueTrainer, "compute_loss", compute_loss)


def test_where_one_pair_fits_the_run_goes_on(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The estimate tries two at a time."""
    scarce(monkeypatch, 1)
    settings = {**quick, "train.epochs": 1}
    found = dry_run(load_settings(None, {"base": base, "data.path": corpus, **settings}), tmp_path / "run")
    assert found is not None
    assert "split into parts" in str(found.warning())
    diasum.train(base, corpus, run=tmp_path / "run", settings=settings)
    assert Run(tmp_path / "run").state == "complete"
    assert Run(tmp_path / "run").manifest()["memory_reductions"]


def test_where_no_pair_fits_the_name_stays_free(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scarce(monkeypatch, 0)
    with pytest.raises(DiasumError, match="Memory ran out on a single pair") as caught:
        diasum.train(base, corpus, run=tmp_path / "run", settings=quick)
    assert "train.gradient_checkpointing=true" in str(caught.value.hint)
    assert not (tmp_path / "run").exists()
