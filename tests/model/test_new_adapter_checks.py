"""Every parameter that is counted as trained moves in training, whatever `lora.` says; or the settings are refused."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import nn

from diasum.config import LoraSettings
from diasum.errors import DiasumError
from diasum.model import add_adapter
from diasum.model.fast import Packed, fast_path
from diasum.model.new_adapter_checks import untied
from tests.model.fast_models import FAMILIES, batch, plain_loss

STEPS = 10
TOKENS = list(range(3, 60))  # all of them stand in the batch


def names(family: str) -> list[str]:
    return ["q", "v"] if "t5" in family else ["q_proj", "v_proj"]


def settings(family: str, lora: dict[str, Any]) -> LoraSettings:
    extra = lora.get("target_modules", [])
    return LoraSettings(**{"r": 2, "lora_alpha": 16, **lora, "target_modules": [*names(family), *extra]})


ACCEPTED: dict[str, dict[str, Any]] = {
    "plain": {},
    "dora": {"use_dora": True},
    "biases": {"bias": "all"},
    "the head": {"modules_to_save": ["lm_head"]},
    "both embeddings": {"modules_to_save": ["embed_tokens"]},
    "the encoder's embeddings": {"modules_to_save": ["encoder.embed_tokens"]},
    "LoRA of both embeddings": {"target_modules": ["embed_tokens"]},
    "LoRA of the head": {"target_modules": ["lm_head"]},
    "norms": {"modules_to_save": ["final_layer_norm"]},
    "tokens": {"trainable_token_indices": TOKENS},
    "tokens, tied": {"trainable_token_indices": TOKENS, "ensure_weight_tying": True},
    "tokens of a module": {"trainable_token_indices": {"embed_tokens": TOKENS}},
}


@pytest.mark.parametrize("family", ["t5", "umt5", "bart", "pegasus"])
@pytest.mark.parametrize("name", ACCEPTED)
def test_all_that_is_counted_as_trained_moves(name: str, family: str) -> None:
    torch.manual_seed(0)
    model = add_adapter(FAMILIES[family](), settings(family, ACCEPTED[name]), seed=0)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    before = {name: p.detach().clone() for name, p in trained.items()}
    fast, inputs = fast_path(model).model, batch()
    beside_lora = [name for name in trained if "lora_A" not in name and "lora_B" not in name]
    assert fast is None or not beside_lora, "the fast path trains LoRA's matrices and nothing else"
    assert fast is not None or name != "plain"
    optimizer = torch.optim.SGD(trained.values(), lr=0.05)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = plain_loss(model, inputs) if fast is None else fast.loss_sum(Packed.of(inputs))
        (loss / 100).backward()
        optimizer.step()
    still = [name for name, p in trained.items() if torch.equal(p, before[name])]
    # A key's bias adds the same to all of a query's scores, which the softmax takes away: its gradient is rounding alone, or zero.
    assert [name for name in still if not name.endswith("k_proj.bias")] == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "shared to save": ({"modules_to_save": ["shared"]}, r"1 of the \d+ trained tensors .*not be trained: .*shared`"),
    "shared as a target": ({"target_modules": ["shared"]}, r"2 of the \d+ trained tensors .*not be trained: .*shared`"),
    "shared beside others": ({"modules_to_save": ["shared", "lm_head"]}, r"1 of the \d+ trained tensors .*shared`"),
    "tying of saved ones": ({"modules_to_save": ["embed_tokens"], "ensure_weight_tying": True}, "ensure_weight_tying"),
    "tying of targets": ({"target_modules": ["embed_tokens"], "ensure_weight_tying": True}, "ensure_weight_tying"),
    "tying of nothing": ({"ensure_weight_tying": True}, "ensure_weight_tying"),
}


@pytest.mark.parametrize("family", ["t5", "bart"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_would_not_be_trained_is_refused(name: str, family: str) -> None:
    lora, message = REFUSED[name]
    with pytest.raises(DiasumError, match=message) as caught:
        add_adapter(FAMILIES[family](), settings(family, lora), seed=0)
    assert caught.value.hint


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_a_target_that_is_all_and_not_read_is_named(family: str) -> None:
    with pytest.raises(DiasumError, match=r"2 of the 2 trained tensors would not be used .*shared`"):
        add_adapter(FAMILIES[family](), LoraSettings(r=2, target_modules=["shared"]), seed=0)


def test_tokens_of_a_head_that_is_not_tied(recwarn: pytest.WarningsRecorder) -> None:
    """peft would put rows of the embeddings into the head, before the first step."""
    model = FAMILIES["flan-t5"]()
    model.lm_head.weight = nn.Parameter(torch.randn_like(model.lm_head.weight))
    with pytest.raises(DiasumError, match="`lm_head` as in the embeddings, and this base does not tie them"):
        add_adapter(model, settings("t5", {"trainable_token_indices": TOKENS}), seed=0)
    assert not recwarn.list


def test_what_is_untied_is_told() -> None:
    def notes(lora: dict[str, Any]) -> list[str]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return untied(add_adapter(FAMILIES["t5"](), settings("t5", lora), seed=0))

    (note,) = notes(ACCEPTED["the encoder's embeddings"])
    assert note == (
        "`encoder.embed_tokens` shares its weights with decoder.embed_tokens, lm_head, shared in the base; the adapter changes it alone."
    )
    assert notes(ACCEPTED["the head"])[0].startswith("`lm_head` shares its weights with ")
    assert len(notes(ACCEPTED["LoRA of both embeddings"])) == len(notes(ACCEPTED["both embeddings"])) == 2
    assert notes(ACCEPTED["tokens"]) == notes(ACCEPTED["plain"]) == notes(ACCEPTED["norms"]) == []
    assert len(notes(ACCEPTED["tokens of a module"])) == 2
