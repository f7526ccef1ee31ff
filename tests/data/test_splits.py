"""Which splits a purpose takes: training, training from a single file, evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diasum.config import DataSettings
from diasum.data import load_corpus, pairs_hash
from tests.data.tables import fail, load, rows, write_csv, write_jsonl


def test_training_from_a_single_file_holds_a_seeded_tenth_out(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "chats.jsonl", rows(30))
    corpus = load(tmp_path / "chats.jsonl", purpose="train")
    again = load(tmp_path / "chats.jsonl", purpose="train")
    other = load(tmp_path / "chats.jsonl", purpose="train", split_seed=1, validation_share=0.2)
    train, validation = corpus.split("train"), corpus.split("validation")
    assert (len(train), len(validation)) == (27, 3)
    assert {pair.id for pair in train} | {pair.id for pair in validation} == {f"d{i}" for i in range(30)}
    assert pairs_hash(validation) == pairs_hash(again.split("validation"))
    assert len(other.split("validation")) == 6
    assert "3 of 30 dialogues were held out" in corpus.notes[0]


def test_at_least_one_is_held_out_and_one_left(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", rows(2))
    for share in (0.01, 0.99):
        corpus = load(tmp_path / "a.jsonl", purpose="train", validation_share=share)
        assert (len(corpus.split("train")), len(corpus.split("validation"))) == (1, 1)
    write_jsonl(tmp_path / "a.jsonl", rows(1))
    assert "too few" in fail(tmp_path / "a.jsonl", purpose="train")


def test_training_from_a_folder_takes_its_splits(folder: Path) -> None:
    corpus = load(folder, purpose="train", max_train=5, max_validation=2)
    assert {name: len(pairs) for name, pairs in corpus.splits.items()} == {"train": 5, "validation": 2, "test": 4}
    assert corpus.notes == [
        "Only the first 5 of 8 `train` pairs are used.",
        "Only the first 2 of 3 `validation` pairs are used.",
    ]


def test_training_needs_a_training_split_by_name(folder: Path) -> None:
    (folder / "train.csv").unlink()
    message = fail(folder, purpose="train")
    assert "no split `train`, which data.train_split names" in message
    assert "Available: test, validation" in message
    assert "data.train_split=validation" in message


@pytest.mark.parametrize("name", ["validation", "dev"])
def test_training_on_the_validation_split_holds_a_part_of_it_out(folder: Path, name: str) -> None:
    (folder / "train.csv").unlink()
    corpus = load(folder, purpose="train", train_split=name)
    assert {split: len(pairs) for split, pairs in corpus.splits.items()} == {"train": 2, "validation": 1, "test": 4}
    assert {pair.id[:10] for split in ("train", "validation") for pair in corpus.split(split)} == {"validation"}


def test_training_with_another_validation_split(folder: Path) -> None:
    corpus = load(folder, purpose="train", validation_split="test")
    assert [pair.id for pair in corpus.split("validation")] == ["test0", "test1", "test2", "test3"]
    assert "Training is on `train`, validation on `test`." in corpus.notes
    assert set(corpus.splits) == {"train", "validation"}


def test_a_split_not_needed_does_not_stop_training(folder: Path) -> None:
    write_csv(folder / "test.csv", [{"id": 1, "dialogue": "A: x"}])
    corpus = load(folder, purpose="train")
    assert "test" not in corpus.splits
    assert "The split `test` was left out" in corpus.notes[0]


def test_evaluation_takes_one_split(folder: Path) -> None:
    assert set(load(folder, purpose="evaluate", split="test").splits) == {"test"}
    assert set(load(folder, purpose="evaluate", split="val").splits) == {"validation"}
    message = fail(folder, purpose="evaluate", split="tset")
    assert "no split `tset`" in message
    assert "Did you mean `test`? Available: test, train, validation." in message


def test_a_single_file_is_the_split_evaluated(folder: Path) -> None:
    corpus = load(folder / "validation.csv", purpose="evaluate", split="test")
    assert len(corpus.split("test")) == 3
    assert "all of it is evaluated as `test`" in corpus.notes[0]


def test_training_dialogues_of_other_splits_are_dropped_when_asked(tmp_path: Path) -> None:
    rows = {"train": ["Ana: One.", "Ana: Two.", "Ana: Three."], "validation": ["Ana: Four."], "test": ["ana:  two"]}
    for name, dialogues in rows.items():
        lines = [
            json.dumps({"id": f"{name}{i}", "dialogue": text, "summary": "Said."}) for i, text in enumerate(dialogues)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    kept = load_corpus(DataSettings(path=str(tmp_path), on_overlap="drop"), purpose="train")
    assert [pair.id for pair in kept.split("train")] == ["train0", "train2"]
    assert any("1 training dialogue with a copy" in note for note in kept.notes)
    assert len(load_corpus(DataSettings(path=str(tmp_path)), purpose="train").split("train")) == 3


def test_a_validation_split_that_is_not_there_is_refused(folder: Path) -> None:
    message = fail(folder, purpose="train", validation_split="nope")
    assert "no split `nope`, which data.validation_split names" in message
    assert "Available: test, train, validation." in message
    assert "no split `nope`" in fail(folder / "train.csv", purpose="train", validation_split="nope")
    (folder / "validation.csv").unlink()
    assert "held out" in load(folder, purpose="train", validation_split="dev").notes[0]


def test_eval_is_the_validation_split_where_there_is_no_other(folder: Path) -> None:
    write_csv(folder / "talks.eval.csv", rows(5, "eval"))
    assert len(load(folder, purpose="train").split("validation")) == 3
    assert len(load(folder).split("eval")) == 5
    (folder / "validation.csv").unlink()
    corpus = load(folder, purpose="train")
    assert len(corpus.split("validation")) == 5
    assert "Training is on `train`, validation on `eval`." in corpus.notes
    (folder / "test.csv").rename(folder / "eval_test.csv")
    assert len(load(folder, purpose="evaluate", split="test").split("test")) == 4


@pytest.mark.parametrize("purpose", ["train", "any"])
def test_files_that_are_not_read_are_noted(folder: Path, purpose: str) -> None:
    write_csv(folder / "more.csv", rows(5, "more"))
    assert (
        "Not read, because their names do not say which split they are: more.csv."
        in load(folder, purpose=purpose).notes
    )


def test_a_folder_with_one_file_a_conversation_says_how_to_join_them(tmp_path: Path) -> None:
    for i in range(6):
        write_jsonl(tmp_path / f"visit_{i:03}.jsonl", rows(1, f"v{i}"))
    join = f"cat {tmp_path}/*.jsonl > all.jsonl"
    message = fail(tmp_path, purpose="train")
    assert "no split `train`" in message
    assert join in message
    assert join in load(tmp_path).notes[0]
    for file in tmp_path.iterdir():
        file.unlink()
    for i in range(2):
        write_csv(tmp_path / f"visit_{i}.csv", rows(2))
    assert "one header" in fail(tmp_path, purpose="train")
