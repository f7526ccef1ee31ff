"""Corpora in the layouts people have; splits by purpose; a clear error for everything that can be wrong with a file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from diasum.config import DataSettings
from diasum.data import Corpus, load_corpus, one_reference_each, pairs_hash
from diasum.errors import DiasumError

CORPORA = Path(os.environ.get("DIASUM_DATA", "../shared/data"))
Rows = Sequence[dict[str, Any]]


def rows(n: int, prefix: str = "d") -> list[dict[str, Any]]:
    return [
        {
            "id": f"{prefix}{i}",
            "dialogue": f"Anna: number {prefix} {i}, please\nBen: Here, at 9:30",
            "summary": f"Anna gets {i}.",
            "topic": "t",
        }
        for i in range(n)
    ]


def write_csv(path: Path, table: Rows, delimiter: str = ",") -> None:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(table[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(table)
    data = buffer.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_jsonl(path: Path, table: Rows) -> None:
    data = "".join(json.dumps(row) + "\n" for row in table).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_json(path: Path, tree: Any) -> None:
    data = json.dumps(tree, indent=1).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def write_parquet(path: Path, table: Rows) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(list(table)), path)


WRITERS: dict[str, Callable[[Path, Rows], None]] = {
    "a.csv": write_csv,
    "a.csv.gz": write_csv,
    "a.tsv": lambda path, table: write_csv(path, table, "\t"),
    "semicolons.csv": lambda path, table: write_csv(path, table, ";"),
    "a.json": write_json,
    "a.json.gz": write_json,
    "data-key.json": lambda path, table: write_json(path, {"version": 1, "data": table}),
    "lines.json": write_jsonl,
    "a.jsonl": write_jsonl,
    "A.JSONL": write_jsonl,
    "a.jsonl.gz": write_jsonl,
    "a.parquet": write_parquet,
}


def load(path: Path | str, **keywords: Any) -> Corpus:
    outside = {name: keywords.pop(name) for name in ("purpose", "split", "need_summaries") if name in keywords}
    return load_corpus(DataSettings(path=str(path), **keywords), **outside)


def fail(path: Path | str, **keywords: Any) -> str:
    with pytest.raises(DiasumError) as caught:
        load(path, **keywords)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split, n in (("train", 8), ("validation", 3), ("test", 4)):
        write_csv(tmp_path / f"{split}.csv", rows(n, split))
    return tmp_path


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
        "1 of 2 rows of `validation` were skipped, their dialogue or summary is empty (2 in row 1)."
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


# Splits by purpose


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
    assert "There are: test, validation" in message
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
    assert "Did you mean `test`? There are: test, train, validation." in message


def test_a_single_file_is_the_split_evaluated(folder: Path) -> None:
    corpus = load(folder / "validation.csv", purpose="evaluate", split="test")
    assert len(corpus.split("test")) == 3
    assert "all of it is evaluated as `test`" in corpus.notes[0]


# What can be wrong


def test_empty_rows_are_counted_and_skipped_or_refused(tmp_path: Path) -> None:
    table = [*rows(4), {"id": "e1", "dialogue": " ", "summary": "x"}, {"id": "e2", "dialogue": "A: x", "summary": None}]
    write_jsonl(tmp_path / "a.jsonl", table)
    corpus = load(tmp_path / "a.jsonl")
    assert len(corpus.split("all")) == 4
    assert "2 of 6 rows" in corpus.notes[0]
    assert "(e1 in line 5, e2 in line 6)" in corpus.notes[0]
    assert "in 2 of 6 rows of `all` the dialogue or summary is empty (e1 in line 5, e2 in line 6)" in fail(
        tmp_path / "a.jsonl", on_empty="refuse"
    )
    write_jsonl(tmp_path / "a.jsonl", table[4:])
    assert "none of the 2 rows" in fail(tmp_path / "a.jsonl")


def test_repeated_ids_are_made_unique(tmp_path: Path) -> None:
    write_jsonl(
        tmp_path / "a.jsonl", [{**row, "id": name} for row, name in zip(rows(4), ["x", "x", "x-2", "x"], strict=True)]
    )
    corpus = load(tmp_path / "a.jsonl")
    assert [pair.id for pair in corpus.split("all")] == ["x", "x-3", "x-2", "x-4"]
    assert "2 ids of `all` were used before" in corpus.notes[0]


GOOD = b'{"dialogue": "A: x", "summary": "y"}\n'
BROKEN: dict[str, tuple[str, bytes, list[str]]] = {
    "jsonl": ("a.jsonl", GOOD + b"\n" + b'{"dialogue": "A: x", \n' + GOOD, ["a.jsonl, line 3", "not valid JSON"]),
    "jsonl array": ("a.jsonl", GOOD + b"[1]\n", ["a.jsonl, line 2", "expected a JSON object", "an array"]),
    "json": ("a.json", b'[\n{"dialogue": "A: x",\n "summary" "y"}]', ["a.json, line 3", "not valid JSON"]),
    "json scalar": ("a.json", b"3", ["expected an array of objects", "a number"]),
    "json items": ("a.json", b'[{"dialogue": "A: x", "summary": "y"}, 3]', ["item 2", "a number"]),
    "csv columns": ("a.csv", b'dialogue,summary\n"A: x\nB: y",z\nA: x, and more,y\n', ["a.csv, line 4", "expected 2 columns", "found 3"]),
    "csv quote": ("a.csv", b'dialogue,summary\nA: x,y\n"A: x,y\n', ["a.csv, line 3", "not readable as csv"]),
    "empty": ("a.jsonl", b"", ["a.jsonl is empty"]),
    "only a header": ("a.csv", b"dialogue,summary\n", ["a.csv has no rows"]),
    "blank": ("a.jsonl", b"\n\n", ["a.jsonl has no rows"]),
    "latin-1": ("a.csv", b"dialogue,summary\nA: x,y\nA: caf\xe9,y\n", ["a.csv, line 3", "expected UTF-8", "0xe9", "iconv"]),
    "utf-16": ("a.csv", "dialogue,summary\nA: x,y".encode("utf-16"), ["a UTF-16 mark", "iconv -f UTF-16"]),
    "no gzip": ("a.jsonl.gz", GOOD, ["not a readable gzip file"]),
    "half a gzip": ("a.jsonl.gz", gzip.compress(GOOD * 2000)[:-20], ["not a readable gzip file", "incomplete"]),
    "parquet": ("a.parquet", b"PAR1 no", ["not a readable parquet file"]),
    "ending": ("a.xlsx", b"PK", ["expected a data file", "`.xlsx`"]),
    "turns": ("a.jsonl", GOOD + b'{"dialogue": [{"who": "A"}], "summary": "y"}\n', ["a.jsonl, line 2", "turn 1 has no text", "found who"]),
    "deep": ("a.jsonl", b'{"dialogue": ' + b"[" * 100_000 + b"\n", ["a.jsonl, line 1"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_named_with_the_line(tmp_path: Path, case: str) -> None:
    name, data, expected = BROKEN[case]
    (tmp_path / name).write_bytes(data)
    message = fail(tmp_path / name)
    for words in expected:
        assert words in message


def test_a_line_without_end_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diasum.data.readers._LONGEST_LINE", 1024 * 1024)
    (tmp_path / "a.jsonl").write_bytes(GOOD + b'{"dialogue": "' + b"x" * 1024 * 1024)
    assert "a.jsonl, line 2: longer than 1 MiB" in fail(tmp_path / "a.jsonl")


def test_a_byte_order_mark_and_half_a_surrogate_pair_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffdialogue,summary\nA: x,y\n".encode())
    assert len(load(tmp_path / "a.csv").split("all")) == 1
    (tmp_path / "a.jsonl").write_bytes(b'{"dialogue": "A: \\ud83d and \\ud83d\\ude00", "summary": "y"}\n')
    (pair,) = load(tmp_path / "a.jsonl").split("all")
    assert pair.dialogue.turns[0].text == "? and 😀"
    assert pairs_hash([pair])


def test_missing_files_have_near_misses(folder: Path) -> None:
    assert f"Did you mean `{folder / 'train.csv'}`?" in fail(folder / "trian.csv")
    assert "Did you mean `sample`?" in fail("sampel")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "has no data files" in fail(tmp_path)


def test_without_network_the_hub_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    message = fail("somebody/dialogues")
    assert "no local file or folder somebody/dialogues" in message
    assert "the hub cannot be reached" in message
    assert "hf download --repo-type dataset somebody/dialogues" in message
    assert "HF_HOME" in message


def test_training_dialogues_of_other_splits_are_dropped_when_asked(tmp_path: Path) -> None:
    rows = {"train": ["Ana: One.", "Ana: Two.", "Ana: Three."], "validation": ["Ana: Four."], "test": ["ana:  two"]}
    for name, dialogues in rows.items():
        lines = [
            json.dumps({"id": f"{name}{i}", "dialogue": text, "summary": "Said."}) for i, text in enumerate(dialogues)
        ]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    kept = load_corpus(DataSettings(path=str(tmp_path), on_overlap="drop"), purpose="train")
    assert [pair.id for pair in kept.split("train")] == ["train0", "train2"]
    assert any("1 training dialogues" in note for note in kept.notes)
    assert len(load_corpus(DataSettings(path=str(tmp_path)), purpose="train").split("train")) == 3


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("dialogue,dialogue,summary\nA: x,A: y,z\n")
    assert "line 1: two columns are named `dialogue`" in fail(tmp_path / "a.csv")


def test_a_misspelt_column_is_found_near(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("dialogue,sumary,other\nA: x,y,z\n")
    assert "Did you mean `sumary`? Then: --set data.summary_columns=[sumary]" in fail(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("transformers_version,summary\nA: x,y\n")
    assert "Did you mean" not in fail(tmp_path / "b.csv")
