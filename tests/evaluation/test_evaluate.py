"""Evaluating a run: base and baselines in one table, further models where named, files that agree with what is returned."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

import diasum
from diasum.errors import DiasumError
from diasum.evaluation.plan import plan_evaluation
from diasum.model import choose_hardware
from tests.tokenizers import tiny_bart_tokenizer


@pytest.fixture(scope="module")
def run(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    settings = {
        "train.epochs": 4,
        "train.eval_generate": 0,
        "train.report_to": [],
        "generate.max_new_tokens": 8,
        "generate.num_beams": 1,
        "lora.target_modules": "all-linear",
        "train.learning_rate": 0.1,
    }
    diasum.train(base, corpus, run=folder, settings=settings)
    return folder


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("models") / "nli"
    tokenizer: PreTrainedTokenizerFast = tiny_bart_tokenizer()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        id2label={0: "contradiction", 1: "neutral", 2: "entailment"},
        label2id={"contradiction": 0, "neutral": 1, "entailment": 2},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_the_adapter_and_its_base_differ_and_everything_is_written(run: Path) -> None:
    evaluated = diasum.evaluate(run)
    texts = {name: [p.text for p in made] for name, made in evaluated.predictions.items()}
    assert texts["adapter"] != texts["base"]
    summarizer = diasum.load(run)
    assert texts["adapter"] == summarizer.summarize([pair.dialogue for pair in evaluated.pairs])
    folder = run / "evaluation" / "test"
    assert evaluated.folder == folder
    rows = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    assert [row["prediction"] for row in rows] == texts["adapter"]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["systems"].keys() == {"adapter", "base", "lead3", "longest"}
    assert metrics["contrast"]["adapter"]
    assert "report.html" in {p.name for p in folder.iterdir()}
    assert evaluated.next_steps is not None, "an adapter of random weights is above nothing"
    assert evaluated.next_steps in (folder / "report.md").read_text()
    card = (run / "adapter" / "README.md").read_text()
    assert f"{metrics['systems']['adapter']['rougeL']['mean']:.1f}" in card


def test_further_models(run: Path, classifier: str, base: str, tmp_path: Path) -> None:
    settings = {
        "evaluate.bertscore_model": base,
        "evaluate.nli_model": classifier,
        "evaluate.contrast": 0,
        "evaluate.baselines": ["lead1"],
    }
    evaluated = diasum.evaluate(run, settings=settings, out=tmp_path / "out")
    measures: dict[str, Any] = evaluated.evaluation.to_json()["systems"]["lead1"]["measures"]
    assert 0 < measures["bertscore"] <= 100
    assert 0 < measures["nli_consistency"] < 100
    page = (tmp_path / "out" / "report.html").read_text()
    assert "BERTScore" in page
    assert "NLI" in page


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("bertscore_model", "./no-such-encoder", "no model folder ./no-such-encoder"),
        ("nli_model", "/nowhere/nli", "no model folder /nowhere/nli"),
        ("nli_model", "HERE", "cannot be loaded as a judge or for a measure"),
        ("baselines", ["leed3"], "no baseline `leed3`"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_generated(
    base: str, corpus: str, tmp_path: Path, setting: str, value: Any, message: str
) -> None:
    seen: list[str] = []
    with pytest.raises(DiasumError, match=message):
        diasum.evaluate(
            base,
            data=corpus,
            settings={f"evaluate.{setting}": str(tmp_path) if value == "HERE" else value},
            progress=lambda what, done, total: seen.append(what),
        )
    assert not seen


def test_a_model_without_adapter_and_other_data(base: str, corpus: str) -> None:
    evaluated = diasum.evaluate(
        base, data=f"{corpus}/test.jsonl", settings={"generate.max_new_tokens": 4, "evaluate.contrast": 0}
    )
    assert set(evaluated.predictions) == {"model", "lead3", "longest"}
    assert evaluated.folder is None
    with pytest.raises(DiasumError, match="needs data"):
        diasum.evaluate(base)


def test_pairs_without_references(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "bare.jsonl"
    file.write_text(json.dumps({"id": "1", "dialogue": "Anna: Hi."}) + "\n")
    with pytest.raises(DiasumError, match="summary"):
        diasum.evaluate(run, data=str(file))


QUICK = {"evaluate.contrast": 0, "evaluate.resamples": 100, "evaluate.base_model": False}


@pytest.fixture(scope="module")
def one_file(
    run: Path, base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[dict[str, str]]]:
    """A run on a file without splits, and the file's rows; a training file named as the test split's, too."""
    folder = tmp_path_factory.mktemp("one")
    rows = [json.loads(line) for line in Path(corpus, "train.jsonl").read_text().splitlines()]
    rows = [
        {**row, "id": f"c{i}", "dialogue": row["dialogue"] + f"\nAnna: That was call {i}."}
        for i, row in enumerate(rows)
    ]
    (folder / "chats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = {
        "train.epochs": 1,
        "train.eval_generate": 0,
        "train.report_to": [],
        "generate.max_new_tokens": 4,
        **QUICK,
    }
    diasum.train(base, str(folder / "chats.jsonl"), run=folder / "run", settings=settings)
    return folder, rows


def test_of_one_file_what_was_trained_on_is_not_evaluated(one_file: tuple[Path, list[dict[str, str]]]) -> None:
    folder, rows = one_file
    evaluated = diasum.evaluate(folder / "run")
    held_out = max(1, round(0.1 * len(rows)))
    assert evaluated.evaluation.n == held_out
    assert any(f"the {held_out} of {len(rows)} dialogues not trained on" in note for note in evaluated.evaluation.notes)
    assert any("choose the best adapter" in note for note in evaluated.evaluation.notes)
    assert rows[0]["dialogue"] not in (folder / "run" / "trained_on.json").read_text(), "hashes only"


def test_dialogues_trained_on_are_warned_of(one_file: tuple[Path, list[dict[str, str]]], tmp_path: Path) -> None:
    folder, rows = one_file
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "train.jsonl").write_text(json.dumps(rows[0]) + "\n")
    evaluated = diasum.evaluate(folder / "run", data=str(tmp_path))
    trained = len(rows) - max(1, round(0.1 * len(rows)))
    warning = f"Warning: {trained} of these {len(rows)} dialogues were trained on"
    assert evaluated.folder is not None
    for name in ("metrics.json", "report.md", "report.html"):
        assert warning in (evaluated.folder / name).read_text(), name


def test_a_file_that_was_trained_on_whole_is_refused(
    one_file: tuple[Path, list[dict[str, str]]], tmp_path: Path
) -> None:
    folder, _ = one_file
    seen = json.loads((folder / "run" / "trained_on.json").read_text())
    other = tmp_path / "run"
    shutil.copytree(folder / "run", other)
    (other / "trained_on.json").write_text(json.dumps({"train": seen["train"] + seen["validation"], "validation": []}))
    with pytest.raises(DiasumError, match="were trained on"):
        diasum.evaluate(other)
    (other / "trained_on.json").write_text("{")
    with pytest.raises(DiasumError, match=r"trained_on\.json is damaged"):
        diasum.evaluate(other)


def test_other_data_and_parts_leave_the_usual_figures_alone(run: Path, corpus: str) -> None:
    usual = diasum.evaluate(run, settings=QUICK).folder
    assert usual is not None
    before = {file.name: file.read_bytes() for file in usual.iterdir()}
    card = (run / "adapter" / "README.md").read_bytes()
    other = diasum.evaluate(run, data=f"{corpus}/test.jsonl", settings={**QUICK, "evaluate.max_examples": 2}).folder
    assert other == run / "evaluation" / "test-of-test-jsonl-first-2"
    assert {file.name: file.read_bytes() for file in usual.iterdir()} == before
    assert (run / "adapter" / "README.md").read_bytes() == card


def test_a_place_that_cannot_be_written_is_found_before_the_work(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("mine")
    monkeypatch.setattr("diasum.evaluation.plan.load_trained", lambda *args, **more: pytest.fail("too late"))
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DiasumError, match="Cannot write"):
            diasum.evaluate(run, out=out)
    assert (tmp_path / "file").read_text() == "mine"


def test_summaries_are_generated_in_fp32_where_the_hardware_has_bf16(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the training chose: in bf16 a summary depends on those beside it."""
    monkeypatch.setattr("diasum.model.hardware.bf16_support", lambda device: "the CPU has AMX matrix units")
    assert choose_hardware("cpu").dtype == "bf16"
    evaluated = diasum.evaluate(run, settings={"evaluate.contrast": 0, "evaluate.max_examples": 2})
    reason = "fp32: a summary is the same alone and in a batch"
    expected = {"device": "cpu", "dtype": "fp32", "dtype_reason": reason, "long": "windows"}
    assert evaluated.generation == evaluated.generation | expected
    assert evaluated.generation["engine"] == evaluated.predictions["adapter"][0].summary.engine
    assert evaluated.generation["engine_reason"]
    (summary,) = diasum.load(run).summarize_all(["Anna: Lunch?\nBen: At nine."])
    assert (summary.dtype, summary.dtype_reason) == ("fp32", reason)


def test_a_run_keeps_its_number_type_of_generation(base: str, corpus: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "train.epochs": 1,
        "train.eval_generate": 2,
        "train.report_to": [],
        "generate.max_new_tokens": 4,
        "evaluate.contrast": 0,
    }
    for name, given in (("plain", {"train.dtype": "bf16"}), ("set", {"train.dtype": "fp32", "generate.dtype": "bf16"})):
        diasum.train(base, corpus, run=tmp_path / name, settings=settings | given)
    choices = {
        name: json.loads((tmp_path / name / "manifest.json").read_text())["choices"] for name in ("plain", "set")
    }
    assert [choices["plain"][key].split(":")[0] for key in ("dtype", "generation")] == ["bf16", "fp32"]
    assert [choices["set"][key] for key in ("dtype", "generation")] == ["fp32: as set", "bf16: as set"]
    summarizer = diasum.load(tmp_path / "set")
    assert summarizer.trained.model.dtype == torch.bfloat16
    assert summarizer.summarize_all(["Anna: Hi."])[0].dtype == "bf16"
    with pytest.raises(DiasumError, match="was loaded in bf16"):
        summarizer.summarize("Anna: Hi.", dtype="fp32")
    assert diasum.load(tmp_path / "set", dtype="fp32").summarize_all(["Anna: Hi."])[0].dtype == "fp32"
    assert diasum.load(tmp_path / "plain").summarize_all(["Anna: Hi."], dtype="bf16")[0].dtype == "bf16"
    assert diasum.evaluate(tmp_path / "set").generation["dtype"] == "bf16"
    assert diasum.evaluate(tmp_path / "set", dtype="fp32").generation["dtype"] == "fp32"


def test_what_was_not_read_is_noted(run: Path, tmp_path: Path) -> None:
    long = {
        "id": "long",
        "dialogue": "\n".join(f"Anna: This is number {i}." for i in range(200)),
        "summary": "Anna counts.",
    }
    short = {"id": "short", "dialogue": "Anna: Hi.", "summary": "Anna greets."}
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in (long, short)))
    few = {"evaluate.contrast": 0, "evaluate.baselines": []}
    evaluated = diasum.evaluate(run, data=str(tmp_path), settings=few, out=tmp_path / "windows")
    assert not [note for note in evaluated.evaluation.notes if "did not fit" in note]
    told = [note for note in evaluated.evaluation.notes if "longer than the model's input" in note]
    assert len(told) == 1, "the base reads what its adapter reads"
    assert told[0].startswith("adapter: 1 of 2 dialogues are longer than the model's input (such as long: read in ")
    assert evaluated.generation["long"] == "windows"
    rows = [json.loads(line) for line in (tmp_path / "windows" / "predictions.jsonl").read_text().splitlines()]
    assert (rows[0]["turns_cut"], rows[0]["read"]) == (0, None)
    assert len(rows[0]["windows"]) > 2 > len(rows[1]["windows"])
    assert rows[0]["passes"] >= len(rows[0]["windows"])

    evaluated = diasum.evaluate(
        run, data=str(tmp_path), settings={**few, "generate.long": "cut"}, out=tmp_path / "scores"
    )
    assert evaluated.generation["long"] == "cut"
    assert not [note for note in evaluated.evaluation.notes if "longer than the model's input" in note]
    told = [note for note in evaluated.evaluation.notes if "did not fit" in note]
    assert len(told) == 1, "the base reads what its adapter reads"
    assert told[0].startswith("adapter: 1 of 2 dialogues did not fit the model's input (such as long: read turns 1 to ")
    rows = [json.loads(line) for line in (tmp_path / "scores" / "predictions.jsonl").read_text().splitlines()]
    assert rows[0]["cut"]
    assert rows[0]["turns"] == 200 > rows[0]["turns_cut"] > 100
    assert rows[0]["read"] in told[0]
    assert (rows[1]["turns"], rows[1]["turns_cut"], rows[1]["read"]) == (1, 0, None)
    assert "read turns 1 to" in (tmp_path / "scores" / "report.html").read_text()


def test_settings_that_can_be_read_once_count_for_other_data_too(run: Path, corpus: str) -> None:
    plan = plan_evaluation(run, (item for item in ["evaluate.max_examples=2"]), {"data.path": f"{corpus}/test.jsonl"})
    assert plan.settings.evaluate.max_examples == 2
    assert not plan.usual
