"""The model card: metadata that the Hub reads, and snippets that run."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path

import pytest
import yaml

import diasum
from diasum.config import Settings
from diasum.data import Corpus
from diasum.errors import DiasumError
from diasum.evaluation.card import licence_notes, metadata, write_card
from diasum.evaluation.report import write_evaluation
from diasum.files import write_json
from diasum.model import add_adapter, choose_hardware, load_base
from diasum.resolve import load_settings
from diasum.training import Run
from tests.evaluation.test_report import three_systems


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, base: str) -> Run:
    """A complete run as `fit` leaves it, its adapter not trained."""
    run = Run(tmp_path_factory.mktemp("runs") / "first")
    changes = {"base": base, "data.path": "someone/talks", "generate.max_new_tokens": 5, "generate.num_beams": 2}
    settings = load_settings(None, changes)
    run.start(settings)
    loaded = load_base(base, choose_hardware("cpu", "fp32"))
    add_adapter(loaded.model, settings.lora, seed=1).save_pretrained(run.adapter)
    loaded.tokenizer.save_pretrained(run.adapter)
    side = {"base": {"id": base, "revision": None, "sha256": loaded.weights_sha256}}
    write_json(
        run.adapter / "diasum.json",
        side | {k: getattr(settings, k).model_dump(mode="json") for k in ("prompt", "generate")},
    )
    run.update_manifest(
        base=side["base"] | {"model_type": "t5"},
        data={
            "path": "someone/talks",
            "license": "cc-by-nc-sa-4.0",
            "splits": {"train": {"n": 24, "sha256": "ab" * 32}},
        },
        parameters={"trainable": 1024, "total": 60_000},
        seed=42,
    )
    return run


def card(run: Run) -> tuple[dict, str]:
    text = (run.adapter / "README.md").read_text(encoding="utf-8")
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def test_a_card_without_an_evaluation_says_so(trained: Run) -> None:
    write_card(trained)
    front, body = card(trained)
    assert "model-index" not in front
    assert "Not evaluated yet" in body
    assert front["license"] == "cc-by-nc-sa-4.0"
    assert front["datasets"] == ["someone/talks"]
    assert "forbids commercial use" in body


def test_evaluating_the_runs_split_fills_the_card(trained: Run, tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    evaluated = three_systems()
    corpus = Corpus("someone/talks", {"test": evaluated.pairs})
    write_evaluation(tmp_path, evaluated, corpus=corpus, run=trained)
    front, body = card(trained)
    assert front["library_name"] == "peft"
    assert front["language"] == ["en"]
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))["systems"]
    results = {r.metric_name: r for r in ModelCard.load(trained.adapter / "README.md").data.eval_results}
    for name, shown in (("rouge1", "ROUGE-1"), ("rougeL", "ROUGE-L")):
        assert results[shown].metric_value == pytest.approx(metrics["adapter"][name]["mean"], abs=0.006)
        assert (results[shown].dataset_type, results[shown].dataset_split) == ("someone/talks", "test")
    for system, values in metrics.items():
        one = values["rougeL"]
        assert f"{one['mean']:.1f} ({one['low']:.1f} to {one['high']:.1f})" in body, system
    assert evaluated.evaluation.data_hash in body
    assert "Ben will send" not in body


def test_another_split_leaves_the_card_alone(trained: Run, tmp_path: Path) -> None:
    write_card(trained)
    before = card(trained)
    evaluated = three_systems()
    evaluated.evaluation.split = "validation"
    write_evaluation(tmp_path, evaluated, corpus=Corpus("x/y", {"validation": evaluated.pairs}), run=trained)
    assert card(trained) == before


def test_snippets_run_and_give_the_same_summary(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write_card(trained)
    _, body = card(trained)
    own, plain = re.findall(r"```python\n(.*?)```", body, flags=re.S)
    monkeypatch.chdir(trained.path.parent)
    printed = []
    for snippet in (own, plain):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(snippet, {})
        printed.append(out.getvalue().strip())
    assert printed[0] == printed[1] != ""
    assert "num_beams=2" in plain
    assert callable(diasum.load)


def test_local_folders_and_private_paths_stay_out(trained: Run, base: str) -> None:
    write_card(trained)
    text = (trained.adapter / "README.md").read_text(encoding="utf-8")
    assert base not in text
    assert str(trained.path.parent) not in text
    assert "base_model" not in card(trained)[0]


def test_metadata_names_what_is_on_the_hub(trained: Run) -> None:
    settings = Settings(base="google/flan-t5-small")
    facts = {"name": "x", "data": {"license": "Some Licence 1"}, "base": {"model_type": "t5"}}
    found = metadata(trained, facts, settings, None, "y")
    assert found["base_model"] == "google/flan-t5-small"
    assert (found["license"], found["license_name"]) == ("other", "some-licence-1")
    assert "datasets" not in found
    assert "license" not in metadata(trained, facts | {"data": {}}, settings, None, "y")


@pytest.mark.parametrize(
    ("license_", "said", "unsaid"),
    [
        ("cc-by-4.0", ["authors"], ["commercial", "sharing"]),
        ("cc-by-nc-4.0", ["forbids commercial use"], ["forbids sharing"]),
        ("CC-BY-NC-ND-4.0", ["forbids commercial use", "forbids sharing"], []),
        ("cc-by-sa-4.0", ["same licence"], ["commercial"]),
        (None, ["not known"], []),
        ("mit", ["under mit"], ["forbids", "authors"]),
    ],
)
def test_licence_notes(license_: str | None, said: list[str], unsaid: list[str]) -> None:
    text = " ".join(licence_notes(license_))
    assert all(part in text for part in said)
    assert not any(part in text for part in unsaid)


def test_an_unfinished_run_gets_no_card(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.start(Settings())
    with pytest.raises(DiasumError, match="no adapter yet"):
        write_card(run)
