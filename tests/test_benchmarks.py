"""The training benchmark runs on a tiny shape, saves every figure that the README's table needs, and draws its plot; the benchmark of
`mini` scores what adapters write with and without the form of their corpus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import data_check, equal_beams
from benchmarks.house_form import FORMS
from benchmarks.inference import comparable, with_ratios
from benchmarks.inference_systems import make
from benchmarks.inference_table import growth_table, inference_table
from benchmarks.mini import ROWS, Plan, score_row
from benchmarks.recipes import RECIPES
from benchmarks.tables import form_table, table
from benchmarks.training_table import speed_table
from diasum.config import GenerateSettings
from diasum.data import Pair
from diasum.dialogue import parse_dialogue
from diasum.engines.plain import PlainEngine
from tests.models import CONVERSATIONS, save_model, tiny_t5

ROOT = Path(__file__).parents[1]


def test_inference_benchmark(tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    output = tmp_path / "inference.json"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "DIASUM_DATA": str(tmp_path / "nothing"),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = [sys.executable, "-m", "benchmarks.inference", "--shapes", "tiny", "--sources", "4", "--rounds", "1"]
    command += [
        "--systems",
        "notebook",
        "batched",
        "torch-fast",
        "ct2",
        "--growth",
        "torch-fast",
        "--output",
        str(output),
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(output.read_text())
    row = result["shapes"]["tiny"]
    assert row["data"] == "bundled sample, test"
    systems = row["systems"]
    for name in ("notebook", "batched"):
        assert systems["torch-fast"]["mean_length"] == systems[name]["mean_length"], "the same search"
    for one in systems.values():
        assert one["summaries_per_second"]["median"] > 0
        assert 0 < one["share_of_limit"]["median"] < 1
        assert len(one["rounds"][0]["lengths"]) == 4
        assert 0 < one["model_bytes"] < one["peak_bytes"]
    for name in ("notebook", "torch-fast", "ct2"):
        assert 0 < systems[name]["alone_seconds"]["p50"] <= systems[name]["alone_seconds"]["p95"]
    assert systems["batched"]["alone_seconds"] is None, "it would be the notebook once more"
    assert systems["notebook"]["model_bytes_against_notebook"] == 1
    ratio = systems["batched"]["rounds"][0]["seconds"] / systems["ct2"]["rounds"][0]["seconds"]
    assert abs(row["against"]["ct2"]["batched"]["median"] - ratio) < 1e-9
    table = inference_table(result)
    assert table.count("| tiny |") == 4
    assert growth_table(result).count("| tiny | torch-fast |") == 3
    assert "4 dialogues of bundled sample, test" in table


def test_summaries_of_both_engines_are_compared_by_token_and_score(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = GenerateSettings(num_beams=3, max_new_tokens=12)

    def gaps() -> list[float]:
        model, tokenizer = tiny_t5(seed=18)
        sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS]
        trained = SimpleNamespace(model=model, base=SimpleNamespace(tokenizer=tokenizer))
        return equal_beams.compare(trained, sources, settings)

    assert gaps() == []
    plain = PlainEngine.generate

    def greedy(self: PlainEngine, sources: Any, settings: GenerateSettings, **options: Any) -> Any:
        return plain(self, sources, settings.model_copy(update={"num_beams": 1}), **options)

    monkeypatch.setattr(PlainEngine, "generate", greedy)
    assert max(gaps()) > 1e-3, "another search finds worse summaries"


def test_adapters_are_measured_together_and_in_turn_on_the_same_work(tmp_path: Path) -> None:
    tokenizer = tiny_t5(seed=18)[1]
    save_model(tmp_path / "model", seed=18)
    sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS]
    settings = GenerateSettings(num_beams=2, max_new_tokens=12)
    lengths = {
        name: sorted(make(tmp_path, name, settings)(sources)) for name in ("torch-fast", "adapters", "adapters-in-turn")
    }
    assert len(lengths["adapters"]) == len(sources)
    assert lengths["torch-fast"] == lengths["adapters"] == lengths["adapters-in-turn"], "fresh adapters change nothing"


def test_ratios_are_between_systems_of_the_same_rounds_only() -> None:
    def measured(**seconds: float) -> dict[str, Any]:
        return {name: {"rounds": [{"seconds": one}]} for name, one in seconds.items()}

    first = with_ratios({}, measured(notebook=6.0, batched=3.0, ct2=1.0))
    assert first["ct2"]["notebook"]["median"] == 6
    later = with_ratios(first, measured(ct2=2.0))
    assert later["batched"].keys() == {"notebook"}
    assert later["ct2"] == {}


def test_rows_of_other_code_machine_or_number_of_sources_do_not_stay() -> None:
    clean = {"commit": "abc1234", "hardware": {"cores": 2}, "threads": 2}
    changed = {**clean, "commit": "abc1234-dirty"}
    saved = {"sources": 8, "conditions": clean, "systems": {"ct2": {}}, "against": {}, "growth": {}}
    assert comparable(saved, 8, clean) == saved
    others = [(16, clean), (8, changed), (8, {**clean, "hardware": {"cores": 4}}), (8, {**clean, "threads": 1})]
    for other in others:
        assert set(comparable(saved, *other)) == {"sources", "conditions", "growth"}
    assert "systems" not in comparable({**saved, "conditions": changed}, 8, changed), "both may have different changes"
    assert comparable({}, 8, clean) == {}


def test_training_benchmark(tmp_path: Path) -> None:
    output = tmp_path / "training.json"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "DIASUM_DATA": str(tmp_path / "nothing"),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = [sys.executable, "-m", "benchmarks.training", "--quick", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(output.read_text())
    assert result["data"]["name"] == "bundled sample, train"
    assert {"hardware", "threads", "versions", "commit", "pairs", "rounds", "load_average_after"} <= result[
        "conditions"
    ].keys()
    row = result["shapes"]["tiny"]
    assert row["recipes"].keys() == RECIPES.keys()
    for name, recipe in row["recipes"].items():
        speed = recipe["pairs_per_second"]
        assert 0 < speed["low"] <= speed["median"] <= speed["high"], name
        assert recipe["real_tokens_per_second"]["median"] > speed["median"]
        assert 0 < recipe["share_of_peak"]["median"] < 1, name
        assert recipe["peak_memory_bytes"] > 50_000_000
        assert [told["pairs"] for told in recipe["rounds"]] == [4 if name == "classic" else 8]
    assert row["diasum_against"].keys() == RECIPES.keys() - {"diasum"}
    ours, theirs = (row["recipes"][name]["pairs_per_second"]["median"] for name in ("diasum", "tuned"))
    assert abs(row["diasum_against"]["tuned"]["median"] - ours / theirs) < 1e-9, "one round: the ratio of its speeds"
    assert {name: len(points) for name, points in result["growth"].items() if name != "shape"} == {
        "source_tokens": 2, "batch": 2, "pairs": 2,
    }  # fmt: skip
    assert (tmp_path / "training-growth.svg").read_text().count("<svg") == 1
    table = speed_table(result)
    assert table.count("| tiny |") == len(RECIPES)


def test_a_house_form_is_counted_and_left_out() -> None:
    notes, closing = FORMS["everyday"], FORMS["sample"]
    note = "Gist: Ana asks Ben. Outcome: He says no. Next: nothing."
    assert notes.without(note) == "Ana asks Ben. He says no. nothing."
    assert closing.without("Ana asks Ben. Still open: whether he comes. Or not.") == "Ana asks Ben."
    assert closing.without("Ana asks Ben.") == "Ana asks Ben."
    broken = (
        "Gist: Ana asks Ben. Next: nothing. Outcome: He says no.",
        "Gist: Outcome: He says no. Next: nothing.",
        "Gist: Ana asks. Outcome: He says no. Next:",
        "Gist: Ana asks. Gist: Ben. Outcome: no. Next: nothing.",
        "Ana asks Ben.",
    )
    assert [notes.is_complete(text) for text in (note, *broken)] == [True] + [False] * len(broken)
    assert notes.share([note, *broken]) == 1 / 6


def test_rows_of_several_seeds_are_scored_with_and_without_the_form() -> None:
    """The form alone lifts a score, and nothing is left of that without it."""
    pairs = [
        Pair(
            str(n),
            parse_dialogue(f"Ana: Take {n}?\nBen: Yes."),
            (f"Gist: Ana offers {n}. Outcome: Ben agrees. Next: nothing.",),
        )
        for n in range(20)
    ]
    plain = [f"Ana has {n}." for n in range(20)]
    formed = [f"Gist: Ana has {n}. Outcome: Next:" for n in range(20)]
    complete = [f"Gist: Ana has {n}. Outcome: a. Next: b." for n in range(20)]
    texts = {"adapter": [formed, complete], "base": [plain], "lead3": [plain], "longest": [plain]}
    measured = score_row(ROWS["everyday"], pairs, texts)
    assert measured["systems"]["adapter"]["rouge1"]["mean"] > measured["systems"]["base"]["rouge1"]["mean"] + 20
    assert "sd" in measured["systems"]["adapter"]["rouge1"]
    bare = measured["without_form"]
    assert bare["share_with_form"]["adapter"] == [0, 1]
    assert bare["systems"]["adapter"]["rouge1"]["mean"] < bare["systems"]["base"]["rouge1"]["mean"] + 1
    assert {row["system"] for row in measured["differences"]} == {"base", "lead3", "longest"}
    results = {"everyday": {**measured, "seeds": [1, 2], "recipe": "demo", "data": {"splits": {"train": {"n": 9}}}}}
    assert "| everyday conversations | mini + adapter | 50% |" in form_table(results)
    assert "2 adapters trained on 9 pairs, seeds 1, 2 (recipe `demo`)" in table(results)


def test_a_row_is_measured_anew_for_other_weights_settings_or_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    same = Plan((1, 2)).identity(ROWS["everyday"])
    assert Plan((1, 2)).identity(ROWS["everyday"]) == same
    assert Plan((1,)).identity(ROWS["everyday"]) != same
    assert Plan((1, 2), quick=True).identity(ROWS["everyday"]) != same
    monkeypatch.setattr("benchmarks.mini.weights_hash", lambda folder: "other")
    assert Plan((1, 2)).identity(ROWS["everyday"]) != same


def test_dialogues_made_up_for_the_check_of_data_are_dialogues() -> None:
    rows = list(data_check.made_up(200))
    assert rows == list(data_check.made_up(200))
    assert len({row["id"] for row in rows}) == 200
    assert 5 < 200 - len({row["dialogue"] for row in rows}) < 30  # some are there twice
    assert all(len(parse_dialogue(row["dialogue"]).speakers) == 2 and row["summary"] for row in rows)
