"""From settings and a corpus to an adapter in a run directory.

The steps, in order: load base and data, encode, add the adapter, train with evaluation at every epoch's end, keep the best adapter.
A run that was killed goes on from its last checkpoint and ends with the same adapter, bit for bit on one machine.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console

from diasum.config import Settings
from diasum.data import (
    Corpus,
    EncodingReport,
    LengthBatches,
    Pair,
    PairEncoder,
    Seq2SeqCollator,
    load_corpus,
    overlap,
    pairs_hash,
)
from diasum.errors import DiasumError, MissingExtraError
from diasum.files import disk_errors, folder_in_place, write_json
from diasum.model import (
    BUNDLED,
    Base,
    add_adapter,
    choose_hardware,
    count_parameters,
    describe_machine,
    load_base,
    load_config,
)
from diasum.model.loading import resolve_base
from diasum.training.run import Run
from diasum.training.trainer import DialogueTrainer, Measure, Validation, training_arguments

PACKAGES = ("diasum", "torch", "transformers", "peft", "accelerate", "datasets", "tokenizers", "rouge-score", "numpy")


@dataclass(slots=True)
class TrainingResult:
    """What a finished training tells.

    Attributes:
        run: the run directory.
        complete: False when it was interrupted; `Run.resume` goes on.
        best: the logged evaluation whose adapter was kept.
        seconds: wall time of this session, evaluation included.
        evaluation_share: the part of that time that evaluation took, 0..1.
    """

    run: Path
    complete: bool
    best: dict[str, Any] | None
    seconds: float
    evaluation_share: float


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
        measure: scores generated summaries at each evaluation; without it the loss selects the best adapter.
        console: where progress is shown; nowhere when None.
        on_progress: called with every log event.

    Raises:
        DiasumError: bad settings, data, model or run directory, a non-finite loss, a full disk.
    """
    console = console or Console(quiet=True)
    run = Run(run_path)
    if not resume:
        run.check_free()
    config = load_config(settings.base, revision=settings.base_revision, trust_remote_code=settings.trust_remote_code)
    hardware = choose_hardware(settings.train.device, settings.train.dtype, model_type=config.model_type)
    corpus = load_corpus(settings.data, purpose="train")
    pairs, held_out = corpus.split("train"), corpus.split("validation")
    notes = [*corpus.notes, *_overlap_notes(corpus)]
    base = load_base(
        settings.base, hardware, revision=settings.base_revision, trust_remote_code=settings.trust_remote_code
    )
    encoder = PairEncoder(base.tokenizer, settings.prompt)
    features, encoding = encoder.encode(pairs)
    validation_features, _ = encoder.encode(held_out)
    model = add_adapter(base.model, settings.lora, seed=settings.train.seed)
    if not resume:
        run.start(settings)

    parameters = count_parameters(model)
    batches = LengthBatches(
        [(len(f["input_ids"]), len(f["labels"])) for f in features],
        batch_size=settings.train.batch_size,
        batch_tokens=settings.train.batch_tokens,
        seed=settings.train.seed,
    )
    _show(console, run, base, hardware.reasons, parameters, corpus, pairs, held_out, notes, encoding, encoder, batches)
    run.update_manifest(
        status="training",
        versions=_versions(),
        seed=settings.train.seed,
        base={"id": base.id, "revision": base.revision, "sha256": base.weights_sha256, "model_type": base.model_type},
        parameters={"trainable": parameters.trainable, "total": parameters.total},
        data={
            "path": settings.data.path,
            "license": corpus.license,
            "notes": notes,
            "splits": {
                "train": {"n": len(pairs), "sha256": pairs_hash(pairs)},
                "validation": {"n": len(held_out), "sha256": pairs_hash(held_out)},
            },
        },
        encoding={**asdict(encoding), "separator": encoder.separator_reason},
        choices={
            **hardware.reasons,
            "batching": f"{len(batches)} batches an epoch, {batches.padding_share:.1%} padding",
        },
        hardware=describe_machine(),
    )
    validation = _validation(settings, encoder, held_out, validation_features, measure)
    trained = _run_trainer(
        settings, run, base, model, hardware, features, batches, validation, resume, console, on_progress
    )
    if trained.complete:
        _finish(settings, run, base, trained)
    return trained


def _run_trainer(
    settings: Settings,
    run: Run,
    base: Base,
    model: Any,
    hardware: Any,
    features: Any,
    batches: LengthBatches,
    validation: Validation,
    resume: bool,
    console: Console,
    on_progress: Callable[[dict[str, Any]], None] | None,
) -> TrainingResult:
    from transformers import PrinterCallback, set_seed
    from transformers.utils import logging as transformers_logging

    from diasum.training.callbacks import (
        BestAdapter,
        Events,
        Interruption,
        LiveProgress,
        Rhythm,
        best_evaluation,
        stalled,
    )

    transformers_logging.set_verbosity_error()
    rhythm = Rhythm(settings.train, -(-len(batches) // settings.train.gradient_accumulation_steps))
    progress = LiveProgress(console)
    try:
        trainer = DialogueTrainer(
            run=run,
            settings=settings,
            batches=batches,
            validation=validation,
            collator=Seq2SeqCollator(base.tokenizer.pad_token_id, decoder_start_token_id=decoder_start(base.model)),
            model=model,
            args=training_arguments(settings, run, hardware),
            train_dataset=features,
            processing_class=base.tokenizer,
            callbacks=[rhythm, BestAdapter(run, settings.train), Events(run), progress, *_trackers(settings, run)],
        )
    except (RuntimeError, ValueError, ImportError) as error:
        raise DiasumError(
            f"Training cannot start: {error}", hint="Check train.report_to and the trackers' packages."
        ) from None
    trainer.remove_callback(PrinterCallback)
    if on_progress is not None:
        trainer.add_callback(_forward_logs(on_progress))

    checkpoint = run.last_checkpoint() if resume else None
    state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8")) if checkpoint else None
    history = state["log_history"] if state else []
    if resume:
        run.rotate_checkpoints()
        run.rewind_events(state["global_step"] if state else 0)
    done = state is not None and (state["global_step"] >= state["max_steps"] or stalled(history, settings.train))
    begin = time.perf_counter()
    set_seed(settings.train.seed)
    if not done:
        with Interruption(rhythm, console), disk_errors(run.path):
            try:
                trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            finally:
                progress.close()
        history = trainer.state.log_history
    seconds = time.perf_counter() - begin
    complete = not rhythm.interrupted or trainer.state.global_step >= trainer.state.max_steps
    run.update_manifest(
        status="trained" if complete else "interrupted",
        timings=[
            *run.manifest().get("timings", []),
            {"seconds": seconds, "evaluation_seconds": trainer.evaluation_seconds},
        ],
    )
    return TrainingResult(
        run.path,
        complete,
        best_evaluation(history, settings.train),
        seconds,
        trainer.evaluation_seconds / max(seconds, 1e-9),
    )


def _finish(settings: Settings, run: Run, base: Base, trained: TrainingResult) -> None:
    """Move the best adapter into place, with tokenizer and what inference needs to know; from then on the run is complete."""
    import shutil

    assert trained.best is not None
    with folder_in_place(run.adapter) as folder:
        for file in (run.checkpoints / f"best-{trained.best['step']}").iterdir():
            shutil.copyfile(file, folder / file.name)
        _name_base(folder, base)
        base.tokenizer.save_pretrained(folder)
        write_json(
            folder / "diasum.json",
            {
                "base": {"id": base.id, "revision": base.revision, "sha256": base.weights_sha256},
                "prompt": settings.prompt.model_dump(mode="json"),
                "generate": settings.generate.model_dump(mode="json"),
            },
        )
    run.update_manifest(status="complete", best=trained.best)


def _name_base(folder: Path, base: Base) -> None:
    """Plain peft finds the base by this name: the hub id, or the folder's path."""
    file = folder / "adapter_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    source = resolve_base(base.id)
    config["base_model_name_or_path"] = str(Path(source).resolve()) if Path(source).is_dir() else source
    config["revision"] = base.revision
    write_json(file, config)


def decoder_start(model: Any) -> int:
    """The token the decoder begins with, as the model's configuration says."""
    for value in (
        model.config.decoder_start_token_id,
        model.generation_config.decoder_start_token_id,
        model.config.pad_token_id,
    ):
        if value is not None:
            return int(value)
    raise DiasumError(f"The configuration of this {model.config.model_type} model names no decoder start token.")


def _validation(
    settings: Settings, encoder: PairEncoder, pairs: list[Pair], features: Any, measure: Measure | None
) -> Validation:
    """The seeded part that is summarised at each evaluation, in the corpus's order."""
    count = min(settings.train.eval_generate, len(pairs)) if measure else 0
    chosen = sorted(random.Random(settings.train.seed).sample(range(len(pairs)), count))
    return Validation(features, [pairs[i] for i in chosen], [features[i]["input_ids"] for i in chosen], measure)


def _overlap_notes(corpus: Corpus) -> list[str]:
    return [
        f"Warning: {len(shared)} dialogues of `{name}` also stand in `train` (such as {', '.join(shared[:3])}): "
        "scores on them say nothing."
        for name, pairs in corpus.splits.items()
        if name != "train" and (shared := overlap(corpus.split("train"), pairs))
    ]


def _trackers(settings: Settings, run: Run) -> list[Any]:
    if "tensorboard" not in settings.train.report_to:
        return []
    from transformers.integrations import TensorBoardCallback

    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingExtraError("TensorBoard logging", "dev") from None
    return [TensorBoardCallback(SummaryWriter(log_dir=str(run.path / "tensorboard")))]


def _forward_logs(receive: Callable[[dict[str, Any]], None]) -> Any:
    from transformers import TrainerCallback

    class ForwardLogs(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            receive({"step": state.global_step, **logs})

    return ForwardLogs()


def _versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _show(
    console: Console,
    run: Run,
    base: Base,
    reasons: dict[str, str],
    parameters: Any,
    corpus: Corpus,
    pairs: list[Pair],
    held_out: list[Pair],
    notes: list[str],
    encoding: EncodingReport,
    encoder: PairEncoder,
    batches: LengthBatches,
) -> None:
    name = f"{base.id} (bundled)" if base.id == BUNDLED else base.id
    console.print(f"[bold]run[/]    {run.path}")
    console.print(f"[bold]base[/]   {name}, {base.model_type}; {parameters}")
    console.print(
        f"[bold]data[/]   {corpus.name}: {len(pairs)} pairs to train on, {len(held_out)} to validate; {encoding.sentence()}"
    )
    for note in notes:
        console.print(f"       {note}", highlight=False)
    console.print(f"[bold]with[/]   {'; '.join(reasons.values())}")
    console.print(
        f"       {len(batches)} batches an epoch, {batches.padding_share:.1%} padding; {encoder.separator_reason}"
    )
