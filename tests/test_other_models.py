"""Models are measured one dialogue at a time; what was written once is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.blind_verdicts import read_rows
from benchmarks.other_models import Model, load_adapter, load_smollm2, measure
from benchmarks.tables import others_table
from diasum.data import Pair
from diasum.dialogue import parse_dialogue
from diasum.errors import DiasumError

PAIRS = [Pair(f"id-{n}", parse_dialogue(f"Ana: Take {n}?\nBen: Yes."), (f"Ana offers {n}.",)) for n in range(4)]


def test_what_was_written_is_kept(tmp_path: Path) -> None:
    asked: list[str] = []

    def summarize(pair: Pair) -> str:
        asked.append(pair.id)
        return pair.references[0]

    model = Model(summarize, size=10, parameters=3, made_by="a test")
    measure(model, "sample", PAIRS[:2], tmp_path / "kept" / "texts.jsonl")
    measured = measure(model, "sample", PAIRS, tmp_path / "kept" / "texts.jsonl")
    assert asked == [pair.id for pair in PAIRS]
    assert measured["scores"]["rouge1"]["mean"] == 100
    assert (measured["n"], measured["size_bytes"], measured["parameters"]) == (4, 10, 3)
    assert measured["seconds_per_summary"] >= 0
    assert measured["peak_memory_bytes"] > 10_000_000
    assert measured["also"] == {}, "the sample's protocol is rouge-score"
    assert "rouge-score" in measure(model, "dialogsum", PAIRS, tmp_path / "other.jsonl")["also"]
    table = others_table({"sample": {"smollm2": measured}})
    assert "| sample conversations, n=4 | SmolLM2-135M-Instruct | 100.0 (100.0-100.0) |" in table
    assert "(0.0M parameters): a test." in table


def test_the_memory_is_that_of_writing_the_summaries_even_where_all_were_kept(tmp_path: Path) -> None:
    kept = tmp_path / "texts.jsonl"
    row = {"id": "id-0", "prediction": "Ana offers 0.", "seconds": 1.0, "processor_seconds": 1.0}
    kept.write_text(json.dumps({**row, "peak_memory_bytes": 10**15}) + "\n", encoding="utf-8")
    model = Model(lambda pair: pair.references[0], size=10, parameters=3, made_by="a test")
    assert measure(model, "sample", PAIRS[:2], kept)["peak_memory_bytes"] == 10**15
    assert [row["id"] for row in read_rows(kept) if row["peak_memory_bytes"] > 10_000_000] == ["id-0", "id-1"]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match="Expected a GGUF file"):
        load_smollm2(tmp_path / "nowhere.gguf", "sample")
    with pytest.raises(DiasumError, match="one run on sample, found 0"):
        load_adapter(tmp_path, "sample")
