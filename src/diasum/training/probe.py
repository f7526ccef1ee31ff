"""What a few pairs take when tried out before training; nothing of the training itself is touched.

In: a trainer that is ready. Out: `Probed`, figures that `diasum.training.estimate` carries on to the whole training. The longest pair
goes through forward and backward pass, the longest source through generation, each alone and doubled: what they take grows linearly
with the pairs of a batch, so two sizes tell what the largest one needs. No gradient is kept, and random numbers are put back.
"""

from __future__ import annotations

import tempfile
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from rich.console import Console
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from diasum.config import GenerateSettings, Settings
from diasum.engines import generate
from diasum.engines.plain import source_batches
from diasum.model import Base, Hardware, free_bytes, is_out_of_memory, memory_bytes, release_memory
from diasum.model.loading import decoder_layers
from diasum.training.encoder_cache import build_cache
from diasum.training.memory import too_long_for_memory
from diasum.training.trainer import DialogueTrainer

T = TypeVar("T")
_NEW_TOKENS = 4
_FEW = 3  # sources tried together; below that, memory peaks in another place
_TRIES, _TRY_SECONDS = 3, 5.0  # steps whose time is taken: so many, unless they take longer


@dataclass(frozen=True, slots=True)
class Probed:
    """What trying a few pairs showed.

    Attributes:
        tokens: of the longest pair, source and target.
        one_pair_bytes: that a step with it takes at its peak, beside what is held.
        two_pairs_bytes: that a step with two of it takes; None where memory ran out.
        pair_seconds: of a step for each pair of it, once for every step whose time was taken.
        encoding_seconds: of a source token in a frozen encoder; 0 where none is frozen.
        summary_seconds: of one summary as long as the references.
        longest_summary_seconds: of one summary as long as allowed.
        generation_bytes: that an evaluation's largest batch of summaries takes.
        held_bytes: that the process has between steps.
        available_bytes: that it can have, what it holds already included.
    """

    tokens: int
    one_pair_bytes: int
    two_pairs_bytes: int | None
    pair_seconds: tuple[float, ...]
    encoding_seconds: float
    summary_seconds: float
    longest_summary_seconds: float
    generation_bytes: float
    held_bytes: int
    available_bytes: int


def probe(trainer: DialogueTrainer, base: Base, hardware: Hardware, settings: Settings) -> Probed:
    """Try the longest pair and the longest source.

    Args:
        trainer: as it will train.
        base: its base model.
        hardware: where it runs.
        settings: of the run.

    Raises:
        DiasumError: there is not enough memory for the longest pair alone.
    """
    longest = max(trainer.train_dataset, key=lambda feature: sum(pair_size(feature)))
    with _untouched(), tempfile.TemporaryDirectory() as folder:
        collate, encoding_seconds = _collator(trainer, base, hardware, settings, longest, Path(folder))
        steps = ProbeSteps(trainer, collate, settings)
        one, two = _peaks_of_one_and_two(steps, longest)
        pair_seconds = _seconds_of_a_pair(steps, [longest] if two is None else [longest, longest])
        held = _held(hardware)
        short, long = _seconds_of_a_summary(trainer, base, settings.generate, longest["input_ids"])
        generation = _generation_bytes(trainer, base, settings.generate)
    return Probed(
        tokens=sum(pair_size(longest)),
        one_pair_bytes=one,
        two_pairs_bytes=two,
        pair_seconds=pair_seconds,
        encoding_seconds=encoding_seconds,
        summary_seconds=short,
        longest_summary_seconds=long,
        generation_bytes=generation,
        held_bytes=held,
        available_bytes=_available(hardware),
    )


def pair_size(feature: Mapping[str, Sequence[int]]) -> tuple[int, int]:
    """Tokens of an encoded pair's source and target."""
    return len(feature["input_ids"]), len(feature["labels"])


def _collator(
    trainer: DialogueTrainer,
    base: Base,
    hardware: Hardware,
    settings: Settings,
    longest: Mapping[str, Any],
    folder: Path,
) -> tuple[Callable[[Sequence[Any]], Any], float]:
    """What makes batches of the longest pair as training will, and the seconds of a source token in a frozen encoder."""
    if not settings.train.frozen_encoder:
        return trainer.data_collator, 0.0
    dtype = settings.train.encoder_cache_dtype
    cache, report = build_cache(folder, base, hardware, [longest["input_ids"]], dtype, Console(quiet=True))
    return cache.collator(trainer.data_collator), report.seconds / report.tokens


def _peaks_of_one_and_two(steps: ProbeSteps, longest: Mapping[str, Any]) -> tuple[int, int | None]:
    """Bytes of a step with the longest pair and with two of it; None for two where memory runs out."""
    # What is made once and kept is in place after the first step.
    first = _unless_out_of_memory(lambda: steps.seconds([longest]))
    one = None if first is None else _unless_out_of_memory(lambda: steps.peak([longest]))
    if one is None:
        raise too_long_for_memory(sum(pair_size(longest)))
    return one, _unless_out_of_memory(lambda: steps.peak([longest, longest]))


def _seconds_of_a_pair(steps: ProbeSteps, pairs: Sequence[Any]) -> tuple[float, ...]:
    """Seconds of a step divided by its pairs, once for every step."""
    tries = [steps.seconds(pairs) / len(pairs)]
    while len(tries) < _TRIES and sum(tries) * len(pairs) < _TRY_SECONDS:
        tries.append(steps.seconds(pairs) / len(pairs))
    return tuple(tries)


def _unless_out_of_memory(action: Callable[[], T]) -> T | None:
    """What it returns; None where memory runs out."""
    try:
        return action()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    release_memory()  # outside the handler, where nothing holds the failed attempt's tensors any more
    return None


class ProbeSteps:
    """Forward and backward passes that leave no trace."""

    def __init__(self, trainer: DialogueTrainer, collate: Callable[[Sequence[Any]], Any], settings: Settings) -> None:
        self._trainer, self._collate = trainer, collate
        self._parameters = [p for p in trainer.model.parameters() if p.requires_grad]
        if settings.train.gradient_checkpointing:
            kwargs = trainer.args.activation_checkpointing_kwargs
            trainer.model.activation_checkpointing_enable(activation_checkpointing_kwargs=kwargs)

    def peak(self, features: Sequence[Any]) -> int:
        """Most bytes that the tensors made in a step take at one time."""
        return _peak(self._trainer.args.device.type, lambda: self._step(features))

    def seconds(self, features: Sequence[Any]) -> float:
        """Of a step, the kernels being warm."""
        begin = time.perf_counter()
        self._step(features)
        return time.perf_counter() - begin

    def _step(self, features: Sequence[Any]) -> None:
        trainer = self._trainer
        trainer.model.train()
        inputs = trainer._prepare_inputs(self._collate(features))
        with trainer.compute_loss_context_manager():
            loss = trainer.compute_loss(trainer.model, inputs, num_items_in_batch=1)
        # Not backward(): no gradient is kept.
        for gradient in torch.autograd.grad(loss, self._parameters, allow_unused=True):
            if gradient is not None:
                gradient.sum().item()  # waits for a GPU


def _peak(device: str, action: Callable[[], object]) -> int:
    """Most bytes that the tensors made by an action take at one time."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        action()
        return int(torch.cuda.max_memory_allocated() - before)
    live = LiveBytes()
    with live:
        action()
    return live.peak


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of tensors made within it, as long as they live.

    Attributes:
        peak: the most at one time. What kernels take for themselves and give back is not seen.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._now = 0
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        inputs = {id(x.untyped_storage()) for x in _tensors((args, kwargs))}
        outputs = func(*args, **(kwargs or {}))
        for tensor in _tensors(outputs):
            storage = tensor.untyped_storage()
            if storage not in self._seen and id(storage) not in inputs:
                self._seen.add(storage)
                self._now += storage.nbytes()
                self.peak = max(self.peak, self._now)
                weakref.finalize(storage, self._free, storage.nbytes())
        return outputs

    def _free(self, size: int) -> None:
        self._now -= size


def _tensors(tree: Any) -> Iterator[torch.Tensor]:
    """Those that have a storage; packed weights (`diasum.model.fast.frozen`) have none that can be told, and last longer than a step."""
    return (leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor) and not leaf.is_mkldnn)


@contextmanager
def _untouched() -> Iterator[None]:
    """Puts random numbers back."""
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        yield


def _seconds_of_a_summary(
    trainer: DialogueTrainer, base: Base, settings: GenerateSettings, source: list[int]
) -> tuple[float, float]:
    """Of one of two summaries made together, as long as the references, and as long as allowed; from the time of short ones."""
    if not trainer.validation.pairs or trainer.validation.measure is None:
        return 0.0, 0.0
    taken = []
    for tokens in (1, 1 + _NEW_TOKENS):
        short = settings.model_copy(update={"max_new_tokens": tokens, "min_new_tokens": tokens})
        begin = time.perf_counter()
        generate(trainer.model, base.tokenizer, [source] * 2, short)
        taken.append(time.perf_counter() - begin)
    a_token = max(0.0, taken[1] - taken[0]) / _NEW_TOKENS
    references = [len(feature["labels"]) for feature in trainer.validation.features]
    likely = min(sum(references) / len(references), settings.max_new_tokens)
    return (taken[0] + a_token * likely) / 2, (taken[0] + a_token * settings.max_new_tokens) / 2


def _generation_bytes(trainer: DialogueTrainer, base: Base, settings: GenerateSettings) -> float:
    """What an evaluation's largest batch of summaries takes at its peak, from up to three of its sources.

    Attention's tables, which grow with the square of a source, and copies of the weights in another number type are seen there; of the
    decoder's own keys and values, which grow with each token, little is.
    """
    sources = trainer.validation.sources
    if not sources or trainer.validation.measure is None:
        return 0.0
    batches = [(len(batch), len(sources[batch[0]])) for batch in source_batches(sources, settings)]
    longest = max(sources, key=len)
    short = settings.model_copy(update={"max_new_tokens": _NEW_TOKENS, "min_new_tokens": _NEW_TOKENS})

    def peak(rows: int, width: int) -> int:
        # Of different lengths: where there is padding, attention's table of one source is no longer shared by all.
        tried = [longest[: max(1, width - i)] for i in range(rows)]
        alone = short.model_copy(update={"batch_tokens": rows * width})
        return _peak(trainer.args.device.type, lambda: generate(trainer.model, base.tokenizer, tried, alone))

    def whole(rows: int, width: int) -> int:
        if rows <= _FEW:
            return peak(rows, width)
        few, fewer = peak(_FEW, width), peak(_FEW - 1, width)
        return few + (rows - _FEW) * (few - fewer)

    layers, width = decoder_layers(base.model.config), base.model.config.get_text_config(decoder=True).hidden_size
    grown: int = settings.num_beams * settings.max_new_tokens * 2 * layers * width * 4
    largest = {batches[0], max(batches), max(batches, key=lambda batch: batch[0] * batch[1] ** 2)}
    return float(max(whole(*batch) + batch[0] * grown for batch in largest))


def _held(hardware: Hardware) -> int:
    """Bytes that this process has: of main memory, or of the GPU's."""
    if hardware.device == "cuda":
        return int(torch.cuda.memory_allocated())
    import psutil

    return int(psutil.Process().memory_info().rss)


def _free(hardware: Hardware) -> int:
    """Bytes that can still be had: of the GPU, or of main memory."""
    return int(torch.cuda.mem_get_info()[0]) if hardware.device == "cuda" else free_bytes()


def _available(hardware: Hardware) -> int:
    """Bytes that this process can have, what it holds already included."""
    available = _held(hardware) + _free(hardware)
    if hardware.device != "cuda":  # what is held counts files, too, which a container's limit may not
        available = min(available, memory_bytes() or available)
    return available
