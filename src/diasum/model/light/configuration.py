"""A model's configuration as transformers reads it from config.json and generation_config.json, for T5 and BART."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from diasum.model.light.checks import ID, IDS, NUMBER, json_object, of_types
from diasum.model.special_tokens import ALL_IDS

T5, BART = "t5", "bart"
_ANYTHING = (str, int, float, bool, list, dict, type(None))
# Sizes, without which there is no model, and how it computes, with what transformers takes where config.json does not say it.
_SIZES = {
    T5: ("d_model", "d_kv", "d_ff", "num_layers", "num_heads", "vocab_size"),
    BART: (
        *("d_model", "encoder_layers", "decoder_layers", "encoder_attention_heads", "decoder_attention_heads"),
        *("encoder_ffn_dim", "decoder_ffn_dim", "max_position_embeddings", "vocab_size"),
    ),
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    T5: {
        "relative_attention_num_buckets": 32,
        "relative_attention_max_distance": 128,
        "layer_norm_epsilon": 1e-6,
        "feed_forward_proj": "relu",
        "pad_token_id": 0,
        "eos_token_id": 1,
    },
    BART: {
        "activation_function": "gelu",
        "scale_embedding": False,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "decoder_start_token_id": 2,
        "forced_eos_token_id": 2,
    },
}
_TYPES: dict[str, tuple[type, ...]] = {
    **dict.fromkeys((*_SIZES[T5], *_SIZES[BART], "num_decoder_layers"), (int,)),
    "relative_attention_num_buckets": (int,),
    "relative_attention_max_distance": (int,),
    "layer_norm_epsilon": (float,),
    "feed_forward_proj": (str,),
    "activation_function": (str,),
    "dense_act_fn": (str,),
    "is_gated_act": (bool,),
    "scale_embedding": (bool,),
    "scale_decoder_outputs": (bool,),
    "tie_word_embeddings": (bool,),
    "is_encoder_decoder": (bool,),
    "model_type": (str,),
    "pad_token_id": ID,
    "bos_token_id": ID,
    "eos_token_id": IDS,
    "decoder_start_token_id": ID,
    "forced_eos_token_id": IDS,
    # Without effect on what is computed here.
    **dict.fromkeys(
        ("dropout", "attention_dropout", "activation_dropout", "dropout_rate", "classifier_dropout"), NUMBER
    ),
    **dict.fromkeys(("encoder_layerdrop", "decoder_layerdrop", "init_std", "initializer_factor"), NUMBER),
    **dict.fromkeys(("use_cache", "is_decoder"), (bool,)),
    **dict.fromkeys(("transformers_version", "dtype", "torch_dtype"), (str,)),
    "architectures": (list,),
    "id2label": (dict,),
    "label2id": (dict,),
    "dialogue_prompts": _ANYTHING,  # of diasum's own bases
    "dialogue_speakers": _ANYTHING,
}
_GENERATION: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(ALL_IDS, IDS),
    **dict.fromkeys(("max_length", "max_new_tokens", "num_beams", "no_repeat_ngram_size"), (int,)),
    **dict.fromkeys(("_from_model_config", "early_stopping", "output_attentions", "output_hidden_states"), (bool,)),
    "use_cache": (bool,),
    "length_penalty": NUMBER,
    "transformers_version": (str,),
}


def read_configuration(folder: Path) -> tuple[Any, Any] | None:
    """Model and generation configuration, with the names and values that those of transformers have.

    Returns:
        None for other families, and for values that are not known here.
    """
    config, generation = json_object(folder / "config.json"), json_object(folder / "generation_config.json")
    if config is None or generation is None or not of_types(generation, _GENERATION):
        return None
    family = config.get("model_type")
    if family not in (T5, BART) or not of_types(config, _TYPES) or config.get("is_encoder_decoder", True) is not True:
        return None
    if not all(config.get(name, 0) > 0 for name in _SIZES[family]) or generation.get("num_beams", 1) < 1:
        return None
    values = {**_DEFAULTS[family], **config}
    if not (_t5 if family == T5 else _bart)(values):
        return None
    ids = {name: generation.get(name) for name in ALL_IDS}
    return SimpleNamespace(**{**dict.fromkeys(ALL_IDS), **values}), SimpleNamespace(**ids)


def _t5(values: dict[str, Any]) -> bool:
    """Adds what follows from other values; False where a value contradicts that."""
    gate, _, activation = values["feed_forward_proj"].rpartition("-")
    derived = {
        "dense_act_fn": "gelu_new" if (gate, activation) == ("gated", "gelu") else activation,
        "is_gated_act": gate == "gated",
    }
    if gate not in ("", "gated") or any(values.get(name, value) != value for name, value in derived.items()):
        return False
    values.setdefault("num_decoder_layers", values["num_layers"])
    values.setdefault("scale_decoder_outputs", values.get("tie_word_embeddings", True))
    values.update(derived)
    buckets = values["relative_attention_num_buckets"]
    return bool(values["num_decoder_layers"] > 0 and 4 <= buckets < values["relative_attention_max_distance"])


def _bart(values: dict[str, Any]) -> bool:
    """As `_t5`; heads must share the width."""
    heads = values["encoder_attention_heads"], values["decoder_attention_heads"]
    return values.get("tie_word_embeddings", True) is True and all(values["d_model"] % one == 0 for one in heads)
