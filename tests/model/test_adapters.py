"""Names in the section `lora.` that no module has are refused, with those there are."""

from __future__ import annotations

import pytest

from diasum.config import LoraSettings
from diasum.errors import DiasumError
from diasum.model import add_adapter
from tests.models import tiny_t5


def test_a_module_to_save_that_is_not_there_is_refused() -> None:
    model, _ = tiny_t5()
    with pytest.raises(DiasumError, match=r"lora\.modules_to_save: `lm_haed` is not in t5") as caught:
        add_adapter(model, LoraSettings(modules_to_save=["lm_haed"]), seed=0)
    assert "Did you mean `lm_head`?" in str(caught.value)
    wrapped = add_adapter(model, LoraSettings(modules_to_save=["lm_head"]), seed=0)
    assert any("lm_head" in name and p.requires_grad for name, p in wrapped.named_parameters())


def test_what_peft_stumbles_over_is_an_error_of_the_settings() -> None:
    model, _ = tiny_t5()
    with pytest.raises(DiasumError, match="lora: "):
        add_adapter(model, LoraSettings(rank_pattern={"q": "many"}), seed=0)  # type: ignore[call-arg]
