"""What the settings of `generate.` mean for a model's search: the same for every engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from diasum.config import GenerateSettings
from diasum.engines.words import inside_words
from diasum.model.loading import position_limits
from diasum.model.special_tokens import SPECIAL_IDS, decoder_start

SHARE = 3  # a summary is never forced to be longer than this part of its source
_SEARCH = ("num_beams", "max_new_tokens", "length_penalty", "no_repeat_ngram_size", "repetition_penalty", "do_sample")


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """What a model's search goes by, under the names of `transformers.GenerationConfig`: settings, and the model's special tokens.

    `min_new_tokens` depends on the source (`least_length`); `temperature` and `top_p` are None where nothing is sampled.
    """

    num_beams: int
    max_new_tokens: int
    length_penalty: float
    no_repeat_ngram_size: int
    repetition_penalty: float
    do_sample: bool
    temperature: float | None
    top_p: float | None
    pad_token_id: int | None
    bos_token_id: int | None
    eos_token_id: int | list[int] | None
    decoder_start_token_id: int
    forced_bos_token_id: int | None


def search_config(model: Any, settings: GenerateSettings) -> SearchConfig:
    """The settings with the model's special tokens, and nothing else of the model's own search settings."""
    longest = position_limits(model)[1]
    values: dict[str, Any] = {"temperature": None, "top_p": None, **search_values(settings)}
    values["max_new_tokens"] = min(settings.max_new_tokens, longest or settings.max_new_tokens)
    values |= {name: getattr(model.generation_config, name, None) for name in SPECIAL_IDS}
    return SearchConfig(**{**values, "decoder_start_token_id": decoder_start(model)})


def search_values(settings: GenerateSettings) -> dict[str, Any]:
    """The settings that `transformers.GenerationConfig` knows by the same names; without `min_new_tokens`, which depends on the source."""
    sampling = ("temperature", "top_p") if settings.do_sample else ()
    return {name: getattr(settings, name) for name in (*_SEARCH, *sampling)}


@lru_cache(maxsize=2)  # a vocabulary may have 250,000 tokens, and a server summarises one conversation at a time
def inside_words_of(tokenizer: Any) -> list[bool]:
    """As `inside_words`, remembered."""
    return inside_words(tokenizer)


def least_length(source: Sequence[int], settings: GenerateSettings) -> int:
    """New tokens before which the summary of a source may not end."""
    return min(settings.min_new_tokens, len(source) // SHARE)


def end_tokens(config: Any) -> list[int]:
    """The tokens that end a text under a `SearchConfig` or `transformers.GenerationConfig`."""
    ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    return [end for end in ends if end is not None]  # None would index every token


def first_tokens(tokenizer: Any, closing: str | None) -> list[int]:
    """What a closing line begins with, after a space and at the start of a text; none where there is no closing line."""
    if not closing:
        return []
    first, after = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (closing, f"a {closing}"))
    lead = len(tokenizer("a", add_special_tokens=False)["input_ids"])
    return sorted({first[0], after[lead]} - {tokenizer.unk_token_id})
