"""The engine `torch-plain`: the search of transformers, over many sources at once.

Sources are sorted by length and taken in batches of a token budget; summaries come back in the order of the sources. It can do whatever
transformers can, for every family, and is what faster engines are held equal to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from diasum.config import GenerateSettings
from diasum.data.batching import Budget, Size, longest_first_batches, padded_sources
from diasum.engines.base import Generated
from diasum.engines.search_settings import (
    end_tokens,
    first_tokens,
    inside_words_of,
    least_length,
    search_config,
)
from diasum.errors import DiasumError
from diasum.model.hardware import TORCH_TYPES, generation_dtype
from diasum.model.memory import give_back_freed_memory, is_out_of_memory, release_memory

if TYPE_CHECKING:
    import torch

ENGINE = "torch-plain"  # what generates here, by the name that records of summaries give it


class PlainEngine:
    """Beam search by transformers; of the base's own generation settings only its special tokens are used.

    Args:
        model: a sequence-to-sequence model, with or without an adapter; its training mode is restored after each call.
        tokenizer: its own.
        convert: False computes with the weights as they are, whatever `generate.dtype` says.
    """

    name = ENGINE

    def __init__(self, model: Any, tokenizer: Any, *, convert: bool = True) -> None:
        self.model, self.tokenizer, self.convert = model, tokenizer, convert

    def unsupported(self, settings: GenerateSettings) -> str | None:
        """Nothing is."""
        return None

    def generate(
        self,
        sources: Sequence[Sequence[int]],
        settings: GenerateSettings,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[Generated]:
        """As `Engine.generate`; a batch for which memory runs out is taken in halves."""
        import torch
        from transformers import GenerationConfig

        from diasum.engines.processors import FinishWords, NotBefore

        sampling = () if settings.do_sample else ("temperature", "top_p")
        values = asdict(search_config(self.model, settings))
        config = GenerationConfig(**{name: value for name, value in values.items() if name not in sampling})
        repeats = (
            [FinishWords(config.no_repeat_ngram_size, inside_words_of(self.tokenizer))]
            if config.no_repeat_ngram_size
            else []
        )
        config.no_repeat_ngram_size = 0  # done by `FinishWords`
        config.num_return_sequences = each = settings.num_beams if settings.rerank else 1
        dtype = getattr(torch, TORCH_TYPES[generation_dtype(settings.dtype)[0]])
        ends = [*end_tokens(config), *first_tokens(self.tokenizer, settings.closing)]
        results: list[Generated | None] = [None] * len(sources)
        was_training = self.model.training
        self.model.eval()
        with contextlib.ExitStack() as stack:
            stack.callback(self.model.train, was_training)
            stack.enter_context(give_back_freed_memory())
            stack.enter_context(_instead_of_its_own(self.model, config))
            if self.convert:
                stack.enter_context(_weights_in(dtype, self.model))
            waiting = source_batches(sources, settings)[::-1]
            while waiting:
                batch = waiting.pop()
                ids, mask = padded_sources([sources[i] for i in batch], self.tokenizer.pad_token_id)
                shortest = [least_length(sources[i], settings) for i in batch]
                processors = [*repeats, *([NotBefore(shortest, ends)] if any(shortest) else [])]
                output = _search(self.model, ids, mask, config, processors)
                if output is None:
                    release_memory()
                    waiting += _halves(batch, ids.shape[1])
                    continue
                found = [self._generated(sequence) for sequence in output.tolist()]
                for place, index in enumerate(batch):
                    results[index] = Generated.of_search(found[place * each : (place + 1) * each])
                if progress:
                    progress(len(batch))
        return [result for result in results if result is not None]

    def _generated(self, tokens: Sequence[int]) -> Generated:
        text = self.tokenizer.decode(tokens, skip_special_tokens=True).strip()
        # The first token is the decoder's start; an unfinished sequence has no end token after it.
        return Generated(text, cut=self.tokenizer.eos_token_id not in tokens[1:])


def _search(model: Any, ids: torch.Tensor, mask: torch.Tensor, config: Any, processors: list[Any]) -> Any:
    """Token ids of the summaries, padded, as an int64 tensor (batch, length); None where memory runs out."""
    import torch

    try:
        with torch.inference_mode():
            return model.generate(
                input_ids=ids.to(model.device),
                attention_mask=mask.to(model.device),
                generation_config=config,
                logits_processor=processors,
            )
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    return None  # outside the handler, which holds the failed attempt's tensors


def source_batches(sources: Sequence[Sequence[int]], settings: GenerateSettings) -> list[list[int]]:
    """The batches in which `PlainEngine` takes sources, as indices, longest first."""
    return list(longest_first_batches([Size(len(ids)) for ids in sources], Budget(settings.batch_tokens)))


@contextlib.contextmanager
def _instead_of_its_own(model: Any, config: Any) -> Iterator[None]:
    """Within this context, `config` replaces the base's own: transformers would take whatever `config` leaves open from that."""
    holders = [model, *([model.get_base_model()] if hasattr(model, "get_base_model") else [])]
    before = [holder.generation_config for holder in holders]
    try:
        for holder in holders:
            holder.generation_config = config
        yield
    finally:
        for holder, own in zip(holders, before, strict=True):
            holder.generation_config = own


@contextlib.contextmanager
def _weights_in(dtype: torch.dtype, model: Any) -> Iterator[None]:
    """Within this context, a model's floating-point weights are of one type; those that were held in another are restored afterwards."""
    weights = (*model.parameters(), *model.buffers())
    held = [(w, w.data) for w in weights if w.is_floating_point() and w.dtype != dtype]
    try:
        for weight, data in held:
            weight.data = data.to(dtype)
        yield
    finally:
        for weight, data in held:
            weight.data = data


def _halves(batch: list[int], width: int) -> list[list[int]]:
    """The second half first: the end of the list is taken next."""
    if len(batch) == 1:
        raise DiasumError(
            f"Memory ran out while summarising one source of {width} tokens.",
            hint="Lower generate.num_beams, or prompt.max_source_tokens in training.",
        )
    middle = len(batch) // 2
    return [batch[middle:], batch[:middle]]
