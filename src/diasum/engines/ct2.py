"""The engine `ct2`: CTranslate2 on the weights of an export (``diasum export RUN --to ct2``).

Its beam search is that of transformers but for one rule: it stops when a number of summaries are complete, and transformers when the best
unfinished one is worse than all that it keeps. `PATIENCE` times the beams are awaited, with which the two agree most. Lengths count the end
token in both, so that `length_penalty` means the same. Tokens that are forbidden (before `min_new_tokens`, by n-gram) are left out before
probabilities are formed, in transformers after. What that and the rounding of the weights change is measured when a run is exported.
"""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from diasum.config import GenerateSettings
from diasum.data.batching import Budget, Size, longest_first_batches
from diasum.engines.base import Generated
from diasum.engines.exported import ExportRecord
from diasum.engines.search_settings import end_tokens, inside_words_of, least_length, search_config
from diasum.errors import DiasumError, MissingExtraError
from diasum.model.hardware import cpu_flags, thread_count
from diasum.model.loading import decoder_layers
from diasum.model.memory import is_out_of_memory

ENGINE = "ct2"
PATIENCE = 2.0
# Source tokens at a time, at most, from so many decoder layers times width on: larger batches are slower, since what is computed on the way
# leaves the processor's caches, and the larger a model is, the fewer tokens are as fast and take less memory.
_TOGETHER = {0: 2048, 4500: 1400, 8000: 1024}  # as measured at flan-t5-small, bart-base and flan-t5-base
_WORKERS = 4  # batches that are translated at the same time, at most
_AHEAD = 2  # batches of a worker that are begun: one, and the next, so that it never waits
_VECTORS = "CT2_FORCE_CPU_ISA"  # CTranslate2's own variable, which it reads once
VOCABULARY = "shared_vocabulary.json"
# By the name of an export: what the weights are stored in, and what CTranslate2 computes in where the processor cannot do better.
STORED = {"int8": "int8_float32", "int8_bf16": "int8_bfloat16", "bf16": "bfloat16", "fp32": "float32"}
_INSTEAD = {"int8_bfloat16": "int8_float32", "bfloat16": "float32"}
_SUITS = {"fp32": ("fp32",), "bf16": ("bf16", "int8_bf16")}  # which exports a number type that is asked for may mean


def installed() -> bool:
    """Whether the extra `ct2` is there."""
    return find_spec("ctranslate2") is not None


def check_installed(feature: str = "The engine ct2") -> None:
    """Refuse to go on without CTranslate2.

    Raises:
        MissingExtraError: it is not installed.
    """
    if not installed():
        raise MissingExtraError(feature, "ct2")


class Ct2Engine:
    """`translate_batch` on an exported folder, which is read at the first call.

    Args:
        record: of the folder.
        model: the same without need of weights: its special tokens and longest target are used.
        tokenizer: its own.
        obstacle: why this export cannot be used here at all, where there is such a reason.

    Attributes:
        folder: where the export stands.
        weights: of which it was made.
        quantization: ``int8``, ``int8_bf16``, ``bf16`` or ``fp32``.
    """

    name = ENGINE

    def __init__(self, record: ExportRecord, model: Any, tokenizer: Any, *, obstacle: str | None = None) -> None:
        self.folder, self.weights, self.quantization = record.folder, record.weights, record.quantization or "fp32"
        self._model, self._tokenizer, self._obstacle = model, tokenizer, obstacle
        self._read: tuple[int, Any] | None = None  # number of workers, and what translates

    def unsupported(self, settings: GenerateSettings) -> str | None:
        """As `Engine.unsupported`."""
        if self._obstacle:
            return self._obstacle
        if not installed():
            return "it needs the extra ct2, which is not installed"
        if settings.dtype != "auto" and self.quantization not in _SUITS[settings.dtype]:
            return f"the export is {self.quantization}, and generate.dtype is {settings.dtype}"
        return obstacle_to(settings, self._tokenizer)

    @property
    def computes_in(self) -> tuple[str, str]:
        """The number type of the export, and what becomes of it on this processor."""
        found = (self._read[1] if self._read else self._translator(1)).compute_type
        computed = "" if found == STORED[self.quantization] else f", computed in {found} on this processor"
        return self.quantization, f"{self.quantization}: as exported{computed}"

    def generate(
        self,
        sources: Sequence[Sequence[int]],
        settings: GenerateSettings,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[Generated]:
        """As `Engine.generate`."""
        workers = 1 if len(sources) == 1 else min(_WORKERS, thread_count())
        translator = self._translator(workers)
        begun: deque[tuple[list[int], list[Any]]] = deque()
        results: dict[int, Generated] = {}

        def finish_first() -> None:
            batch, found = begun.popleft()
            for i, generated in zip(batch, self._finish([sources[i] for i in batch], found), strict=True):
                results[i] = generated
            if progress:
                progress(len(batch))

        for least, batch in _batches(sources, settings, workers, self._together):
            if len(begun) == _AHEAD * workers:
                finish_first()
            begun.append((batch, self._begin(translator, [sources[i] for i in batch], least, settings)))
        while begun:
            finish_first()
        return [results[i] for i in range(len(sources))]

    def _begin(
        self, translator: Any, sources: Sequence[Sequence[int]], least: int, settings: GenerateSettings
    ) -> list[Any]:
        """Hand one batch to the next worker that is free; no summary may be shorter than `least` tokens."""
        tokens, _ = self._vocabulary
        config = search_config(self._model, settings)
        forced = config.forced_bos_token_id
        found: list[Any] = translator.translate_batch(
            [[tokens[one] for one in source] for source in sources],
            target_prefix=None if forced is None else [[tokens[forced]]] * len(sources),
            beam_size=settings.num_beams,
            num_hypotheses=settings.num_beams if settings.rerank else 1,
            patience=PATIENCE if settings.num_beams > 1 else 1,
            length_penalty=settings.length_penalty,
            no_repeat_ngram_size=settings.no_repeat_ngram_size,
            min_decoding_length=least,
            max_decoding_length=config.max_new_tokens,
            max_input_length=0,  # sources fit already
            end_token=[tokens[end] for end in end_tokens(config)],
            return_end_token=True,
            asynchronous=True,
        )
        return found

    def _finish(self, sources: Sequence[Sequence[int]], found: Sequence[Any]) -> Iterator[Generated]:
        """The summaries of a batch that was begun."""
        _, ids = self._vocabulary
        for one in found:
            try:
                hypotheses = one.result().hypotheses
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                raise DiasumError(
                    f"Memory ran out while summarising {len(sources)} sources of up to {max(map(len, sources))} tokens.",
                    hint="Lower generate.batch_tokens or generate.num_beams.",
                ) from None
            yield Generated.of_search([self._generated([ids[token] for token in tokens]) for tokens in hypotheses])

    def _generated(self, tokens: list[int]) -> Generated:
        text = self._tokenizer.decode(tokens, skip_special_tokens=True).strip()
        return Generated(text, cut=self._tokenizer.eos_token_id not in tokens)

    @cached_property
    def _together(self) -> int:
        config = self._model.config
        size = decoder_layers(config) * config.d_model
        return [tokens for least, tokens in _TOGETHER.items() if size >= least][-1]

    @cached_property
    def _vocabulary(self) -> tuple[list[str], dict[str, int]]:
        """CTranslate2's names of the tokens, in the order of their ids, and back."""
        tokens: list[str] = json.loads((self.folder / VOCABULARY).read_text(encoding="utf-8"))
        return tokens, {token: i for i, token in reversed(list(enumerate(tokens)))}

    def _translator(self, workers: int) -> Any:
        """All threads compute one summary if there is but one to make; else each worker has its part of them, which is up to one and a half
        times as fast as all threads on one batch after the other. One of the two is in memory: reading the other takes little beside
        what it makes."""
        if self._read is None or self._read[0] != workers:
            self._read = None
            self._read = workers, self._read_weights(workers)
        return self._read[1]

    def _read_weights(self, workers: int) -> Any:
        import ctranslate2

        ctranslate2.set_log_level(logging.ERROR)
        wanted = STORED[self.quantization]
        try:
            with _widest_vectors():
                supported = ctranslate2.get_supported_compute_types("cpu")
                return ctranslate2.Translator(
                    str(self.folder),
                    device="cpu",
                    compute_type=wanted if wanted in supported else _INSTEAD.get(wanted, "default"),
                    inter_threads=workers,
                    intra_threads=max(1, thread_count() // workers),
                )
        except (RuntimeError, ValueError) as error:
            raise DiasumError(
                f"CTranslate2 cannot read {self.folder}: {error}", hint="Export again: diasum export RUN --to ct2"
            ) from None


@contextmanager
def _widest_vectors() -> Iterator[None]:
    """What CTranslate2 computes beside matrix products, it computes with AVX-512 only where it is told to.

    The first processors that had it slowed down for it. Of those that have its bf16 instructions, too, one was measured (AMD EPYC): 2 to
    6% less processor time.
    """
    if _VECTORS in os.environ or "avx512_bf16" not in cpu_flags().split():
        yield
        return
    os.environ[_VECTORS] = "AVX512"
    try:
        yield
    finally:
        del os.environ[_VECTORS]  # not for the programs that are started from here


def obstacle_to(settings: GenerateSettings, tokenizer: Any) -> str | None:
    """Which setting CTranslate2 cannot honour, and why; None where it can honour all."""
    if settings.do_sample:
        return "it does not sample as transformers does (generate.do_sample)"
    if settings.repetition_penalty != 1:
        return "it applies generate.repetition_penalty before probabilities are formed, and so in another strength"
    if settings.closing and settings.min_new_tokens:
        return "it cannot hold back a closing line (generate.closing with generate.min_new_tokens)"
    if settings.no_repeat_ngram_size and any(inside_words_of(tokenizer)):
        return "it breaks words that it has begun (generate.no_repeat_ngram_size)"
    return None


def _batches(
    sources: Sequence[Sequence[int]], settings: GenerateSettings, workers: int, together: int
) -> Iterator[tuple[int, list[int]]]:
    """Batches of sources whose summaries have the same least length, as that length and indices; enough for all workers.

    None has more than `together` tokens but a single source.
    """
    shortest = [least_length(source, settings) for source in sources]
    share = -(-sum(map(len, sources)) // workers)
    budget = Budget(min(together, share, max(1, settings.batch_tokens // workers)))
    for least in sorted(set(shortest), reverse=True):
        sizes = [Size(len(ids), rows=int(own == least)) for ids, own in zip(sources, shortest, strict=True)]
        for batch in longest_first_batches(sizes, budget):
            yield least, batch
