"""Predictions are matched to their pairs, and what does not match is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diasum.errors import DiasumError
from diasum.evaluation.predictions import Prediction, match_predictions, read_predictions, write_predictions
from tests.evaluation.examples import PAIRS


def put(folder: Path, name: str, *rows: object) -> Path:
    path = folder / name
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def test_text_one_a_line(tmp_path: Path) -> None:
    found = read_predictions(put(tmp_path, "p.txt", "one", "", " three "), PAIRS)
    assert found == [Prediction("d0", "one"), Prediction("d1", ""), Prediction("d2", "three")]
    assert read_predictions(put(tmp_path, "p.txt", "one", "two", "", "", ""), PAIRS)[2].text == ""


def test_jsonl_by_id_in_any_order_and_without_ids(tmp_path: Path) -> None:
    rows = [{"fname": "d2", "summary": "c"}, {"id": "d0", "prediction": "a", "cut": True}, {"id": "d1", "output": ""}]
    found = read_predictions(put(tmp_path, "p.jsonl", *rows), PAIRS)
    assert found == [Prediction("d0", "a", True), Prediction("d1", ""), Prediction("d2", "c")]
    plain = read_predictions(put(tmp_path, "q.jsonl", {"summary": "a"}, {"summary": "b"}, {"summary": "c"}), PAIRS)
    assert [p.text for p in plain] == ["a", "b", "c"]
    array = tmp_path / "r.json"
    array.write_text(json.dumps(["a", "b", "c"]))
    assert read_predictions(array, PAIRS) == plain


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("p.txt", ["one"], "has 1 lines, but the split has 3 dialogues: d1, d2 have no prediction"),
        ("p.txt", ["1", "2", "3", "4"], "4 lines, but the split has only 3 dialogues"),
        ("p.txt", ["1", "2", "3", "4", "5"], "Predict each dialogue once"),
        ("p.jsonl", [{"id": "d0", "prediction": "a"}], "2 of 3 dialogues have no prediction: d1, d2"),
        ("p.jsonl", [{"id": f"d{i % 3}", "prediction": "a"} for i in range(4)], "d0 appears more than once"),
        ("p.jsonl", [{"id": f"d{i}", "prediction": "a"} for i in range(4)], "1 of its ids are not in this split: d3"),
        ("p.jsonl", [{"id": f"x{i}", "prediction": "a"} for i in range(3)], "none of its 3 ids .* another split"),
        ("p.jsonl", [{"id": "d0", "score": 1}], "row 1: no prediction; it has id, score"),
        ("p.jsonl", [{"id": "d0", "prediction": None}], "`prediction` holds a NoneType"),
        ("p.jsonl", [{"id": "d0", "prediction": "a"}, {"prediction": "b"}], "1 have none"),
        ("p.jsonl", [{"id": "d0", "prediction": "a"}, "{oops"], "line 2: not a JSON object"),
        ("p.jsonl", ["3"], "expected an object, found a int"),
        ("p.jsonl", [], "has 0 rows"),
    ],
)
def test_what_does_not_match_is_named(tmp_path: Path, name: str, rows: list[object], message: str) -> None:
    with pytest.raises(DiasumError) as error:
        read_predictions(put(tmp_path, name, *rows), PAIRS)
    import re

    assert re.search(message, str(error.value), re.S), str(error.value)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match="No predictions file"):
        read_predictions(tmp_path / "none.txt", PAIRS)
    binary = tmp_path / "b.txt"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DiasumError, match="cannot be read as UTF-8"):
        read_predictions(binary, PAIRS)


def test_written_file_holds_everything_and_reads_back(tmp_path: Path) -> None:
    predictions = [Prediction("d0", "a\nb", True), Prediction("d1", ""), Prediction("d2", "“c” é")]
    path = tmp_path / "deep" / "predictions.jsonl"
    write_predictions(path, PAIRS, predictions, {"rouge1": [12.345678, 0, float("nan")]})
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert rows[0] == {
        "id": "d0",
        "prediction": "a\nb",
        "references": list(PAIRS[0].references),
        "dialogue": PAIRS[0].dialogue.text,
        "topic": None,
        "cut": True,
        "rouge1": 12.3457,
    }
    assert rows[2]["rouge1"] is None
    assert read_predictions(path, PAIRS) == predictions
    assert [file.name for file in path.parent.iterdir()] == ["predictions.jsonl"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text("old")
    with pytest.raises(ValueError):
        write_predictions(path, PAIRS, [Prediction("d0", "a")])
    assert path.read_text() == "old"


def test_match_puts_in_order() -> None:
    given = [Prediction(i, i) for i in ("d2", "d0", "d1")]
    assert [p.id for p in match_predictions("x", given, PAIRS)] == ["d0", "d1", "d2"]
