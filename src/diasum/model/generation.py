"""Beam search over many sources at once: sorted by length, in batches of a token budget, back in the order they came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from diasum.config import GenerateSettings
from diasum.errors import DiasumError
from diasum.model.loading import position_limits
from diasum.model.memory import is_out_of_memory, release_memory

_SHARE = 3  # a summary is never forced to be longer than this part of its source
_WORD_BEGINS = ("\u2581", "\u0120")  # of SentencePiece and of byte-level BPE


@dataclass(frozen=True, slots=True)
class Generated:
    """One summary.

    Attributes:
        text: decoded, without special tokens, white space trimmed.
        cut: it reached the length limit before it ended.
    """

    text: str
    cut: bool


def generate(
    model: Any,
    tokenizer: Any,
    sources: Sequence[Sequence[int]],
    settings: GenerateSettings,
    *,
    progress: Callable[[int], None] | None = None,
) -> list[Generated]:
    """Summarise encoded sources.

    Args:
        model: a sequence-to-sequence model, with or without an adapter; its training mode is restored afterwards.
        tokenizer: for padding and decoding.
        sources: token ids with special tokens, without padding.
        settings: search and length limits.
        progress: called with the number of sources done after each batch.

    A batch for which memory runs out is taken in halves.

    Returns:
        One summary per source, in the order of the sources.

    Raises:
        DiasumError: memory runs out on a single source.
    """
    import torch

    config = generation_config(model, settings)
    processors = _finish_words(tokenizer, settings.no_repeat_ngram_size, config)
    ends = [*_ends(config), *_first_tokens(tokenizer, settings.closing)]
    results: list[Generated | None] = [None] * len(sources)
    was_training = model.training
    model.eval()
    try:
        waiting = list(_batches(sources, settings.batch_tokens))[::-1]
        while waiting:
            batch = waiting.pop()
            width = max(len(sources[i]) for i in batch)
            ids = torch.full((len(batch), width), tokenizer.pad_token_id, dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, index in enumerate(batch):
                ids[row, : len(sources[index])] = torch.tensor(sources[index])
                mask[row, : len(sources[index])] = 1
            shortest = [min(settings.min_new_tokens, len(sources[i]) // _SHARE) for i in batch]
            output = None
            try:
                with torch.inference_mode():
                    output = model.generate(
                        input_ids=ids.to(model.device),
                        attention_mask=mask.to(model.device),
                        generation_config=config,
                        logits_processor=[*processors, *([_not_before(shortest, ends)] if any(shortest) else [])],
                    )
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            if output is None:
                release_memory()
                waiting += _halves(batch, width)
                continue
            for index, sequence in zip(batch, output.tolist(), strict=True):
                text = tokenizer.decode(sequence, skip_special_tokens=True).strip()
                # The first token is the decoder's start; an unfinished sequence has no end token after it.
                results[index] = Generated(text, cut=tokenizer.eos_token_id not in sequence[1:])
            if progress:
                progress(len(batch))
    finally:
        model.train(was_training)
    return [result for result in results if result is not None]


def decoder_start(model: Any) -> int:
    """The token the decoder begins with, as the model's configurations say (T5: pad; BART: eos; T5Gemma: its decoder's bos).

    Raises:
        DiasumError: they say nothing.
    """
    config, own = model.config, model.generation_config
    for value in (
        getattr(own, "decoder_start_token_id", None),
        getattr(config, "decoder_start_token_id", None),
        getattr(getattr(config, "decoder", None), "bos_token_id", None),
        getattr(config, "pad_token_id", None),
    ):
        if value is not None:
            return int(value)
    raise DiasumError(f"The configuration of this {config.model_type} model names no decoder start token.")


def generation_config(model: Any, settings: GenerateSettings) -> Any:
    """A `transformers.GenerationConfig` with the model's special tokens and nothing else of the model's own search settings."""
    from transformers import GenerationConfig

    own = model.generation_config
    special = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id", "forced_bos_token_id")
    values = settings.model_dump(exclude={"batch_tokens", "closing"})
    if not settings.do_sample:
        values["temperature"] = values["top_p"] = None
    longest = position_limits(model)[1]
    values["max_new_tokens"] = min(settings.max_new_tokens, longest or settings.max_new_tokens)
    del values["min_new_tokens"]  # depends on the source: `_not_before`
    ids = {name: getattr(own, name, None) for name in special}
    ids["decoder_start_token_id"] = decoder_start(model)
    return GenerationConfig(**values, **ids)


def _finish_words(tokenizer: Any, size: int, config: Any) -> list[Any]:
    """The no-repeat rule of `transformers`, except that a begun word may be finished as an earlier one was.

    Names of several tokens ("App|rent|ice") come again in every summary of a conversation; plain blocking breaks them at the second
    mention ("Apprent on Wednesdays"). Where the vocabulary does not mark the beginnings of words, the plain rule stays.
    """
    import torch
    from transformers import NoRepeatNGramLogitsProcessor

    if not size:
        return []
    inside = _inside_words(tokenizer)
    if not any(inside):
        return []

    class FinishWords(NoRepeatNGramLogitsProcessor):
        def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
            blocked: torch.FloatTensor = super().__call__(input_ids, scores.clone())
            for row, token in (blocked != scores).nonzero().tolist():
                if token < len(inside) and inside[token] and _seen_word(input_ids[row].tolist(), token, inside):
                    blocked[row, token] = scores[row, token]
            return blocked

    config.no_repeat_ngram_size = 0  # done here instead
    return [FinishWords(size)]


@lru_cache(maxsize=2)  # a vocabulary may have 250,000 tokens, and a server summarises one conversation at a time
def _inside_words(tokenizer: Any) -> list[bool]:
    """For each token, whether it goes on with a word; for none where the vocabulary does not mark the beginnings."""
    tokens = [str(token) for token in tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))]
    if not any(token.startswith(_WORD_BEGINS) for token in tokens):
        return []
    special = set(tokenizer.all_special_tokens)
    return [token not in special and not token.startswith(_WORD_BEGINS) and token.isalnum() for token in tokens]


def _seen_word(ids: list[int], token: int, inside: list[bool]) -> bool:
    """Whether the word at the end of `ids` goes on with `token` as an earlier one did; a word that grows by repeating itself does not."""
    begin = len(ids) - 1
    while begin > 0 and inside[ids[begin]]:
        begin -= 1
    word = [*ids[begin:], token]
    return any(ids[k : k + len(word)] == word for k in range(begin - len(word) + 1))


def _ends(config: Any) -> list[int]:
    ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    return [end for end in ends if end is not None]  # None would index every token


def _first_tokens(tokenizer: Any, closing: str | None) -> list[int]:
    """What a closing line begins with, after a space and at the start of a text; none where there is no closing line."""
    if not closing:
        return []
    first, after = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (closing, f"a {closing}"))
    lead = len(tokenizer("a", add_special_tokens=False)["input_ids"])
    return sorted({first[0], after[lead]} - {tokenizer.unk_token_id})


def _not_before(shortest: Sequence[int], ends: Sequence[int]) -> Any:
    """None of the tokens `ends` before so many new tokens, a number for each row of the batch."""
    import torch
    from transformers import LogitsProcessor

    class NotBefore(LogitsProcessor):
        def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
            least = torch.tensor(shortest, device=scores.device).repeat_interleave(len(scores) // len(shortest))
            early = input_ids.shape[1] - 1 < least  # the first token is the decoder's start
            held = scores.clone()
            for end in ends:
                held[early, end] = -float("inf")
            return held  # type: ignore[return-value]

    return NotBefore()


def _halves(batch: list[int], width: int) -> list[list[int]]:
    """The second half first: the end of the list is taken next."""
    if len(batch) == 1:
        raise DiasumError(
            f"Memory ran out while one source of {width} tokens was summarised.",
            hint="Lower generate.num_beams, or prompt.max_source_tokens in training.",
        )
    middle = len(batch) // 2
    return [batch[middle:], batch[:middle]]


def _batches(sources: Sequence[Sequence[int]], batch_tokens: int) -> Iterator[list[int]]:
    """Indices, longest first (memory shows its peak at once), in batches of at most `batch_tokens` padded tokens."""
    batch: list[int] = []
    for index in sorted(range(len(sources)), key=lambda i: (-len(sources[i]), i)):
        if batch and (len(batch) + 1) * len(sources[batch[0]]) > batch_tokens:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
