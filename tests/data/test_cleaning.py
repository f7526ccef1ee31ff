"""Cleaned copies: what is left out or mended, what stays, and that nothing is written in place."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import diasum
from diasum.data import Corpus, Pair, check_corpus
from diasum.data.checks.cleaning import clean_corpus
from diasum.dialogue import Dialogue, parse_dialogue
from diasum.errors import DiasumError
from tests.data.test_checks import healthy, pair, words


def corpus() -> Corpus:
    rng = random.Random(4)
    shared, near, twice = (words(rng, 60) for _ in range(3))
    train = [
        *healthy(5, 0),
        Pair("empty", Dialogue(()), ("x",)),
        pair("bare", words(rng, 30), ""),
        pair("twice", twice, "First."),
        pair("again", twice, "Second."),
        pair("leak", shared),
        pair("near", [*near, "more"]),
        Pair("misread", parse_dialogue("Anna: Das ist schÃ¶n und fÃ¼r dich\nBen: ja gut"), ("Sie finden es schÃ¶n.",)),
        pair("copied", ["we", "meet", "at", "noon", *words(rng, 40)], "We meet at noon!"),
    ]
    return Corpus("c", {"train": train, "test": [*healthy(4, 1, "t"), pair("kept", shared), pair("too", near)]})


def test_what_is_surely_wrong_is_left_out_or_mended() -> None:
    original = corpus()
    cleaned, changes = clean_corpus(original)
    assert [pair.id for pair in cleaned.splits["train"]] == [f"p{i}" for i in range(5)] + ["twice", "misread", "copied"]
    assert cleaned.splits["test"] == original.splits["test"]
    by_id = {pair.id: pair for pair in cleaned.splits["train"]}
    assert by_id["twice"].references == ("First.", "Second.")
    assert by_id["misread"].dialogue.turns[0].text == "Das ist schön und für dich"
    assert by_id["misread"].references == ("Sie finden es schön.",)
    assert {change.id: (change.change, change.kind) for change in changes} == {
        "empty": ("left out", "empty_dialogue"),
        "bare": ("left out", "no_summary"),
        "again": ("left out", "duplicate"),
        "leak": ("left out", "overlap"),
        "near": ("left out", "near_duplicate"),
        "misread": ("mended", "damaged"),
    }
    assert original == corpus()
    after = {finding.kind for finding in check_corpus(cleaned).findings}
    assert not after & {"overlap", "near_duplicate", "duplicate", "empty_dialogue", "no_summary", "damaged_misread"}
    assert clean_corpus(cleaned)[1] == []


def test_a_split_of_which_nothing_would_be_left_is_refused() -> None:
    pairs = healthy(3, 0)
    with pytest.raises(DiasumError, match="Nothing would be left of `train`"):
        clean_corpus(Corpus("c", {"train": pairs, "test": pairs}))


def test_the_copy_and_its_changes_are_written_beside_and_never_in_place(tmp_path: Path) -> None:
    file = tmp_path / "talks.jsonl"
    rows = [
        {"dialogue": f"Anna: Lunch at {i}?\nBen: Fine, see you there, I am hungry.", "summary": "Lunch."}
        for i in (1, 2, 1)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = file.read_bytes()
    report = diasum.check_data(str(file), fix=tmp_path / "clean.jsonl")
    assert len((tmp_path / "clean.jsonl").read_text().splitlines()) == 2
    (change,) = map(json.loads, (tmp_path / "clean-changes.jsonl").read_text().splitlines())
    assert (change["id"], change["kind"], change["change"]) == ("all_2", "duplicate", "left out")
    assert any("1 change listed in" in line for line in report.written)
    assert file.read_bytes() == before
    for taken in (file, tmp_path / "clean.jsonl", tmp_path):
        with pytest.raises(DiasumError, match="exists already"):
            diasum.check_data(str(file), fix=taken)
    folder = tmp_path / "talks"
    folder.mkdir()
    (folder / "train.jsonl").write_bytes(before)
    with pytest.raises(DiasumError, match="cleaned copy of"):
        diasum.check_data(str(folder), fix=folder / "clean")
    assert [path.name for path in folder.iterdir()] == ["train.jsonl"]
