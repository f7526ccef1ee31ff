"""The tensors of a T5 or BART: which ones there must be, by the names and shapes that transformers gives them, and how they are read."""

from __future__ import annotations

import json
import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from diasum.model.light.configuration import T5

HEAD = "lm_head"
HEAD_BIAS = "final_logits_bias"
_FLOATS = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}  # of safetensors and of torch
# Saved by older versions of transformers, and read by none.
_UNUSED = "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"

Shape = tuple[int, ...]


def shared_table(config: Any) -> str:
    """The name of the embedding that encoder and decoder share, and the head where the file has none of its own."""
    return "shared.weight" if config.model_type == T5 else "model.shared.weight"


def linear_shapes(config: Any) -> dict[str, Shape]:
    """The linear layers but for the head: path to shape (out, in)."""
    return dict(_t5_layers(config) if config.model_type == T5 else _bart_layers(config))


def fits(config: Any, file: Path) -> bool:
    """Whether a safetensors file has exactly the tensors of the model, each once, all of a type that can be read."""
    found = stored_shapes(file)
    if found is None:
        return False
    needed, head = shapes_of(config), f"{HEAD}.weight"
    optional: dict[str, Shape] = {head: (config.vocab_size, config.d_model)}
    if config.model_type == T5:
        optional[_UNUSED] = found.get(_UNUSED, ())
    else:
        optional[HEAD_BIAS] = (1, config.vocab_size)
    if head not in found and not getattr(config, "tie_word_embeddings", True):
        return False
    return needed.items() <= found.items() <= {**optional, **needed}.items()


def stored_shapes(file: Path) -> dict[str, Shape] | None:
    """The tensors of a safetensors file; None where it cannot be read, torch did not write it, or some are not of floats."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "np") as tensors:
            if (tensors.metadata() or {}).get("format") != "pt":
                return None
            slices = {name: tensors.get_slice(name) for name in tensors.keys()}  # noqa: SIM118 (no mapping)
            if any(one.get_dtype() not in _FLOATS for one in slices.values()):
                return None
            return {name: tuple(one.get_shape()) for name, one in slices.items()}
    except (OSError, SafetensorError):
        return None


class TensorFile(Mapping[str, Any]):
    """The tensors of a safetensors file by their names, each read when it is asked for, into memory of its own.

    A file that is mapped into memory, as libraries read it, would stand there beside all that is made of its tensors. It stays open: where
    another is moved into its place, this one is read on.

    Args:
        file: that `stored_shapes` can read.

    Raises:
        OSError: it cannot be read.
    """

    def __init__(self, file: Path) -> None:
        self._number = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self._number)
        self._lock = threading.Lock()
        length = int.from_bytes(self._bytes(0, 8), "little")
        header = json.loads(self._bytes(8, length))
        self._places = {name: place for name, place in header.items() if name != "__metadata__"}
        self._begin = 8 + length

    def __getitem__(self, name: str) -> Any:
        import torch

        place = self._places[name]
        begin, end = place["data_offsets"]
        data = self._bytes(self._begin + begin, end - begin)
        return torch.frombuffer(data, dtype=getattr(torch, _FLOATS[place["dtype"]])).view(place["shape"])

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def _bytes(self, begin: int, count: int) -> bytearray:
        missing = begin + count - os.fstat(self._number).st_size
        if missing <= 0:  # no memory for what the file cannot have
            data = bytearray(count)
            with self._lock, open(self._number, "rb", buffering=0, closefd=False) as file:
                file.seek(begin)
                rest = memoryview(data)
                while rest and (read := file.readinto(rest)):
                    rest = rest[read:]
            missing = len(rest)
        if missing > 0:
            raise OSError(f"a file of tensors ends {missing:,} bytes too early")
        return data


def shapes_of(config: Any) -> dict[str, Shape]:
    """The tensors that every model of this configuration has."""
    others = _t5_others(config) if config.model_type == T5 else _bart_others(config)
    biased = config.model_type != T5
    shapes = {shared_table(config): (config.vocab_size, config.d_model), **dict(others)}
    for path, shape in linear_shapes(config).items():
        shapes[f"{path}.weight"] = shape
        if biased:
            shapes[f"{path}.bias"] = shape[:1]
    return shapes


def _t5_layers(config: Any) -> Iterator[tuple[str, Shape]]:
    inner, width = config.num_heads * config.d_kv, config.d_model
    for stack, layers in (("encoder", config.num_layers), ("decoder", config.num_decoder_layers)):
        for i in range(layers):
            parts = ["layer.0.SelfAttention", *(["layer.1.EncDecAttention"] if stack == "decoder" else [])]
            for part in parts:
                yield from ((f"{stack}.block.{i}.{part}.{name}", (inner, width)) for name in "qkv")
                yield f"{stack}.block.{i}.{part}.o", (width, inner)
            feed = f"{stack}.block.{i}.layer.{len(parts)}.DenseReluDense"
            for name in ("wi_0", "wi_1") if config.is_gated_act else ("wi",):
                yield f"{feed}.{name}", (config.d_ff, width)
            yield f"{feed}.wo", (width, config.d_ff)


def _t5_others(config: Any) -> Iterator[tuple[str, Shape]]:
    bias = (config.relative_attention_num_buckets, config.num_heads)
    for stack, layers, parts in (("encoder", config.num_layers, 2), ("decoder", config.num_decoder_layers, 3)):
        yield f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight", bias
        yield f"{stack}.final_layer_norm.weight", (config.d_model,)
        for i in range(layers):
            yield from (
                (f"{stack}.block.{i}.layer.{part}.layer_norm.weight", (config.d_model,)) for part in range(parts)
            )


def _bart_stacks(config: Any) -> Iterator[tuple[str, int, int, list[str]]]:
    """Path, number of layers, width inside and attentions of each stack."""
    yield "model.encoder", config.encoder_layers, config.encoder_ffn_dim, ["self_attn"]
    yield "model.decoder", config.decoder_layers, config.decoder_ffn_dim, ["self_attn", "encoder_attn"]


def _bart_layers(config: Any) -> Iterator[tuple[str, Shape]]:
    width = config.d_model
    for stack, layers, inner, attentions in _bart_stacks(config):
        for i in range(layers):
            for attention in attentions:
                for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    yield f"{stack}.layers.{i}.{attention}.{name}", (width, width)
            yield f"{stack}.layers.{i}.fc1", (inner, width)
            yield f"{stack}.layers.{i}.fc2", (width, inner)


def _bart_others(config: Any) -> Iterator[tuple[str, Shape]]:
    for stack, layers, _, attentions in _bart_stacks(config):
        yield f"{stack}.embed_positions.weight", (config.max_position_embeddings + 2, config.d_model)
        norms = ["layernorm_embedding"]
        for i in range(layers):
            norms += [f"layers.{i}.{name}_layer_norm" for name in (*attentions, "final")]
        for norm in norms:
            yield from ((f"{stack}.{norm}.{name}", (config.d_model,)) for name in ("weight", "bias"))
