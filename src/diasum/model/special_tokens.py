"""Ids of the tokens that generation begins and ends with: read from a base once, in training, and recorded in the run.

They stand in the base's configuration, which its weights' hash does not cover: with other ones the same weights write other summaries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diasum.errors import DiasumError

SPECIAL_IDS = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id", "forced_bos_token_id")
ALL_IDS = (*SPECIAL_IDS, "forced_eos_token_id")

SpecialTokens = dict[str, int | list[int] | None]


def decoder_start(model: Any) -> int:
    """The token the decoder begins with, as the model's configurations say (T5: pad; BART: eos; T5Gemma: its decoder's bos).

    Raises:
        DiasumError: the configurations name no such token.
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
    raise DiasumError(f"The configuration of this {config.model_type} model does not name a decoder start token.")


def special_tokens(model: Any) -> SpecialTokens:
    """What a model generates with, by the names of `transformers.GenerationConfig`."""
    ids = {name: getattr(model.generation_config, name, None) for name in ALL_IDS}
    return {**ids, "decoder_start_token_id": decoder_start(model)}


def use_special_tokens(model: Any, recorded: Mapping[str, int | list[int] | None]) -> list[str]:
    """Let a model generate with recorded ids.

    Returns:
        Those of the model's own that were different, in words: ``forced_bos_token_id 5 (recorded: none)``.
    """
    own = special_tokens(model)
    different = {name: recorded[name] for name in ALL_IDS if name in recorded and recorded[name] != own[name]}
    for name, value in different.items():
        for holder in (model.generation_config, model.config):
            if hasattr(holder, name):
                setattr(holder, name, value)
    return [f"{name} {_shown(own[name])} (recorded: {_shown(value)})" for name, value in different.items()]


def _shown(value: int | list[int] | None) -> str:
    return "none" if value is None else str(value)
