"""Corpora in the layouts people have: formats, splits in files, columns, references."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from diasum.data import one_reference_each
from tests.data.tables import WRITERS, fail, load, rows, write_csv, write_json, write_jsonl, write_parquet

CORPORA = Path(os.environ.get("DIASUM_DATA", "../shared/data"))


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_pairs(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name, rows(3))
    pairs = load(tmp_path / name).split("all")
    assert [pair.id for pair in pairs] == ["d0", "d1", "d2"]
    assert pairs[1].dialogue.text == "Anna: number d 1, please\nBen: Here, at 9:30"
    assert pairs[1].references == ("Anna gets 1.",)
    assert pairs[1].topic == "t"


def test_saved_data_sets(tmp_path: Path) -> None:
    from datasets import Dataset, DatasetDict

    Dataset.from_list(rows(3)).save_to_disk(str(tmp_path / "one"))
    DatasetDict({"train": Dataset.from_list(rows(3)), "dev": Dataset.from_list(rows(2, "v"))}).save_to_disk(
        str(tmp_path / "two")
    )
    write_jsonl(tmp_path / "a.jsonl", rows(3))
    assert load(tmp_path / "one").split("all") == load(tmp_path / "a.jsonl").split("all")
    assert {name: len(pairs) for name, pairs in load(tmp_path / "two").splits.items()} == {"train": 3, "validation": 2}


@pytest.mark.parametrize(
    "names",
    [
        ("train.jsonl", "dev.jsonl", "test.jsonl"),
        ("corpus.train.jsonl", "corpus.val.jsonl", "corpus.test.jsonl"),
        ("train-00000-of-00001.jsonl", "validation-00000-of-00001.jsonl", "test-00000-of-00001.jsonl"),
        ("data/train.jsonl", "data/valid.jsonl", "data/test.jsonl"),
        ("train/a.jsonl", "dev/a.jsonl", "test/a.jsonl"),
    ],
)
def test_a_folder_with_one_file_a_split(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name, n in zip(names, (5, 2, 3), strict=True):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_jsonl(tmp_path / name, rows(n, name))
    (tmp_path / "README.md").write_text("---\nlicense: cc-by-4.0\n---\n")
    corpus = load(tmp_path)
    assert {name: len(pairs) for name, pairs in corpus.splits.items()} == {"train": 5, "validation": 2, "test": 3}
    assert list(corpus.splits) == ["train", "validation", "test"]
    assert corpus.license == "cc-by-4.0"
    assert corpus.split("dev") is corpus.splits["validation"]


def test_shards_of_a_split_are_joined(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train-00000-of-00002.parquet", rows(3, "a"))
    write_parquet(tmp_path / "train-00001-of-00002.parquet", rows(2, "b"))
    assert [pair.id for pair in load(tmp_path).split("train")] == ["a0", "a1", "a2", "b0", "b1"]


def test_two_files_for_a_split_are_refused(folder: Path) -> None:
    write_jsonl(folder / "train.jsonl", rows(2))
    assert "2 files claim the split `train`: train.csv, train.jsonl" in fail(folder)


def test_splits_inside_one_json(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"train": rows(4), "val": rows(2, "v"), "about": "us"})
    assert {name: len(pairs) for name, pairs in load(tmp_path / "a.json").splits.items()} == {
        "train": 4,
        "validation": 2,
    }


# Layouts of well-known corpora


def test_the_hub_layout_of_dialogsum(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", rows(6, "train_"))
    write_csv(tmp_path / "validation.csv", rows(2, "dev_"))
    test = [
        {
            "id": f"test_{i}_{k}",
            "dialogue": f"#Person1#: Hello {i}\n#Person2#: Hi.",
            "summary": f"They greet, {i} {k}.",
            "topic": f"greeting {k}",
        }
        for i in range(5)
        for k in (1, 2, 3)
    ]
    write_csv(tmp_path / "test.csv", test)
    corpus = load(tmp_path, purpose="evaluate", split="test")
    pairs = corpus.split("test")
    assert [pair.id for pair in pairs] == [f"test_{i}" for i in range(5)]
    assert pairs[3].references == ("They greet, 3 1.", "They greet, 3 2.", "They greet, 3 3.")
    assert pairs[3].topic == "greeting 1"
    assert corpus.notes == ["The 15 rows of `test` are 5 dialogues with up to 3 references."]
    assert [pair.id for pair in one_reference_each(pairs[:1])] == ["test_0", "test_0#2", "test_0#3"]


def test_rows_in_sequence_with_one_dialogue_are_one_pair_whatever_their_ids(tmp_path: Path) -> None:
    table = [{"id": name, "dialogue": "A: x\nB: y", "summary": name} for name in ("first", "second")]
    write_jsonl(tmp_path / "a.jsonl", [*rows(1), *table, *rows(1, "e")])
    pairs = load(tmp_path / "a.jsonl").split("all")
    assert [(pair.id, pair.references) for pair in pairs][1] == ("first", ("first", "second"))
    assert len(pairs) == 3


def test_rows_of_one_dialogue_apart_are_joined_by_their_ids(tmp_path: Path) -> None:
    table = [{"id": f"t_{i}_{k}", "dialogue": f"A: x {i}", "summary": f"{i} {k}"} for k in (1, 2) for i in range(3)]
    write_jsonl(tmp_path / "a.jsonl", table)
    assert [pair.references for pair in load(tmp_path / "a.jsonl").split("all")] == [
        (f"{i} 1", f"{i} 2") for i in range(3)
    ]


def test_equal_dialogues_apart_stay_apart(tmp_path: Path) -> None:
    table = [*rows(2), {**rows(1)[0], "id": "other", "summary": "Again."}]
    write_jsonl(tmp_path / "a.jsonl", table)
    assert len(load(tmp_path / "a.jsonl").split("all")) == 3


def test_the_original_layout_of_dialogsum(tmp_path: Path) -> None:
    dialogue = "#Person1#: Hello.\n#Person2#: Hi."
    write_jsonl(
        tmp_path / "dialogsum.train.jsonl",
        [{"fname": "train_0", "dialogue": dialogue, "summary": "A greeting.", "topic": "hi"}] * 1,
    )
    test = {
        "fname": "test_0",
        "dialogue": dialogue,
        **{f"{key}{k}": f"{key} {k}" for k in (1, 2, 3) for key in ("summary", "topic")},
    }
    write_jsonl(tmp_path / "dialogsum.test.jsonl", [test])
    corpus = load(tmp_path)
    assert corpus.split("train")[0].id == "train_0"
    (pair,) = corpus.split("test")
    assert (pair.id, pair.references, pair.topic) == ("test_0", ("summary 1", "summary 2", "summary 3"), "topic 1")


def test_the_layout_of_samsum(tmp_path: Path) -> None:
    row = {
        "id": "13818513",
        "summary": "Amanda baked cookies.",
        "dialogue": "Amanda: I baked  cookies. Do you want some?\r\nJerry: Sure!\r\nAmanda: I'll bring you tomorrow :-)",
    }
    write_json(tmp_path / "train.json", [row])
    write_json(tmp_path / "val.json", [{**row, "id": "2", "dialogue": ""}, row])
    corpus = load(tmp_path)
    (pair,) = corpus.split("train")
    assert pair.dialogue.speakers == ("Amanda", "Jerry")
    assert pair.dialogue.turns[2].text == "I'll bring you tomorrow :-)"
    assert corpus.notes == [
        "1 of 2 rows of `validation` were skipped because the dialogue or summary is empty (2 in row 1)."
    ]


def test_the_layout_of_mts_dialog(tmp_path: Path) -> None:
    table = [
        {
            "ID": 0,
            "section_header": "ROS",
            "section_text": "No pain.",
            "dialogue": "Doctor: Any pain? \n Patient: No.\nGuest_family: None.",
        }
    ]
    write_csv(tmp_path / "train.csv", table)
    (pair,) = load(tmp_path).split("train")
    assert (pair.id, pair.references, pair.topic) == ("0", ("No pain.",), "ROS")
    assert pair.dialogue.speakers == ("Doctor", "Patient", "Guest_family")


@pytest.mark.corpora
@pytest.mark.skipif(not (CORPORA / "dialogsum").is_dir(), reason="DIASUM_DATA has no dialogsum folder")
def test_dialogsum_itself() -> None:
    corpus = load(CORPORA / "dialogsum", purpose="train", train_split="validation")
    assert {name: len(pairs) for name, pairs in corpus.splits.items()} == {"train": 450, "validation": 50, "test": 500}
    assert {len(pair.references) for pair in corpus.split("test")} == {3}


@pytest.mark.corpora
@pytest.mark.skipif(not (CORPORA / "mts_dialog").is_dir(), reason="DIASUM_DATA has no mts_dialog folder")
def test_mts_dialog_itself() -> None:
    corpus = load(CORPORA / "mts_dialog", purpose="train")
    assert {name: len(pairs) for name, pairs in corpus.splits.items()} == {
        "train": 1201,
        "validation": 100,
        "test": 200,
    }
    assert corpus.notes == []


# Columns


@pytest.mark.parametrize(
    ("dialogue", "summary"),
    [
        ("Conversation", "TLDR"),
        ("transcript", "abstract"),
        ("text", "Section Text"),
        ("messages", "highlights"),
        ("turns", "note"),
    ],
)
def test_columns_are_found_by_the_names_in_use(tmp_path: Path, dialogue: str, summary: str) -> None:
    turns = [{"role": "user", "content": "Hi"}, {"role": "agent", "content": "Hello"}]
    value: Any = turns if dialogue in ("messages", "turns") else "user: Hi\nagent: Hello"
    write_jsonl(tmp_path / "a.jsonl", [{dialogue: value, summary: "A greeting."}])
    (pair,) = load(tmp_path / "a.jsonl").split("all")
    assert pair.dialogue.text == "user: Hi\nagent: Hello"
    assert (pair.id, pair.references) == ("all_0", ("A greeting.",))


def test_a_list_of_summaries_is_several_references(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"dialogue": "A: x", "summaries": ["one", "two", ""]}])
    assert load(tmp_path / "a.jsonl").split("all")[0].references == ("one", "two")


def test_numbered_summaries_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    write_jsonl(
        tmp_path / "a.jsonl", [{"dialogue": "A: x", "summary_10": "ten", "summary_2": "two", "summary_1": None}]
    )
    assert load(tmp_path / "a.jsonl").split("all")[0].references == ("two", "ten")


def test_columns_can_be_mapped(tmp_path: Path) -> None:
    write_jsonl(
        tmp_path / "a.jsonl",
        [{"dialogue": "A: no", "call": "A: yes", "s1": "one", "S2": "two", "key": 7, "queue": "sales"}],
    )
    mapping = {"dialogue_column": "call", "summary_columns": ["s1", "s2"], "id_column": "key", "topic_column": "queue"}
    (pair,) = load(tmp_path / "a.jsonl", **mapping).split("all")
    assert (pair.id, pair.dialogue.text, pair.references, pair.topic) == ("7", "A: yes", ("one", "two"), "sales")


def test_missing_columns_are_named_with_those_found(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"dialogue_text": "A: x", "gist": "y"}])
    message = fail(tmp_path / "a.jsonl")
    assert "no column that looks like the conversation" in message
    assert "found dialogue_text, gist" in message
    assert "data.dialogue_column=dialogue_text" in message
    assert "no column that looks like the summary" in fail(tmp_path / "a.jsonl", dialogue_column="dialogue_text")
    assert "Did you mean `gist`?" in fail(
        tmp_path / "a.jsonl", dialogue_column="dialogue_text", summary_columns=["gists"]
    )
    assert (
        load(tmp_path / "a.jsonl", dialogue_column="dialogue_text", need_summaries=False).split("all")[0].references
        == ()
    )
