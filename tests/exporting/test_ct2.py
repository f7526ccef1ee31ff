"""An export to CTranslate2 says what torch says, tells when it cannot, and is used only for the weights it was made of."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from transformers import BartConfig, T5Config

import diasum
from diasum.config import GenerateSettings
from diasum.dialogue.forms import as_dialogue
from diasum.engines import ct2
from diasum.engines.ct2 import obstacle_to
from diasum.engines.exported import ExportRecord, Weights
from diasum.errors import DiasumError, MissingExtraError
from diasum.evaluation.statistics.bootstrap import paired_difference
from diasum.exporting import conversion, parity
from diasum.training import Run
from tests.exporting.runs import make_run, save_base
from tests.models import CONVERSATIONS, tiny_bart, tiny_t5

pytest.importorskip("ctranslate2")
TALKS = [dialogue for dialogue, _ in CONVERSATIONS]
FP32 = {"export.quantization": "fp32", "export.max_rouge_loss": 50}


@pytest.fixture(scope="module")
def run(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with an export in fp32."""
    made = make_run(tmp_path_factory.mktemp("runs") / "first", base, corpus)
    diasum.export(made.path, "ct2", settings=FP32)
    return made


@pytest.mark.parametrize(("family", "tied"), [("t5", True), ("t5", False), ("bart", True)])
def test_an_export_summarises_as_its_run(family: str, tied: bool, corpus: str, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", family, tied=tied)
    run = make_run(tmp_path / "run", str(base), corpus, {"lora.target_modules": "all-linear"})
    exported = diasum.export(run.path, "ct2", settings=FP32)
    record = exported.record["parity"]
    assert record["identical"]["mean"] == 1
    assert (record["n"], record["rouge_loss"]["mean"], record["rouge_loss"]["seed"]) == (6, 0, 0)
    assert record["protocol"]["name"] == "rouge-score"
    alone = diasum.load(exported.folder)
    assert not alone.trained.has_weights
    loaded = diasum.load(run.path)
    for changes in (
        {},
        {"num_beams": 1},
        {"num_beams": 4, "length_penalty": 2.0},
        {"length_penalty": 0.3, "max_new_tokens": 5},
    ):
        texts = loaded.summarize(TALKS, engine="torch-plain", **changes)
        assert loaded.summarize(TALKS, engine="ct2", **changes) == texts
        assert alone.summarize(TALKS, **changes) == texts
        assert len(set(texts)) > 1


def test_all_that_a_search_found_is_given_where_it_is_asked_for(run: Run) -> None:
    loaded = diasum.load(run.path)
    trained = loaded.trained
    settings = GenerateSettings(num_beams=3, max_new_tokens=20, rerank=True)
    ids = trained.encode([as_dialogue(talk) for talk in TALKS], settings).ids
    by = {
        name: trained.engine(settings.model_copy(update={"engine": name})).engine.generate(ids, settings)
        for name in ("ct2", "torch-plain", "torch-fast")
    }
    assert all(one.others for one in by["ct2"])
    assert by["torch-fast"] == by["torch-plain"]
    # CTranslate2 awaits more finished summaries, so that the last of those that it keeps may be others
    assert [one.text for one in by["ct2"]] == [one.text for one in by["torch-plain"]]
    assert [one.others[0] for one in by["ct2"]] == [one.others[0] for one in by["torch-plain"]]
    usual = trained.engine(settings).engine.generate(ids, settings.model_copy(update={"rerank": False}))
    assert [(one.text, one.others) for one in usual] == [(one.text, ()) for one in by["ct2"]]


def test_lengths_a_forced_first_token_and_cut_summaries(corpus: str, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", "bart", tied=True)
    generation = json.loads((base / "generation_config.json").read_text())
    (base / "generation_config.json").write_text(json.dumps({**generation, "forced_bos_token_id": 7, "min_length": 9}))
    run = make_run(tmp_path / "run", str(base), corpus)
    diasum.export(run.path, "ct2", settings=FP32)
    loaded = diasum.load(run.path)
    for changes in ({"min_new_tokens": 6, "num_beams": 1}, {"max_new_tokens": 3}):
        plain, other = (loaded.summarize_all(TALKS, engine=name, **changes) for name in ("torch-plain", "ct2"))
        assert [(one.text, one.finish_reason) for one in other] == [(one.text, one.finish_reason) for one in plain]


def test_the_recipes_settings_run_and_the_others_are_refused_by_name() -> None:
    settings = diasum.load_settings("dialogsum-flan-t5-base").generate
    marked, unmarked = tiny_bart()[1], tiny_t5()[1]
    assert obstacle_to(settings, marked) is None
    for name, value in (("do_sample", True), ("repetition_penalty", 1.2), ("no_repeat_ngram_size", 3)):
        assert name in str(obstacle_to(settings.model_copy(update={name: value}), marked))
    closing = settings.model_copy(update={"closing": "Next:", "min_new_tokens": 4})
    assert "closing" in str(obstacle_to(closing, unmarked))


def test_auto_takes_it_and_says_so_but_not_for_the_base(run: Run, corpus: str, tmp_path: Path) -> None:
    loaded = diasum.load(run.path)
    summary = loaded.summarize_all(TALKS[:1])[0]
    assert (summary.engine, summary.dtype) == ("ct2", "fp32")
    assert "ct2-fp32" in (summary.engine_reason or "")
    sampled = loaded.summarize_all(TALKS[:1], do_sample=True)[0]
    assert sampled.engine == "torch-plain"
    assert "not ct2: it does not sample" in (sampled.engine_reason or "")
    settings = {"generate.engine": "ct2", "evaluate.contrast": 0}
    evaluated = diasum.evaluate(run.path, settings=settings, out=tmp_path / "out")
    engines = {name: made[0].summary.engine for name, made in evaluated.predictions.items()}
    assert engines["adapter"] == "ct2"
    assert engines["base"].startswith("torch-")
    assert "weights of base and adapter" in (evaluated.predictions["base"][0].summary.engine_reason or "")


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("engine", ["ct2", "auto"])
def test_a_summary_by_an_export_does_without_torch(engine: str, alone: bool, run: Run) -> None:
    """Except that only a torch with GPUs in it knows whether there are any."""
    source = run.path / "exports" / "ct2-fp32" if alone else run.path
    libraries = {"transformers", "peft", "sympy"} | ({"torch"} if version("torch").endswith("+cpu") else set())
    code = f"""
import sys
sys.argv = ["diasum", "summarize", "--jsonl", "--engine", {engine!r}, "--run", {str(source)!r}]
from diasum.cli import main
main()
loaded = {libraries!r} & set(sys.modules)
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", code], input=TALKS[0], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert (record["engine"], record["summary"]) == (
        "ct2",
        diasum.load(run.path).summarize(TALKS[0], engine="torch-plain"),
    )


def test_weights_that_changed_since_are_not_read(run: Run, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run.path, tmp_path / "run"))
    loaded = diasum.load(other)
    config = json.loads((other / "adapter" / "adapter_config.json").read_text())
    (other / "adapter" / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 1}))
    assert loaded.summarize(TALKS[0])
    with pytest.raises(DiasumError, match="have changed since"):
        loaded.summarize(TALKS[0], engine="torch-fast")


def test_an_exported_folder_is_evaluated_by_itself(run: Run, corpus: str, tmp_path: Path) -> None:
    folder = tmp_path / "moved"
    shutil.copytree(run.path / "exports" / "ct2-fp32", folder)
    evaluated = diasum.evaluate(folder, data=corpus)
    assert evaluated.generation["engine"] == "ct2"
    assert any("export holds no weights" in note for note in evaluated.evaluation.notes)
    with pytest.raises(DiasumError, match="whole model"):
        diasum.load(folder, base="mini")
    with pytest.raises(DiasumError, match="There are: ct2"):
        diasum.load(folder).summarize(TALKS[0], engine="torch-plain")
    (folder / "model.bin").write_bytes(b"half")
    with pytest.raises(DiasumError, match="not as it was exported"):
        diasum.load(folder)


def test_an_export_of_other_weights_is_not_used(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "run"
    shutil.copytree(run.path, other)
    config = json.loads((other / "adapter" / "adapter_config.json").read_text())
    (other / "adapter" / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 1}))
    summary = diasum.load(other).summarize_all(TALKS[:1])[0]
    assert summary.engine.startswith("torch-")
    assert "other weights" in (summary.engine_reason or "")
    with pytest.raises(DiasumError, match="made of other weights"):
        diasum.load(other).summarize(TALKS[0], engine="ct2")


@pytest.mark.parametrize("place", ["adapter", "exports/ct2-fp32"])
def test_a_bulk_job_does_not_go_on_with_other_weights(place: str, run: Run, corpus: str, tmp_path: Path) -> None:
    """Neither of an adapter that is scaled otherwise, nor of an export by itself."""
    other = make_run(tmp_path / "run", run.settings().base, corpus)
    config = json.loads((other.adapter / "adapter_config.json").read_text())
    (other.adapter / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 1}))
    diasum.export(other.path, "ct2", settings=FP32)
    file, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    file.write_text(json.dumps({"dialogue": TALKS[0]}) + "\n")
    settings = {"generate.engine": "torch-plain"} if place == "adapter" else ()
    diasum.summarize_files(file, out, run.path / place, settings=settings)
    with pytest.raises(DiasumError, match=r"model\.adapter_sha256: "):
        diasum.summarize_files(file, out, other.path / place, settings=settings)


def test_a_number_type_that_the_export_has_not(run: Run) -> None:
    assert diasum.load(run.path, dtype="fp32").summarize_all(TALKS[:1])[0].engine == "ct2"
    assert diasum.load(run.path, dtype="bf16").summarize_all(TALKS[:1])[0].engine.startswith("torch-")


def test_too_large_a_loss_is_refused_and_nothing_is_left(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = paired_difference(np.full(6, 20.0), np.full(6, 19.4), resamples=100)
    monkeypatch.setattr(parity, "paired_difference", lambda *_, **__: lost)
    with pytest.raises(DiasumError, match=r"lower by 0\.60 points.*Nothing is written") as refused:
        diasum.export(run.path, "ct2", out=tmp_path / "out")
    assert "export.max_rouge_loss" in (refused.value.hint or "")
    assert list(tmp_path.iterdir()) == []
    allowed = diasum.export(run.path, "ct2", out=tmp_path / "out", settings={"export.max_rouge_loss": 0.61})
    assert allowed.record["parity"]["max_rouge_loss"] == 0.61
    assert "0.60 points" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("quantization", ["int8", "int8_bf16", "bf16"])
def test_other_number_types(quantization: str, run: Run, tmp_path: Path) -> None:
    settings = {"export.max_rouge_loss": 100}
    exported = diasum.export(run.path, "ct2", quantization=quantization, out=tmp_path / "out", settings=settings)
    assert exported.record["quantization"] == quantization
    assert diasum.load(tmp_path / "out").summarize_all(TALKS[:1])[0].dtype == quantization
    whole = (run.path / "exports" / "ct2-fp32" / "model.bin").stat().st_size
    assert exported.record["files"]["model.bin"] < 0.7 * whole


def test_a_setting_that_ct2_cannot_honour_is_refused_before_any_work(corpus: str, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", "bart", tied=True)
    run = make_run(tmp_path / "run", str(base), corpus, {"generate.no_repeat_ngram_size": 3})
    with pytest.raises(DiasumError, match="no_repeat_ngram_size"):
        diasum.export(run.path, "ct2")
    exported = diasum.export(run.path, "ct2", settings={**FP32, "generate.no_repeat_ngram_size": 0})
    assert diasum.load(exported.folder).trained.generate.no_repeat_ngram_size == 0
    summary = diasum.load(run.path).summarize_all(TALKS[:1])[0]
    assert "not ct2" in (summary.engine_reason or ""), "the run itself keeps its rule"


def test_what_is_missing_is_named(
    run: Run, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = make_run(tmp_path / "bare", base, corpus)
    with pytest.raises(DiasumError, match="has none") as refused:
        diasum.load(bare.path).summarize(TALKS[0], engine="ct2")
    assert f"diasum export {bare.path} --to ct2" in (refused.value.hint or "")
    with pytest.raises(DiasumError, match="does not convert led") as refused:
        conversion.check_family("led")
    assert "t5" in (refused.value.hint or "")
    monkeypatch.setattr(ct2, "find_spec", lambda name: None)
    for attempt in (
        lambda: diasum.export(bare.path, "ct2"),
        lambda: diasum.load(run.path).summarize(TALKS[0], engine="ct2"),
        lambda: diasum.load(run.path / "exports" / "ct2-fp32"),
    ):
        with pytest.raises(MissingExtraError, match="not installed") as missing:
            attempt()
        assert "diasum[ct2]" in (missing.value.hint or "")
    assert "extra ct2" in (diasum.load(run.path).summarize_all(TALKS[:1])[0].engine_reason or "")


def test_nothing_of_the_engine_is_printed(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = {"export.max_rouge_loss": 100}
    diasum.export(run.path, "ct2", quantization="bf16", out=tmp_path / "out", settings=settings)
    diasum.load(tmp_path / "out").summarize(TALKS[0])
    assert capfd.readouterr() == ("", "")


def test_a_vocabulary_with_rows_to_spare(corpus: str, tmp_path: Path) -> None:
    for family, (model, tokenizer) in {"t5": tiny_t5(), "bart": tiny_bart()}.items():
        model.resize_token_embeddings(len(tokenizer) + 11)
        model.save_pretrained(tmp_path / family)
        tokenizer.save_pretrained(tmp_path / family)
        run = make_run(tmp_path / f"run-{family}", str(tmp_path / family), corpus)
        assert diasum.export(run.path, "ct2", settings=FP32).record["parity"]["identical"]["mean"] == 1


def test_a_least_length_for_each_source() -> None:
    settings = GenerateSettings(min_new_tokens=4, batch_tokens=64)
    sources = [[5] * n for n in (30, 6, 9, 12, 40)]
    batches = list(ct2._batches(sources, settings, workers=1, together=2048))
    assert {i: least for least, batch in batches for i in batch} == {0: 4, 1: 2, 2: 3, 3: 4, 4: 4}
    assert sorted(i for _, batch in batches for i in batch) == [0, 1, 2, 3, 4]


def test_every_worker_gets_its_part(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    diasum.export(run.path, "ct2", out=tmp_path / "out", settings=FP32)
    sources, settings = [[5] * n for n in (30, 6, 9, 12, 40)], GenerateSettings(max_new_tokens=8)
    made = []
    for threads in (1, 2, 8):
        monkeypatch.setattr(ct2, "thread_count", lambda threads=threads: threads)
        engine = diasum.load(tmp_path / "out").trained.exported[0]
        alone = [engine.generate([source], settings)[0] for source in sources]
        assert engine._read is not None
        assert engine._read[1].num_translators == 1
        counted: list[int] = []
        assert engine.generate(sources, settings, progress=counted.append) == alone
        assert sum(counted) == len(sources)
        made.append(alone)
        assert engine._read[1].num_translators == min(threads, 4)
    assert made[0] == made[1] == made[2]
    sizes = [
        sum(30 for _ in batch)
        for _, batch in ct2._batches([[5] * 30] * 8, GenerateSettings(), workers=4, together=2048)
    ]
    assert sizes == [60] * 4
    small = ct2._batches([[5] * 30] * 400, GenerateSettings(), workers=4, together=60)
    assert {30 * len(batch) for _, batch in small} == {60}
    bounded = ct2._batches([[5] * 30] * 400, GenerateSettings(batch_tokens=480), workers=4, together=2048)
    assert {30 * len(batch) for _, batch in bounded} == {120}


@pytest.mark.parametrize(
    ("config", "tokens"),
    [
        (T5Config(num_decoder_layers=8, d_model=512), 2048),
        (T5Config(num_decoder_layers=12, d_model=768), 1024),
        (BartConfig(decoder_layers=6, d_model=768), 1400),
        (BartConfig(decoder_layers=12, d_model=1024), 1024),
    ],
)
def test_larger_models_take_less_at_a_time(config: Any, tokens: int) -> None:
    record = ExportRecord(Path(), "ct2", Weights("", None), "fp32", {})
    assert ct2.Ct2Engine(record, SimpleNamespace(config=config), None)._together == tokens


@pytest.mark.parametrize(
    ("flags", "of_the_user", "told"),
    [
        ("flags : avx2 avx512f avx512_bf16", None, "AVX512"),
        ("flags : avx2 avx512f", None, None),  # the first that had AVX-512
        ("flags : avx2 avx512f avx512_bf16", "AVX2", "AVX2"),
        ("", None, None),  # not Linux
    ],
)
def test_ctranslate2_is_told_of_avx512_and_nothing_else_is(
    flags: str, of_the_user: str | None, told: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = "CT2_FORCE_CPU_ISA"
    monkeypatch.delenv(variable, raising=False)
    if of_the_user:
        monkeypatch.setenv(variable, of_the_user)
    monkeypatch.setattr(ct2, "cpu_flags", lambda: flags)
    with ct2._widest_vectors():
        assert os.environ.get(variable) == told
    assert os.environ.get(variable) == of_the_user


def test_progress_is_told_while_batches_are_still_to_begin(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diasum.export(run.path, "ct2", out=tmp_path / "out", settings=FP32)
    engine = diasum.load(tmp_path / "out").trained.exported[0]
    begun, told = [], []
    begin = ct2.Ct2Engine._begin
    monkeypatch.setattr(ct2.Ct2Engine, "_begin", lambda *args: begun.append(1) or begin(*args))  # type: ignore[func-returns-value]
    settings = GenerateSettings(max_new_tokens=8, batch_tokens=64)
    engine.generate([[5] * 64] * 40, settings, progress=lambda count: told.append((len(begun), count)))
    assert len(begun) == len(told) == 40
    assert told[0][0] <= 8, "two of each of up to four workers"


def test_the_command_prints_the_record(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from tests.cli.test_commands import Terminal

    terminal = Terminal(monkeypatch, capsys)
    words = ["export", run.path, "--to", "ct2", "--quantization", "fp32", "--out", tmp_path / "out"]
    code, out, err = terminal(*words, "--set", "export.max_rouge_loss=50", "--json")
    assert code == 0, err
    assert json.loads(out)["parity"]["identical"]["mean"] == 1
    code, out, err = terminal(*words, "--set", "export.max_rouge_loss=50", "--force")
    assert (code, out) == (0, "")
    assert "100% of the summaries are identical" in err
    assert terminal(*words)[0] == 2
