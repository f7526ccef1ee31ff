"""A merged model computes what its run computes, as plain transformers reads it; what cannot be kept so is refused, and nothing is left."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

import diasum
from diasum.dialogue.forms import as_dialogue
from diasum.errors import DiasumError
from diasum.exporting import merged, source
from diasum.training import Run
from tests.exporting.runs import make_run, save_base
from tests.models import CONVERSATIONS

TALKS = [dialogue for dialogue, _ in CONVERSATIONS]


@pytest.fixture(scope="module")
def run(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("runs") / "first", base, corpus)


@pytest.mark.parametrize(("family", "tied"), [("t5", True), ("t5", False), ("bart", True)])
def test_a_merged_model_summarises_as_its_run(family: str, tied: bool, corpus: str, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", family, tied=tied)
    run = make_run(tmp_path / "run", str(base), corpus, {"lora.target_modules": "all-linear"})
    expected = diasum.load(run.path).summarize(TALKS)
    assert len(set(expected)) > 1
    exported = diasum.export(run.path, "merged")
    assert exported.folder == run.path / "exports" / "merged"
    assert diasum.load(exported.folder).summarize(TALKS) == expected
    assert diasum.load(base).summarize(TALKS) != expected, "the adapter must change something for this to show anything"

    plain, tokenizer = (
        AutoModelForSeq2SeqLM.from_pretrained(exported.folder),
        AutoTokenizer.from_pretrained(exported.folder),
    )
    assert (plain.lm_head.weight.data_ptr() == plain.get_input_embeddings().weight.data_ptr()) == tied
    encoder, dialogue = diasum.load(run.path).trained.encoder, as_dialogue(TALKS[0])
    ids = encoder.encode_dialogue(dialogue).input_ids
    with torch.inference_mode():
        output = plain.generate(torch.tensor([ids]), num_beams=2, max_new_tokens=10)
    assert encoder.finish(dialogue, tokenizer.decode(output[0], skip_special_tokens=True).strip()) == expected[0]


def test_the_export_says_what_it_is(run: Run, tmp_path: Path) -> None:
    exported = diasum.export(run.path, "merged", out=tmp_path / "out", settings={"generate.num_beams": 1})
    record = json.loads((tmp_path / "out" / "export.json").read_text())
    assert record["logits"]["merge"]["dialogues"] == 6
    assert record["logits"]["load"]["largest_difference"] <= 1e-3 * record["logits"]["load"]["largest_logit"]
    assert exported.to_json() == {"folder": str(tmp_path / "out"), "format": "merged", "url": None, **record}
    special = json.loads((tmp_path / "out" / "generation_config.json").read_text())
    assert set(special) <= {"decoder_start_token_id", "eos_token_id", "pad_token_id", "transformers_version"}
    assert json.loads((tmp_path / "out" / "diasum.json").read_text())["generate"]["num_beams"] == 1
    card = (tmp_path / "out" / "README.md").read_text()
    assert "cc-by-sa-4.0" in card
    assert "This model is made from both" in card or "licence of this model is unknown" in card
    assert str(tmp_path) not in card + (tmp_path / "out" / "config.json").read_text()


def test_a_model_without_an_adapter_can_be_exported(base: str, corpus: str, tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match="not a run directory"):
        diasum.export(base, "merged")
    with pytest.raises(DiasumError, match="does not say which dialogues"):
        diasum.export(base, "merged", out=tmp_path / "out")
    settings = {"data.path": corpus}
    exported = diasum.export(base, "merged", out=tmp_path / "out", settings=settings)
    assert exported.record["logits"]["merge"] is None
    assert exported.record["logits"]["load"]["largest_difference"] == 0
    assert diasum.load(tmp_path / "out").summarize(TALKS) == diasum.load(base).summarize(TALKS)
    with pytest.raises(DiasumError, match="is an export already"):
        diasum.export(tmp_path / "out", "merged", out=tmp_path / "again", settings=settings)


@pytest.mark.parametrize(("family", "tied", "kept"), [("t5", True, True), ("t5", False, True), ("bart", True, False)])
def test_a_head_that_was_trained_in_full(family: str, tied: bool, kept: bool, corpus: str, tmp_path: Path) -> None:
    """Kept where the family can keep it, else refused; never lost."""
    base = save_base(tmp_path / "base", family, tied=tied)
    run = make_run(tmp_path / "run", str(base), corpus, {"lora.modules_to_save": ["lm_head"]})
    if kept:
        expected = diasum.load(run.path).summarize(TALKS)
        assert diasum.load(diasum.export(run.path, "merged").folder).summarize(TALKS) == expected
        return
    with pytest.raises(DiasumError, match="computes otherwise") as refused:
        diasum.export(run.path, "merged")
    assert "modules_to_save" in (refused.value.hint or "")
    assert not list((run.path / "exports").glob("*"))


def test_other_kinds_of_adapters(base: str, corpus: str, tmp_path: Path) -> None:
    from peft import IA3Config, PromptTuningConfig, TaskType

    kind = TaskType.SEQ_2_SEQ_LM
    ia3 = IA3Config(task_type=kind, target_modules=["k", "v", "wo"], feedforward_modules=["wo"])
    run = make_run(tmp_path / "ia3", base, corpus, adapter=ia3)
    expected = diasum.load(run.path).summarize(TALKS)
    assert diasum.load(diasum.export(run.path, "merged").folder).summarize(TALKS) == expected
    prompts = PromptTuningConfig(task_type=kind, num_virtual_tokens=3)
    run = make_run(tmp_path / "prompts", base, corpus, adapter=prompts)
    with pytest.raises(DiasumError, match="PROMPT_TUNING"):
        diasum.export(run.path, "merged")
    assert not (run.path / "exports").exists()


def test_a_wrong_merge_is_found_before_anything_is_written(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from peft.tuners.lora import LoraModel

    merge = LoraModel.merge_and_unload

    def wrong(self: Any, **options: Any) -> Any:
        model = merge(self, **options)
        model.get_decoder().final_layer_norm.weight.data *= 1.05
        return model

    monkeypatch.setattr(LoraModel, "merge_and_unload", wrong)
    with pytest.raises(DiasumError, match="otherwise after merging"):
        diasum.export(run.path, "merged", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_weight_lost_in_the_file_is_found(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = merged.read_plain

    def spoilt(folder: Path) -> Any:
        model = read(folder)
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().roll(1, 0))
        return model

    monkeypatch.setattr(merged, "read_plain", spoilt)
    with pytest.raises(DiasumError, match="otherwise after saving and loading"):
        diasum.export(run.path, "merged", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stop", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=type)
def test_a_full_disk_or_an_interruption_leaves_what_was_there(
    stop: BaseException, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "out"
    diasum.export(run.path, "merged", out=place)
    before = {file.name: file.read_bytes() for file in place.iterdir()}

    def stopped(trained: Any, folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise stop

    monkeypatch.setattr(merged, "write_model", stopped)
    with pytest.raises(DiasumError if isinstance(stop, OSError) else KeyboardInterrupt) as raised:
        diasum.export(run.path, "merged", out=place, force=True)
    if isinstance(raised.value, DiasumError):
        assert "No space left" in raised.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before


def test_a_place_that_is_taken(run: Run, tmp_path: Path) -> None:
    diasum.export(run.path, "merged", out=tmp_path / "out")
    with pytest.raises(DiasumError, match="holds an export already") as refused:
        diasum.export(run.path, "merged", out=tmp_path / "out")
    assert "--force" in (refused.value.hint or "")
    diasum.export(run.path, "merged", out=tmp_path / "out", force=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(DiasumError, match="is no export"):
        diasum.export(run.path, "merged", out=tmp_path / "mine", force=True)


def test_a_quantised_base_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def quantised(*_: Any, **__: Any) -> Any:
        config = SimpleNamespace(quantization_config={"load_in_8bit": True})
        return SimpleNamespace(model=SimpleNamespace(config=config), base=SimpleNamespace(id="small"))

    monkeypatch.setattr(source, "load_trained", quantised)
    with pytest.raises(DiasumError, match="weights of small are quantised"):
        diasum.export(run.path, "merged")


def test_what_is_not_there(run: Run, tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match="no format `onnx`"):
        diasum.export(run.path, "onnx")
    with pytest.raises(DiasumError, match="--repo"):
        diasum.export(run.path, "merged", repo="me/talks")
    with pytest.raises(DiasumError, match="nothing"):
        diasum.export(tmp_path / "nothing", "merged")
    with pytest.raises(DiasumError, match=r"does not use lora\.r"):
        diasum.export(run.path, "merged", settings={"lora.r": 4})
