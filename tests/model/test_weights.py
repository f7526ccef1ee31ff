"""A base is whole, or refused: transformers would fill what its files lack with random numbers, and drop what it has no place for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModel, T5Config

from diasum.errors import DiasumError
from diasum.model import choose_hardware, load_base
from tests.models import save_model
from tests.test_families import FAMILIES, save_tiny

CPU = choose_hardware("cpu", "fp32")
Tensors = dict[str, Tensor]


def changed(base: str, folder: Path, change: Callable[[Tensors], Tensors]) -> str:
    """A copy of a model's folder with other tensors in its file."""
    shutil.copytree(base, folder, dirs_exist_ok=True)
    file = folder / "model.safetensors"
    save_file(change(load_file(file)), file, metadata={"format": "pt"})
    return str(folder)


def without(part: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if part not in name}


WRONG: dict[str, tuple[Callable[[Tensors], Tensors], str]] = {
    "one matrix is missing": (
        without("encoder.block.1.layer.0.SelfAttention.q"),
        r"1 tensor of the model is not in its files \(encoder.block.1.layer.0.SelfAttention.q.weight\).*random numbers",
    ),
    "embeddings are missing": (without("shared"), r"4 tensors of the model are not in its files .*lm_head\.weight"),
    "one layer is missing": (without("encoder.block.1."), r"fewer layers than config.json says \(no encoder\.block\.1\)"),
    "a layer of each side": (without(".block.1."), r"fewer layers .*\(no decoder\.block\.1, encoder\.block\.1\)"),
    "an encoder only": (without("decoder."), r"\d+ tensors of the model .*They seem to hold an encoder only"),
    "another prefix": (
        lambda tensors: {f"net.model.{name}": tensor for name, tensor in tensors.items()},
        r"54 tensors of the model are not in its files .*and 51 more.*names begin with an additional `net\.model\.`",
    ),
    "a layer more": (
        lambda tensors: tensors
        | {
            name.replace("block.1", "block.2"): tensor.clone()
            for name, tensor in tensors.items()
            if "encoder.block.1" in name
        },
        r"9 tensors in its files are not in the model .*more layers than config.json says \(encoder\.block\.2\)",
    ),
    "a head of another task": (
        lambda tensors: {**tensors, "classification_head.dense.weight": torch.zeros(2, 2)},
        r"1 tensor in its files is not in the model \(classification_head.dense.weight\)",
    ),
    "another shape": (
        lambda tensors: {n: t[:-1].clone() if n.endswith("0.SelfAttention.q.weight") else t for n, t in tensors.items()},
        "decoder.block.0.layer.0.SelfAttention.q.weight is 31 x 32, expected 32 x 32",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_base_that_is_not_whole_is_refused(
    name: str, base: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    change, message = WRONG[name]
    with pytest.raises(DiasumError, match=message) as caught:
        load_base(changed(base, tmp_path, change), CPU)
    assert caught.value.hint
    out, err = capfd.readouterr()
    assert (out, err) == ("", ""), "what transformers says of it is not for users"


def test_a_head_of_its_own_must_be_there(base: str, tmp_path: Path) -> None:
    """FLAN-T5 has one; transformers would take the embeddings for it."""
    folder = Path(changed(base, tmp_path / "headless", without("lm_head")))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    with pytest.raises(DiasumError, match=r"1 tensor of the model is not in its files \(lm_head\.weight\)"):
        load_base(str(folder), CPU)
    head = torch.randn(load_file(folder / "model.safetensors")["shared.weight"].shape)
    whole = changed(str(folder), tmp_path / "whole", lambda tensors: {**tensors, "lm_head.weight": head})
    loaded = load_base(whole, CPU)
    assert torch.equal(loaded.model.lm_head.weight, head)


@pytest.mark.filterwarnings("error")
def test_nothing_is_told_of_a_head_that_is_not_tied(
    base: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """transformers advises `tie_word_embeddings=False`, which the configurations of T5 1.1 and FLAN-T5 have already."""

    def with_head(tensors: Tensors) -> Tensors:
        return {**tensors, "lm_head.weight": torch.randn_like(tensors["shared.weight"])}

    load_base(changed(base, tmp_path, with_head), CPU)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("family", ["t5", "bart", *FAMILIES])
def test_what_the_hubs_files_have_more_or_less_is_fine(family: str, tmp_path: Path) -> None:
    """Files of older versions: copies of tied embeddings, tables of positions, markers of fairseq; or none of what can be computed."""
    saved = tmp_path / "saved"
    saved = save_model(saved, family) if family in ("t5", "bart") else save_tiny(saved, family)
    whole = load_base(str(saved), CPU).model.state_dict()

    def more(tensors: Tensors) -> Tensors:
        copies = {name: tensor.clone() for name, tensor in whole.items()}  # with those that are tied
        return {
            **copies,
            **tensors,
            "model.encoder.version": torch.zeros(1),
            "model.encoder.embed_positions._float_tensor": torch.zeros(1),
            "encoder.embeddings.position_ids": torch.zeros(1),
            "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight": torch.zeros(32, 2),
        }

    def less(tensors: Tensors) -> Tensors:
        computed = ("final_logits_bias", *(["embed_positions"] if family in ("pegasus", "marian") else []))
        return {name: tensor for name, tensor in tensors.items() if not any(part in name for part in computed)}

    for number, change in enumerate((more, less)):
        loaded = load_base(changed(str(saved), tmp_path / str(number), change), CPU).model.state_dict()
        assert loaded.keys() == whole.keys()
        assert all(torch.equal(loaded[name], tensor) for name, tensor in whole.items())


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_files_of_the_body_alone(family: str, tmp_path: Path) -> None:
    """facebook/bart-base holds no head and no prefix: the head is tied."""
    saved = save_model(tmp_path / "saved", family)
    whole = load_base(str(saved), CPU).model.state_dict()
    body = tmp_path / "body"
    AutoModel.from_pretrained(saved).save_pretrained(body)
    assert "lm_head.weight" not in load_file(body / "model.safetensors")
    for file in saved.iterdir():
        if file.name != "model.safetensors":
            shutil.copy(file, body)
    loaded = load_base(str(body), CPU).model.state_dict()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in whole.items())


@pytest.mark.parametrize(
    ("architecture", "values", "kind"),
    [
        ("T5EncoderModel", {}, "an encoder-only model"),
        ("T5ForConditionalGeneration", {}, r"not an encoder-decoder model according to its config.json \(is_encoder_decoder is false\)"),
        ("T5Stack", {"is_decoder": True}, "a decoder-only model"),
    ],
)  # fmt: skip
def test_a_part_of_a_t5_is_called_what_it_is(
    architecture: str, values: dict[str, bool], kind: str, tmp_path: Path
) -> None:
    T5Config(architectures=[architecture], is_encoder_decoder=False, **values).save_pretrained(tmp_path)
    with pytest.raises(DiasumError, match=rf"\(t5\) is {kind}: diasum needs"):
        load_base(str(tmp_path), CPU)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    """They would give empty summaries and no error."""
    folder = save_model(tmp_path / "spoilt")
    tensors = load_file(folder / "model.safetensors")
    name = next(name for name in tensors if name.endswith("SelfAttention.q.weight"))
    tensors[name][0, 0] = value
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DiasumError, match=f"hold NaN or infinite numbers: {name}"):
        load_base(str(folder), choose_hardware("cpu", "fp32"))
