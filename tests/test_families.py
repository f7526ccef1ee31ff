"""Every family that transformers has as text to text goes through the whole job: train, evaluate, summarise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForSeq2SeqLM

import diasum
from diasum.config import LoraSettings
from diasum.errors import DiasumError
from diasum.model import add_adapter, choose_hardware, load_base, position_limits
from diasum.training import Run
from tests.models import save_corpus
from tests.tokenizers import tiny_bart_tokenizer, tiny_t5_tokenizer

T5 = {
    "d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 2, "num_decoder_layers": 2, "num_heads": 2, "decoder_start_token_id": 0,
    "pad_token_id": 0, "eos_token_id": 1,
}  # fmt: skip
BART = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "max_position_embeddings": 1024, "bos_token_id": 0, "pad_token_id": 1,
    "eos_token_id": 2, "decoder_start_token_id": 2,
}  # fmt: skip
GEMMA = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
    "head_dim": 16, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 0, "sliding_window": 64,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "mt5": T5,
    "umt5": T5,
    "longt5": {**T5, "local_radius": 8},
    "switch_transformers": {**T5, "num_experts": 2},
    "t5gemma": {"encoder": GEMMA, "decoder": GEMMA, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 0},
    "mbart": BART,
    "pegasus": BART,
    "pegasus_x": BART,
    "bigbird_pegasus": {**BART, "attention_type": "original_full"},
    "marian": BART,
    "led": {
        **BART,
        "max_encoder_position_embeddings": 512,
        "max_decoder_position_embeddings": 256,
        "attention_window": 16,
    },
}


def save_tiny(folder: Path, family: str) -> Path:
    """A tiny random model of the family with a tokenizer, as a folder."""
    values = FAMILIES[family]
    tokenizer = tiny_bart_tokenizer() if "encoder_layers" in values else tiny_t5_tokenizer()
    values = {name: {**v, "vocab_size": len(tokenizer)} if isinstance(v, dict) else v for name, v in values.items()}
    torch.manual_seed(0)
    config = AutoConfig.for_model(family, **values, vocab_size=len(tokenizer))
    AutoModelForSeq2SeqLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_the_whole_job(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diasum.training.estimate.TINY", 0)  # with the estimate of memory and time
    base, corpus = save_tiny(tmp_path / "base", family), save_corpus(tmp_path / "corpus", copies=1)
    settings = {
        "train.epochs": 1,
        "train.batch_size": 2,
        "train.eval_generate": 2,
        "train.report_to": [],
        "lora.target_modules": "all-linear",
        "generate.max_new_tokens": 6,
        "evaluate.contrast": 2,
        "evaluate.resamples": 100,
    }
    diasum.train(str(base), str(corpus), run=tmp_path / "run", settings=settings)
    assert Run(tmp_path / "run").manifest()["preflight"]["evaluation_seconds"] > 0
    evaluated = diasum.evaluate(tmp_path / "run")
    assert {"adapter", "base"} <= set(evaluated.evaluation.to_json()["systems"])
    assert isinstance(diasum.load(tmp_path / "run").summarize("Ana: Lunch at one?\nBen: Half past."), str)


@pytest.mark.parametrize("frozen_encoder", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_query_and_value_of_every_attention_are_adapted_by_default(
    family: str, frozen_encoder: bool, tmp_path: Path
) -> None:
    """The saved adapter names them, so that plain peft, which knows few families, loads it."""
    from peft import PeftModel

    base = save_tiny(tmp_path / "base", family)
    model = load_base(str(base), choose_hardware("cpu", "fp32")).model
    wrapped = add_adapter(model, LoraSettings(r=2), seed=0, decoder_only=frozen_encoder)
    adapted = [name for name, module in wrapped.named_modules() if hasattr(module, "lora_A")]
    assert len(adapted) == (8 if frozen_encoder else 12)  # two layers a side, with two attentions in the decoder's
    assert all(name.endswith((".q", ".v", ".q_proj", ".v_proj", ".query", ".value")) for name in adapted)
    wrapped.save_pretrained(tmp_path / "adapter")
    plain = PeftModel.from_pretrained(AutoModelForSeq2SeqLM.from_pretrained(base), str(tmp_path / "adapter"))
    assert [name for name, module in plain.named_modules() if hasattr(module, "lora_A")] == adapted


def test_unknown_attention_gets_no_default_targets() -> None:
    config = AutoConfig.for_model(
        "prophetnet", vocab_size=50, hidden_size=16, num_encoder_layers=1, num_decoder_layers=1
    )
    with pytest.raises(DiasumError, match="peft has no default LoRA targets for prophetnet models") as caught:
        add_adapter(AutoModelForSeq2SeqLM.from_config(config), LoraSettings(), seed=0)
    assert "query_proj" in str(caught.value)


@pytest.mark.parametrize("family", ["t5gemma", "led"])
def test_inspect(family: str, tmp_path: Path) -> None:
    description = diasum.inspect(str(save_tiny(tmp_path, family)))
    assert (description["family"], description["hidden_size"]) == (family, 32)


def test_the_first_token_of_led_attends_globally(tmp_path: Path) -> None:
    """Without it, a token never hears of what stands more than a window away."""
    model = load_base(str(save_tiny(tmp_path, "led")), choose_hardware("cpu", "fp32")).model.eval()
    ids = torch.randint(5, 300, (1, 64), generator=torch.Generator().manual_seed(0))
    changed = ids.clone()
    changed[0, 60] = 7 if ids[0, 60] != 7 else 8
    marked = torch.zeros_like(ids)
    marked[:, 0] = 1
    with torch.no_grad():
        plain, other, explicit = (
            model.get_encoder()(input_ids=x, **extra).last_hidden_state[0, 0]
            for x, extra in ((ids, {}), (changed, {}), (ids, {"global_attention_mask": marked}))
        )
    assert torch.equal(plain, explicit)
    assert not torch.equal(plain, other)


@pytest.mark.parametrize(
    ("family", "limits"),
    [
        ("mbart", (1024, 1024)),
        ("marian", (1024, 1024)),
        ("led", (512, 256)),
        ("pegasus_x", (None, None)),
        ("mt5", (None, None)),
    ],
)
def test_positions(family: str, limits: tuple[int | None, int | None], tmp_path: Path) -> None:
    model = load_base(str(save_tiny(tmp_path, family)), choose_hardware("cpu", "fp32")).model
    assert position_limits(model) == limits


def test_texts_are_cut_where_a_base_has_no_more_positions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer sources, references and summaries than the position table: each would end in an index error."""
    monkeypatch.setitem(FAMILIES, "bart", {**BART, "max_position_embeddings": 24})
    base, corpus = save_tiny(tmp_path / "base", "bart"), save_corpus(tmp_path / "corpus", copies=1)
    settings = {
        "train.epochs": 1,
        "train.eval_generate": 2,
        "train.report_to": [],
        "prompt.template": "{dialogue}",
        "prompt.max_source_tokens": 2048,
        "generate.max_new_tokens": 60,
        "generate.min_new_tokens": 60,
        "evaluate.resamples": 100,
    }
    diasum.train(str(base), str(corpus), run=tmp_path / "run", settings=settings)
    notes = Run(tmp_path / "run").manifest()["data"]["notes"]
    assert (
        "prompt.max_source_tokens is 2048, and this base has positions for 24 tokens: longer texts are cut there."
        in notes
    )
    assert any("max_target_tokens" in note for note in notes)
    diasum.evaluate(tmp_path / "run")
    talk = "\n".join(f"Ana: Shall we have lunch at {hour}, or is that too late?" for hour in range(40))
    assert isinstance(diasum.load(tmp_path / "run").summarize(talk), str)
    assert diasum.inspect(str(base))["longest_source"] == 24
