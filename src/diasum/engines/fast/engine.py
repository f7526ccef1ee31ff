"""The engine `torch-fast`: the search of transformers, on a lean forward pass that does nothing twice.

Sources enter as long as they fit the token budget, without padding; each leaves as soon as its summary is found, and the next enters.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from diasum.config import GenerateSettings
from diasum.data.batching import Budget, OpenBatch, Size
from diasum.engines.base import Engine, Generated
from diasum.engines.fast.adapters import rows_of
from diasum.engines.fast.capabilities import T5, obstacle
from diasum.engines.fast.decoder import Decoder
from diasum.engines.fast.rules import Rules
from diasum.engines.fast.search import BeamSearch, GreedySearch, SearchSpec
from diasum.engines.fast.weights import ModelWeights
from diasum.engines.search_settings import (
    end_tokens,
    first_tokens,
    inside_words_of,
    least_length,
    search_config,
)
from diasum.engines.words import BegunWords
from diasum.errors import DiasumError
from diasum.model.hardware import TORCH_TYPES, generation_dtype
from diasum.model.light import LightModel
from diasum.model.memory import give_back_freed_memory, is_out_of_memory, release_memory

if TYPE_CHECKING:
    from diasum.model.fast.compiled import CompiledKernels

Item = tuple[int, Sequence[int]]  # a source with its number
# Sources from which on it is soon made up for that kernels are compiled, which takes seconds once per machine.
_WORTH_COMPILING = 64


class FastEngine:
    """`generate` with a model, whose weights are arranged at the first call and kept until they change.

    Args:
        model: a sequence-to-sequence model, with or without an adapter, or a `LightModel`; its mode does not matter, and it is not
            changed.
        tokenizer: its own.
        convert: False where weights must be used as they are, which this engine cannot.
        adapters: names in `model` of several LoRA adapters of which each source has its own; without them, those that are in use in
            `model` are merged.
    """

    name = "torch-fast"

    def __init__(self, model: Any, tokenizer: Any, *, convert: bool = True, adapters: Sequence[str] = ()) -> None:
        self.model, self.tokenizer, self.convert, self.adapters = model, tokenizer, convert, tuple(adapters)
        self._decoder: Decoder | None = None
        self._made_of: Any = None
        self._sources = 0  # so far

    def unsupported(self, settings: GenerateSettings) -> str | None:
        """As `Engine.unsupported`."""
        return obstacle(self.model, settings, convert=self.convert)

    def generate(
        self,
        sources: Sequence[Sequence[int]],
        settings: GenerateSettings,
        *,
        progress: Callable[[int], None] | None = None,
        adapters: Sequence[str] = (),
    ) -> list[Generated]:
        """As `Engine.generate`; the longest sources first, so that those that are together are alike.

        Args:
            sources: as there.
            settings: as there.
            progress: as there.
            adapters: of each source, where the engine has several.
        """
        self._sources += len(sources)
        order = sorted(range(len(sources)), key=lambda i: -len(sources[i]))
        results: dict[int, Generated] = {}
        for number, generated in self.generate_stream(((i, sources[i]) for i in order), settings, adapters):
            results[number] = generated
            if progress:
                progress(1)
        return [results[i] for i in range(len(sources))]

    def generate_stream(
        self, items: Iterable[Item], settings: GenerateSettings, adapters: Sequence[str] = ()
    ) -> Iterator[tuple[int, Generated]]:
        """Summarise sources as they come.

        Args:
            items: sources with their numbers; one more is taken from it than there is room for.
            settings: as in `generate`.
            adapters: as in `generate`, by the numbers of the sources.

        Yields:
            The number of a source and its summary, as soon as it is found.

        Raises:
            DiasumError: memory runs out on a single source.
        """
        waiting = Waiting(items, settings.batch_tokens)
        with give_back_freed_memory():
            while True:
                failed: list[Item] = []
                yield from self._until_memory_ends(waiting, settings, adapters, failed)
                if not failed:
                    return
                release_memory()
                waiting.come_again(failed)

    def _until_memory_ends(
        self, waiting: Waiting, settings: GenerateSettings, adapters: Sequence[str], failed: list[Item]
    ) -> Iterator[tuple[int, Generated]]:
        """Summaries until nothing waits, or memory runs out: then those sources that were begun are put into `failed`."""
        batch = _Batch(self.current_decoder(settings), self._spec(settings), adapters)
        most = settings.num_beams if settings.rerank else 1
        while True:
            try:
                with torch.inference_mode():
                    admitted = waiting.that_fit([len(source) for _, source in batch.items])
                    if admitted:
                        batch.admit(admitted, settings)
                    if not batch.items:
                        return
                    found = batch.step(most)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                failed += batch.items
                return
            for number, summaries in found:
                yield number, Generated.of_search([self._generated(tokens) for tokens in summaries])

    def _generated(self, tokens: list[int]) -> Generated:
        text = self.tokenizer.decode(tokens, skip_special_tokens=True).strip()
        return Generated(text, cut=self.tokenizer.eos_token_id not in tokens[1:])

    def _spec(self, settings: GenerateSettings) -> SearchSpec:
        config = search_config(self.model, settings)
        size, ends = config.no_repeat_ngram_size, end_tokens(config)
        rules = Rules(
            repetition_penalty=config.repetition_penalty,
            first=config.forced_bos_token_id,
            no_repeat_ngram_size=size,
            words=BegunWords(inside_words_of(self.tokenizer) if size else []),
            ends=(*ends, *first_tokens(self.tokenizer, settings.closing)),
        )
        return SearchSpec(
            beams=config.num_beams,
            longest=config.max_new_tokens,
            start=config.decoder_start_token_id,
            ends=tuple(ends),
            length_penalty=config.length_penalty,
            rules=rules,
        )

    def current_decoder(self, settings: GenerateSettings) -> Decoder:
        dtype: torch.dtype = getattr(torch, TORCH_TYPES[generation_dtype(settings.dtype)[0]])
        state = (dtype, *_state(self.model))
        is_new = self._decoder is None or self._made_of != state
        if is_new:
            self._decoder = None  # before another takes as much memory
            with self.model.disable_adapter() if self.adapters else contextlib.nullcontext():
                self._decoder = _decoder(self.model, dtype)
            self._made_of = state
        assert self._decoder is not None
        is_worth_it = self._sources >= _WORTH_COMPILING
        if self._decoder.work.attention is None and (is_new or is_worth_it):
            kernels = self._kernels(dtype, compile=is_worth_it)
            if kernels is not None:
                self._decoder.work.use(kernels)
        return self._decoder

    def _kernels(self, dtype: torch.dtype, *, compile: bool) -> CompiledKernels | None:
        """Compiled now where they are not yet, or only those that this machine has compiled before, in training say."""
        if self.model.device.type != "cpu" or dtype not in (torch.float32, torch.bfloat16):
            return None
        from diasum.model.fast.compiling import compiled, compiled_before

        return compiled(dtype)[0] if compile else compiled_before(dtype)

    def of(self, adapter: str) -> Engine:
        """What generates with one of several adapters."""
        return _OfOne(self, adapter)


class _OfOne:
    """See `FastEngine.of`."""

    name = FastEngine.name

    def __init__(self, engine: FastEngine, adapter: str) -> None:
        self._engine, self._adapter = engine, adapter

    def unsupported(self, settings: GenerateSettings) -> str | None:
        return self._engine.unsupported(settings)

    def generate(
        self,
        sources: Sequence[Sequence[int]],
        settings: GenerateSettings,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[Generated]:
        adapters = [self._adapter] * len(sources)
        return self._engine.generate(sources, settings, progress=progress, adapters=adapters)


class Waiting:
    """Sources that wait for room.

    Args:
        items: where they come from.
        tokens: the budget of a batch, as `generate.batch_tokens`.
    """

    def __init__(self, items: Iterable[Item], tokens: int) -> None:
        self._items, self._again = iter(items), deque[Item]()
        self._budget = Budget(tokens)

    def that_fit(self, lengths: Sequence[int]) -> list[Item]:
        """The next ones that have room beside sources of these lengths."""
        batch: OpenBatch[Item | None] = OpenBatch(self._budget)
        for length in lengths:
            batch.add(None, Size(length))
        taken: list[Item] = []
        while (item := self.next()) is not None:
            size = Size(len(item[1]))
            if not batch.fits(size):
                self._again.appendleft(item)
                break
            batch.add(item, size)
            taken.append(item)
        return taken

    def come_again(self, items: Sequence[Item]) -> None:
        """Those that memory ran out on, from now on no more than half as many at a time.

        Raises:
            DiasumError: it was one.
        """
        if len(items) == 1:
            raise DiasumError(
                f"Memory ran out while summarising one source of {len(items[0][1])} tokens.",
                hint="Lower generate.num_beams, or prompt.max_source_tokens in training.",
            )
        self._again.extendleft(reversed(items))
        self._budget = self._budget._replace(rows=len(items) // 2)

    def next(self) -> Item | None:
        """The next one, whether or not there is room; None where there is none."""
        return self._again.popleft() if self._again else next(self._items, None)


@dataclass(slots=True)
class _Batch:
    """The sources that are being summarised, one a slot."""

    decoder: Decoder
    spec: SearchSpec
    adapters: Sequence[str]
    items: list[Item] = field(default_factory=list)
    caches: Any = None
    search: Any = None

    def __post_init__(self) -> None:
        self.caches = self.decoder.caches(self.spec.beams)
        self.search = (BeamSearch if self.spec.beams > 1 else GreedySearch)(self.spec, self.decoder.device)

    def admit(self, items: Sequence[Item], settings: GenerateSettings) -> None:
        """Encode sources."""
        self.items += items  # first, so that they are among those that memory ran out on
        sources = [source for _, source in items]
        self.decoder.admit(sources, self.caches, self._adapters_of(items))
        self.search.admit([least_length(source, settings) for source in sources])

    def step(self, most: int) -> list[tuple[int, list[list[int]]]]:
        """One token more of every source; the numbers of those that are done, which leave, with the tokens of their likeliest summaries."""
        step = self.caches.begin_step()
        with rows_of(self._adapters_of(self.items), [self.spec.beams] * len(self.items)):
            logits = self.decoder.logits(self.decoder.decode(self.search.tokens.flatten(), step))
        self.caches.end_step(self.search.advance(logits))
        done: list[bool] = self.search.done.tolist()
        if not any(done):
            return []
        found = [
            (self.items[slot][0], self.search.summaries(slot, most)) for slot, is_done in enumerate(done) if is_done
        ]
        places = _closed_up(done)
        self.items = [self.items[slot] for slot in places]
        self.caches.keep(places)
        self.search.keep(torch.tensor(places, dtype=torch.long))
        return found

    def _adapters_of(self, items: Sequence[Item]) -> list[str]:
        return [self.adapters[number] for number, _ in items] if self.adapters else []


def _closed_up(done: Sequence[bool]) -> list[int]:
    """Which slot comes to each place when those that are done leave: the last ones fill their places, the others stay."""
    staying = [slot for slot, is_done in enumerate(done) if not is_done]
    last = deque(slot for slot in staying if slot >= len(staying))
    return [last.pop() if done[place] else place for place in range(len(staying))]


def _decoder(model: Any, dtype: torch.dtype) -> Decoder:
    from diasum.engines.fast.bart import BartDecoder
    from diasum.engines.fast.t5 import T5Decoder

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    weights = base if isinstance(base, LightModel) else ModelWeights(base)
    with torch.inference_mode():
        decoder = (T5Decoder if base.config.model_type in T5 else BartDecoder)(weights, dtype)
    if isinstance(base, LightModel):
        base.forget()
    return decoder


def _state(model: Any) -> Iterator[Any]:
    """What changes when the model computes something else: its weights, and which of its adapters are in use."""
    if isinstance(model, LightModel):
        return
    for tensor in (*model.parameters(), *model.buffers()):
        yield tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version  # those cannot be changed in place
    for module in model.modules():
        if isinstance(getattr(type(module), "active_adapters", None), property):  # of peft
            yield module.disable_adapters, tuple(module.active_adapters), getattr(module, "merged", False)
