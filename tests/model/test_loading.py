"""Bases, adapters and whatever else summarises: loaded where possible, refused with a reason where not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, BertConfig, GPT2Config

import diasum
from diasum.config import LoraSettings
from diasum.errors import DiasumError
from diasum.model import add_adapter, choose_hardware, count_parameters, load_base
from diasum.summarization.loading import load_trained
from diasum.training import Run
from tests.models import save_model, tiny_bart, tiny_t5

CPU = choose_hardware("cpu", "fp32")


def test_decoder_only_and_encoder_only_are_named(tmp_path: Path) -> None:
    GPT2Config(architectures=["GPT2LMHeadModel"]).save_pretrained(tmp_path / "gpt2")
    BertConfig(architectures=["BertForMaskedLM"]).save_pretrained(tmp_path / "bert")
    with pytest.raises(DiasumError, match=r"gpt2\) is a decoder-only model: diasum needs an encoder-decoder"):
        load_base(str(tmp_path / "gpt2"), CPU)
    with pytest.raises(DiasumError, match=r"bert\) is an encoder-only model"):
        load_base(str(tmp_path / "bert"), CPU)


def test_missing_folder_names_the_near_miss(base: str) -> None:
    with pytest.raises(DiasumError) as caught:
        load_base(base.replace("tiny-t5", "tiny-t"), CPU)
    assert str(caught.value).endswith("/tiny-t5`?")


def test_offline_hub_says_what_to_do() -> None:
    with pytest.raises(DiasumError) as caught:
        load_base("someone/flan-t5-nowhere", CPU)
    assert "Without network" in str(caught.value)


def test_tokenizer_of_another_model(base: str, bart: str, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    shutil.copytree(base, mixed)
    for file in Path(bart).glob("tokenizer*"):
        shutil.copy(file, mixed)
    with pytest.raises(DiasumError, match="does not match its model"):
        load_base(str(mixed), CPU)


def test_damaged_and_pickled_weights(base: str, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(base, damaged)
    weights = damaged / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(DiasumError, match=r"cannot be read|cannot be loaded"):
        load_base(str(damaged), CPU)
    weights.unlink()
    torch.save({}, damaged / "pytorch_model.bin")
    with pytest.raises(DiasumError, match="cannot be loaded"):
        load_base(str(damaged), CPU)


def test_a_folder_without_its_tokenizer_is_refused(base: str, tmp_path: Path) -> None:
    """transformers makes an empty one of nothing, on which a training would run and learn nothing."""
    folder = tmp_path / "bare"
    shutil.copytree(base, folder)
    for file in folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(DiasumError, match="does not know the letters a to z"):
        load_base(str(folder), CPU)


def test_a_tokenizer_with_another_end_is_refused(base: str, tmp_path: Path) -> None:
    folder = tmp_path / "ends"
    shutil.copytree(base, folder)
    generation = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**generation, "eos_token_id": 7}))
    with pytest.raises(DiasumError, match="ends texts with token 1, the model with 7"):
        load_base(str(folder), CPU)
    (folder / "generation_config.json").write_text(json.dumps({**generation, "eos_token_id": [7, 1]}))
    assert load_base(str(folder), CPU).tokenizer.eos_token_id == 1


def test_unknown_target_names_the_real_ones() -> None:
    model, _ = tiny_t5()
    with pytest.raises(DiasumError) as caught:
        add_adapter(model, LoraSettings(target_modules=["query"]), seed=0)
    assert "`query` is not in t5" in str(caught.value)
    assert "Did you mean `q`?" in str(caught.value)
    assert "wi_0" in str(caught.value)


@pytest.mark.parametrize("make", [tiny_t5, tiny_bart])
@pytest.mark.parametrize("targets", [None, "all-linear"])
def test_only_the_adapter_is_trained(make: Any, targets: str | None) -> None:
    model, _ = make()
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    wrapped = add_adapter(model, LoraSettings(r=4, target_modules=targets), seed=0)
    trained = [name for name, p in wrapped.named_parameters() if p.requires_grad]
    assert trained
    assert all("lora_" in name for name in trained)
    count = count_parameters(wrapped)
    assert count.trainable == sum(p.numel() for p in wrapped.parameters() if p.requires_grad)
    assert count.total == sum(p.numel() for p in before.values()) + count.trainable


def test_fp16_is_refused_for_t5_with_the_reason() -> None:
    with pytest.raises(DiasumError, match="overflows to NaN in t5"):
        choose_hardware("cpu", "fp16", model_type="t5")
    with pytest.raises(DiasumError, match="needs a CUDA GPU"):
        choose_hardware("cpu", "fp16", model_type="bart")
    assert choose_hardware("cpu", "auto").reasons["dtype"]


@pytest.fixture(scope="module")
def trained(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "run"
    settings = {
        "train.epochs": 1,
        "train.batch_size": 4,
        "train.learning_rate": 0.02,
        "train.eval_generate": 0,
        "train.report_to": [],
        "generate.max_new_tokens": 8,
        "generate.num_beams": 1,
        "prompt.template": "Read:\n{dialogue}\nSummary:",
    }
    diasum.train(base, corpus, run=run, settings=settings)
    return run


def test_adapter_loads_in_plain_peft_with_the_same_outputs(trained: Path, base: str) -> None:
    from peft import PeftModel

    text = "Anna: Could you send me the report?\nBen: Sure."
    ours = diasum.load(trained, dtype="fp32")
    source = ours.trained.encoder.encode_dialogue(diasum.dialogue.as_dialogue(text)).input_ids
    tokenizer = AutoTokenizer.from_pretrained(trained / "adapter")
    plain = PeftModel.from_pretrained(AutoModelForSeq2SeqLM.from_pretrained(base), trained / "adapter").eval()
    inputs = {"input_ids": torch.tensor([source]), "decoder_input_ids": torch.tensor([[0, 5, 9]])}
    with torch.no_grad():
        logits = [model(**inputs).logits for model in (ours.trained.model, plain)]
        untrained = AutoModelForSeq2SeqLM.from_pretrained(base)(**inputs).logits
    assert torch.equal(logits[0], logits[1])
    assert not torch.allclose(logits[0], untrained), "the adapter must make a difference"
    output = plain.generate(input_ids=inputs["input_ids"], max_new_tokens=8, num_beams=1, do_sample=False)
    written = tokenizer.decode(output[0], skip_special_tokens=True).strip()
    assert ours.trained.encoder.finish(diasum.dialogue.as_dialogue(text), written) == ours.summarize(text)


def test_load_accepts_run_adapter_merged_and_plain(trained: Path, base: str, tmp_path: Path) -> None:
    from peft import PeftModel

    text = "Anna: Lunch?\nBen: At nine."
    expected = diasum.load(trained).summarize(text)
    assert diasum.load(trained / "adapter").summarize(text) == expected
    assert diasum.load(trained).trained.encoder.prompt.prefix.startswith("Read:"), "the run's own prompt"
    merged = PeftModel.from_pretrained(
        AutoModelForSeq2SeqLM.from_pretrained(base), trained / "adapter"
    ).merge_and_unload()
    merged.save_pretrained(tmp_path / "merged")
    AutoTokenizer.from_pretrained(base).save_pretrained(tmp_path / "merged")
    shutil.copy(trained / "adapter" / "diasum.json", tmp_path / "merged")
    assert diasum.load(tmp_path / "merged").summarize(text) == expected
    assert "default one is used" in diasum.load(base).trained.notes[0]


def test_adapter_of_an_earlier_bundled_base(trained: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(trained / "adapter", adapter)
    side = json.loads((adapter / "diasum.json").read_text())
    side["base"] |= {"id": "mini", "sha256": "0" * 64, "local": False}
    (adapter / "diasum.json").write_text(json.dumps(side))
    with pytest.raises(DiasumError, match="trained on other weights of mini") as error:
        load_trained(adapter)
    assert "The bundled base has changed since: train again on this one" in str(error.value)


def test_adapter_of_another_base(trained: Path, base: str, bart: str, tmp_path: Path) -> None:
    other = save_model(tmp_path / "other-t5", seed=1)
    with pytest.raises(DiasumError, match="trained on other weights"):
        load_trained(trained, base=str(other))
    assert load_trained(trained, base=base).has_adapter
    adapter = tmp_path / "adapter"
    shutil.copytree(trained / "adapter", adapter)
    (adapter / "diasum.json").unlink()
    with pytest.raises(DiasumError, match="does not fit"):
        load_trained(adapter, base=bart)


def test_a_run_knows_where_its_base_is_and_its_adapter_only_the_name(trained: Path, base: str, tmp_path: Path) -> None:
    """The adapter goes to other people, who need not learn of the folders of this machine."""
    adapter = tmp_path / "adapter"
    shutil.copytree(trained / "adapter", adapter)
    for file in adapter.glob("*.json"):
        assert str(Path(base).parent) not in file.read_text(encoding="utf-8"), file.name
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny-t5"
    assert json.loads((adapter / "diasum.json").read_text())["base"]["sha256"] == load_base(base, CPU).weights_sha256
    assert load_trained(trained).base.id == base
    with pytest.raises(DiasumError, match="trained on the base tiny-t5, a folder that does not exist here") as caught:
        load_trained(adapter)
    assert "--base" in str(caught.value)
    assert load_trained(adapter, base=base).has_adapter
    moved = tmp_path / "moved"
    shutil.copytree(trained, moved)
    config = (moved / "config.yaml").read_text(encoding="utf-8")
    (moved / "config.yaml").write_text(config.replace(base, str(tmp_path / "gone" / "tiny-t5")), encoding="utf-8")
    with pytest.raises(DiasumError, match="--base"):
        load_trained(moved)


def test_a_run_of_an_earlier_version_names_its_base_by_its_path(trained: Path, base: str, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(trained, old)
    side = json.loads((old / "adapter" / "diasum.json").read_text())
    side["base"] = {"id": base, "revision": None, "sha256": side["base"]["sha256"]}
    (old / "adapter" / "diasum.json").write_text(json.dumps(side))
    assert load_trained(old).base.id == base
    assert load_trained(old).notes == []
    shutil.copytree(old / "adapter", tmp_path / "alone")
    assert load_trained(tmp_path / "alone").base.id == base


def test_other_special_tokens_than_in_training(
    trained: Path, base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They stand in the base's configuration, outside the hash of its weights: the summaries must stay those of the run."""
    text = "Anna: Lunch?\nBen: At nine."
    expected = diasum.load(trained).summarize(text)
    recorded = Run(trained).manifest()["base"]["special_tokens"]
    assert (recorded["decoder_start_token_id"], recorded["eos_token_id"], recorded["forced_bos_token_id"]) == (
        0,
        1,
        None,
    )
    changed = tmp_path / "changed"
    shutil.copytree(base, changed)
    ids = {"forced_bos_token_id": 9, "decoder_start_token_id": 7}
    for name in ("config.json", "generation_config.json"):
        values = json.loads((changed / name).read_text())
        (changed / name).write_text(json.dumps({**values, **ids}))
    summarizer = diasum.load(trained, base=str(changed))
    assert diasum.load(changed).summarize(text, max_new_tokens=8) != diasum.load(base).summarize(text, max_new_tokens=8)
    assert summarizer.summarize(text) == expected
    (note,) = summarizer.trained.notes
    assert "decoder_start_token_id 7 (recorded: 0), forced_bos_token_id 9 (recorded: none)" in note


def test_a_run_does_not_go_on_with_other_special_tokens(
    base: str, corpus: str, tmp_path: Path, quick: dict[str, Any]
) -> None:
    changed, run = tmp_path / "base", tmp_path / "run"
    shutil.copytree(base, changed)
    diasum.train(str(changed), corpus, run=run, settings=quick)
    shutil.rmtree(run / "adapter")  # as if it had been killed before its end
    values = json.loads((changed / "generation_config.json").read_text())
    (changed / "generation_config.json").write_text(json.dumps({**values, "decoder_start_token_id": 7}))
    with pytest.raises(DiasumError, match=r"The base model's special tokens of .* changed since the run was started"):
        diasum.train(run=run, resume=True)


def test_base_that_is_gone(trained: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    shutil.copytree(trained / "adapter", adapter)
    side = json.loads((adapter / "diasum.json").read_text())
    side["base"]["id"] = str(tmp_path / "gone")
    (adapter / "diasum.json").write_text(json.dumps(side))
    with pytest.raises(DiasumError) as caught:
        load_trained(adapter)
    assert "which cannot be loaded" in str(caught.value) or "does not exist here" in str(caught.value)
    assert "--base" in str(caught.value)


def test_a_hub_id_from_the_cache(base: str, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the hub client lays it out: the base's commit is recorded, and base and adapter load offline by their ids."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    for name, folder, commit in (("base", Path(base), "a" * 40), ("adapter", trained / "adapter", "b" * 40)):
        cached = tmp_path / f"models--acme--{name}"
        shutil.copytree(folder, cached / "snapshots" / commit)
        (cached / "refs").mkdir()
        (cached / "refs" / "main").write_text(commit)
    loaded = load_base("acme/base", CPU)
    assert (loaded.id, loaded.revision) == ("acme/base", "a" * 40)
    assert loaded.weights_sha256 == load_base(base, CPU).weights_sha256
    assert load_base(base, CPU).revision is None
    text = "Anna: Lunch?\nBen: At nine."
    assert diasum.load("acme/base").summarize(text, max_new_tokens=8) == diasum.load(base).summarize(
        text, max_new_tokens=8
    )
    assert diasum.load("acme/adapter", base=base).summarize(text) == diasum.load(trained).summarize(text)
    with pytest.raises(DiasumError, match="none on the hub"):
        diasum.load("acme/absent")


def test_nothing_to_load(tmp_path: Path, trained: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DiasumError, match="neither a run, an adapter nor a model"):
        load_trained(tmp_path / "empty")
    with pytest.raises(DiasumError, match="There is no run"):
        load_trained(tmp_path / "nowhere")
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    shutil.copy(trained / "config.yaml", unfinished)
    with pytest.raises(DiasumError, match="has no adapter yet"):
        load_trained(unfinished)


DAMAGE: dict[str, tuple[str, Any, str]] = {
    "cut weights": ("adapter_model.safetensors", lambda old: old[:-5], "adapter_model.safetensors is damaged"),
    "a cut header": ("adapter_model.safetensors", lambda old: old[:100], "adapter_model.safetensors is damaged"),
    "no bytes": ("adapter_model.safetensors", lambda old: b"", "adapter_model.safetensors is damaged"),
    "random bytes": (
        "adapter_model.safetensors",
        lambda old: bytes(range(256)),
        "adapter_model.safetensors is damaged",
    ),
    "no weights": ("adapter_model.safetensors", None, "holds no adapter_model.safetensors"),
    "half an object": ("adapter_config.json", lambda old: b"{", "adapter_config.json is damaged"),
    "a list": ("adapter_config.json", lambda old: b"[]", "adapter_config.json is damaged: expected a JSON object"),
    "no settings": ("adapter_config.json", lambda old: b"{}", "does not say what kind of adapter"),
    "a number": ("diasum.json", lambda old: b"3", "diasum.json is damaged"),
    "no prompt": ("diasum.json", lambda old: b'{"prompt": 3}', "expected an object under `prompt`, found 3"),
    "no text": ("diasum.json", lambda old: b"\xff\xfe", "diasum.json is damaged"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_adapter(name: str, trained: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    place, change, message = DAMAGE[name]
    file = run / "adapter" / place
    old = file.read_bytes()
    file.unlink()
    if change is not None:
        file.write_bytes(change(old))
    with pytest.raises(DiasumError, match=message) as caught:
        load_trained(run)
    hint = caught.value.hint
    assert hint is not None
    if place == "adapter_model.safetensors":
        _, source, target = hint.removeprefix("The run has another copy; restore it: ").split()
        shutil.copy(source, target)
        assert file.read_bytes() == old, "the hint must help"


@pytest.mark.parametrize("option", [{"device": "tpu"}, {"dtype": "int8"}])
def test_devices_and_types_that_there_are_not(option: dict[str, str], base: str) -> None:
    with pytest.raises(DiasumError, match=f"There is no .*{next(iter(option.values()))}") as caught:
        diasum.load(base, **option)
    assert "Expected one of: auto" in str(caught.value)


def test_a_text_and_a_closed_folder_are_no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DiasumError, match="cannot be read: File name too long"):
        load_trained("Ana: Lunch at one? Ben: Half past, then. " * 20)
    monkeypatch.setattr(Path, "is_file", lambda self: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(DiasumError, match="cannot be read: Permission denied"):
        load_trained(tmp_path)
