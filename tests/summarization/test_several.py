"""Several adapters on one base: each conversation gets the record that its own adapter gives alone, and what differs is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import diasum
from diasum.errors import DiasumError
from tests.models import CONVERSATIONS

LONG = "\n".join(f"Anna: This is turn number {i} of a long talk.\nBen: I see, number {i}." for i in range(60))


@pytest.fixture(scope="module")
def runs(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One that was trained, and two with other weights, the last with another prompt, too."""
    folder = tmp_path_factory.mktemp("runs")
    quick = {"train.epochs": 1, "train.eval_generate": 0, "generate.max_new_tokens": 8, "generate.num_beams": 2}
    diasum.train(base, corpus, run=folder / "a", settings=quick)
    for seed, name in enumerate("bc", 1):
        shutil.copytree(folder / "a", folder / name)
        file = folder / name / "adapter" / "adapter_model.safetensors"
        generator = torch.Generator().manual_seed(seed)
        weights = {
            key: torch.randn(value.shape, generator=generator) * 0.3 for key, value in sorted(load_file(file).items())
        }
        save_file(weights, file, {"format": "pt"})
    changed(folder / "c", "diasum.json", lambda side: side["prompt"].update(max_source_tokens=200))
    return {name: folder / name for name in "abc"}


def changed(run: Path, name: str, change: Callable[[dict[str, Any]], Any]) -> Path:
    file = run / "adapter" / name
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))
    return run


def test_each_conversation_is_summarised_by_its_own_adapter(runs: dict[str, Path]) -> None:
    conversations = [dialogue for dialogue, _ in CONVERSATIONS] + [LONG, LONG]
    names = ["c", "a", "b", "b", "a", "c", "a", "c"]
    together = diasum.load(runs)
    made = together.summarize_all(conversations, adapter=names)
    for name, run in runs.items():
        own = [i for i, one in enumerate(names) if one == name]
        assert [made[i] for i in own] == diasum.load(run).summarize_all([conversations[i] for i in own])
    assert len(made[6].windows or ()) < len(made[7].windows or ()), "each with its own prompt"
    texts = [together.summarize(conversations[:3], adapter=name) for name in "abc"]
    assert texts[0] != texts[1] != texts[2] != texts[0]
    assert together.summarize(conversations[:2], adapter=["a", "b"]) == [texts[0][0], texts[1][1]]
    assert together.summarize(conversations[0], adapter="c", num_beams=1) == diasum.load(runs["c"]).summarize(
        conversations[0], num_beams=1
    )


def test_a_file_with_an_empty_conversation(runs: dict[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "talks.jsonl"
    file.write_text("".join(json.dumps({"dialogue": text}) + "\n" for text in ("Ana: Hi.", "", "Ben: Hello.")))
    together = diasum.load(runs)
    first, second, third = together.summarize(file, adapter=["a", "b", "c"])
    assert second == ""
    assert [first, third] == [
        diasum.load(runs["a"]).summarize("Ana: Hi."),
        diasum.load(runs["c"]).summarize("Ben: Hello."),
    ]


def test_the_model_is_one_base_and_the_adapters(runs: dict[str, Path]) -> None:
    def size(model: Any) -> int:
        return sum(parameter.numel() for parameter in model.parameters())

    adapter = sum(tensor.numel() for tensor in load_file(runs["a"] / "adapter" / "adapter_model.safetensors").values())
    one = diasum.load(runs["a"]).trained
    model, *others = (trained.model for trained in diasum.load(runs).adapters.values())
    assert size(model) == size(one.model) + 2 * adapter
    assert all(other is model for other in others)


def copy(run: Path, folder: Path) -> Path:
    return Path(shutil.copytree(run, folder / "other"))


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("adapter_config.json", {"use_dora": True}, "is use_dora=True; only plain LoRA can be loaded beside"),
        ("adapter_config.json", {"modules_to_save": ["lm_head"]}, r"modules_to_save=\['lm_head'\]"),
        ("adapter_config.json", {"init_lora_weights": "pissa"}, "init_lora_weights='pissa'"),
        ("adapter_config.json", {"peft_type": "IA3"}, "is IA3; only plain LoRA"),
        ("diasum.json", {"generate": {"num_beams": 1}}, "generate.num_beams is 2 for a and 1 for b"),
        ("diasum.json", {"base": {"sha256": "0" * 64}}, "was trained on another base"),
        ("diasum.json", {"base": {"special_tokens": {"eos_token_id": 7}}}, "trained with another eos_token_id"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(
    name: str, change: dict[str, Any], told: str, runs: dict[str, Path], tmp_path: Path
) -> None:
    def into(values: dict[str, Any], new: dict[str, Any]) -> None:
        for key, value in new.items():
            if isinstance(value, dict) and isinstance(values.get(key), dict):
                into(values[key], value)
            else:
                values[key] = value

    other = changed(copy(runs["b"], tmp_path), name, lambda values: into(values, change))
    with pytest.raises(DiasumError, match=told):
        diasum.load({"a": runs["a"], "b": other})


def test_one_setting_for_all_is_what_the_refusal_asks_for(runs: dict[str, Path], tmp_path: Path) -> None:
    other = changed(copy(runs["b"], tmp_path), "diasum.json", lambda values: values["generate"].update(num_beams=1))
    together = diasum.load({"a": runs["a"], "b": other}, settings={"generate.num_beams": 2})
    assert together.summarize("Ana: Hi.", adapter="b") == diasum.load(runs["b"]).summarize("Ana: Hi.")


def test_calls_that_do_not_fit(runs: dict[str, Path], base: str) -> None:
    together = diasum.load(runs)
    for adapter, told in (("d", "no adapter `d`"), (["a"], "2 conversations and adapters for 1")):
        with pytest.raises(DiasumError, match=told):
            together.summarize(["Ana: Hi.", "Ben: Hi."], adapter=adapter)
    with pytest.raises(DiasumError, match="at least two"):
        diasum.load({"a": runs["a"]})
    with pytest.raises(DiasumError, match="is no run and no adapter folder"):
        diasum.load({"a": runs["a"], "b": base})
    with pytest.raises(DiasumError, match="it does not sample"):
        diasum.load(runs, settings={"generate.do_sample": True})
    with pytest.raises(DiasumError, match=r"generate\.engine is torch-plain, which is not there"):
        diasum.load(runs, settings={"generate.engine": "torch-plain"})
