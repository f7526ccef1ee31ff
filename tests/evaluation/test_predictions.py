"""Predictions are matched to their pairs, and what does not match is named."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from diasum.config import DataSettings
from diasum.data import Pair, load_corpus
from diasum.data.letters import LostLetters
from diasum.data.summary import Summary, split_into_sentences, windows_of
from diasum.data.turns_read import Reading
from diasum.dialogue import parse_dialogue
from diasum.errors import DiasumError
from diasum.evaluation.predictions import (
    Prediction,
    match_predictions,
    read_predictions,
    read_systems,
    short_names,
    write_predictions,
)
from tests.evaluation.examples import PAIRS


def put(folder: Path, name: str, *rows: object) -> Path:
    path = folder / name
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def test_text_one_a_line(tmp_path: Path) -> None:
    found = read_predictions(put(tmp_path, "p.txt", "one", "", " three "), PAIRS)
    assert found == [Prediction.of_text("d0", "one"), Prediction.of_text("d1", ""), Prediction.of_text("d2", "three")]
    assert read_predictions(put(tmp_path, "p.txt", "one", "two", "", "", ""), PAIRS)[2].text == ""


def test_jsonl_by_id_in_any_order_and_without_ids(tmp_path: Path) -> None:
    rows = [
        {"id": "d2", "Generated Summary": "c"},
        {"id": "d0", "Generated Summary": "a", "cut": True},
        {"id": "d1", "Generated Summary": ""},
    ]
    found = read_predictions(put(tmp_path, "p.jsonl", *rows), PAIRS)
    assert found == [
        Prediction.of_text("d0", "a", finish_reason="length"),
        Prediction.of_text("d1", ""),
        Prediction.of_text("d2", "c"),
    ]
    plain = read_predictions(put(tmp_path, "q.jsonl", {"summary": "a"}, {"summary": "b"}, {"summary": "c"}), PAIRS)
    assert [p.text for p in plain] == ["a", "b", "c"]
    array = tmp_path / "r.json"
    array.write_text(json.dumps(["a", "b", "c"]))
    assert read_predictions(array, PAIRS) == plain
    packed = tmp_path / "r.json.gz"
    packed.write_bytes(gzip.compress(array.read_bytes()))
    assert [p.text for p in read_predictions(packed, PAIRS)] == ["a", "b", "c"]


HUMAN = [{"id": pair.id, "dialogue": pair.dialogue.text, "summary": pair.references[0]} for pair in PAIRS]


@pytest.mark.parametrize("key", ["prediction", "generated_summary", "Model Output", "output"])
def test_a_systems_own_column_goes_before_the_human_summary(tmp_path: Path, key: str) -> None:
    path = put(tmp_path, "p.jsonl", *({**row, key: "Something bad."} for row in HUMAN))
    systems, notes = read_systems([path], PAIRS)
    assert [p.text for p in systems["p"]] == ["Something bad."] * 3
    assert notes == [f"p: the summaries are read from `{key}`."]


def test_a_row_without_the_systems_own_column_is_not_scored_by_its_human_summary(tmp_path: Path) -> None:
    rows = [{**row, "generated_summary": "x"} for row in HUMAN[:2]]
    with pytest.raises(DiasumError, match=r"p.jsonl, line 3: no `generated_summary`; it has id, dialogue, summary"):
        read_predictions(put(tmp_path, "p.jsonl", *rows, HUMAN[2]), PAIRS)


def test_several_columns_that_could_be_the_systems_are_refused(tmp_path: Path) -> None:
    rows = [{**row, "generated_summary": "x", "model_output": "y"} for row in HUMAN]
    with pytest.raises(DiasumError, match="each of `generated_summary`, `model_output` could be") as error:
        read_predictions(put(tmp_path, "p.jsonl", *rows), PAIRS)
    assert "Rename or remove" in str(error.value)


def test_human_summaries_are_told(tmp_path: Path) -> None:
    rows = [{**row, "unheard_of": "Something bad."} for row in HUMAN]
    second = [pair.references[-1] for pair in PAIRS]
    _, notes = read_systems([put(tmp_path, "p.jsonl", *rows), put(tmp_path, "q.txt", *second)], PAIRS)
    assert notes == [
        "p: the summaries are read from `summary`.",
        "Warning: each summary of p equals a human one: are these really a system's summaries?",
        "Warning: each summary of q equals a human one: are these really a system's summaries?",
    ]
    assert read_systems([put(tmp_path, "q.txt", *second[:2], "Other.")], PAIRS)[1] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.csv", 'id,summary\nd2,c\nd0,"a, with a comma"\nd1,\n'),
        ("p.csv", "id;summary\nd2;c\nd0;a, with a comma\nd1;\n"),
        ("p.tsv", "summary\tID\nc\td2\na, with a comma\td0\n\td1\n"),
        ("p.csv", 'summary,cut\n"a, with a comma",True\n,False\nc,False\n'),
    ],
)
def test_csv_and_tsv_are_tables(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert [p.text for p in read_predictions(tmp_path / name, PAIRS)] == ["a, with a comma", "", "c"]


def test_csv_without_a_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match=r"none of its columns looks like .* it has d0, one") as error:
        read_predictions(put(tmp_path, "p.csv", "d0,one", "d1,two", "d2,three"), PAIRS)
    assert "Expected one of: prediction," in str(error.value)


def test_a_gzipped_table(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"summary": "a\xe2\x80\xa8b"}\n' * 3))
    assert [p.text for p in read_predictions(path, PAIRS)] == ["a\u2028b"] * 3


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
        (
            "p.jsonl",
            [{"id": "d0", "score": 1}],
            "none of its columns looks like the system's summaries; it has id, score",
        ),
        ("p.jsonl", [{"id": "d0", "prediction": None}], "`prediction` holds a NoneType"),
        ("p.jsonl", [{"id": "d0", "prediction": "a"}, {"prediction": "b"}], "1 have none"),
        ("p.jsonl", [{"id": "d0", "prediction": "a"}, "{oops"], "line 2: not valid JSON"),
        ("p.jsonl", ["3"], "line 1: expected a JSON object .* found a number"),
        ("p.jsonl", [], "p.jsonl is empty"),
        ("p.json", ['["a"]'], "has 1 items, but the split has 3 dialogues"),
        ("p.json", ['{"test": [{"summary": "a"}], "dev": [{"summary": "a"}]}'], "several splits: test, validation"),
        ("p.txt", [{"id": "d0", "summary": "a"}], "expected one summary per line, found JSON objects.*jsonl"),
        ("p.jsonl", ['{"summary": ' + "[" * 100_000], "p.jsonl, line 1: not valid JSON .nested too deeply"),
        ("p.json", ["[" * 100_000], "p.json, line 1: not valid JSON .nested too deeply"),
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
    with pytest.raises(
        DiasumError, match=r"b.txt, line 1: expected UTF-8 text, found a UTF-16 mark.*\n.*iconv -f UTF-16"
    ):
        read_predictions(binary, PAIRS)
    with pytest.raises(DiasumError, match="is a folder; expected a file"):
        read_systems([tmp_path], PAIRS)


def test_written_file_holds_everything_and_reads_back(tmp_path: Path) -> None:
    predictions = [
        Prediction.of_text("d0", "a\nb", finish_reason="length"),
        Prediction.of_text("d1", ""),
        Prediction.of_text("d2", "“c” é"),
    ]
    path = tmp_path / "deep" / "predictions.jsonl"
    write_predictions(path, PAIRS, predictions, {"rouge1": [12.345678, 0, float("nan")]})
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert rows[0] == {
        "id": "d0",
        "prediction": "a\nb",
        "references": list(PAIRS[0].references),
        "dialogue": PAIRS[0].dialogue.text,
        "topic": None,
        **{name: value for name, value in predictions[0].summary.to_record().items() if name != "summary"},
        "rouge1": 12.3457,
    }
    assert (rows[0]["cut"], rows[0]["summary_cut"]) == (True, True)
    assert rows[2]["rouge1"] is None
    assert read_predictions(path, PAIRS) == predictions
    assert [file.name for file in path.parent.iterdir()] == ["predictions.jsonl"]


def test_the_record_of_a_summary_outlives_a_second_scoring(tmp_path: Path) -> None:
    text = "Anna asks Ben for $40. Ben agrees."
    reading = Reading(9, ((1, 5),), 0, 90, 50)
    generated = Summary(
        text=text,
        sentences=split_into_sentences(text),
        finish_reason="stop",
        engine="torch-plain",
        settings_hash="0123456789abcdef",
        reading=reading,
        windows=windows_of(reading),
        dtype="fp32",
        lost=LostLetters(),
    )
    path = tmp_path / "predictions.jsonl"
    write_predictions(path, PAIRS, [Prediction(pair.id, generated) for pair in PAIRS])
    back = read_predictions(path, PAIRS)
    assert [one.summary for one in back] == [generated] * 3
    assert back[0].read == "read turns 1 to 5 of 9 (56% of the words)"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    edited = [rows[0] | {"prediction": "Anna asks Tim for $40. Ben agrees."}, rows[1], rows[2]]
    first, second, _ = read_predictions(put(tmp_path, "edited.jsonl", *edited), PAIRS)
    assert first.summary == Summary.of_text("Anna asks Tim for $40. Ben agrees.", finish_reason="stop")
    assert second.summary == generated
    newer = put(tmp_path, "newer.jsonl", rows[0], rows[1] | {"version": 2}, rows[2])
    with pytest.raises(DiasumError, match=r"newer.jsonl, line 2 holds a summary record of version 2"):
        read_predictions(newer, PAIRS)
    foreign = [{"id": pair.id, "summary": "a", "version": 7, "engine": "vllm", "cut": True} for pair in PAIRS]
    assert read_predictions(put(tmp_path, "foreign.jsonl", *foreign), PAIRS)[0] == Prediction.of_text(
        "d0", "a", finish_reason="length"
    )


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parents[1] / "kept").glob("*/runs/*/evaluation/test/*.jsonl")), ids=lambda f: f.name
)
def test_predictions_of_earlier_versions_are_read(file: Path) -> None:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    pairs = [Pair(row["id"], parse_dialogue(row["dialogue"]), tuple(row["references"])) for row in rows]
    for row, prediction in zip(rows, read_predictions(file, pairs), strict=True):
        assert prediction.text == row["prediction"].strip()
        assert prediction.summary_cut == row["cut"]
        assert Summary.from_record(row).finish_reason == ("length" if row["cut"] else "stop")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text("old")
    with pytest.raises(ValueError):
        write_predictions(path, PAIRS, [Prediction.of_text("d0", "a")])
    assert path.read_text() == "old"


def test_match_puts_in_order() -> None:
    given = [Prediction.of_text(i, i) for i in ("d2", "d0", "d1")]
    assert [p.id for p in match_predictions("x", given, PAIRS)] == ["d0", "d1", "d2"]


def test_short_names_tell_paths_apart() -> None:
    assert short_names([Path("a/run"), Path("b/other")]) == ["run", "other"]
    assert short_names([Path("a/run"), Path("b/run")]) == ["a/run", "b/run"]
    assert short_names([Path("a/run")], taken=["run"]) == ["a/run"]
    assert len(set(short_names([Path("a"), Path("b/../a")]))) == 1


# Rows a, b (empty), c, c again for a second reference, d twice; three pairs come of them.
ROWS = [
    {"id": "a", "dialogue": "Ana: One.", "summary": "A."},
    {"id": "b", "dialogue": "", "summary": "B."},
    {"id": "c_0_1", "dialogue": "Ana: Three.", "summary": "C."},
    {"id": "c_0_2", "dialogue": "Ana: Three.", "summary": "Cc."},
    {"id": "d", "dialogue": "Ana: Four.", "summary": ""},
    {"id": "d", "dialogue": "Ana: Five.", "summary": "D."},
]
MADE = ["One.", "", "Three.", "Three.", "Four.", "Five."]


def corpus_of(folder: Path, *rows: object) -> tuple[list[Pair], Mapping[str, str | None]]:
    corpus = load_corpus(DataSettings(path=str(put(folder, "talks.jsonl", *rows))), purpose="evaluate", split="test")
    return corpus.split("test"), corpus.pair_of("test")


@pytest.mark.parametrize("form", ["ids", "order", "lines", "named lines", "numbered lines", "array"])
def test_summaries_of_all_rows_are_matched_to_the_pairs_that_they_became(tmp_path: Path, form: str) -> None:
    """Also without those that were left out for want of a conversation or of a human summary."""
    pairs, pair_of = corpus_of(tmp_path, *ROWS)
    assert [pair.id for pair in pairs] == ["a", "c_0", "d-2"]
    assert dict(pair_of) == {"a": "a", "b": None, "c_0_1": "c_0", "c_0_2": "c_0", "d": None, "d-2": "d-2"}
    path = {
        "ids": lambda: put(tmp_path, "p.jsonl", *({"id": i, "summary": t} for i, t in zip(pair_of, MADE, strict=True))),
        "order": lambda: put(tmp_path, "p.jsonl", *({"summary": text} for text in MADE)),
        "lines": lambda: put(tmp_path, "p.txt", *MADE),
        "named lines": lambda: put(tmp_path, "p.txt", *(f"{i}: {t}" for i, t in zip(pair_of, MADE, strict=True))),
        "numbered lines": lambda: put(tmp_path, "p.txt", *(f"{i}: {t}" for i, t in enumerate(MADE, 1))),
        "array": lambda: put(tmp_path, "p.json", json.dumps(MADE)),
    }[form]()
    found = read_predictions(path, pairs, pair_of)
    assert found == [
        Prediction.of_text("a", "One."),
        Prediction.of_text("c_0", "Three."),
        Prediction.of_text("d-2", "Five."),
    ]


def test_rows_of_one_pair_with_different_summaries(tmp_path: Path) -> None:
    pairs, pair_of = corpus_of(tmp_path, *ROWS)
    with pytest.raises(DiasumError, match="c_0 appears more than once"):
        read_predictions(put(tmp_path, "p.txt", *MADE[:3], "Another.", *MADE[4:]), pairs, pair_of)


def test_names_before_the_lines_are_no_part_of_the_summaries(tmp_path: Path) -> None:
    found = read_predictions(put(tmp_path, "p.txt", "d0: one", "d1:", "d2: three: four"), PAIRS)
    assert [one.text for one in found] == ["one", "", "three: four"]
    found = read_predictions(put(tmp_path, "p.txt", "d0: one", "d1: two", "three"), PAIRS)
    assert [one.text for one in found] == ["d0: one", "d1: two", "three"], "not all have one"


def test_a_trailing_blank_line_is_no_summary(tmp_path: Path) -> None:
    pairs, pair_of = corpus_of(tmp_path, *ROWS)
    assert [p.text for p in read_predictions(put(tmp_path, "p.txt", "x", "y", "z", ""), pairs, pair_of)] == [
        "x",
        "y",
        "z",
    ]
