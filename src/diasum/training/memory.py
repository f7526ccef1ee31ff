"""When memory runs out in a training step: the batch is taken in smaller parts that add up to the same loss and gradient.

In: a collated batch and what to do with it. Out: the sum over its parts. The loss is a sum over target tokens divided by their number
in the whole step, so parts change neither schedule, number of steps nor result (but for rounding, and other random numbers in dropout).
A reduction lasts for the rest of the run and stands in checkpoints, so that a resumed run goes on with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from diasum.data.batching import IGNORED
from diasum.errors import DiasumError
from diasum.files import write_json
from diasum.model import is_out_of_memory, release_memory
from diasum.wording import counted

FILE = "memory.json"

Batch = Mapping[str, Any]


class MicroBatches:
    """Runs batches whole while they fit, in parts from then on.

    Args:
        report: told of each reduction, in a sentence.
        alone: False where several processes train together: there a retry in one would leave the others waiting.

    Attributes:
        limit: most tokens, sources and targets, in a part; None while every batch has fitted.
    """

    def __init__(self, report: Callable[[str], None], *, alone: bool = True) -> None:
        self.limit: int | None = None
        self._report = report
        self._alone = alone

    def run(
        self,
        batch: Batch,
        work: Callable[[Any], torch.Tensor],
        *,
        parameters: list[torch.nn.Parameter],
        join: Callable[[list[torch.Tensor]], torch.Tensor] = lambda parts: torch.stack(parts).sum(),
    ) -> torch.Tensor:
        """`work` done on the parts of a batch, tried again with smaller ones when memory runs out.

        Args:
            batch: tensors (pairs, ...), or mappings of them, as the collator makes them.
            work: what to do with a part; it may add to the gradients of `parameters`.
            parameters: their gradients are put back before another try.
            join: makes one result of those of the parts, in their order; their sum when not given.

        Raises:
            DiasumError: not even a single pair fits, or `alone` is False.
        """
        before = [None if p.grad is None else p.grad.clone() for p in parameters]
        random = _random_state()
        while True:
            parts = self._parts(batch)
            try:
                return join([work(part).detach() for part in parts])
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                lines = str(error).strip().splitlines() or ["out of memory"]
            # Outside the handler nothing holds the failed attempt's tensors any more.
            for parameter, gradient in zip(parameters, before, strict=True):
                parameter.grad = None if gradient is None else gradient.clone()
            _restore(random)
            del parts
            release_memory()
            self._reduce(batch, lines[0])

    def save(self, folder: Path) -> None:
        """Put the limit into a checkpoint."""
        if self.limit is not None:
            write_json(folder / FILE, {"part_tokens": self.limit})

    def load(self, folder: Path) -> None:
        """Take the limit of a checkpoint."""
        file = folder / FILE
        self.limit = json.loads(file.read_text(encoding="utf-8"))["part_tokens"] if file.is_file() else None

    def _parts(self, batch: Batch) -> list[Batch]:
        cuts = self._cuts(_pair_tokens(batch))
        return [batch] if len(cuts) == 2 else [_rows(batch, *span) for span in pairwise(cuts)]

    def _cuts(self, tokens: list[int]) -> list[int]:
        """Where parts begin and end: as many pairs as keep the limit, at least one."""
        if self.limit is None:
            return [0, len(tokens)]
        cuts, filled = [0], 0
        for i, count in enumerate(tokens):
            if i > cuts[-1] and filled + count > self.limit:
                cuts.append(i)
                filled = 0
            filled += count
        return [*cuts, len(tokens)]

    def _reduce(self, batch: Batch, reason: str) -> None:
        tokens = _pair_tokens(batch)
        parts = [tokens[begin:end] for begin, end in pairwise(self._cuts(tokens))]
        largest = max(parts, key=sum)
        if not self._alone:
            raise DiasumError(
                f"Memory ran out in one of several processes on a batch of {sum(tokens)} tokens ({reason}).",
                hint="Start a run with a lower train.batch_tokens or train.batch_size, or with train.gradient_checkpointing=true.",
            )
        if all(len(part) == 1 for part in parts):
            raise too_long_for_memory(sum(largest), f" ({reason}); the last checkpoint is intact")
        size = max(len(largest), 2)
        self.limit = sum(largest) * -(-size // 2) // size
        self._report(
            f"memory ran out on {counted(len(largest), 'pair')} of {sum(largest)} tokens; from here on batches are split into parts of "
            f"at most {self.limit} tokens, which add up to the same step"
        )


def too_long_for_memory(tokens: int, details: str = "") -> DiasumError:
    """The error that not even a single pair of `tokens` tokens can be trained on."""
    return DiasumError(
        f"Memory ran out on a single pair of {tokens} tokens{details}.",
        hint="Try train.gradient_checkpointing=true, train.base_quantization=4bit, a lower prompt.max_source_tokens or a smaller base.",
    )


def _pair_tokens(batch: Batch) -> list[int]:
    """Tokens of each pair, source and target, without padding."""
    tokens: list[int] = (batch["attention_mask"].sum(1) + (batch["labels"] != IGNORED).sum(1)).tolist()
    return tokens


def _rows(value: Any, begin: int, end: int) -> Any:
    if isinstance(value, Mapping):
        rebuild: Any = type(value)
        return rebuild({name: _rows(inner, begin, end) for name, inner in value.items()})
    return value[begin:end]


def _random_state() -> tuple[torch.Tensor, list[torch.Tensor]]:
    return torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []


def _restore(state: tuple[torch.Tensor, list[torch.Tensor]]) -> None:
    torch.set_rng_state(state[0])
    if state[1]:
        torch.cuda.set_rng_state_all(state[1])
