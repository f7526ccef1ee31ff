"""A corpus as it is written in this project's own layout."""

from __future__ import annotations

import json
from pathlib import Path

from diasum.data.writing import write_corpus
from tests.data.tables import load, write_jsonl


def test_turns_are_written_with_what_is_known_of_them(tmp_path: Path) -> None:
    caption = "1\n00:00:01,000 --> 00:00:02,500\nAna: Hi Ben.\n"
    rows = [
        {"id": "a", "dialogue": "Ana: Hi.\nBen: Yo.", "summary": "x"},
        {"id": "b", "dialogue": caption, "summary": "y"},
    ]
    write_jsonl(tmp_path / "talks.jsonl", rows)
    corpus = load(tmp_path / "talks.jsonl")
    write_corpus(corpus, tmp_path / "out.jsonl")
    written = [json.loads(line)["turns"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert written == [
        [{"speaker": "Ana", "text": "Hi."}, {"speaker": "Ben", "text": "Yo."}],
        [{"speaker": "Ana", "text": "Hi Ben.", "start": 1.0, "end": 2.5}],
    ]
    assert load(tmp_path / "out.jsonl").splits == corpus.splits
