"""A model read from its files has the tensors, configuration and tokens that transformers and peft give it; or is left to them."""

from __future__ import annotations

import json
import os
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoConfig,
    AutoTokenizer,
    BartConfig,
    BartForConditionalGeneration,
    T5Config,
    T5ForConditionalGeneration,
)

from diasum.config import GenerateSettings
from diasum.engines.fast.engine import FastEngine
from diasum.engines.fast.t5 import bucket_of
from diasum.engines.fast.weights import ModelWeights
from diasum.files import write_json
from diasum.model import bundled_base, choose_hardware, load_base, position_limits, special_tokens
from diasum.model.adapter_files import read_adapter
from diasum.model.light import read_light
from diasum.model.light.tensors import TensorFile, linear_shapes, shapes_of, shared_table
from tests.tokenizers import tiny_bart_tokenizer, tiny_t5_tokenizer

CPU = choose_hardware("cpu", "fp32")
T5 = {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2, "decoder_start_token_id": 0}
BART = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 24,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 256,
    "init_std": 0.3,
}
BASES: dict[str, tuple[dict[str, Any], bool]] = {  # configuration, and whether the head is one of its own
    "t5": ({**T5, "feed_forward_proj": "relu"}, False),
    "t5 1.1": ({**T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}, True),
    "t5, tied by name only": ({**T5, "feed_forward_proj": "gated-gelu"}, True),
    "t5, other sizes": (
        {**T5, "feed_forward_proj": "gated-silu", "num_decoder_layers": 3, "relative_attention_num_buckets": 8},
        False,
    ),
    "bart": (BART, False),
    "bart, scaled": ({**BART, "scale_embedding": True, "activation_function": "relu"}, True),
}
ADAPTERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rank-stabilised": {"use_rslora": True, "lora_alpha": 7},
    "everything": {"target_modules": "all-linear"},
    "patterns": {"rank_pattern": {"{v}": 3}, "alpha_pattern": {"{q}": 5, "encoder.*{v}": 9}},
    "an expression": {"target_modules": r"(?!encoder\.|model\.encoder\.)(?:.*\.)?(?:{q}|{v})"},
}


USED = {  # of the configuration
    "t5": (
        *(
            "d_model",
            "d_kv",
            "num_heads",
            "num_layers",
            "num_decoder_layers",
            "is_gated_act",
            "dense_act_fn",
            "layer_norm_epsilon",
        ),
        *("relative_attention_num_buckets", "relative_attention_max_distance", "scale_decoder_outputs", "vocab_size"),
        *("pad_token_id", "eos_token_id"),
    ),
    "bart": (
        *(
            "d_model",
            "encoder_layers",
            "decoder_layers",
            "encoder_attention_heads",
            "decoder_attention_heads",
            "vocab_size",
        ),
        *(
            "activation_function",
            "scale_embedding",
            "max_position_embeddings",
            "pad_token_id",
            "eos_token_id",
            "bos_token_id",
        ),
    ),
}


def save_base(folder: Path, name: str, dtype: torch.dtype = torch.float32) -> Path:
    values, own_head = BASES[name]
    torch.manual_seed(3)
    tokenizer: Any
    model: Any
    if name.startswith("t5"):
        tokenizer = tiny_t5_tokenizer()
        model = T5ForConditionalGeneration(T5Config(vocab_size=len(tokenizer) + 3, **values))
    else:
        tokenizer = tiny_bart_tokenizer()
        model = BartForConditionalGeneration(BartConfig(vocab_size=len(tokenizer), **values))
        model.final_logits_bias.normal_()
    if own_head:
        model.lm_head.weight = torch.nn.Parameter(torch.randn(model.lm_head.weight.shape))
    model.to(dtype).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_adapter(folder: Path, base: Path, name: str = "plain", **changes: Any) -> Path:
    names = {"q": "q", "v": "v"} if base_family(base) == "t5" else {"q": "q_proj", "v": "v_proj"}

    def named(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("{q}", names["q"]).replace("{v}", names["v"])
        return {named(key): one for key, one in value.items()} if isinstance(value, dict) else value

    values = {"r": 2, "target_modules": [*names.values()], **ADAPTERS[name], **changes}
    config = peft.LoraConfig(task_type="SEQ_2_SEQ_LM", **{key: named(value) for key, value in values.items()})
    torch.manual_seed(5)
    model = peft.get_peft_model(load_base(str(base), CPU).model, config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    return folder


def base_family(base: Path) -> str:
    return str(json.loads((base / "config.json").read_text())["model_type"])


def assert_same(base: Path, adapter: Path | None, dtype: str = "float32") -> None:
    light = read_light("base", base, adapter)
    assert light is not None
    loaded = load_base(str(base), CPU)
    model = loaded.model if adapter is None else read_adapter(loaded.model, adapter, base="base", trained_on="base")
    light.dtype = dtype
    model.to(getattr(torch, dtype))
    inside = ModelWeights(loaded.model)
    for path in (*linear_shapes(light.config), "lm_head"):
        for made, expected in zip(light.linear(path), inside.linear(path), strict=True):
            assert (made is None) == (expected is None), path
            assert made is None or torch.equal(made.float(), expected.float()), path
    prefix = "" if light.model_type == "t5" else "model."
    for name in (
        *(name for name in shapes_of(light.config) if name.rpartition(".")[0] not in linear_shapes(light.config)),
        *(f"{prefix}{stack}.embed_tokens.weight" for stack in ("encoder", "decoder")),
        *("final_logits_bias", f"{prefix}encoder.layer_norm.weight", f"{prefix}nothing.weight"),
    ):
        made, expected = light.tensor(name), inside.tensor(name)
        assert (made is None) == (expected is None), name
        assert made is None or torch.equal(made.float(), expected.float()), name  # type: ignore[union-attr]
    stacks = [f"{prefix}{stack}.{'layers' if prefix else 'block'}" for stack in ("encoder", "decoder")]
    assert [light.layers(one) for one in stacks] == [inside.layers(one) for one in stacks]
    assert special_tokens(light) == special_tokens(loaded.model)
    assert light.position_limits == position_limits(loaded.model)


@pytest.mark.parametrize("name", BASES)
def test_bases(name: str, tmp_path: Path) -> None:
    base = save_base(tmp_path, name)
    assert_same(base, None)
    light = read_light("base", base)
    assert light is not None
    config = AutoConfig.from_pretrained(base)
    for key in USED[light.model_type]:
        assert getattr(light.config, key) == getattr(config, key), key


@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_number_types(dtype: str, stored: torch.dtype, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", "t5 1.1", stored)
    assert_same(base, save_adapter(tmp_path / "adapter", base), dtype)


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("name", ["t5", "bart, scaled"])
def test_adapters(name: str, adapter: str, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", name)
    folder = save_adapter(tmp_path / "adapter", base, adapter)
    plain, adapted = read_light("base", base), read_light("base", base, folder)
    assert plain is not None
    assert adapted is not None
    assert_same(base, folder)
    changed = [
        path for path in linear_shapes(plain.config) if not torch.equal(plain.linear(path)[0], adapted.linear(path)[0])
    ]
    assert changed, "the adapter must do something here"


def test_the_bundled_base() -> None:
    assert_same(bundled_base(), None)


@pytest.mark.parametrize("name", ["t5", "bart", "mini"])
def test_tokenizers(name: str, tmp_path: Path) -> None:
    base = bundled_base() if name == "mini" else save_base(tmp_path, name)
    light = read_light("base", base)
    assert light is not None
    made, expected = light.tokenizer, AutoTokenizer.from_pretrained(base)
    texts = ["Anna: Lunch?\nBen: At 9:30 </s> (Ж 😀)", "", " ", "a" * 3000, "<pad><extra_id_3> plain"]
    for special in (True, False):
        ids = expected(texts, add_special_tokens=special, verbose=False)["input_ids"]
        assert made(texts, add_special_tokens=special, verbose=False)["input_ids"] == ids
        assert made(texts[0], add_special_tokens=special)["input_ids"] == ids[0]
        assert made(text_target=texts, add_special_tokens=special)["input_ids"] == ids
        for one in ids:
            for skip in (True, False):
                assert made.decode(one, skip_special_tokens=skip) == expected.decode(one, skip_special_tokens=skip)
    everything = list(range(len(expected)))
    assert len(made) == len(expected)
    assert made.convert_ids_to_tokens(everything) == expected.convert_ids_to_tokens(everything)
    assert sorted(made.all_special_tokens) == sorted(expected.all_special_tokens)
    names = ("pad_token_id", "eos_token_id", "unk_token_id")
    assert [getattr(made, one) for one in names] == [getattr(expected, one) for one in names]


def test_buckets_of_distances() -> None:
    attention = T5ForConditionalGeneration(T5Config(vocab_size=9, **T5)).encoder.block[0].layer[0].SelfAttention
    for buckets, farthest in ((32, 128), (8, 20), (64, 1000)):
        distances = torch.arange(3000)
        expected = attention._relative_position_bucket(-distances, False, buckets, farthest)
        assert torch.equal(bucket_of(distances, buckets, farthest), expected)


def in_json(name: str, **values: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = {**json.loads((folder / name).read_text()), **values}
        write_json(folder / name, {key: value for key, value in content.items() if value != "gone"})

    return change


def in_tensors(
    change: Callable[[dict[str, Any]], Any], metadata: dict[str, str] | None = None
) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        file = next(folder.glob("*model.safetensors"))
        tensors = load_file(file)
        change(tensors)
        save_file(tensors, file, metadata=metadata or {"format": "pt"})

    return rewrite


def first(tensors: dict[str, Any]) -> str:
    return next(iter(sorted(tensors)))


OTHER_BASES: dict[str, Callable[[Path], None]] = {
    "another family": in_json("config.json", model_type="longt5"),
    "quantised": in_json("config.json", quantization_config={"load_in_8bit": True}),
    "its own code": in_json("config.json", auto_map={"AutoConfig": "mine.Config"}),
    "a decoder": in_json("config.json", is_encoder_decoder=False),
    "another name of a size": in_json("config.json", num_attention_heads=4),
    "a size as text": in_json("config.json", num_heads="2"),
    "no size": in_json("config.json", num_heads="gone"),
    "another size": in_json("config.json", d_ff=32),
    "a contradiction": in_json("config.json", dense_act_fn="silu"),
    "no head": in_json("config.json", tie_word_embeddings=False),
    "bad settings of generation": in_json("generation_config.json", num_beams=0),
    "unknown settings of generation": in_json("generation_config.json", guidance_scale=2.0),
    "no settings of generation": lambda folder: (folder / "generation_config.json").unlink(),
    "a tensor too few": in_tensors(lambda tensors: tensors.pop(first(tensors))),
    "a tensor too many": in_tensors(lambda tensors: tensors.update(more=torch.ones(2))),
    "whole numbers": in_tensors(lambda tensors: tensors.update({first(tensors): tensors[first(tensors)].int()})),
    "another format": in_tensors(lambda tensors: None, {"format": "np"}),
    "damaged weights": lambda folder: (folder / "model.safetensors").write_bytes(b"12345678"),
    "two files": lambda folder: shutil.copy(folder / "model.safetensors", folder / "other.safetensors") and None,
    "an index": lambda folder: write_json(folder / "model.safetensors.index.json", {}),
    "an adapter inside": lambda folder: write_json(folder / "adapter_config.json", {}),
    "a tokenizer that is built anew": in_json("tokenizer_config.json", tokenizer_class="T5Tokenizer"),
    "a tokenizer that cleans up": in_json("tokenizer_config.json", clean_up_tokenization_spaces=True),
    "a tokenizer that splits": in_json("tokenizer_config.json", split_special_tokens=True),
    "a special token more": in_json("tokenizer_config.json", extra_special_tokens=["<more>"]),
    "special tokens elsewhere": lambda folder: write_json(folder / "special_tokens_map.json", {"eos_token": "a"}),
    "a damaged tokenizer": in_json("tokenizer.json", model={}),
    "no tokenizer": lambda folder: (folder / "tokenizer.json").unlink(),
}


@pytest.mark.parametrize("change", OTHER_BASES)
def test_other_bases_are_left_to_transformers(change: str, tmp_path: Path) -> None:
    base = save_base(tmp_path, "t5")
    assert read_light("base", base) is not None
    OTHER_BASES[change](base)
    assert read_light("base", base) is None


OTHER_ADAPTERS: dict[str, Callable[[Path], None]] = {
    "another method": in_json("adapter_config.json", peft_type="IA3"),
    "dora": in_json("adapter_config.json", use_dora=True),
    "modules to save": in_json("adapter_config.json", modules_to_save=["lm_head"]),
    "biases": in_json("adapter_config.json", bias="all"),
    "a field of a later version": in_json("adapter_config.json", use_something_new=True),
    "weights from the base": in_json("adapter_config.json", init_lora_weights="pissa"),
    "another rank": in_json("adapter_config.json", r=3),
    "no rank": in_json("adapter_config.json", r="gone"),
    "a pattern that is none": in_json("adapter_config.json", rank_pattern={"(": 2}),
    "other layers": in_json("adapter_config.json", target_modules=["k", "v"]),
    "embeddings": in_json("adapter_config.json", target_modules=["q", "v", "embed_tokens"]),
    "the head": in_json("adapter_config.json", target_modules=["q", "v", "lm_head"]),
    "an expression for more": in_json(
        "adapter_config.json", target_modules=r".*SelfAttention(\.(q|v))?|.*EncDecAttention\.(q|v)"
    ),
    "some layers": in_json("adapter_config.json", layers_to_transform=[0]),
    "no layers": in_json("adapter_config.json", target_modules=None),
    "a tensor too few": in_tensors(lambda tensors: tensors.pop(first(tensors))),
    "a tensor too many": in_tensors(lambda tensors: tensors.update(more=torch.ones(2))),
    "damaged": lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"12345678"),
}


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("adapted")
    base = save_base(folder / "base", "t5")
    return base, save_adapter(folder / "adapter", base)


@pytest.mark.parametrize("change", OTHER_ADAPTERS)
def test_other_adapters_are_left_to_peft(change: str, adapted: tuple[Path, Path], tmp_path: Path) -> None:
    base, adapter = adapted
    assert read_light("base", base, adapter) is not None
    changed = shutil.copytree(adapter, tmp_path / "adapter")
    OTHER_ADAPTERS[change](changed)
    assert read_light("base", base, changed) is None


def test_tensors_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside what the fast decode makes of them they would take as much memory again."""
    base = save_base(tmp_path, "t5")
    light = read_light("base", base)
    assert light is not None
    read: list[weakref.ref[torch.Tensor]] = []
    get = TensorFile.__getitem__

    def remembered(self: TensorFile, name: str) -> torch.Tensor:
        tensor: torch.Tensor = get(self, name)
        read.append(weakref.ref(tensor))
        return tensor

    monkeypatch.setattr(TensorFile, "__getitem__", remembered)
    light.read()
    assert not any(one() is not None for one in read)
    table = shared_table(light.config)
    engine = FastEngine(light, light.tokenizer)
    engine.current_decoder(GenerateSettings(dtype="fp32"))
    matrices = [tensor for one in read if (tensor := one()) is not None and tensor.ndim > 1]
    alike = [tensor for tensor in matrices if tensor.shape == light.tensor(table).shape]  # type: ignore[union-attr]
    assert len(alike) == 1, "the embedding, once"
    assert len(matrices) - len(alike) <= 2, "and the relative biases"


def test_a_file_that_another_takes_the_place_of_is_read_on(tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", "t5")
    light = read_light("base", base)
    assert light is not None
    name = "encoder.final_layer_norm.weight"
    light.read()
    before = light.tensor(name)
    other = tmp_path / "other.safetensors"
    save_file({name: torch.full_like(before, 7.0)}, other)  # type: ignore[arg-type]
    other.replace(base / "model.safetensors")
    assert torch.equal(light.tensor(name), before)  # type: ignore[arg-type]


def test_a_file_of_tensors_that_is_cut_short(tmp_path: Path) -> None:
    base = save_base(tmp_path, "t5")
    tensors = TensorFile(base / "model.safetensors")
    name = max(tensors, key=lambda one: tensors[one].numel())
    expected = load_file(base / "model.safetensors")
    assert set(tensors) == set(expected)
    assert all(torch.equal(tensors[one], expected[one]) for one in tensors)
    os.truncate(base / "model.safetensors", (base / "model.safetensors").stat().st_size // 4)
    with pytest.raises(OSError, match="bytes too early"):
        [tensors[one] for one in (name, *tensors)]
    (base / "model.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(OSError, match="bytes too early"):
        TensorFile(base / "model.safetensors")
