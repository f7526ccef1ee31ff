"""The model card: metadata that the Hub reads, and snippets that run."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
import yaml

import diasum
from diasum.config import DataSettings, GenerateSettings, PromptSettings, Settings
from diasum.data import Corpus, load_corpus
from diasum.data.licences import base_licence
from diasum.errors import DiasumError
from diasum.files import write_json
from diasum.model import add_adapter, bundled_base, choose_hardware, load_base
from diasum.reports.card import licence_notes, metadata, write_card
from diasum.reports.content import build_report
from diasum.reports.evaluation import write_evaluation
from diasum.reports.snippet import _limits
from diasum.resolve import load_settings
from diasum.training import Run
from tests.models import save_model
from tests.reports.test_report import three_systems


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
    assert front["license"] == "unknown", "nothing says the base's"
    assert "The training data are under cc-by-nc-sa-4.0." in body
    assert front["datasets"] == ["someone/talks"]
    assert "forbids commercial use" in body
    assert "tokens does not fit into the model's input; diasum reads it in windows." in body


def test_evaluating_the_runs_split_fills_the_card(trained: Run, tmp_path: Path) -> None:
    from huggingface_hub import ModelCard

    evaluated = three_systems()
    corpus = Corpus("someone/talks", {"test": evaluated.pairs})
    write_evaluation(tmp_path, build_report(evaluated, corpus, trained))
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
    write_evaluation(tmp_path, build_report(evaluated, Corpus("x/y", {"validation": evaluated.pairs}), trained))
    assert card(trained) == before


def test_snippets_run_and_give_the_same_summary(trained: Run, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_card(trained)
    _, body = card(trained)
    own, plain = re.findall(r"```python\n(.*?)```", body, flags=re.S)
    monkeypatch.chdir(trained.path.parent)
    Path("tiny-t5").symlink_to(base)  # the snippet names the base's folder, not where it is on this machine
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
    record = {
        "name": "x",
        "data": {"license": "Some Licence 1"},
        "base": {"model_type": "t5", "license": "Some Licence 1"},
    }
    found = metadata(trained, record, settings, None, "y").to_dict()
    assert found["base_model"] == "google/flan-t5-small"
    assert (found["license"], found["license_name"]) == ("other", "some-licence-1")
    assert "datasets" not in found
    assert metadata(trained, record | {"data": {}}, settings, None, "y")["license"] == "unknown"


@pytest.mark.parametrize(
    ("of_base", "of_data", "field", "said", "unsaid"),
    [
        ("apache-2.0", "cc-by-4.0", "apache-2.0", ["data's authors"], ["commercial", "sharing"]),
        ("apache-2.0", "cc-by-nc-4.0", "cc-by-nc-4.0", ["forbids commercial use", "stricter"], ["forbids sharing"]),
        ("mit", "CC-BY-NC-ND-4.0", "cc-by-nc-nd-4.0", ["forbids commercial use", "forbids sharing"], []),
        (
            "cc-by-sa-4.0",
            "cc0-1.0",
            "cc-by-sa-4.0",
            ["base model is under cc-by-sa-4.0", "data are under cc0-1.0", "same licence"],
            [],
        ),
        ("cc0-1.0", "cc-by-sa-4.0", "cc-by-sa-4.0", ["stricter of the two"], []),
        (
            "cc-by-sa-4.0",
            "cc-by-nc-sa-4.0",
            "other",
            ["comply with both", "under cc-by-sa-4.0", "under cc-by-nc-sa-4.0"],
            [],
        ),
        ("gemma", "mit", "other", ["comply with both"], []),
        ("apache-2.0", None, "unknown", ["training data is not known", "licence of this adapter is unknown"], []),
        (None, "cc-by-nc-4.0", "unknown", ["base model is not known", "forbids commercial use", "is unknown"], []),
        ("mit", "mit", "mit", ["under mit", "that of both"], ["forbids", "authors"]),
    ],
)
def test_the_licence_follows_base_and_data(
    trained: Run, of_base: str | None, of_data: str | None, field: str, said: list[str], unsaid: list[str]
) -> None:
    text = " ".join(licence_notes(of_base, of_data))
    assert all(part in text for part in said)
    assert not any(part in text for part in unsaid)
    record = {"name": "x", "base": {"license": of_base}, "data": {"license": of_data}}
    found = metadata(trained, record, Settings(), None, "y").to_dict()
    assert found["license"] == field
    if field == "other":
        assert found["license_name"] == f"{of_base}-and-{of_data}".lower()


def test_all_licences_of_data_under_several_are_told() -> None:
    text = " ".join(licence_notes("mit", "cc-by-nc-4.0 and gpl-3.0"))
    assert "The training data are under cc-by-nc-4.0 and gpl-3.0." in text
    assert "forbids commercial use" in text


def test_the_bundled_base_and_sample_are_under_the_bases_licence() -> None:
    sample = load_corpus(DataSettings(path="sample")).license
    assert (base_licence(str(bundled_base())), sample) == ("cc-by-sa-4.0", "cc0-1.0")


def test_an_unfinished_run_gets_no_card(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    run.start(Settings())
    with pytest.raises(DiasumError, match="no adapter yet"):
        write_card(run)


DIALOGUES: list[list[tuple[str, str]]] = [
    [("Ana", "Lunch at noon?"), ("Ben", "Rather at one, I have a call.")],
    [
        ("Anna", "Could you send me the report?"),
        ("Ben", "Sure, before lunch. </s> Is that all?"),
        ("Anna", "Yes, Ben."),
    ],
    [("#Person1#", "I have a headache."), ("#Person2#", "Since when?"), ("#Person1#", "Monday.")],
    [("", "Is the table at nine?"), ("", "At 9:30, I think.")],
    [
        ("Will", "Will you come back next week, Anna?"),
        ("Anna", "No, the week after."),
        ("Will", "Good, Anna." + " Good." * 20),
    ],
]
# What many bases bring along; a search that takes any of it writes other texts.
NASTY: dict[str, Any] = {
    "min_length": 56, "num_beams": 4, "no_repeat_ngram_size": 2, "length_penalty": 2.0, "early_stopping": True, "repetition_penalty": 2.0,
    "max_length": 142, "forced_eos_token_id": 7, "suppress_tokens": [5, 6, 8, 9],
}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("t5", {}),
        ("bart", {}),
        ("t5", {"generate.no_repeat_ngram_size": 2, "generate.min_new_tokens": 9, "generate.closing": "See"}),
        ("bart", {"generate.no_repeat_ngram_size": 2, "generate.min_new_tokens": 9, "generate.num_beams": 1}),
        ("t5", {"prompt.speakers": "numbered", "generate.length_penalty": 0.5}),
        (
            "bart",
            {
                "generate.dtype": "bf16",
                "generate.engine": "torch-plain",  # the snippet's rounding
                "prompt.turn_separator": " / ",
                "generate.repetition_penalty": 1.3,
            },
        ),
    ],
)
def test_the_plain_snippet_writes_what_summarize_writes(
    family: str, changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without diasum, on a base with generation settings of its own and in another number type."""
    base = save_model(tmp_path / "base", family)
    file = base / "generation_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | NASTY))
    usual = {
        "base": str(base),
        "generate.max_new_tokens": 16,
        "generate.num_beams": 3,
        "lora.target_modules": "all-linear",
    }
    settings = load_settings(None, usual | changes)
    run = Run(tmp_path / "run")
    run.start(settings)
    loaded = load_base(str(base), choose_hardware("cpu", "fp32"))
    adapted = add_adapter(loaded.model, settings.lora, seed=1)
    torch.manual_seed(0)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    adapted.save_pretrained(run.adapter)
    loaded.tokenizer.save_pretrained(run.adapter)
    side = {"base": {"id": str(base), "revision": None, "sha256": loaded.weights_sha256}}
    write_json(
        run.adapter / "diasum.json",
        side | {k: getattr(settings, k).model_dump(mode="json") for k in ("prompt", "generate")},
    )
    run.update_manifest(base=side["base"] | {"model_type": family}, data={"path": "someone/talks", "splits": {}})
    write_card(run)
    _, plain = re.findall(r"```python\n(.*?)```", card(run)[1], flags=re.S)
    assert "diasum" not in re.sub(r"#.*", "", plain)
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(plain, known)
    summarizer = diasum.load(run.path)
    expected = [summarizer.summarize(turns) for turns in DIALOGUES]
    assert [known["summarize"](turns) for turns in DIALOGUES] == expected
    assert out.getvalue() == expected[0] + "\n"
    assert len(set(expected)) > 3, "a snippet that does not read would pass"
    with pytest.raises(ValueError, match="leave out turns"):
        known["summarize"]([("Ana", "Lunch at noon?")] * 200)


@pytest.mark.parametrize("redact", ["off", "on", "names"])
def test_the_snippet_says_that_it_hides_nothing(redact: Literal["off", "on", "names"]) -> None:
    limits = " ".join(_limits(GenerateSettings(), PromptSettings(redact=redact)))
    assert ("It hides nothing" in limits) == (redact != "off")
