"""What a training leaves behind, selects, stops at and refuses."""

from __future__ import annotations

import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from transformers import TrainingArguments

import diasum
from diasum.config import TrainSettings
from diasum.dialogue import parse_dialogue
from diasum.engines import Generated
from diasum.engines.fast.engine import FastEngine
from diasum.engines.plain import PlainEngine
from diasum.errors import DiasumError, MissingExtraError
from diasum.training import Run
from diasum.training.trainer import DialogueTrainer, warmup_steps
from tests.test_families import save_tiny


def test_run_directory(base: str, corpus: str, quick: dict[str, Any], tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    result = diasum.train(
        base,
        corpus,
        run=tmp_path / "run",
        settings={**quick, "train.report_to": ["tensorboard"]},
        on_progress=events.append,
    )
    run = Run(tmp_path / "run")
    assert run.state == "complete"
    manifest = run.manifest()
    assert manifest["status"] == "complete"
    assert manifest["data"]["splits"]["train"]["n"] == 24
    assert len(manifest["data"]["splits"]["train"]["sha256"]) == 64
    assert manifest["base"]["sha256"]
    assert manifest["versions"]["peft"]
    assert all(manifest["choices"][name] for name in ("device", "dtype", "batching"))
    assert manifest["parameters"]["trainable"] < manifest["parameters"]["total"]
    assert run.settings().train.epochs == 2
    logged = run.events()
    assert [event["step"] for event in logged if "eval_loss" in event] == [6, 12]
    assert all(event["tokens_per_second"] > 0 for event in logged if "loss" in event)
    assert [e for e in events if "eval_loss" in e]
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))
    assert {p.name for p in run.adapter.iterdir()} >= {
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
        "README.md",
    }
    assert not list(run.path.rglob("*.bin")), (
        "nothing pickled but the optimizer's and random numbers' state of checkpoints"
    )
    assert not list(run.path.rglob("training_args*"))
    assert result.best == manifest["best"]
    assert 0 < result.evaluation_share < 1


def test_both_families_and_methods_learn(
    base: str, bart: str, corpus: str, quick: dict[str, Any], tmp_path: Path
) -> None:
    for name, model, extra in (
        ("t5", base, {"lora.use_dora": True}),
        ("bart", bart, {"lora.use_rslora": True, "train.gradient_checkpointing": True}),
    ):
        settings = {
            **quick,
            "train.learning_rate": 0.02,
            "train.epochs": 4,
            "train.label_smoothing": 0.1,
            "lora.target_modules": "all-linear",
            **extra,
        }
        diasum.train(model, corpus, run=tmp_path / name, settings=settings)
        losses = [event["eval_loss"] for event in Run(tmp_path / name).events() if "eval_loss" in event]
        assert losses[-1] < losses[0], f"{name} does not learn: {losses}"


def test_accumulated_batches_give_the_gradient_of_one(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path
) -> None:
    """Two batches of 3 and one of 6 see the same pairs, so the loss of the step must be the same: a mean over all their tokens."""
    common = {**quick, "train.epochs": 1, "data.max_train": 6, "lora.lora_dropout": 0.0}
    losses = []
    for size, accumulate in ((6, 1), (3, 2)):
        run = tmp_path / f"by-{size}"
        model = _without_dropout(base, tmp_path / f"base-{size}")
        settings = {**common, "train.batch_size": size, "train.gradient_accumulation_steps": accumulate}
        diasum.train(model, corpus, run=run, settings=settings)
        losses.append(next(event for event in Run(run).events() if "loss" in event))
    assert losses[0]["loss"] == pytest.approx(losses[1]["loss"], rel=1e-5)
    assert losses[0]["grad_norm"] == pytest.approx(losses[1]["grad_norm"], rel=1e-4)


def test_stops_at_the_first_non_finite_loss(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = DialogueTrainer.compute_loss

    def broken(self: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        loss = real(self, *args, **kwargs)
        return loss * float("nan") if self.state.global_step == 8 and self.model.training else loss

    monkeypatch.setattr(DialogueTrainer, "compute_loss", broken)
    with pytest.raises(DiasumError, match="loss became nan at step 9") as caught:
        diasum.train(base, corpus, run=tmp_path / "run", settings=quick)
    assert "train.learning_rate" in str(caught.value.hint)
    last = Run(tmp_path / "run").last_checkpoint()
    assert last is not None
    assert last.name == "checkpoint-6"


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_stops_at_a_validation_loss_that_is_not_finite(
    value: str, base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is kept of it; what was the best until then stays."""
    real = DialogueTrainer._validation_losses

    def broken(self: Any) -> tuple[list[float], list[int]]:
        losses, tokens = real(self)
        return ([float(value), *losses[1:]] if self.state.global_step == 12 else losses), tokens

    monkeypatch.setattr(DialogueTrainer, "_validation_losses", broken)
    with pytest.raises(DiasumError, match=f"validation loss became {value} at step 12") as caught:
        diasum.train(base, corpus, run=tmp_path / "run", settings=quick)
    assert "train.learning_rate" in str(caught.value.hint)
    run = Run(tmp_path / "run")
    assert run.state == "unfinished"
    assert [event["step"] for event in run.events() if "eval_loss" in event] == [6]
    assert sorted(folder.name for folder in run.checkpoints.iterdir()) == ["best-6", "checkpoint-6"]


def test_events_are_json(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gradient whose norm overflows does not stop a run, and JSON knows no infinity."""
    monkeypatch.setattr(DialogueTrainer, "_clip_grad_norm", lambda *_: torch.tensor(float("inf")))
    diasum.train(base, corpus, run=tmp_path / "run", settings={**quick, "train.epochs": 1})
    text = Run(tmp_path / "run").events_file.read_text()
    assert "grad_norm" in text
    assert "Infinity" not in text


def test_a_run_of_one_step_trains(base: str, corpus: str, quick: dict[str, Any], tmp_path: Path) -> None:
    settings = {**quick, "train.epochs": 1, "train.gradient_accumulation_steps": 100}
    diasum.train(base, corpus, run=tmp_path / "run", settings=settings)
    (event,) = (event for event in Run(tmp_path / "run").events() if "loss" in event)
    assert event["learning_rate"] == TrainSettings().learning_rate
    weights = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
    assert all(weight.any() for name, weight in weights.items() if "lora_B" in name)


@pytest.mark.parametrize("ratio", [0.0, 0.01, 0.05, 0.1, 0.3, 0.99])
def test_steps_of_warming_up(ratio: float) -> None:
    plain = TrainingArguments(warmup_steps=ratio)
    for steps in range(20, 2000):
        assert warmup_steps(ratio, steps) == plain.get_warmup_steps(steps)
    for steps in range(1, 20):
        assert warmup_steps(ratio, steps) <= min(ratio * steps, steps - 1)


def test_early_stopping_ends_the_run(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diasum.evaluation import evaluate

    scores = iter([[5.0, 5.1], [4.0, 4.0], [3.0, 3.1], [9.0, 9.0]])
    monkeypatch.setattr(evaluate, "quick_scores", lambda *a: {"rougeL": next(scores)})
    settings = {**quick, "train.epochs": 4, "train.early_stopping_patience": 2, "train.select_by": "rougeL"}
    shown = StringIO()
    result = diasum.train(base, corpus, run=tmp_path / "run", settings=settings, console=Console(file=shown, width=400))
    assert result.complete
    events = Run(tmp_path / "run").events()
    assert [event["eval_rougeL"] for event in events if "eval_loss" in event] == [5.05, 4.0, 3.05]
    assert result.best is not None
    assert result.best["step"] == 6
    best = (tmp_path / "run" / "checkpoints" / "best-6" / "adapter_model.safetensors").read_bytes()
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").read_bytes() == best
    reason = "epoch 1: epoch 3 is clearly worse (ROUGE-L 3.0 against 5.0 of epoch 1"
    assert result.reason.startswith(reason)
    assert Run(tmp_path / "run").manifest()["choices"]["epoch"] == result.reason
    assert [event["kept"] for event in events if "kept" in event][-1] == result.reason
    assert f"kept   {result.reason}" in shown.getvalue()
    state = json.loads((tmp_path / "run" / "checkpoints" / "checkpoint-18" / "trainer_state.json").read_text())
    assert [len(event["pairs"]["loss"]) for event in state["log_history"] if "eval_loss" in event] == [6, 6, 6]


def test_an_evaluation_has_the_loss_of_each_pair(base: str, corpus: str, quick: dict[str, Any], tmp_path: Path) -> None:
    """The same on both paths, and the mean over tokens is the loss logged."""
    found = []
    for path in ("auto", "off"):
        run = Run(tmp_path / path)
        settings = {**quick, "train.epochs": 1, "train.batch_size": 24, "lora.lora_dropout": 0.0}
        diasum.train(base, corpus, run=run.path, settings={**settings, "train.fast_path": path})
        checkpoint = run.last_checkpoint()
        assert checkpoint is not None
        state = json.loads((checkpoint / "trainer_state.json").read_text())
        (event,) = (event for event in state["log_history"] if "eval_loss" in event)
        pairs = event["pairs"]
        assert event["eval_loss"] == pytest.approx(sum(pairs["loss"]) / sum(pairs["tokens"]), rel=1e-4)
        found.append(pairs)
    assert len(set(found[0]["loss"])) == 6
    assert found[0]["tokens"] == found[1]["tokens"]
    assert found[0]["loss"] == pytest.approx(found[1]["loss"], rel=1e-3)


def test_long_dialogues_are_trained_on_by_window_on_request(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(corpus, data)
    turns = "\n".join(f"Anna: This is number {i} of a long talk." for i in range(150))
    row = {"id": "long", "dialogue": turns, "summary": "Anna talks of number 3. Anna talks of number 149."}
    for split in ("train", "validation"):
        file = data / f"{split}.jsonl"
        file.write_text(f"{file.read_text().rstrip()}\n{json.dumps(row)}\n")
    settings = {**quick, "train.epochs": 1, "train.long": "windows"}
    shown = StringIO()
    diasum.train(base, str(data), run=tmp_path / "run", settings=settings, console=Console(file=shown, width=400))
    run = Run(tmp_path / "run")
    encoding = run.manifest()["encoding"]
    assert (encoding["cut"], encoding["in_windows"]) == (0, 1)
    assert encoding["windows"] - encoding["windows_left_out"] in (1, 2)
    assert (
        f"1 dialogue read in {encoding['windows']} windows, {encoding['windows_left_out']} of them left out"
        in shown.getvalue()
    )
    (event,) = (event for event in run.events() if "eval_loss" in event)
    assert len(event["pairs"]["loss"]) > 6 if "pairs" in event else event["eval_loss"] > 0
    assert run.settings().train.long == "windows"

    shown = StringIO()
    cut = {**quick, "train.epochs": 1, "train.long": "cut"}
    diasum.train(base, str(data), run=tmp_path / "cut", settings=cut, console=Console(file=shown, width=400))
    assert "1 of 25 dialogues cut" in shown.getvalue()
    assert "train.long=windows trains on all of it" in shown.getvalue()
    with pytest.raises(DiasumError, match="1 of 25 dialogues take more than 512 tokens: long"):
        diasum.train(base, str(data), run=tmp_path / "none", settings={**quick, "train.long": "refuse"})
    assert not (tmp_path / "none").exists()


def test_overlap_is_warned_of(base: str, corpus: str, quick: dict[str, Any], tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(corpus, data)
    test = data / "test.jsonl"
    test.write_text(test.read_text() + (data / "train.jsonl").read_text().splitlines()[0] + "\n")
    diasum.train(base, str(data), run=tmp_path / "run", settings={**quick, "train.epochs": 1})
    notes = Run(tmp_path / "run").manifest()["data"]["notes"]
    assert any("dialogues of `test` are also in `train`" in note for note in notes)


def test_missing_tracker_and_taken_directory(base: str, corpus: str, quick: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match="tracker `comet_ml` cannot be used"):
        diasum.train(base, corpus, run=tmp_path / "a", settings={**quick, "train.report_to": ["comet_ml"]})
    with pytest.raises(DiasumError, match="Did you mean `tensorboard`"):
        diasum.train(base, corpus, run=tmp_path / "a", settings={**quick, "train.report_to": ["tensorbord"]})
    assert not (tmp_path / "a").exists(), "the name must stay free"
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "notes.txt").write_text("mine")
    with pytest.raises(DiasumError, match="exists already"):
        diasum.train(base, corpus, run=tmp_path / "b", settings=quick)
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["notes.txt"]
    with pytest.raises(DiasumError, match="holds no run to resume"):
        diasum.train(run=tmp_path / "c", resume=True)


@pytest.mark.parametrize("lora", [{"ensure_weight_tying": True}, {"modules_to_save": ["shared"]}])
def test_refused_settings_of_the_adapter_leave_the_name_free(
    lora: dict[str, Any], base: str, corpus: str, quick: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(DiasumError, match="lora"):
        diasum.train(base, corpus, run=tmp_path / "a", settings={**quick, **{f"lora.{k}": v for k, v in lora.items()}})
    assert not (tmp_path / "a").exists()


def test_a_tracker_of_an_extra_that_is_not_installed(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diasum.training.fit.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"diasum\[tensorboard\]"):
        diasum.train(base, corpus, run=tmp_path / "a", settings={**quick, "train.report_to": ["tensorboard"]})
    assert not (tmp_path / "a").exists(), "the name must stay free"


def _without_dropout(base: str, folder: Path) -> str:
    shutil.copytree(base, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dropout_rate": 0.0}))
    return str(folder)


def test_a_base_made_for_numbered_speakers_reads_numbers_and_readers_get_names(
    base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base's configuration decides what `prompt.speakers: auto` means; selection, summaries and the card follow."""
    numbered = tmp_path / "base"
    shutil.copytree(base, numbered)
    config = json.loads((numbered / "config.json").read_text())
    (numbered / "config.json").write_text(json.dumps(config | {"dialogue_speakers": "numbered"}))

    def written(_: Any, *given: Any, **options: Any) -> list[Generated]:
        """In place of `generate`, whose sources come third, and of an engine's, where they come second."""
        *_, sources, _ = given
        return [Generated("#Person2# answers #Person1#.", cut=False) for _ in sources]

    monkeypatch.setattr("diasum.training.trainer.generate", written)
    for engine in (FastEngine, PlainEngine):
        monkeypatch.setattr(engine, "generate", written)
    scored: list[str] = []
    monkeypatch.setattr(
        "diasum.evaluation.evaluate.quick_scores",
        lambda texts, pairs, *protocol: scored.extend(texts) or {"rouge1": [1.0], "rougeL": [1.0]},
    )
    diasum.train(str(numbered), corpus, run=tmp_path / "run", settings=quick | {"train.epochs": 1})
    assert scored
    assert not any("#" in text for text in scored)

    run = Run(tmp_path / "run")
    assert json.loads((run.adapter / "diasum.json").read_text())["prompt"]["speakers"] == "numbered"
    assert "def number(turns)" in (run.adapter / "README.md").read_text(), "the card's example numbers speakers, too"
    assert "numbered" in run.manifest()["encoding"]["speakers"]
    chat = "Ana: Is it open?\nBen: Yes, Ana."
    for source in (tmp_path / "run", numbered):
        summarizer = diasum.load(source)
        assert summarizer.summarize(chat) == "Ben answers Ana."
        (made,) = summarizer.trained.summarize([parse_dialogue(chat)])
        assert made.text == "Ben answers Ana."
    assert diasum.load(base).trained.encoder.settings.speakers == "named"

    named = diasum.train(
        str(numbered), corpus, run=tmp_path / "named", settings=quick | {"train.epochs": 1, "prompt.speakers": "named"}
    )
    assert named.complete
    assert diasum.load(tmp_path / "named").trained.encoder.settings.speakers == "named"


@pytest.mark.parametrize("checkpointing", [False, True])
def test_no_process_passes_on_what_libraries_advise(
    checkpointing: bool, base: str, corpus: str, quick: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """transformers sets all processes but the first one to warnings, such as that keys and values are kept in training for nothing."""
    from transformers import Seq2SeqTrainingArguments, T5ForConditionalGeneration
    from transformers.utils import logging

    kept = []
    real = T5ForConditionalGeneration.forward

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        if "labels" in kwargs:
            kept.append(kwargs.get("use_cache"))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(T5ForConditionalGeneration, "forward", watched)
    monkeypatch.setattr(Seq2SeqTrainingArguments, "should_log", False)  # as in the second process
    settings = {
        **quick, "train.epochs": 1, "train.fast_path": "off",
        "train.gradient_checkpointing": checkpointing,
    }  # fmt: skip
    diasum.train(base, corpus, run=tmp_path / "run", settings=settings)
    assert logging.get_verbosity() == logging.ERROR
    assert kept
    assert set(kept) == {False}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"evaluate.protocol": "py-rouge"}, "rougeLsum, which the protocol `py-rouge` does not compute"),
        ({"train.eval_generate": 0}, "rougeLsum, but train.eval_generate is 0"),
        ({"evaluate.protocol": "no-such"}, "no protocol `no-such`"),
        ({"generate.engine": "ct2"}, "generate.engine is ct2, which works on an export"),
    ],
)
def test_a_score_that_no_evaluation_would_have_selects_no_adapter(
    settings: dict[str, Any], message: str, base: str, corpus: str, tmp_path: Path
) -> None:
    chosen = {"train.select_by": "rougeLsum", **settings}
    for begin in (diasum.train, diasum.preflight):
        with pytest.raises(DiasumError, match=message):
            begin(base, corpus, run=tmp_path / "run", settings=chosen)
    assert not (tmp_path / "run").exists()


def test_an_engine_that_evaluations_cannot_use_is_refused_before_the_first_step(
    base: str, corpus: str, tmp_path: Path
) -> None:
    """By the model, and by a setting; not where a training generates nothing."""
    longt5 = str(save_tiny(tmp_path / "longt5", "longt5"))
    fast = {"generate.engine": "torch-fast"}
    for model, settings, message in (
        (longt5, fast, "torch-fast, which cannot do what is asked: it knows .*, not longt5"),
        (base, {**fast, "generate.do_sample": True}, r"it does not sample \(generate\.do_sample\)"),
    ):
        for begin in (diasum.train, diasum.preflight):
            with pytest.raises(DiasumError, match=message):
                begin(model, corpus, run=tmp_path / "run", settings=settings)
        assert not (tmp_path / "run").exists()
    diasum.preflight(longt5, corpus, run=tmp_path / "run", settings={**fast, "train.eval_generate": 0})
