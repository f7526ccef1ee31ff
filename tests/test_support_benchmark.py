"""The test sets of what a dialogue supports: every row resolves, its turns exist, and the two labels stand against each other fairly."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from pathlib import Path
from statistics import median

import pytest

from benchmarks.support import BUNDLED, FOLDERS, HERE, UNSUPPORTED, corpora, evidence, sample, sentences

FROZEN = {
    "sentences.jsonl": "b35f14a21fb4968e6e020090efa94617f4903e80c43c599dad3ddd69a1cae45e",
    "evidence.jsonl": "bf3b99aecab89d3edf9562499980a1d70ab7b66e236ca47c56447bf0dc2a9434",
}
LABELS = ("supported", "unsupported")
ROWS = [json.loads(line) for line in (HERE / "sentences.jsonl").read_text(encoding="utf-8").splitlines()]


def test_set_is_complete_and_balanced() -> None:
    assert Counter(row["label"] for row in ROWS) == {"supported": 200, "unsupported": 200}
    assert len({row["id"] for row in ROWS}) == len({row["sentence"] for row in ROWS}) == 400
    assert {row["corpus"] for row in ROWS} == {BUNDLED, *FOLDERS}
    per_dialogue = Counter((row["corpus"], row["dialogue"], row["label"]) for row in ROWS)
    assert set(per_dialogue.values()) == {4}


@pytest.mark.parametrize("name", FROZEN)
def test_set_is_frozen(name: str) -> None:
    """README.md says when a row may change; whoever changes one changes the hash in the same commit."""
    assert hashlib.sha256((HERE / name).read_bytes()).hexdigest() == FROZEN[name]


def test_labels_do_not_show_without_the_dialogue() -> None:
    lengths = {label: [len(row["sentence"].split()) for row in ROWS if row["label"] == label] for label in LABELS}
    assert abs(median(lengths["supported"]) - median(lengths["unsupported"])) <= 1
    scores: dict[str, list[float]] = {label: [] for label in LABELS}
    for dialogue in dict.fromkeys(key(row) for row in ROWS):
        counts = {label: Counter[str]() for label in LABELS}
        for row in ROWS:
            if key(row) != dialogue:
                counts[row["label"]].update(words(row))
        for row in ROWS:
            if key(row) == dialogue:
                odds = [(counts["unsupported"][word] + 1) / (counts["supported"][word] + 1) for word in words(row)]
                scores[row["label"]].append(sum(map(math.log, odds)))
    above = [(high > low) + (high == low) / 2 for high in scores["unsupported"] for low in scores["supported"]]
    assert 0.42 < sum(above) / len(above) < 0.58


def key(row: dict[str, str]) -> tuple[str, str]:
    return row["corpus"], row["dialogue"]


def words(row: dict[str, str]) -> set[str]:
    return set(re.findall(r"[a-z']+", row["sentence"].lower()))


def test_readme_states_the_counts() -> None:
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    kinds = Counter(row["kind"] for row in ROWS if row["label"] == "unsupported")
    assert set(kinds) == set(UNSUPPORTED)
    assert all(f"| `{kind}` | {n} |" in readme for kind, n in kinds.items())
    names = Counter(row["corpus"] for row in ROWS)
    assert all(f"| `{name}` | {n // 8} | {n} |" in readme for name, n in names.items())


def test_only_supported_rows_have_turns() -> None:
    for row in ROWS:
        assert (row["kind"] == "supported") == (row["label"] == "supported") == bool(row.get("turns")), row["id"]


# A corpus that must stay outside the project is checked wherever it is at hand; the bundled one always is.
@pytest.mark.parametrize("name", corpora())
def test_rows_resolve(name: str) -> None:
    rows = sentences([name])
    assert len(rows) == sum(row["corpus"] == name for row in ROWS)
    for row in rows:
        ids = [turn.id for turn in row.dialogue.turns]
        assert list(row.turns) == sorted(set(row.turns)), row.id
        assert set(row.turns) <= set(ids), row.id


def test_bundled_corpus_is_always_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("benchmarks.support.DATA", tmp_path)
    assert corpora() == (BUNDLED,)
    monkeypatch.setattr("benchmarks.corpora.DATA", tmp_path)
    with pytest.raises(FileNotFoundError):
        sentences(["dialogsum"])


def test_marked_references_are_the_sample_s() -> None:
    marked = evidence()
    assert [(row.id, " ".join(row.sentences)) for row in marked] == [(pair.id, pair.references[0]) for pair in sample()]
    for row in marked:
        for sentence, turns in zip(row.sentences, row.turns, strict=True):
            assert bool(turns) == (sentence != "Still open: nothing."), (row.id, sentence)
            assert list(turns) == sorted(set(turns)), (row.id, sentence)
            assert set(turns) <= {turn.id for turn in row.dialogue.turns}, (row.id, sentence)
