"""Files and folders to tables of rows, one per split; every complaint names the file and the line.

In: a path to csv, tsv, json, jsonl (each plain or gzipped), parquet, a `save_to_disk` folder, or a folder with one file per split.
Out: `Table`s by split name; a single file has no split name of its own. Columns are not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from diasum.dialogue.files.decoding import LONGEST_LINE, MIB
from diasum.dialogue.files.encoding import text_lines
from diasum.dialogue.files.rows import Table
from diasum.dialogue.files.separated import separated_rows
from diasum.dialogue.files.sheets import read_sheet
from diasum.dialogue.files.splits import SPLIT_TOKENS, canonical_split, split_of
from diasum.dialogue.names import TABLE_KEYS
from diasum.errors import DiasumError
from diasum.json_lines import is_json_lines, json_file, json_lines, loads

TEXT_FORMATS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson")
FORMATS = "csv, tsv, json, jsonl (each plain or .gz), parquet, xlsx"
_ENDINGS = (*TEXT_FORMATS, ".parquet", ".xlsx")
UNNAMED = ""  # the split of a source that names none

_LARGEST_JSON = 1024 * MIB
_PARQUET_ROWS = 1024  # that are in memory at a time
_ORDER = {"train": 0, "validation": 1, "test": 2}


def read_path(path: Path, form: str | None = None) -> dict[str, Table]:
    """Read a file or folder.

    Args:
        path: what is there.
        form: the ending that suits a file's content, where its name has another one: ``.csv`` of ``tickets.txt``.

    Returns:
        Tables by split; the key is `UNNAMED` for a single file that names no split.

    Raises:
        DiasumError: nothing readable is there; the message has the file, and the line where there is one.
    """
    try:
        if path.is_dir():
            return _read_folder(path)
        return _read_file(path, form)
    except PermissionError as error:
        raise DiasumError(f"{error.filename or path} cannot be read: permission denied.") from None
    except IsADirectoryError as error:
        raise DiasumError(f"{error.filename} is a folder; expected a file ({FORMATS}).") from None


def is_data_file(path: Path) -> bool:
    """Whether the name ends like one of the formats read here."""
    return format_of(path) in _ENDINGS


def format_of(path: Path) -> str:
    """The ending that tells the format: ``.csv`` of ``chats.csv.gz``."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def _read_file(path: Path, form: str | None = None) -> dict[str, Table]:
    form = form or format_of(path)
    if form not in _ENDINGS:
        raise DiasumError(
            f"{path}: expected a data file ({FORMATS}), found `{path.suffix or 'no extension'}`.",
            hint="Rename it if it is one of these. `diasum summarize` takes plain text; training and scoring need a table.",
        )
    if path.stat().st_size == 0:
        raise DiasumError(f"{path} is empty.", hint="Expected a row for each dialogue.")
    if form == ".parquet":
        tables = {UNNAMED: read_parquet(path)}
    elif form == ".xlsx":
        tables = {UNNAMED: read_sheet(lambda: path.open("rb"), str(path))}
    elif form == ".json":
        tables = _read_json(path)
    elif form in (".jsonl", ".ndjson"):
        tables = {UNNAMED: _read_jsonl(path)}
    else:
        tables = {UNNAMED: _read_csv(path, "\t" if form == ".tsv" else ",")}
    if not any(table.rows for table in tables.values()):
        raise DiasumError(f"{path} has no rows.", hint="Expected a row for each dialogue.")
    return tables


def _read_folder(path: Path) -> dict[str, Table]:
    if _is_saved(path):
        return _read_saved(path)
    files = _files_of(path)
    named = [(split, file) for file in files if (split := split_of(file.name))]
    if not files:
        named = _in_folders_of_splits(path)
    if not files and not named:
        deeper = sorted(file for file in path.rglob("*") if file.is_file() and is_data_file(file))
        if deeper:
            raise DiasumError(
                f"{path} has no data files itself, but there are {len(deeper)} in folders below it, such as {deeper[0]}.",
                hint="Give the path of the folder or file that you mean.",
            )
        raise DiasumError(
            f"{path} has no data files ({FORMATS}) and was not written by save_to_disk.",
            hint="Expected one file per split, such as train.csv, validation.csv and test.csv.",
        )
    if not named:
        if len(files) == 1:
            return _read_file(files[0])
        named = [(file.name.split(".")[0], file) for file in files]
    return _read_splits(path, named)


def _in_folders_of_splits(path: Path) -> list[tuple[str, Path]]:
    return [
        (split, file)
        for folder in sorted(path.iterdir())
        if folder.is_dir() and (split := SPLIT_TOKENS.get(folder.name.lower()))
        for file in _data_files(folder)
    ]


def has_data(folder: Path) -> bool:
    """Whether a folder is one data set by itself: saved by `datasets`, or with a file or a folder per split."""
    return _is_saved(folder) or bool(_files_of(folder) or _in_folders_of_splits(folder))


def join_files(files: Sequence[Path]) -> Table:
    """Files that are known to be one split."""
    return _join([_only(_read_file(file), file) for file in files])


def ignored_files(path: Path) -> list[str]:
    """Names of a folder's data files that are not read, because others next to them are named as splits."""
    if not path.is_dir() or _is_saved(path):
        return []
    files = _files_of(path)
    others = [file.name for file in files if not split_of(file.name)]
    return others if len(others) < len(files) else []


def _is_saved(path: Path) -> bool:
    return (path / "dataset_dict.json").is_file() or (path / "state.json").is_file()


def _files_of(folder: Path) -> list[Path]:
    files = _data_files(folder)
    return _data_files(folder / "data") if not files and (folder / "data").is_dir() else files


def _data_files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith(".") and is_data_file(f))


def _read_splits(folder: Path, named: Sequence[tuple[str, Path]]) -> dict[str, Table]:
    by_split: dict[str, list[Path]] = {}
    for split, file in named:
        by_split.setdefault(split, []).append(file)
    tables: dict[str, Table] = {}
    for split, files in sorted(by_split.items(), key=lambda item: _ORDER.get(item[0], 3)):
        shards = len({re.sub(r"\d+", "0", file.name) for file in files}) == 1
        if not shards:
            raise DiasumError(
                f"{folder}: {len(files)} files claim the split `{split}`: {', '.join(file.name for file in files)}.",
                hint="Keep one file per split, or give the path of one file.",
            )
        tables[split] = join_files(files)
    return tables


def _only(tables: dict[str, Table], file: Path) -> Table:
    if len(tables) > 1:
        raise DiasumError(
            f"{file} holds the splits {', '.join(tables)}, but is named after one split.",
            hint="Give the path of this file alone, or one file per split.",
        )
    return next(iter(tables.values()))


def _join(tables: list[Table]) -> Table:
    if len(tables) == 1:
        return tables[0]
    rows = [row for table in tables for row in table.rows]
    notes = tuple(note for table in tables for note in table.notes)
    return Table(f"{tables[0].source} and {len(tables) - 1} more", rows, notes=notes)


def _read_saved(path: Path) -> dict[str, Table]:
    import pyarrow as pa
    from datasets import DatasetDict, load_from_disk
    from datasets.exceptions import DatasetsError

    try:
        data = load_from_disk(str(path))
        if isinstance(data, DatasetDict):
            return {
                canonical_split(str(k)): Table(f"{path}/{k}", v.with_format(None).to_list()) for k, v in data.items()
            }
        return {UNNAMED: Table(str(path), data.with_format(None).to_list())}
    # pyarrow, json and datasets raise many kinds for a damaged folder
    except (pa.ArrowException, DatasetsError, OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DiasumError(
            f"{path} looks like the output of save_to_disk, but cannot be read: {error}",
            hint="Save it again, or export it as csv.",
        ) from None


def read_parquet(path: Path) -> Table:
    """The rows of a parquet file; raises DiasumError where it is damaged."""
    return Table(str(path), list(parquet_rows(path, str(path))))


def parquet_rows(file: Path | IO[bytes], where: str) -> Iterator[dict[str, Any]]:
    """The rows of a parquet file, by its path or its content, one by one; raises DiasumError where it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as content:
            for batch in content.iter_batches(_PARQUET_ROWS):
                yield from batch.to_pylist()
    except (
        pa.ArrowException,
        OSError,
        ValueError,
        OverflowError,
    ) as error:  # the last two: texts and times that are none
        raise DiasumError(f"{where} is not a readable parquet file: {error}") from None


def _read_jsonl(path: Path) -> Table:
    rows, numbers = [], []
    lines, notes = text_lines(path)
    for number, row in json_lines(lines, str(path)):
        if not isinstance(row, dict):
            raise DiasumError(
                f'{path}, line {number}: expected a JSON object such as {{"dialogue": ..., "summary": ...}}, '
                f"found {_kind(row)}."
            )
        rows.append(row)
        numbers.append(number)
    return Table(str(path), rows, numbers, tuple(notes))


def _read_json(path: Path) -> dict[str, Table]:
    text, notes = _whole(path)
    if is_json_lines(text):
        return {UNNAMED: _read_jsonl(path)}
    tables = _json_tables(json_file(text, str(path)), path)
    return {name: replace(table, notes=tuple(notes)) for name, table in tables.items()}


def read_texts(path: Path) -> list[str] | None:
    """The texts of a JSON array that holds nothing else; None of any other file, for `read_path` to take or refuse."""
    if format_of(path) != ".json":
        return None
    try:
        tree = loads(_whole(path)[0])
    except (OSError, ValueError, RecursionError):
        return None
    return tree if isinstance(tree, list) and all(isinstance(item, str) for item in tree) else None


def _whole(path: Path) -> tuple[str, list[str]]:
    """All of its text, and notes about the encoding."""
    parts, size = [], 0
    lines, notes = text_lines(path)
    for _, line in lines:
        size += len(line)
        if size > _LARGEST_JSON:
            raise DiasumError(f"{path} is over {_LARGEST_JSON // MIB} MiB.", hint="Convert it to jsonl or parquet.")
        parts.append(line)
    return "".join(parts), notes


def _json_tables(tree: Any, path: Path) -> dict[str, Table]:
    if isinstance(tree, list):
        lines = bool(tree) and all(isinstance(item, str) for item in tree)  # of one conversation
        return {UNNAMED: Table(str(path), [{"dialogue": tree}]) if lines else _json_table(tree, str(path))}
    if not isinstance(tree, dict):
        raise DiasumError(f"{path}: expected an array of objects, or an object with one, found {_kind(tree)}.")
    lists = {key: value for key, value in tree.items() if isinstance(value, list)}
    splits = {key: value for key, value in lists.items() if key.lower() in SPLIT_TOKENS}
    if splits:
        return {canonical_split(key): _json_table(value, f"{path}, `{key}`") for key, value in splits.items()}
    table = next((key for key in lists if key.lower() in TABLE_KEYS), None)
    if table is not None and "summary" not in tree:
        return {UNNAMED: _json_table(lists[table], f"{path}, `{table}`")}
    return {UNNAMED: Table(str(path), [tree])}  # one conversation


def _json_table(items: list[Any], source: str) -> Table:
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise DiasumError(f"{source}, item {number}: expected an object, found {_kind(item)}.")
    return Table(source, items)


def _read_csv(path: Path, delimiter: str) -> Table:
    lines, notes = text_lines(path)
    rows, numbers = separated_rows(path, lines, delimiter, longest=LONGEST_LINE)
    return Table(str(path), rows, numbers, tuple(notes))


def _kind(value: Any) -> str:
    names = {list: "an array", dict: "an object", str: "a string", type(None): "null", bool: "a boolean"}
    return names.get(type(value), "a number")
