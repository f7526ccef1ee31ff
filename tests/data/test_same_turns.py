"""The reader of a corpus and the reader of conversations give the same turns for the same row, whatever its form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from diasum.dialogue import Dialogue, as_dialogue
from diasum.dialogue.files.conversations import read_conversations
from tests.data.tables import load, write_csv, write_jsonl, write_parquet

TEXT = "Anna: Lunch?\nBen: At nine.\nCarla: I come, too."
TURNS = [{"speaker": name, "text": said} for name, said in (line.split(": ") for line in TEXT.split("\n"))]
TIMED = [{**turn, "start": float(i)} for i, turn in enumerate(TURNS)]
SPEAKERS, SAID = [turn["speaker"] for turn in TURNS], [turn["text"] for turn in TURNS]

ROWS: dict[str, dict[str, Any]] = {
    "text": {"dialogue": TEXT},
    "text under another name": {"Transcript": TEXT, "source": "web"},
    "turns": {"turns": TURNS},
    "messages": {"messages": [{"role": turn["speaker"], "content": turn["text"]} for turn in TURNS]},
    "turns with times": {"dialogue": TIMED},
    "pairs": {"dialogue": [[turn["speaker"], turn["text"]] for turn in TURNS]},
    "lines": {"dialogue": TEXT.split("\n")},
    "a mapping": {"dialogue": {"turns": TURNS}},
    "a mapping under another name": {"conversation": {"transcript": TEXT}},
    "a mapping of columns": {"dialogue": {"speaker": SPEAKERS, "text": SAID}},
    "columns": {"speaker": SPEAKERS, "text": SAID},
    "columns without a usual name": {"author": SPEAKERS, "utterance": SAID},
    "a column of lines": {"utterance": TEXT.split("\n")},
    "JSON in a cell": {"dialogue": json.dumps(TURNS)},
}


def both(file: Path) -> tuple[list[Dialogue], list[Dialogue]]:
    pairs = load(file, purpose="any").splits.values()
    return [p.dialogue for split in pairs for p in split], [named.dialogue for named in read_conversations([file])]


CASES = [
    (form, ending)
    for form, row in ROWS.items()
    for ending in ("jsonl", "json", "parquet", "csv")
    if ending != "csv" or all(isinstance(cell, str) for cell in row.values())  # a cell of csv is a text
]


@pytest.mark.parametrize(("form", "ending"), CASES)
def test_same_turns(form: str, ending: str, tmp_path: Path) -> None:
    # Different dialogues, so that the corpus does not join them to one with two references.
    rows = [{"id": "a", **ROWS[form], "summary": "They meet."}, {"id": "b", **ROWS[form], "summary": "They meet."}]
    rows[1] = json.loads(json.dumps(rows[1]).replace("Lunch", "Dinner"))
    file = tmp_path / f"talks.{ending}"
    if ending == "json":
        file.write_text(json.dumps(rows))
    else:
        {"jsonl": write_jsonl, "parquet": write_parquet, "csv": write_csv}[ending](file, rows)
    of_corpus, of_conversations = both(file)
    assert of_corpus == of_conversations
    expected = as_dialogue(TIMED if form == "turns with times" else TURNS)
    assert of_corpus[0] == expected
    assert len(of_corpus) == 2


def test_rows_that_hold_their_conversation_under_different_names(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "dialogue": TEXT, "summary": "x"},
        {"id": "b", "turns": [{"speaker": "Dora", "text": "Hi."}], "summary": "y"},
        {"id": "c", "text": "Emil: Ho.", "summary": "z"},
    ]
    write_jsonl(tmp_path / "talks.jsonl", rows)
    of_corpus, of_conversations = both(tmp_path / "talks.jsonl")
    assert of_corpus == of_conversations
    assert [dialogue.speakers[0] for dialogue in of_corpus] == ["Anna", "Dora", "Emil"]


def test_a_column_named_by_the_user_is_the_only_one(tmp_path: Path) -> None:
    rows = [{"call": TEXT, "summary": "x"}, {"text": "Emil: Ho.", "summary": "z"}]
    write_jsonl(tmp_path / "talks.jsonl", rows)
    assert len(load(tmp_path / "talks.jsonl", dialogue_column="call").split("all")) == 1
    write_jsonl(tmp_path / "talks.jsonl", [{"transcript": TEXT, "text": "x"}, {"text": "Emil: Ho."}])
    corpus = load(tmp_path / "talks.jsonl", summary_columns=["text"])
    assert [pair.references for pair in corpus.split("all")] == [("x",)], "a summary is no conversation"


def test_saved_data_sets_hold_turns_as_files_do(tmp_path: Path) -> None:
    from datasets import Dataset

    rows = [{"turns": TURNS, "summary": "They meet."}]
    Dataset.from_list(rows).save_to_disk(str(tmp_path / "saved"))
    (pair,) = load(tmp_path / "saved").split("all")
    assert pair.dialogue == as_dialogue(TURNS)
