"""The record of a summary: what is written is read again, and what is not such a record is told from it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diasum.config import GenerateSettings, PromptSettings
from diasum.data.letters import LostLetters
from diasum.data.summary import (
    NOTHING,
    VERSION,
    Summary,
    Window,
    is_record,
    settings_hash,
    split_into_sentences,
    windows_of,
)
from diasum.data.turns_read import Reading
from diasum.errors import DiasumError

TEXT = "Anna Smith asks Ben for $40 by 9:30.\nBen agrees. Both laugh."
GERMAN = (
    "Anna bittet Ben um den Bericht, weil der Chef ihn noch vor dem Mittag sehen will und die Kunden schon darauf warten. "
    "Ben sagt, dass er ihn am Abend schickt."
)
ENDS = Reading(133, ((1, 5), (101, 133)), 1, 1000, 300)
MADE = Summary(
    text=TEXT,
    sentences=split_into_sentences(TEXT),
    finish_reason="length",
    engine="torch-plain",
    settings_hash="0123456789abcdef",
    reading=ENDS,
    windows=windows_of(ENDS),
    dtype="fp32",
    dtype_reason="fp32: as set",
    lost=LostLetters(1 / 3, 0.1, ("Arabic", "Han")),
    redacted={"email": 2},
)
OVERLAPPING = replace(
    MADE,
    reading=Reading(40, ((1, 30),), 0, 400, 300),
    windows=(Window(((0, 19),), whole=True), Window(((15, 29),), whole=True)),
)


@pytest.mark.parametrize(
    "summary",
    [
        MADE,
        OVERLAPPING,
        NOTHING,
        Summary.of_text(TEXT),
        Summary.of_text("", engine="lead3", finish_reason="stop"),
        Summary.of_text(GERMAN),
        replace(MADE, reading=Reading(9, (), 0, 90, 0), windows=()),
    ],
)
def test_what_is_written_is_read_again(summary: Summary) -> None:
    record = json.loads(json.dumps(summary.to_record()))
    assert record["version"] == VERSION
    assert Summary.from_record(record) == summary
    line = {"id": "d0", "prediction": record.pop("summary"), "references": ["Another."], "rouge1": 50.0, **record}
    assert Summary.from_record(line) == summary


def test_the_record_says_what_was_read_and_cut() -> None:
    record = MADE.to_record()
    assert record["windows"] == [{"first": 0, "last": 132, "spans": [[0, 4], [100, 132]], "whole": False}]
    assert [record[name] for name in ("finish_reason", "cut", "summary_cut")] == ["length", True, True]
    assert [record[name] for name in ("turns", "turns_cut", "words", "words_read")] == [133, 96, 1000, 300]
    assert record["read"] == "read turns 1 to 5 and 101 to 133 of 133, 1 of them in part (30% of the words)"
    (head,) = windows_of(Reading(9, ((1, 5),), 0, 90, 50))
    assert (head.first, head.last, head.whole) == (0, 4, True)
    assert windows_of(Reading(9, ((1, 5),), 1, 90, 50))[0].whole is False


def test_what_is_not_known_is_null() -> None:
    record = Summary.of_text("Anna greets Ben.").to_record()
    known = {"version": 1, "summary": "Anna greets Ben.", "engine": "none", "sentences": record["sentences"]}
    assert record == dict.fromkeys(record, None) | known
    complete = replace(MADE, finish_reason="stop", reading=None, windows=None).to_record()
    assert (complete["cut"], complete["summary_cut"]) == (False, False)


def test_sentences_with_their_places_and_claims() -> None:
    first, second, third = MADE.to_record()["sentences"]
    assert [one["text"] for one in (first, second, third)] == TEXT.replace("\n", " ").replace(". ", ".|").split("|")
    for one in (first, second, third):
        assert TEXT[one["start"] : one["end"]] == one["text"]
        assert one["turns"] == []
        for claim in one["claims"]:
            assert TEXT[claim["start"] : claim["end"]] == claim["text"]
    claims = [[(claim["kind"], claim["text"]) for claim in one["claims"]] for one in (first, second, third)]
    assert claims == [
        [("name", "Anna Smith"), ("name", "Ben"), ("amount", "$40"), ("time", "9:30")],
        [("name", "Ben")],
        [],
    ]


def test_claims_are_looked_for_in_english_only() -> None:
    assert [sentence.claims for sentence in split_into_sentences(GERMAN)] == [None, None]
    assert split_into_sentences("Anna trifft Ben.", english=False)[0].claims is None
    assert split_into_sentences("Nobody comes.", english=True)[0].claims == ()


@pytest.mark.parametrize("version", [VERSION + 1, 99])
def test_a_record_of_a_newer_version_is_refused(version: int) -> None:
    record = MADE.to_record() | {"version": version, "sentences": [{"from": 0}]}
    for refuse in (Summary.from_record, is_record):
        with pytest.raises(
            DiasumError, match=rf"line 3 holds a summary record of version {version}; .* up to 1"
        ) as error:
            refuse(record, "p.jsonl, line 3")
        assert "Update diasum" in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "1"}, "`version`: expected a whole number from 1, found '1'"),
        ({"version": 0}, "`version`"),
        ({"version": True}, "`version`"),
        ({"summary": None}, "its text is missing"),
        ({"summary": f"{TEXT} And more."}, "its sentences are not those of its text"),
        ({"summary": TEXT.replace("Ben", "Tim")}, "its sentences are not those of its text"),
        ({"sentences": [{"start": 0}]}, "`sentences.0.text`: Field required"),
        ({"sentences": 3}, "`sentences`"),
        ({"finish_reason": "eos"}, "`finish_reason`: .*'stop' or 'length', found 'eos'"),
        ({"windows": None}, "not a complete summary record"),
        ({"windows": [{"first": 0}]}, "no `spans`"),
        ({"turns_cut": "some"}, "not a complete summary record"),
        ({"letters_lost": "x"}, "`lost.share`"),
    ],
)
def test_a_damaged_record_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DiasumError, match=message):
        Summary.from_record(MADE.to_record() | change)


# fields that records of before do not have
LATER = {"redacted", "passes", "tokens_read", "engine_reason", "review", "not_checked"}
DERIVED = {"version", "cut", "summary_cut", "read"}


@pytest.mark.parametrize("field", sorted(MADE.to_record().keys() - LATER - DERIVED))
def test_a_record_that_lacks_a_field_is_refused(field: str) -> None:
    record = MADE.to_record()
    del record[field]
    with pytest.raises(DiasumError, match="text is missing" if field == "summary" else f"it has no `{field}`"):
        Summary.from_record(record)


def test_a_field_that_came_later_may_be_absent() -> None:
    record = MADE.to_record()
    for field in LATER:
        del record[field]
    assert Summary.from_record(record) == replace(MADE, **dict.fromkeys(LATER))


def test_another_systems_columns_are_no_record() -> None:
    assert is_record(MADE.to_record(), "here")
    for row in (
        {"version": 7, "summary": "a"},
        {"version": "v2", "engine": "vllm", "finish_reason": "stop", "summary": "a"},
        MADE.to_record() | {"version": 7, "sentences": str(MADE.to_record()["sentences"])},  # through a csv
    ):
        assert not is_record(row, "here")


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"prediction": "Hi.", "cut": True}, "length"),
        ({"prediction": "Hi.", "cut": False}, "stop"),
        ({"summary": "Hi.", "cut": True, "summary_cut": False}, "stop"),
        ({"summary": "Hi."}, None),
        ({"summary": "Hi.", "cut": "True"}, None),
    ],
)
def test_a_row_without_a_version(row: dict[str, Any], expected: str | None) -> None:
    summary = Summary.from_record(row)
    assert (summary.text, summary.finish_reason, summary.engine, summary.settings_hash) == (
        "Hi.",
        expected,
        "none",
        None,
    )
    assert (summary.reading, summary.windows, summary.lost) == (None, None, None)


def test_the_hash_of_the_settings_depends_on_their_values_alone() -> None:
    generate, prompt = GenerateSettings(dtype="fp32", num_beams=2), PromptSettings(speakers="named")
    own = settings_hash(generate, prompt)
    values = {"prompt": prompt.model_dump(), "generate": dict(reversed(generate.model_dump().items()))}
    canonical = json.dumps(
        values, sort_keys=True, separators=(",", ":")
    )  # whatever the order in which settings are declared
    assert own == hashlib.sha256(canonical.encode()).hexdigest()[:16]
    backwards = GenerateSettings(**dict(reversed(generate.model_dump().items())))
    assert settings_hash(backwards, PromptSettings(**dict(reversed(prompt.model_dump().items())))) == own
    changed = {
        settings_hash(generate.model_copy(update={"num_beams": 3}), prompt),
        settings_hash(generate.model_copy(update={"closing": "Still open:"}), prompt),
        settings_hash(generate, prompt.model_copy(update={"keep": "end"})),
    }
    assert len(changed | {own}) == 4
    program = (
        "from diasum.data.summary import settings_hash; from diasum.config import GenerateSettings, PromptSettings;"
        "print(settings_hash(GenerateSettings(dtype='fp32', num_beams=2), PromptSettings(speakers='named')))"
    )
    source = str(Path(__file__).parents[2] / "src")
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": source}
    again = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert again.stdout.strip() == own


def test_the_documentation_names_each_field() -> None:
    page = (Path(__file__).parents[2] / "docs" / "generation.md").read_text(encoding="utf-8")
    record = MADE.to_record()
    for fields in (record, record["sentences"][0], record["sentences"][0]["claims"][0], record["windows"][0]):
        assert [name for name in fields if f"`{name}`" not in page] == []
