"""From settings and a corpus to an adapter in a run directory.

The steps, in order: prepare, claim the run directory, train with evaluation at every epoch's end, move the adapter to keep into place.
A run that was killed goes on from its last checkpoint and ends with the same adapter, bit for bit on one machine.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console
from transformers import PrinterCallback, TrainerCallback, set_seed
from transformers.utils import logging as transformers_logging

from diasum.config import Settings
from diasum.data import Corpus, Seq2SeqCollator
from diasum.data.seen import Seen
from diasum.errors import DiasumError, MissingExtraError, near_misses
from diasum.files import disk_errors, folder_in_place, write_json
from diasum.model import Base, base_name, decoder_start, special_tokens, threads
from diasum.training import distributed
from diasum.training.arguments import training_arguments
from diasum.training.callbacks import BestAdapter, EpochSchedule, Events, Interruption, LiveProgress
from diasum.training.encoder_cache import build_cache
from diasum.training.estimate import Preflight, preflight
from diasum.training.history import kept_evaluation, stalled
from diasum.training.lock import Lock
from diasum.training.prepare import Prepared, labelled, prepare
from diasum.training.run import Run
from diasum.training.trainer import DialogueTrainer, Measure
from diasum.wording import counted


@dataclass(slots=True)
class TrainingResult:
    """The result of a training.

    Attributes:
        run: the run directory.
        complete: False when it was interrupted; `Run.resume` goes on.
        best: the logged evaluation whose adapter was kept.
        seconds: wall time of this session, evaluation included.
        evaluation_share: the part of that time that evaluation took, 0..1.
        reason: which epoch's adapter was kept and why, in a sentence; empty where there is none yet.
        signal: number of the signal that interrupted it, if one did.
    """

    run: Path
    complete: bool
    best: dict[str, Any] | None
    seconds: float
    evaluation_share: float
    reason: str = ""
    signal: int | None = None


def fit(
    settings: Settings,
    run_path: Path | str,
    *,
    resume: bool = False,
    measure: Measure | None = None,
    console: Console | None = None,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
) -> TrainingResult:
    """Train an adapter.

    Args:
        settings: the resolved tree; with `resume`, as returned by `Run.resume`.
        run_path: the run directory, which must not exist yet unless `resume`.
        resume: go on from the last checkpoint of an unfinished run.
        measure: scores generated summaries at each evaluation; without it the loss chooses the epoch.
        console: where progress is shown; nowhere when None.
        on_progress: called with every log event.

    Raises:
        DiasumError: bad settings, data, model or run directory, one that is being trained, a non-finite loss, a full disk.
    """
    distributed.join(settings.train.device)
    console = console if console is not None and distributed.is_main() else Console(quiet=True)
    run = Run(run_path)
    began_with = run.manifest().get("hardware", {}).get("threads") if resume else None
    with closing(Lock(run)) as lock, threads(began_with):
        distributed.on_main(lock.take if resume else run.check_free)
        _check_trackers(settings.train.report_to)
        checkpoint = distributed.on_main(lambda: run.last_checkpoint(_warning(console))) if resume else None
        prepared = prepare(settings, measure)
        record = prepared.record(settings)
        if resume:
            _check_unchanged(run, record)
            _tell_other_choices(run, record, console)
        else:
            distributed.on_main(lock.take)
        distributed.on_main(lambda: _claim(run, None if resume else settings, record, prepared.corpus))
        prepared.show(console, run)
        batches_a_step = settings.train.gradient_accumulation_steps * distributed.processes()
        schedule = EpochSchedule(settings.train, -(-len(prepared.batches) // batches_a_step))
        progress = LiveProgress(console, schedule.steps_per_epoch)
        trainer = make_trainer(settings, run, prepared, [schedule, progress])
        try:
            estimate = _estimate(settings, run, prepared, trainer, console)
        except DiasumError:  # not even one pair fits: under other settings the run may have its name
            if not resume:
                shutil.rmtree(run.path, ignore_errors=True)
            raise
        if estimate is not None:
            progress.evaluation_seconds = estimate.evaluation_seconds / max(settings.train.epochs, 1)
        if settings.train.frozen_encoder:
            encode_once(settings, run, prepared, trainer, console)
        if on_progress is not None and distributed.is_main():
            trainer.add_callback(_forward_logs(on_progress))
        with Interruption(schedule, console) as interruption, closing(progress):
            result = _train(trainer, schedule, run, resume, checkpoint)
        result.signal = interruption.number
        if result.complete:
            distributed.on_main(lambda: _finish(settings, run, prepared, result))
            console.print(labelled("kept", result.reason))
        return result


def dry_run(
    settings: Settings, run_path: Path | str, *, measure: Measure | None = None, console: Console | None = None
) -> Preflight | None:
    """Everything before the first step, and nothing written: what would be trained on what, with what memory and time.

    Raises:
        DiasumError: whatever would stop `fit` before its first step.
    """
    console = console or Console(quiet=True)
    Run(run_path).check_free()
    prepared = prepare(settings, measure)
    prepared.show(console, Run(run_path))
    with tempfile.TemporaryDirectory() as folder:
        run = Run(folder)
        return _estimate(settings, run, prepared, make_trainer(settings, run, prepared, []), console)


def make_trainer(settings: Settings, run: Run, prepared: Prepared, callbacks: list[TrainerCallback]) -> DialogueTrainer:
    """A `Seq2SeqTrainer` that is ready for its first step, as `fit` uses it.

    Raises:
        DiasumError: transformers refuses the arguments, or a tracker of `train.report_to` is not installed.
    """
    transformers_logging.set_verbosity_error()
    tokenizer = prepared.base.tokenizer
    try:
        trainer = DialogueTrainer(
            run=run,
            settings=settings,
            batches=prepared.batches,
            validation=prepared.validation,
            fast=prepared.fast.model,
            collator=Seq2SeqCollator(tokenizer.pad_token_id, decoder_start_token_id=decoder_start(prepared.base.model)),
            model=prepared.model,
            args=training_arguments(settings, run, prepared.hardware),
            train_dataset=prepared.features,
            processing_class=tokenizer,
            callbacks=[*callbacks, BestAdapter(run, settings.train), Events(run), *_tensorboard(settings, run)],
        )
    except (RuntimeError, ValueError, ImportError) as error:
        raise DiasumError(
            f"Training cannot start: {error}", hint="Check train.report_to and the trackers' packages."
        ) from None
    trainer.remove_callback(PrinterCallback)
    return trainer


def _estimate(
    settings: Settings, run: Run, prepared: Prepared, trainer: DialogueTrainer, console: Console
) -> Preflight | None:
    """Tell what the training will take, and warn where it will not fit."""
    estimate = preflight(trainer, prepared.base, prepared.hardware, settings)
    if estimate is None:
        return None
    console.print(labelled("needs", estimate.sentence()))
    if warning := estimate.warning():
        console.print(labelled("", warning))
    run.update_manifest(preflight=estimate.record())
    return estimate


def encode_once(settings: Settings, run: Run, prepared: Prepared, trainer: DialogueTrainer, console: Console) -> None:
    """Feed the trainer encoder states from the run's cache."""
    features = [*prepared.features, *prepared.validation.features]
    cache, report = build_cache(
        run.cache / "encoder",
        prepared.base,
        prepared.hardware,
        [feature["input_ids"] for feature in features],
        settings.train.encoder_cache_dtype,
        console,
    )
    console.print(labelled("", report.sentence()))
    distributed.on_main(lambda: run.update_manifest(encoder_cache=asdict(report)))
    trainer.data_collator = cache.collator(trainer.data_collator)


def _train(
    trainer: DialogueTrainer, schedule: EpochSchedule, run: Run, resume: bool, checkpoint: Path | None
) -> TrainingResult:
    train = trainer.settings.train
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8")) if checkpoint else None
    history = state["log_history"] if state else []
    if resume:
        distributed.on_main(lambda: _rewind(run, state["global_step"] if state else 0))
        if checkpoint:
            trainer.memory.load(checkpoint)
    # Killed after the last step, before the adapter was in place: only that is left to do.
    done = state is not None and (state["global_step"] >= state["max_steps"] or stalled(history, train))
    begin = time.perf_counter()
    set_seed(train.seed + distributed.rank())  # dropout differs between processes
    if not done:
        with disk_errors(run.path), distributed.lost_contact():
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        history = trainer.state.log_history
    seconds = time.perf_counter() - begin
    complete = not schedule.interrupted or trainer.state.global_step >= trainer.state.max_steps
    timing = {"seconds": seconds, "evaluation_seconds": trainer.evaluation_seconds}
    distributed.on_main(lambda: _note(run, "trained" if complete else "interrupted", timing))
    share = trainer.evaluation_seconds / max(seconds, 1e-9)
    kept = kept_evaluation(history, train)
    best, reason = (None, "") if kept is None else (kept.event, kept.sentence)
    return TrainingResult(run.path, complete, best, seconds, share, reason)


def _claim(run: Run, settings: Settings | None, record: dict[str, Any], corpus: Corpus) -> None:
    if settings is not None:
        run.start(settings)
    if not run.seen_file.exists():  # also in a resumed run, which may have been killed right here
        Seen.of(corpus).write(run.seen_file)
    run.update_manifest(status="training", **record)


def _rewind(run: Run, step: int) -> None:
    run.set_aside_after(step)
    run.rotate_checkpoints()
    run.rewind_events(step)


def _note(run: Run, status: str, timing: dict[str, float]) -> None:
    run.update_manifest(status=status, timings=[*run.manifest().get("timings", []), timing])


def _finish(settings: Settings, run: Run, prepared: Prepared, result: TrainingResult) -> None:
    """Move the adapter kept into place, with tokenizer and what inference needs to know; from then on the run is complete."""
    assert result.best is not None
    base = prepared.base
    with folder_in_place(run.adapter) as folder:
        for file in run.best(result.best["step"]).iterdir():
            shutil.copyfile(file, folder / file.name)
        _name_base(folder, base)
        base.tokenizer.save_pretrained(folder)
        write_json(
            folder / "diasum.json",
            {
                "base": {
                    "id": base_name(base.id),
                    "local": Path(base.id).expanduser().is_dir(),
                    "revision": base.revision,
                    "sha256": base.weights_sha256,
                    "special_tokens": special_tokens(base.model),
                },
                "prompt": prepared.encoder.settings.model_dump(mode="json"),
                "generate": settings.generate.model_dump(mode="json"),
            },
        )
    shutil.rmtree(run.cache, ignore_errors=True)
    choices = {**run.manifest()["choices"], "epoch": result.reason}
    run.update_manifest(status="complete", best=result.best, choices=choices)


def _check_unchanged(run: Run, record: dict[str, Any]) -> None:
    """A resumed run must see the same data and base, or it would end elsewhere than the run that was not killed."""
    before = run.manifest()
    count = before.get("processes", {"count": 1})["count"]
    if before and count != record["processes"]["count"]:
        raise DiasumError(
            f"{run.path} was started with {counted(count, 'process', 'processes')}, now it is {record['processes']['count']}.",
            hint=f"Resume with {count}, or start a new run under another name.",
        )
    for what, path in (
        ("data", ("data", "splits")),
        ("base model", ("base", "sha256")),
        ("base model's special tokens", ("base", "special_tokens")),
    ):
        old, new = (tree.get(path[0], {}).get(path[1]) for tree in (before, record))
        if old is not None and old != new:
            raise DiasumError(
                f"The {what} of {run.path} changed since the run was started.",
                hint="Put the old one back to resume, or start a new run under another name.",
            )


def _tell_other_choices(run: Run, record: dict[str, Any], console: Console) -> None:
    """On another machine, or without its compiler, a resumed run may compute otherwise, which changes the adapter a little."""
    manifest = run.manifest()
    tell = _warning(console)
    chosen = [
        (manifest.get("choices", {}).get(name), record["choices"][name]) for name in ("device", "dtype", "fast_path")
    ]
    counts = [tree.get("hardware", {}).get("threads") for tree in (manifest, record)]
    if counts[0] is not None:
        chosen.append((counted(counts[0], "thread"), counted(counts[1], "thread")))
    for old, new in chosen:
        if old is not None and old != new:
            tell(
                f"This run started with other choices ({old}) than it continues with ({new}): its adapter will differ a little from that "
                "of a run that was never stopped."
            )


def _warning(console: Console) -> Callable[[str], None]:
    return lambda sentence: console.print(sentence, style="yellow", highlight=False, markup=False)


def _name_base(folder: Path, base: Base) -> None:
    """Others know the base by its hub id or its folder's name, and do not learn where it stood on this machine."""
    file = folder / "adapter_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base_name(base.id)
    config["revision"] = base.revision
    write_json(file, config)


def _check_trackers(names: list[str]) -> None:
    """Before anything is written, so that the run's name stays free."""
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    for name in names:
        if name not in INTEGRATION_TO_CALLBACK:
            raise DiasumError(
                f"train.report_to: there is no tracker `{name}`.", hint=near_misses(name, INTEGRATION_TO_CALLBACK)
            )
        if name == "tensorboard":
            if find_spec("tensorboard") is None:
                raise MissingExtraError("TensorBoard logging (train.report_to)", "tensorboard")
            continue
        try:
            INTEGRATION_TO_CALLBACK[name]()
        except (RuntimeError, ImportError) as error:
            raise DiasumError(
                f"train.report_to: the tracker `{name}` cannot be used: {error}",
                hint="Install its package, or leave it out: --set train.report_to=[]",
            ) from None


def _tensorboard(settings: Settings, run: Run) -> list[Any]:
    if "tensorboard" not in settings.train.report_to or not distributed.is_main():
        return []
    from torch.utils.tensorboard import SummaryWriter
    from transformers.integrations import TensorBoardCallback

    return [TensorBoardCallback(SummaryWriter(log_dir=str(run.path / "tensorboard")))]


def _forward_logs(receive: Callable[[dict[str, Any]], None]) -> Any:
    class ForwardLogs(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            receive({"step": state.global_step, **logs})

    return ForwardLogs()
