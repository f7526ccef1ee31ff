"""Before training: roughly how much memory and time it will take, and what would lower the memory.

In: a trainer that is ready. Out: a `Preflight`. What `diasum.training.probe` finds by trying the longest pair is carried on to the
whole training: memory grows linearly with the pairs of a batch, time with the tokens.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from diasum.config import Settings, TrainSettings
from diasum.model import Base, Hardware
from diasum.training.probe import Probed, pair_size, probe
from diasum.training.trainer import DialogueTrainer
from diasum.wording import duration, duration_range, size

# Below this many floating-point operations (seconds of work on a slow core) an estimate is not worth its time.
TINY = 2e11
_OPTIMIZER_BYTES = 8  # AdamW keeps two fp32 numbers per trained parameter
# How much faster or slower a whole training may go than the steps tried: other programs come and go, and short pairs cost more per token.
_FASTER, _SLOWER = 1.5, 2.0


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a training will take, about.

    Attributes:
        device: ``cpu``, ``cuda`` or ``mps``.
        memory_bytes: at its peak, the process as it stands included.
        available_bytes: that it can have, what it holds already included.
        seconds: of training, evaluations included.
        least_seconds: the same, from the fastest of the steps tried, if summaries are as short as the references.
        most_seconds: the same, from the slowest of them, if each summary is as long as allowed.
        evaluation_seconds: the part of them that generating summaries takes at most (each as long as allowed).
        probe_seconds: that this estimate took.
        batch_tokens: of the largest batch, padding counted.
        fitting_tokens: tokens of a batch that would fit, where the largest does not.
        advice: settings that would lower the memory, the surest first.
    """

    device: str
    memory_bytes: int
    available_bytes: int
    seconds: float
    least_seconds: float
    most_seconds: float
    evaluation_seconds: float
    probe_seconds: float
    batch_tokens: int
    fitting_tokens: int | None
    advice: tuple[str, ...] = ()

    def sentence(self) -> str:
        """For example ``about 3.1 GB (20.4 GB can be had) and 25 to 80 minutes on this CPU, at most 6 minutes of it for summaries``."""
        where = {"cpu": "this CPU", "cuda": "this GPU"}.get(self.device, self.device)
        time_taken = duration_range(self.least_seconds, self.most_seconds)
        text = f"about {size(self.memory_bytes)} ({size(self.available_bytes)} available) and {time_taken} on {where}"
        if self.evaluation_seconds >= 1:
            text += f", at most {duration(self.evaluation_seconds)} of it for summaries at evaluations"
        return text

    def warning(self) -> str | None:
        """What to change where it will not fit."""
        if self.memory_bytes <= self.available_bytes and not self.fitting_tokens:
            return None
        return (
            "Warning: that is more memory than is available; batches that do not fit will be split into parts. "
            f"Try {' or '.join(self.advice) or 'a smaller base'}."
        )

    def record(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def preflight(trainer: DialogueTrainer, base: Base, hardware: Hardware, settings: Settings) -> Preflight | None:
    """Estimate what a training will take; None where it is tiny, or where several processes share it.

    Args:
        trainer: as it will train.
        base: its base model.
        hardware: where it runs.
        settings: of the run.

    Raises:
        DiasumError: there is not enough memory for the longest pair alone.
    """
    sizes = [pair_size(feature) for feature in trainer.train_dataset]
    work = 4 * sum(p.numel() for p in base.model.parameters()) * sum(map(sum, sizes)) * settings.train.epochs
    if work < TINY or trainer.accelerator.num_processes > 1:
        return None
    begin = time.perf_counter()
    batches = [_tokens([sizes[i] for i in batch], padded=trainer.fast is None) for batch in trainer.batches]
    probed = probe(trainer, base, hardware, settings)
    peak, fitting = _memory(trainer, probed, max(batches))
    seconds = _seconds(trainer, probed, sum(batches), settings.train.epochs)
    return Preflight(
        device=hardware.device,
        memory_bytes=int(peak),
        available_bytes=probed.available_bytes,
        seconds=seconds.likely,
        least_seconds=seconds.least,
        most_seconds=seconds.most,
        evaluation_seconds=seconds.evaluation,
        probe_seconds=time.perf_counter() - begin,
        batch_tokens=max(batches),
        fitting_tokens=fitting,
        advice=tuple(_advice(settings.train, base, peak, fitting / max(batches) if fitting else None)),
    )


def _memory(trainer: DialogueTrainer, probed: Probed, batch_tokens: int) -> tuple[float, int | None]:
    """Bytes at the peak, and the tokens of a batch that would fit where the largest, of `batch_tokens`, does not."""
    one, two = probed.one_pair_bytes, probed.two_pairs_bytes
    a_pair = one if two is None else max(two - one, 1)
    per_token = a_pair / probed.tokens
    trained = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    fixed = probed.held_bytes + trained * _OPTIMIZER_BYTES + max(0, one - a_pair)
    peak = fixed + max(per_token * batch_tokens, probed.generation_bytes)
    fitting = int((probed.available_bytes * 0.9 - fixed) / per_token) // 64 * 64
    if two is None:  # found by trying
        fitting = min(max(fitting, probed.tokens), 2 * probed.tokens - 1)
    too_large = batch_tokens > fitting >= 64 and (two is None or peak > probed.available_bytes)
    return peak, fitting if too_large else None


@dataclass(frozen=True, slots=True)
class _Seconds:
    """Of a training, evaluations included, and the most that the summaries of evaluations take of it."""

    likely: float
    least: float
    most: float
    evaluation: float


def _seconds(trainer: DialogueTrainer, probed: Probed, epoch_tokens: int, epochs: float) -> _Seconds:
    """The time of all epochs, of `epoch_tokens` each, with an evaluation after every one."""
    validated = sum(map(sum, (pair_size(feature) for feature in trainer.validation.features)))
    tokens = epoch_tokens * epochs + validated * epochs / 3  # validation has no backward pass
    features = [*trainer.train_dataset, *trainer.validation.features]
    encoding = probed.encoding_seconds * sum(len(feature["input_ids"]) for feature in features)
    summaries = len(trainer.validation.pairs) * epochs
    least_summaries, most_summaries = (
        summaries * each for each in (probed.summary_seconds, probed.longest_summary_seconds)
    )
    tried = [tokens * seconds / probed.tokens for seconds in probed.pair_seconds]
    return _Seconds(
        likely=median(tried) + (most_summaries + least_summaries) / 2 + encoding,
        least=(min(tried) + least_summaries + encoding) / _FASTER,
        most=(max(tried) + most_summaries + encoding) * _SLOWER,
        evaluation=most_summaries,
    )


def _advice(train: TrainSettings, base: Base, peak: float, fitting: float | None) -> Iterator[str]:
    """Settings that would lower the peak; `fitting` is the part of the largest batch that would fit."""
    if fitting:
        smaller = f"train.batch_tokens={int(train.batch_tokens * fitting) // 64 * 64 or 64}"
        if train.batch_size:
            smaller = f"train.batch_size={max(1, int(train.batch_size * fitting))}"
        yield f"{smaller} with more train.gradient_accumulation_steps"
    if not train.gradient_checkpointing:
        yield "train.gradient_checkpointing=true"
    # A quantised base takes the plain path, whose activations need more: it pays where the weights outweigh them.
    weights = sum(p.numel() * p.element_size() for p in base.model.parameters())
    if train.base_quantization == "none" and 2 * weights > peak:
        yield "train.base_quantization=4bit"


def _tokens(sizes: Iterable[tuple[int, int]], *, padded: bool) -> int:
    """Of a batch of pairs of these sizes."""
    rows = list(sizes)
    if not padded:
        return sum(source + target for source, target in rows)
    source, target = (-(-max(side) // 8) * 8 for side in zip(*rows, strict=True))
    return int(len(rows) * (source + target))
