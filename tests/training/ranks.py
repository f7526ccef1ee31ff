"""What each of two processes does in `test_distributed`: ``torchrun --nproc-per-node 2 -m tests.training.ranks BASE CORPUS FOLDER``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

import diasum
from diasum.errors import DiasumError
from diasum.training import Run, distributed
from diasum.training.encoder_cache import EncoderCache
from diasum.training.lock import Lock
from diasum.training.trainer import DialogueTrainer

REAL = DialogueTrainer._clip_grad_norm


def settings(**changes: Any) -> dict[str, Any]:
    """Five batches an epoch: two processes do not come out even."""
    return {
        "train.epochs": 2,
        "train.dtype": "fp32",  # on every machine
        "train.batch_size": 5,
        "train.save_steps": 1,
        "train.eval_generate": 3,
        "train.logging_steps": 1,
        "train.report_to": [],
        "train.learning_rate": 0.01,
        "train.select_by": "loss",
        "generate.max_new_tokens": 6,
        "lora.target_modules": "all-linear",
        "lora.lora_dropout": 0.0,
        **{name.replace("__", "."): value for name, value in changes.items()},
    }


def refused(folder: Path, name: str, base: str, corpus: str, **changes: Any) -> None:
    """Train, and keep the error's message."""
    try:
        diasum.train(base, corpus, run=folder / name, settings=settings(**changes))
    except DiasumError as error:
        (folder / f"{name}-error-{distributed.rank()}").write_text(error.message)


def run_short_on_one() -> Any:
    """From now on process 1 has memory for two pairs at a time; returns what undoes it."""
    real = DialogueTrainer.compute_loss

    def scarce(self: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if distributed.rank() and self.model.training and len(inputs["labels"]) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes.")
        return real(self, model, inputs, *args, **kwargs)

    DialogueTrainer.compute_loss = scarce  # type: ignore[method-assign]
    return lambda: setattr(DialogueTrainer, "compute_loss", real)


def look_late_on_one() -> None:
    """From now on process 1 looks for encoder states when process 0 has long begun to write some."""
    real = EncoderCache.__init__

    def late(self: Any, *args: Any) -> None:
        time.sleep(1.5 * distributed.rank())
        real(self, *args)

    EncoderCache.__init__ = late  # type: ignore[method-assign]


def lose_on_one() -> None:
    """From now on process 1 meets a loss that is not a number."""
    real = DialogueTrainer.compute_loss

    def broken(self: Any, *args: Any, **kwargs: Any) -> Any:
        return real(self, *args, **kwargs) * (float("nan") if distributed.rank() else 1.0)

    DialogueTrainer.compute_loss = broken  # type: ignore[method-assign]


def keep_gradients(file: Path) -> None:
    """Save the first step's gradients, as the optimizer will see them, before clipping."""

    def keep(self: Any, model: Any) -> Any:
        if self.state.global_step == 0 and distributed.is_main():
            save_file({name: p.grad.clone() for name, p in model.named_parameters() if p.requires_grad}, file)
        return REAL(self, model)

    DialogueTrainer._clip_grad_norm = keep  # type: ignore[method-assign]


def main() -> None:
    base, corpus = sys.argv[1:3]
    folder = Path(sys.argv[3])
    for name, changes in {
        "ddp": {},
        "fsdp": {"train__distributed": "fsdp"},
        "fsdp-bf16": {"train__distributed": "fsdp", "train__dtype": "bf16"},
        "fsdp-dropout": {"train__distributed": "fsdp", "lora__lora_dropout": 0.2},
        "dropout": {"lora__lora_dropout": 0.2},
    }.items():
        keep_gradients(folder / f"{name}.safetensors")
        diasum.train(base, corpus, run=folder / name, settings=settings(**changes))
    refused(folder, "ddp", base, corpus)
    undo = run_short_on_one()
    diasum.train(base, corpus, run=folder / "short", settings=settings())
    undo()
    look_late_on_one()
    diasum.train(base, corpus, run=folder / "late", settings=settings(train__frozen_encoder=True))
    lose_on_one()
    refused(folder, "lost", base, corpus)
    lock = Lock(Run(folder / "lost"))
    distributed.on_main(lock.take)
    try:
        diasum.train(run=folder / "lost", resume=True)
    except DiasumError as error:
        (folder / f"locked-error-{distributed.rank()}").write_text(error.message)
    lock.close()


if __name__ == "__main__":
    main()
    distributed.leave(0)  # as the command does: taken down, Python may abort
