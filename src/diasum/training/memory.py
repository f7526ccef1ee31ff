"""When memory runs out in a training step: the batch is taken in smaller parts that add up to the same loss and gradient.

In: a collated batch and what to do with it. Out: the sum over its parts. The loss is a sum over target tokens divided by their number
in the whole step, so parts change neither schedule, number of steps nor result (but for rounding, and other random numbers in dropout).
A reduction lasts for the rest of the run and stands in checkpoints, so that a resumed run goes on with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from diasum.errors import DiasumError
from diasum.files import write_json
from diasum.model import is_out_of_memory, release_memory

FILE = "memory.json"

Batch = Mapping[str, Any]


class MicroBatches:
    """Runs batches whole while they fit, in parts from then on.

    Args:
        report: told of each reduction, in a sentence.
        alone: False where several processes train together: there a retry in one would leave the others waiting.

    Attributes:
        limit: most tokens (padding counted, sources and targets) in a part; None while every batch has fitted.
    """

    def __init__(self, report: Callable[[str], None], *, alone: bool = True) -> None:
        self.limit: int | None = None
        self._report = report
        self._alone = alone

    def run(
        self, batch: Batch, work: Callable[[Any], torch.Tensor], *, parameters: list[torch.nn.Parameter]
    ) -> torch.Tensor:
        """The sum of `work` over the parts of a batch, tried again with smaller ones when memory runs out.

        Args:
            batch: tensors (rows, ...), or mappings of them.
            work: what to do with a part; it may add to the gradients of `parameters`.
            parameters: their gradients are put back before another try.

        Raises:
            DiasumError: not even a single pair fits, or `alone` is False.
        """
        before = [None if p.grad is None else p.grad.clone() for p in parameters]
        random = _random_state()
        while True:
            parts = self._parts(batch)
            try:
                return torch.stack([work(part).detach() for part in parts]).sum()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                said = str(error).strip().splitlines() or ["out of memory"]
            # Outside the handler nothing holds the failed attempt's tensors any more.
            for parameter, gradient in zip(parameters, before, strict=True):
                parameter.grad = None if gradient is None else gradient.clone()
            _restore(random)
            del parts
            release_memory()
            self._reduce(batch, said[0])

    def save(self, folder: Path) -> None:
        """Put the limit into a checkpoint."""
        if self.limit is not None:
            write_json(folder / FILE, {"part_tokens": self.limit})

    def load(self, folder: Path) -> None:
        """Take the limit of a checkpoint."""
        file = folder / FILE
        self.limit = json.loads(file.read_text(encoding="utf-8"))["part_tokens"] if file.is_file() else None

    def _parts(self, batch: Batch) -> list[Batch]:
        rows = _rows(batch)
        size = self._rows_of_a_part(batch)
        return [batch] if size >= rows else [_slice(batch, i, i + size) for i in range(0, rows, size)]

    def _rows_of_a_part(self, batch: Batch) -> int:
        rows, width = _rows(batch), _width(batch)
        if self.limit is None:
            return rows
        count = -(-rows // max(1, self.limit // width))
        return -(-rows // count)

    def _reduce(self, batch: Batch, said: str) -> None:
        size, width = self._rows_of_a_part(batch), _width(batch)
        if not self._alone:
            raise DiasumError(
                f"Memory ran out in one of several processes on a batch of {_rows(batch)} pairs ({said}).",
                hint="Resume with a lower train.batch_tokens or train.batch_size, or with train.gradient_checkpointing=true, in a new run.",
            )
        if size == 1:
            raise DiasumError(
                f"Memory ran out on a single pair of {width} tokens ({said}); the last checkpoint is good.",
                hint="Set train.gradient_checkpointing=true, lower prompt.max_source_tokens, train.base_quantization=4bit, or a "
                "smaller base.",
            )
        self.limit = -(-size // 2) * width
        self._report(
            f"memory ran out on {size} pairs of {width} tokens; from here on a batch is taken in parts of at most {self.limit} tokens, "
            "which add up to the same step"
        )


def _rows(batch: Batch) -> int:
    return int(batch["input_ids"].shape[0])


def _width(batch: Batch) -> int:
    return sum(int(batch[name].shape[1]) for name in ("input_ids", "labels") if name in batch)


def _slice(batch: Any, begin: int, end: int) -> Any:
    if isinstance(batch, Mapping):
        rebuild: Any = type(batch)
        return rebuild({name: _slice(value, begin, end) for name, value in batch.items()})
    return batch[begin:end]


def _random_state() -> tuple[torch.Tensor, list[torch.Tensor]]:
    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


def _restore(state: tuple[torch.Tensor, list[torch.Tensor]]) -> None:
    torch.set_rng_state(state[0])
    if state[1]:
        torch.cuda.set_rng_state_all(state[1])
