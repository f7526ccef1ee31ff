"""Summaries that are made without transformers and peft are those that are made with them, and what users reach through is theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import diasum
from diasum.errors import DiasumError
from diasum.summarization import loading
from diasum.summarization.deferred import DeferredBase
from diasum.training import Run
from tests.exporting.runs import make_run
from tests.models import CONVERSATIONS, save_model

TALKS = [dialogue for dialogue, _ in CONVERSATIONS]


@pytest.fixture(scope="module", params=["t5", "bart"])
def run(
    request: pytest.FixtureRequest, base: str, bart: str, corpus: str, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    folder = tmp_path_factory.mktemp("runs") / "first"
    return make_run(folder, base if request.param == "t5" else bart, corpus, {"lora.target_modules": "all-linear"})


def usual(source: Any, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Any:
    """A summariser that transformers and peft loaded."""
    with monkeypatch.context() as patch:
        patch.setattr(loading, "read_light", lambda *args, **more: None)
        return diasum.load(source, **options)


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_summaries_are_the_same(run: Run, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, expected = diasum.load(run.path, dtype=dtype), usual(run.path, monkeypatch, dtype=dtype)
    assert isinstance(made.trained.base, DeferredBase)
    assert not isinstance(expected.trained.base, DeferredBase)
    for settings in ({}, {"num_beams": 1}, {"no_repeat_ngram_size": 2, "min_new_tokens": 5}):
        records = [one.to_record() for one in made.summarize_all(TALKS, **settings)]
        assert records == [one.to_record() for one in expected.summarize_all(TALKS, **settings)]
        assert {record["engine"] for record in records} == {"torch-fast"}
    assert len({record["summary"] for record in records}) > 1
    assert made.trained.notes == expected.trained.notes
    assert made.trained.weights() == expected.trained.weights()


def test_the_model_and_tokenizer_of_transformers_are_there_when_asked_for(run: Run) -> None:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

    summarizer = diasum.load(run.path)
    before = summarizer.summarize(TALKS)
    trained = summarizer.trained
    assert isinstance(trained.base.tokenizer, PreTrainedTokenizerBase)
    assert isinstance(trained.model, PeftModel)
    assert trained.model is trained.model
    assert not trained.model.training
    assert summarizer.summarize(TALKS) == before
    with torch.no_grad():
        for parameter in trained.model.parameters():
            parameter.zero_()
    assert summarizer.summarize(TALKS) != before, "what is changed in the model counts"


def test_what_the_fast_engine_cannot_do_is_done_with_the_model(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made, expected = diasum.load(run.path), usual(run.path, monkeypatch)
    (one,), (other,) = (each.summarize_all(TALKS[:1], engine="torch-plain") for each in (made, expected))
    assert (one.engine, one.text) == ("torch-plain", other.text)
    (sampled,) = diasum.load(run.path).summarize_all(TALKS[:1], do_sample=True)
    assert sampled.engine == "torch-plain"
    assert "generate.do_sample" in str(sampled.engine_reason)


def test_recorded_special_tokens_are_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    file = run.adapter / "diasum.json"
    before = file.read_text()
    side = json.loads(before)
    side["base"]["special_tokens"] |= {"forced_bos_token_id": 9}
    file.write_text(json.dumps(side))
    try:
        made, expected = diasum.load(run.path), usual(run.path, monkeypatch)
        assert made.trained.notes == expected.trained.notes
        assert "forced_bos_token_id none (recorded: 9)" in made.trained.notes[0]
        assert made.summarize(TALKS) == expected.summarize(TALKS)
        assert made.trained.model.generation_config.forced_bos_token_id == 9
    finally:
        file.write_text(before)


def spoil(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["decoder.final_layer_norm.weight"][3] = float("nan")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def mix_tokenizers(folder: Path) -> None:
    from tests.tokenizers import tiny_bart_tokenizer

    tiny_bart_tokenizer().save_pretrained(folder)


def shorten(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (spoil, "hold NaN or infinite numbers: decoder.final_layer_norm.weight"),
        (mix_tokenizers, "does not match its model"),
        (shorten, "cannot be read"),
    ],
)
def test_a_base_that_cannot_be_used_is_refused_as_ever(
    damage: Any, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_model(tmp_path / "base")
    damage(folder)
    with pytest.raises(DiasumError, match=message) as refused:
        diasum.load(folder)
    with pytest.raises(DiasumError) as expected:
        usual(folder, monkeypatch)
    assert refused.value.message == expected.value.message


def test_weights_that_change_after_they_were_read_are_not_mixed_up(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "base")
    summarizer = diasum.load(folder)
    save_model(folder, seed=4)
    with pytest.raises(DiasumError, match="have changed since"):
        _ = summarizer.trained.model


@pytest.mark.parametrize("source", ["mini", "run"])
def test_a_summary_loads_neither_transformers_nor_peft(source: str, run: Run) -> None:
    code = f"""
import sys
sys.argv = ["diasum", "summarize", "--run", {str(run.path) if source == "run" else source!r}]
from diasum.cli import main
main()
loaded = {{"transformers", "peft", "sympy", "pandas", "datasets", "diasum.redaction.redactor"}} & set(sys.modules)
assert not loaded, loaded
"""
    done = subprocess.run(
        [sys.executable, "-c", code], input="Anna: Lunch?\nBen: At one.\n", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
