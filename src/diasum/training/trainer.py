"""The `Seq2SeqTrainer` of transformers with this project's batches, loss, evaluation and checkpoints.

What differs from the plain one: batches come packed or from length buckets; the loss comes from the fast path where there is one, and
is the mean over real target tokens, also across accumulated batches; a non-finite loss stops the run; evaluation adds scores of
generated summaries; checkpoints appear whole or not at all, and hold no pickled arguments.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate.data_loader import prepare_data_loader
from torch.utils.data import DataLoader
from transformers import Seq2SeqTrainer

from diasum.config import Settings
from diasum.data import LengthBatches, PackedBatches, Pair
from diasum.data.batching import IGNORED, Budget, Size, longest_first_batches
from diasum.engines import generate
from diasum.errors import DiasumError
from diasum.files import disk_errors
from diasum.model.fast import FastModel, Packed
from diasum.training import distributed
from diasum.training.history import PAIRS, kept_evaluation
from diasum.training.memory import MicroBatches
from diasum.training.run import Run

Features = list[dict[str, list[int]]]
Measure = Callable[[Sequence[str], Sequence[Pair]], Mapping[str, Sequence[float]]]
SHORT_RUN = 20  # a run of fewer steps is short
_VALIDATION_PAIRS = 8  # of a batch at most, for the loss of validation pairs


@dataclass(slots=True)
class Validation:
    """What an evaluation during training needs.

    Attributes:
        features: encoded validation pairs, for the loss.
        pairs: those of them that are summarised.
        sources: their encoded prompts.
        measure: scores of summaries against pairs, one each (``{"rouge1": [31.2, ...], ...}``, in points).
    """

    features: Features
    pairs: list[Pair]
    sources: list[list[int]]
    measure: Measure | None


class DialogueTrainer(Seq2SeqTrainer):
    """See the module; constructed by `diasum.training.fit`."""

    def __init__(
        self,
        *,
        run: Run,
        settings: Settings,
        batches: LengthBatches | PackedBatches,
        fast: FastModel | None,
        validation: Validation,
        collator: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_collator=collator, compute_loss_func=self._token_loss, **kwargs)
        self.run = run
        self.settings = settings
        self.batches = batches
        self.fast = fast
        self.validation = validation
        self.control: Any
        self.evaluation_seconds = 0.0
        self._split = distributed.splits_base(settings.train)
        self._reductions: list[str] = []  # not reported yet
        self.memory = MicroBatches(self._reductions.append, alone=not self._split)
        self._staging: Path | None = None
        self._random_states: list[bytes] = []
        self.current_flos: float
        self._tokens = 0
        self._timer = time.perf_counter()

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Only here the number of steps is known; it is the same in a resumed run."""
        ratio = 0.0 if self.settings.train.lr_scheduler == "constant" else self.settings.train.warmup_ratio
        self.args.warmup_steps = warmup_steps(ratio, num_training_steps)
        return super().create_scheduler(num_training_steps, optimizer)

    # Batches -------------------------------------------------------------------------------------------------------------

    def get_train_dataloader(self) -> Any:
        if distributed.processes() == 1:
            loader: DataLoader[Any] = DataLoader(
                self.train_dataset, batch_sampler=self.batches, collate_fn=self.data_collator
            )
            return self.accelerator.prepare(loader)
        loader = DataLoader(
            self.train_dataset,
            batch_sampler=distributed.RankBatches(self.batches),
            collate_fn=distributed.EmptyBatchCollator(self.data_collator, self.train_dataset),
        )
        # Ours is one process's part already: accelerate would divide it again.
        return prepare_data_loader(
            loader, self.accelerator.device, num_processes=1, process_index=0, put_on_device=True
        )

    def _wrap_model(self, model: Any, *args: Any, **kwargs: Any) -> Any:
        model = super()._wrap_model(model, *args, **kwargs)
        if distributed.processes() > 1:
            # Mixed precision, but no DistributedDataParallel: gradients are added up in `training_step`.
            self.accelerator.prepare_model(model, device_placement=False, evaluation_mode=True)
            model._is_accelerate_prepared = True
        return model

    def _run_epoch(self, *, epoch: int, **kwargs: Any) -> Any:
        self.batches.set_epoch(epoch)
        return super()._run_epoch(epoch=epoch, **kwargs)

    # Loss ----------------------------------------------------------------------------------------------------------------

    def compute_loss(
        self, model: Any, inputs: dict[str, torch.Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The fast path's loss where there is one; otherwise the plain model's logits go to `_token_loss`."""
        if self.fast is None:
            inputs = {**inputs, "use_cache": False}  # type: ignore[dict-item]  # keys and values serve generation only
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        packed = Packed.of(inputs)
        smoothing = self.settings.train.label_smoothing if self.model.training else 0.0
        total = self.fast.loss_sum(packed, label_smoothing=smoothing, encoder_states=Packed.states_of(inputs))
        return total / (num_items_in_batch if num_items_in_batch is not None else len(packed.labels))

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: torch.device) -> Any:
        """Target tokens of a step, those of all processes: each computes its share of their mean loss."""
        items = super()._get_num_items_in_batch(batch_samples, device)
        return items if distributed.processes() == 1 or items is None else distributed.total(float(items))[0]

    def _token_loss(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        """Cross-entropy summed over target tokens and divided by their number in all accumulated batches."""
        total = torch.nn.functional.cross_entropy(
            outputs.logits.flatten(0, 1).float(),
            labels.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=self.settings.train.label_smoothing if self.model.training else 0.0,
        )
        return total / (num_items_in_batch if num_items_in_batch is not None else (labels != IGNORED).sum())

    def training_step(
        self, model: Any, inputs: dict[str, torch.Tensor], num_items_in_batch: Any = None
    ) -> torch.Tensor:
        targets = int((inputs["labels"] != IGNORED).sum())
        if targets or self._split:  # where the base is split, all must take part in gathering it
            items = num_items_in_batch if num_items_in_batch is not None else targets
            step = super().training_step
            loss = self.memory.run(inputs, lambda part: step(model, part, items), parameters=list(model.parameters()))
            self._tokens += (int(inputs["attention_mask"].sum()) + targets) if targets else 0
        else:
            loss = torch.zeros((), device=self.args.device)
        infinite, reduced = distributed.total(float(not torch.isfinite(loss)), len(self._reductions))
        if reduced:
            self._tell_reductions()
        if infinite:
            worst = next(value for value in distributed.gather(loss.item()) if not math.isfinite(value))
            raise _not_finite("loss", worst, self.state.global_step + 1)
        if distributed.processes() > 1 and self.accelerator.sync_gradients:
            distributed.add_up_gradients(self.model.parameters())
        return loss * distributed.processes()  # the trainer logs the mean over processes; each has a share of the sum

    def _tell_reductions(self) -> None:
        """Log and note down those of all processes, which from here on share the lowest limit: checkpoints hold one."""
        gathered = distributed.gather((self.memory.limit, [*self._reductions]))
        self.memory.limit = min(limit for limit, _ in gathered if limit is not None)
        self._reductions.clear()
        for sentence in [sentence for _, sentences in gathered for sentence in sentences]:
            self.log({"memory": sentence})  # type: ignore[dict-item]
            if distributed.is_main():
                before = self.run.manifest().get("memory_reductions", [])
                step = self.state.global_step + 1
                self.run.update_manifest(memory_reductions=[*before, {"step": step, "what": sentence}])

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs:
            now = time.perf_counter()
            logs["tokens_per_second"] = round(distributed.total(self._tokens)[0] / max(now - self._timer, 1e-9), 1)
            self._tokens, self._timer = 0, now
        super().log(logs, start_time)

    # Evaluation ----------------------------------------------------------------------------------------------------------

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Loss over all validation pairs and scores of generated summaries on a part of them, logged as ``eval_*``.

        Those of each pair go into the history only, where `diasum.training.history` compares epochs by them.
        """
        begin = time.perf_counter()
        losses, tokens = self._validation_losses()
        metrics = {"eval_loss": sum(losses) / max(sum(tokens), 1)}
        pairs: dict[str, Sequence[float]] = {"loss": losses, "tokens": tokens}
        if not math.isfinite(metrics["eval_loss"]):  # the same in all processes
            raise _not_finite("validation loss", metrics["eval_loss"], self.state.global_step)
        if self.validation.measure and self.validation.pairs:
            model = self.accelerator.unwrap_model(self.model)
            sources = self.validation.sources
            mine = self._part(range(len(sources)))
            # A base that is split keeps its linear weights in bf16 (`distributed.shard_base`).
            with torch.autocast(self.args.device.type, torch.bfloat16, enabled=self._split and self.args.bf16):
                generated = generate(
                    model,
                    self.processing_class,
                    [sources[i] for i in mine],
                    self.settings.generate,
                    progress=self._teller("summarising", len(mine)),
                    convert=not self._split,
                )
            summaries = {i: summary.text for i, summary in zip(mine, generated, strict=True)}
            texts = {i: text for part in distributed.gather(summaries) for i, text in part.items()}
            scores = distributed.on_main(lambda: self._scores([texts[i] for i in range(len(sources))]))
            metrics |= {f"eval_{name}": round(sum(values) / len(values), 4) for name, values in scores.items()}
            metrics["eval_generated"] = len(texts)
            select_by = self.settings.train.select_by
            pairs |= {select_by: scores[select_by]} if select_by in scores else {}
        if distributed.total(len(self._reductions))[0]:
            self._tell_reductions()
        spent = time.perf_counter() - begin
        self.evaluation_seconds += spent
        self._timer += spent
        metrics["eval_seconds"] = round(spent, 3)
        self.log(metrics)
        self.state.log_history[-1][PAIRS] = {
            name: [round(value, 4) for value in values] for name, values in pairs.items()
        }
        if kept := kept_evaluation(self.state.log_history, self.settings.train):
            self.log({"kept": kept.sentence})  # type: ignore[dict-item]
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _teller(self, what: str, total: int) -> Callable[[int], None]:
        """Tells the callbacks, a part at a time, how far an evaluation is."""
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            self.callback_handler.call_event(
                "on_prediction_step", self.args, self.state, self.control, what=what, done=done, total=total
            )

        advance(0)
        return advance

    def _scores(self, texts: list[str]) -> dict[str, list[float]]:
        scores = self.validation.measure(texts, self.validation.pairs) if self.validation.measure else {}
        return {name: [float(value) for value in values] for name, values in scores.items()}

    def _part(self, items: Sequence[Any]) -> Sequence[Any]:
        """What this process evaluates: every n-th of n processes; all where each must take part in gathering the base."""
        return items if self._split else items[distributed.rank() :: distributed.processes()]

    @torch.no_grad()
    def _validation_losses(self) -> tuple[list[float], list[int]]:
        """Cross-entropy of each validation pair, summed over its target tokens, and how many these are."""
        features = self.validation.features
        budget = Budget(self.settings.train.batch_tokens, rows=_VALIDATION_PAIRS)
        batches = list(longest_first_batches([Size(_tokens(feature)) for feature in features], budget))
        model = self.accelerator.unwrap_model(self.model)
        model.eval()
        tell = self._teller("validation loss", len(self._part(batches)))
        mine: dict[int, tuple[float, int]] = {}
        for batch in self._part(batches):
            inputs = self._prepare_inputs(self.data_collator([features[i] for i in batch]))
            losses = self.memory.run(inputs, self._pair_losses, parameters=[], join=torch.cat).tolist()
            tokens = (inputs["labels"] != IGNORED).sum(1).tolist()
            mine |= zip(batch, zip(losses, tokens, strict=True), strict=True)
            tell(1)
        model.train()
        by_index = {i: pair for part in distributed.gather(mine) for i, pair in part.items()}
        return [by_index[i][0] for i in range(len(features))], [by_index[i][1] for i in range(len(features))]

    def _pair_losses(self, inputs: dict[str, Any]) -> torch.Tensor:
        if self.fast is not None:
            return self.fast.pair_losses(Packed.of(inputs), encoder_states=Packed.states_of(inputs))
        labels = inputs["labels"]
        with self.compute_loss_context_manager():
            model = self.accelerator.unwrap_model(self.model)
            logits = model(
                **{name: value for name, value in inputs.items() if name != "labels"}, use_cache=False
            ).logits
        losses = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED, reduction="none"
        )
        return losses.view_as(labels).sum(1)

    # Checkpoints ---------------------------------------------------------------------------------------------------------

    def _get_output_dir(self, trial: Any) -> str:
        return str(self._staging or self.run.checkpoints)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Written in a folder of its own next to the others, synced, then moved into place with one rename."""
        if distributed.processes() > 1:
            self._random_states = distributed.gather(self._random_state())
        distributed.on_main(lambda: self._write_checkpoint(model, trial))

    def _write_checkpoint(self, model: Any, trial: Any) -> None:
        name = f"checkpoint-{self.state.global_step}"
        final = self.run.checkpoints / name
        self._staging = self.run.checkpoints / ".staging"
        try:
            shutil.rmtree(self._staging, ignore_errors=True)
            with disk_errors(final):
                super()._save_checkpoint(model, trial)
                self.memory.save(self._staging / name)
                _sync(self._staging / name)
                shutil.rmtree(final, ignore_errors=True)
                os.rename(self._staging / name, final)
        finally:
            shutil.rmtree(self._staging, ignore_errors=True)  # half-written, it would keep a full disk full
            self._staging = None
        self.run.rotate_checkpoints()

    def _save_rng_state(self, output_dir: str) -> None:
        """Those of all processes, under the names that each looks for."""
        if distributed.processes() == 1:
            super()._save_rng_state(output_dir)
        for number, state in enumerate(self._random_states):
            Path(output_dir, f"rng_state_{number}.pth").write_bytes(state)

    def _random_state(self) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            super()._save_rng_state(folder)
            return next(Path(folder).iterdir()).read_bytes()

    def store_flos(self) -> None:
        """This process's own count: adding up the others' would have to wait for them while one writes a checkpoint."""
        self.state.total_flos += self.current_flos
        self.current_flos = 0

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """The adapter only: the plain one also pickles its arguments."""
        if self.args.should_save:
            self.accelerator.unwrap_model(self.model).save_pretrained(output_dir, state_dict=state_dict)


def _tokens(feature: Mapping[str, Sequence[int]]) -> int:
    return len(feature["input_ids"]) + len(feature["labels"])


def warmup_steps(ratio: float, steps: int) -> int:
    """Steps in which the learning rate rises to its peak; in the first of them it is 0.

    Rounded up, as transformers does; down in a short run, where a step that trains nothing weighs: it may be the only one.
    """
    return math.ceil(steps * ratio) if steps >= SHORT_RUN else int(steps * ratio)


def _not_finite(what: str, value: float, step: int) -> DiasumError:
    return DiasumError(
        f"The {what} became {value} at step {step}; training stopped.",
        hint="Start a new run (another --run name) with a lower train.learning_rate (a third of it), "
        "train.warmup_ratio=0.1, or train.dtype=fp32.",
    )


def _sync(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            handle = os.open(file, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
