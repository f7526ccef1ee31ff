"""Folders laid out as the Hub lays out data sets: files named in the README, or a folder a configuration."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diasum.config import DataSettings
from diasum.data import load_corpus
from diasum.errors import DiasumError


def put(file: Path, *words: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"id": word, "dialogue": f"Ana: {word}?\nBen: Yes.", "summary": f"Ana asks for {word}."} for word in words]
    pq.write_table(pa.Table.from_pylist(rows), file)


def read(folder: Path, config: str | None = None) -> tuple[dict[str, list[str]], list[str]]:
    corpus = load_corpus(DataSettings(path=str(folder), config=config))
    return {name: [pair.id for pair in pairs] for name, pairs in corpus.splits.items()}, corpus.notes


def readme(folder: Path, front: str) -> None:
    (folder / "README.md").write_text(f"---\nlicense: mit\n{front}---\n\n# Talks\n")


def test_files_that_the_readme_names_in_other_folders(tmp_path: Path) -> None:
    put(tmp_path / "files" / "first-00000-of-00002.parquet", "lunch")
    put(tmp_path / "files" / "first-00001-of-00002.parquet", "tea")
    put(tmp_path / "more" / "held.parquet", "cake")
    readme(
        tmp_path,
        "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: files/first-*\n"
        "  - split: dev\n    path:\n    - ./more/*.parquet\n    - ../../etc/*\n    - /etc/*\n",
    )
    assert read(tmp_path) == ({"train": ["lunch", "tea"], "validation": ["cake"]}, [])
    assert load_corpus(DataSettings(path=str(tmp_path))).license == "mit"


TWO = (
    "configs:\n- config_name: clinic\n  data_files:\n    train: a/train.parquet\n    test: a/test.parquet\n"
    "- config_name: shop\n  data_dir: b\n"
)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    put(tmp_path / "a" / "train.parquet", "pill")
    put(tmp_path / "a" / "test.parquet", "plaster")
    put(tmp_path / "b" / "train.parquet", "bread")
    put(tmp_path / "b" / "test.parquet", "milk")
    return tmp_path


@pytest.mark.parametrize(("front", "names"), [(TWO, ("clinic", "shop")), ("", ("a", "b"))], ids=["readme", "folders"])
def test_of_two_configurations_one_is_chosen(two: Path, front: str, names: tuple[str, str]) -> None:
    readme(two, front)
    with pytest.raises(DiasumError, match=f"holds 2 data sets: {names[0]}, {names[1]}") as caught:
        read(two)
    assert f"--set data.config={names[0]}" in str(caught.value.hint)
    assert read(two, names[0]) == ({"train": ["pill"], "test": ["plaster"]}, [])
    assert read(two, names[1]) == ({"train": ["bread"], "test": ["milk"]}, [])
    with pytest.raises(DiasumError, match="has no configuration `shops`") as caught:
        read(two, "shops")
    assert names[0] in str(caught.value.hint)


def test_the_default_configuration_is_taken_and_named(two: Path) -> None:
    readme(two, TWO + "  default: true\n")
    splits, notes = read(two)
    assert splits == {"train": ["bread"], "test": ["milk"]}
    assert len(notes) == 1
    assert "the default configuration `shop` was read; data.config chooses another: clinic." in notes[0]


def test_a_folder_of_one_configuration_with_a_folder_a_split(tmp_path: Path) -> None:
    put(tmp_path / "default" / "train" / "0000.parquet", "lunch")
    put(tmp_path / "default" / "test" / "0000.parquet", "tea")
    assert read(tmp_path) == ({"train": ["lunch"], "test": ["tea"]}, [])


def test_a_readme_whose_files_are_absent_does_not_hide_those_there(tmp_path: Path) -> None:
    put(tmp_path / "train.parquet", "lunch")
    readme(tmp_path, "configs:\n- config_name: default\n  data_files: gone/*.parquet\n")
    assert read(tmp_path)[0] == {"train": ["lunch"]}


def test_files_that_lie_too_deep_are_pointed_at(tmp_path: Path) -> None:
    put(tmp_path / "one" / "two" / "three.parquet", "lunch")
    with pytest.raises(DiasumError, match=r"1 in folders below it, such as .*one/two/three.parquet"):
        read(tmp_path)
    with pytest.raises(DiasumError, match="has no configuration `x`"):
        read(tmp_path / "one" / "two" / "three.parquet", "x")
