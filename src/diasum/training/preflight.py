"""Before training: about how much memory and time it will take, from a few pairs tried out.

In: a trainer that is ready. Out: a `Preflight`. The longest pair goes through forward and backward pass, the longest source through
generation, each alone and doubled: what they take grows linearly with the pairs of a batch, so two sizes tell what the largest one
needs. Nothing of the training is touched: no gradient is kept, and random numbers are put back.
"""

from __future__ import annotations

import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import torch
from rich.console import Console
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from diasum.config import GenerateSettings, Settings, TrainSettings
from diasum.model import Base, Hardware, free_bytes, generate, is_out_of_memory, memory_bytes, release_memory
from diasum.model.generation import source_batches
from diasum.training.encoder_cache import build_cache
from diasum.training.memory import too_long_for_memory
from diasum.training.trainer import DialogueTrainer
from diasum.wording import duration, duration_range, size

T = TypeVar("T")
# Below so many floating-point operations (seconds of work on a slow core) an estimate is not worth its time.
TINY = 2e11
_OPTIMIZER_BYTES = 8  # AdamW keeps two fp32 numbers a trained parameter
_NEW_TOKENS = 4
_TRIES, _TRY_SECONDS = 3, 5.0  # steps whose time is taken: so many, unless they take longer
# How much faster or slower a whole training may go than the steps tried: other programs come and go, and short pairs cost more a token.
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
        text = f"about {size(self.memory_bytes)} ({size(self.available_bytes)} can be had) and {time_taken} on {where}"
        if self.evaluation_seconds >= 1:
            text += f", at most {duration(self.evaluation_seconds)} of it for summaries at evaluations"
        return text

    def warning(self) -> str | None:
        """What to change where it will not fit."""
        if self.memory_bytes <= self.available_bytes and not self.fitting_tokens:
            return None
        return (
            "Warning: that is more memory than there is; batches that do not fit will be taken in parts. "
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
    lengths = [(len(f["input_ids"]), len(f["labels"])) for f in trainer.train_dataset]
    work = 4 * sum(p.numel() for p in base.model.parameters()) * sum(map(sum, lengths)) * settings.train.epochs
    if work < TINY or trainer.accelerator.num_processes > 1:
        return None
    begin = time.perf_counter()
    batches = [_tokens([lengths[i] for i in batch], padded=trainer.fast is None) for batch in trainer.batches]
    longest = max(trainer.train_dataset, key=lambda f: len(f["input_ids"]) + len(f["labels"]))
    with _untouched(), tempfile.TemporaryDirectory() as folder:
        collate, encoding = trainer.data_collator, 0.0
        if settings.train.frozen_encoder:
            dtype = settings.train.encoder_cache_dtype
            cache, report = build_cache(
                Path(folder), base, hardware, [longest["input_ids"]], dtype, Console(quiet=True)
            )
            collate, encoding = cache.collator(collate), report.seconds / report.tokens
        probe = _Probe(trainer, collate, settings)
        tokens = sum(_size_of(longest))
        first = _unless_out_of_memory(
            lambda: probe.seconds([longest])
        )  # what is made once and kept is in place from then on
        one = None if first is None else _unless_out_of_memory(lambda: probe.peak([longest]))
        if one is None:
            raise too_long_for_memory(tokens)
        two = _unless_out_of_memory(lambda: probe.peak([longest, longest]))
        pairs = [longest] if two is None else [longest, longest]
        tries = [probe.seconds(pairs) / len(pairs)]
        while len(tries) < _TRIES and sum(tries) * len(pairs) < _TRY_SECONDS:
            tries.append(probe.seconds(pairs) / len(pairs))
        held = _held(hardware)
        short, summary = _seconds_of_a_summary(trainer, base, settings.generate, longest["input_ids"])
        generation = _generation_bytes(trainer, base, settings.generate)
    a_pair = one if two is None else max(two - one, 1)
    per_token = a_pair / tokens
    evaluations = settings.train.epochs
    trained = sum(p.numel() for p in trainer.model.parameters() if p.requires_grad)
    fixed = held + trained * _OPTIMIZER_BYTES + max(0, one - a_pair)
    made, least_made = (len(trainer.validation.pairs) * one_of_them * evaluations for one_of_them in (summary, short))
    validated = sum(map(sum, (_size_of(f) for f in trainer.validation.features)))
    trained_tokens = (
        sum(batches) * settings.train.epochs + validated * evaluations / 3
    )  # validation has no backward pass
    encoded = encoding * sum(len(f["input_ids"]) for f in [*trainer.train_dataset, *trainer.validation.features])
    available = _held(hardware) + _free(hardware)
    if hardware.device != "cuda":  # what is held counts files, too, which a container's limit may not
        available = min(available, memory_bytes() or available)
    peak = fixed + max(per_token * max(batches), generation)
    fitting = int((available * 0.9 - fixed) / per_token) // 64 * 64
    if two is None:  # found by trying
        fitting = min(max(fitting, tokens), 2 * tokens - 1)
    too_large = max(batches) > fitting >= 64 and (two is None or peak > available)
    return Preflight(
        device=hardware.device,
        memory_bytes=int(peak),
        available_bytes=int(available),
        seconds=trained_tokens * median(tries) / tokens + (made + least_made) / 2 + encoded,
        least_seconds=(trained_tokens * min(tries) / tokens + least_made + encoded) / _FASTER,
        most_seconds=(trained_tokens * max(tries) / tokens + made + encoded) * _SLOWER,
        evaluation_seconds=made,
        probe_seconds=time.perf_counter() - begin,
        batch_tokens=max(batches),
        fitting_tokens=fitting if too_large else None,
        advice=tuple(_advice(settings.train, base, peak, fitting / max(batches) if too_large else None)),
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


def _unless_out_of_memory(action: Callable[[], T]) -> T | None:
    """What it returns; None where memory runs out."""
    try:
        return action()
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    release_memory()  # outside the handler, where nothing holds the failed attempt's tensors any more
    return None


class _Probe:
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
        # Not backward(): the gradients go nowhere.
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
        given = {id(x.untyped_storage()) for x in _tensors((args, kwargs))}
        made = func(*args, **(kwargs or {}))
        for tensor in _tensors(made):
            storage = tensor.untyped_storage()
            if storage not in self._seen and id(storage) not in given:
                self._seen.add(storage)
                self._now += storage.nbytes()
                self.peak = max(self.peak, self._now)
                weakref.finalize(storage, self._free, storage.nbytes())
        return made

    def _free(self, size: int) -> None:
        self._now -= size


def _tensors(tree: Any) -> Iterator[torch.Tensor]:
    """Those that have a storage; packed weights (`diasum.model.fast.frozen`) have none that can be told, and last longer than a step."""
    return (leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor) and not leaf.is_mkldnn)


@contextmanager
def _untouched() -> Iterator[None]:
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
    """What an evaluation's largest batch of summaries takes at its peak, from the longest source alone and doubled.

    Attention's tables, which grow with the square of a source, and copies of the weights in another number type are seen there; of the
    decoder's own keys and values, which grow with each token, little is.
    """
    sources = trainer.validation.sources
    if not sources or trainer.validation.measure is None:
        return 0.0
    batches = [(len(batch), len(sources[batch[0]])) for batch in source_batches(sources, settings.batch_tokens)]
    longest = max(sources, key=len)
    sizes = {"max_new_tokens": _NEW_TOKENS, "min_new_tokens": _NEW_TOKENS, "batch_tokens": 2 * len(longest)}
    short = settings.model_copy(update=sizes)

    def peak(rows: int) -> int:
        return _peak(trainer.args.device.type, lambda: generate(trainer.model, base.tokenizer, [longest] * rows, short))

    one = peak(1)
    a_row = peak(2) - one if any(rows > 1 for rows, _ in batches) else 0
    config, decoder = base.model.config, base.model.config.get_text_config(decoder=True)
    layers = (
        getattr(config, "num_decoder_layers", None)
        or getattr(config, "decoder_layers", None)
        or decoder.num_hidden_layers
    )
    grown: int = settings.num_beams * settings.max_new_tokens * 2 * layers * decoder.hidden_size * 4
    logits: int = settings.num_beams * 3 * 4 * base.model.get_output_embeddings().weight.shape[0]
    return max(one + (rows - 1) * max(a_row * width / len(longest), logits) + rows * grown for rows, width in batches)


def _held(hardware: Hardware) -> int:
    """Bytes that this process has: of main memory, or of the GPU's."""
    if hardware.device == "cuda":
        return int(torch.cuda.memory_allocated())
    import psutil

    return int(psutil.Process().memory_info().rss)


def _free(hardware: Hardware) -> int:
    """Bytes that can still be had: of the GPU, or of main memory."""
    return int(torch.cuda.mem_get_info()[0]) if hardware.device == "cuda" else free_bytes()


def _tokens(lengths: Iterable[tuple[int, int]], *, padded: bool) -> int:
    rows = list(lengths)
    if not padded:
        return sum(source + target for source, target in rows)
    source, target = (-(-max(side) // 8) * 8 for side in zip(*rows, strict=True))
    return int(len(rows) * (source + target))


def _size_of(feature: Mapping[str, Sequence[int]]) -> tuple[int, int]:
    return len(feature["input_ids"]), len(feature["labels"])
