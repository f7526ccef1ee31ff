"""The engine `torch-plain`: the search of transformers, over many sources at once.

Sources are sorted by length and taken in batches of a token budget; summaries come back in the order of the sources. It can do whatever
transformers can, for every family, and is what faster engines are held equal to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from diasum.config import GenerateSettings
from diasum.data.batching import Budget, Size, longest_first_batches, padded_sources
from diasum.engines.base import Generated
from diasum.errors import DiasumError
from diasum.model.hardware import TORCH_TYPES, generation_dtype
from diasum.model.loading import position_limits
from diasum.model.memory import give_back_freed_memory, is_out_of_memory, release_memory
from diasum.model.special_tokens import SPECIAL_IDS, decoder_start

if TYPE_CHECKING:
    import torch

ENGINE = "torch-plain"  # what generates here, by the name that records of summaries give it
SHARE = 3  # a summary is never forced to be longer than this part of its source
_SEARCH = ("num_beams", "max_new_tokens", "length_penalty", "no_repeat_ngram_size", "repetition_penalty", "do_sample")


class PlainEngine:
    """`generate` with a model.

    Args:
        model: a sequence-to-sequence model, with or without an adapter.
        tokenizer: its own.
        convert: as in `generate`.
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
        """As `Engine.generate`."""
        return generate(self.model, self.tokenizer, sources, settings, progress=progress, convert=self.convert)


def generate(
    model: Any,
    tokenizer: Any,
    sources: Sequence[Sequence[int]],
    settings: GenerateSettings,
    *,
    progress: Callable[[int], None] | None = None,
    convert: bool = True,
) -> list[Generated]:
    """Summarise encoded sources; of the base's own generation settings only its special tokens are used.

    Args:
        model: a sequence-to-sequence model, with or without an adapter; its training mode is restored afterwards.
        tokenizer: for padding and decoding.
        sources: token ids with special tokens, without padding.
        settings: search, length limits and number type.
        progress: called with the number of sources done after each batch.
        convert: False computes with the weights as they are, whatever `settings.dtype` says.

    A batch for which memory runs out is taken in halves.

    Returns:
        One summary per source, in the order of the sources.

    Raises:
        DiasumError: memory runs out on a single source.
    """
    import torch

    from diasum.engines.processors import FinishWords, NotBefore

    config = generation_config(model, settings)
    repeats = (
        [FinishWords(config.no_repeat_ngram_size, inside_words_of(tokenizer))] if config.no_repeat_ngram_size else []
    )
    config.no_repeat_ngram_size = 0  # done by `FinishWords`
    dtype = getattr(torch, TORCH_TYPES[generation_dtype(settings.dtype)[0]])
    ends = [*end_tokens(config), *first_tokens(tokenizer, settings.closing)]
    results: list[Generated | None] = [None] * len(sources)
    was_training = model.training
    model.eval()
    with contextlib.ExitStack() as stack:
        stack.callback(model.train, was_training)
        stack.enter_context(give_back_freed_memory())
        stack.enter_context(_instead_of_its_own(model, config))
        if convert:
            stack.enter_context(_weights_in(dtype, model))
        waiting = source_batches(sources, settings)[::-1]
        while waiting:
            batch = waiting.pop()
            ids, mask = padded_sources([sources[i] for i in batch], tokenizer.pad_token_id)
            shortest = [min(settings.min_new_tokens, len(sources[i]) // SHARE) for i in batch]
            processors = [*repeats, *([NotBefore(shortest, ends)] if any(shortest) else [])]
            output = _search(model, ids, mask, config, processors)
            if output is None:
                release_memory()
                waiting += _halves(batch, ids.shape[1])
                continue
            for index, sequence in zip(batch, output.tolist(), strict=True):
                text = tokenizer.decode(sequence, skip_special_tokens=True).strip()
                # The first token is the decoder's start; an unfinished sequence has no end token after it.
                results[index] = Generated(text, cut=tokenizer.eos_token_id not in sequence[1:])
            if progress:
                progress(len(batch))
    return [result for result in results if result is not None]


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
    """The batches in which `generate` takes sources, as indices, longest first."""
    return list(longest_first_batches([Size(len(ids)) for ids in sources], Budget(settings.batch_tokens)))


def generation_config(model: Any, settings: GenerateSettings) -> Any:
    """A `transformers.GenerationConfig` with the model's special tokens and nothing else of the model's own search settings."""
    from transformers import GenerationConfig

    longest = position_limits(model)[1]
    values = search_values(settings)
    values["max_new_tokens"] = min(settings.max_new_tokens, longest or settings.max_new_tokens)
    ids = {name: getattr(model.generation_config, name, None) for name in SPECIAL_IDS}
    return GenerationConfig(**values, **ids | {"decoder_start_token_id": decoder_start(model)})


def search_values(settings: GenerateSettings) -> dict[str, Any]:
    """The settings that `transformers.GenerationConfig` knows by the same names; without `min_new_tokens`, which depends on the source."""
    sampling = ("temperature", "top_p") if settings.do_sample else ()
    return {name: getattr(settings, name) for name in (*_SEARCH, *sampling)}


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


@lru_cache(maxsize=2)  # a vocabulary may have 250,000 tokens, and a server summarises one conversation at a time
def inside_words_of(tokenizer: Any) -> list[bool]:
    from diasum.engines.processors import inside_words

    return inside_words(tokenizer)


def end_tokens(config: Any) -> list[int]:
    ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    return [end for end in ends if end is not None]  # None would index every token


def first_tokens(tokenizer: Any, closing: str | None) -> list[int]:
    """What a closing line begins with, after a space and at the start of a text; none where there is no closing line."""
    if not closing:
        return []
    first, after = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (closing, f"a {closing}"))
    lead = len(tokenizer("a", add_special_tokens=False)["input_ids"])
    return sorted({first[0], after[lead]} - {tokenizer.unk_token_id})


def _halves(batch: list[int], width: int) -> list[list[int]]:
    """The second half first: the end of the list is taken next."""
    if len(batch) == 1:
        raise DiasumError(
            f"Memory ran out while summarising one source of {width} tokens.",
            hint="Lower generate.num_beams, or prompt.max_source_tokens in training.",
        )
    middle = len(batch) // 2
    return [batch[middle:], batch[:middle]]
