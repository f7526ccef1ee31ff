"""Folders that hold several data sets, as the Hub lays them out: named in the README's front matter (`configs:`), or one folder each.

In: a folder. Out: its configurations, and the tables of one of them. https://huggingface.co/docs/hub/datasets-manual-configuration
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diasum.data.cards import front_matter
from diasum.dialogue.files.rows import Table
from diasum.dialogue.files.splits import canonical_split, split_of
from diasum.dialogue.files.tables import has_data, is_data_file, join_files, read_path
from diasum.errors import DiasumError, near_misses


@dataclass(frozen=True, slots=True)
class Configuration:
    """One data set of a folder.

    Attributes:
        name: as the README or the folder says.
        files: split to its files.
        folder: where it lies, if its files are not named one by one.
        default: it is the one read where none is asked for.
    """

    name: str
    files: dict[str, list[Path]]
    folder: Path | None = None
    default: bool = False


def configurations(folder: Path) -> list[Configuration]:
    """Those whose files are there; none for a folder that is one data set itself."""
    named = list(_of_readme(folder))
    if named or has_data(folder):
        return named
    return [Configuration(sub.name, {}, sub) for sub in sorted(folder.iterdir()) if sub.is_dir() and has_data(sub)]


def read_configuration(
    path: Path, configurations: list[Configuration], wanted: str | None
) -> tuple[dict[str, Table], str | None]:
    """The tables of the configuration wanted, of the only one, or of the default one.

    Returns:
        Tables by split, and a note where one of several was taken without being asked for.

    Raises:
        DiasumError: no configuration has that name, or there are several and none is the default; they are listed.
    """
    names = [one.name for one in configurations]
    if wanted is not None:
        chosen = next((one for one in configurations if one.name == wanted), None)
        if chosen is None:
            raise DiasumError(f"{path} has no configuration `{wanted}` (data.config).", hint=near_misses(wanted, names))
        return _tables(chosen), None
    chosen = (
        configurations[0] if len(configurations) == 1 else next((one for one in configurations if one.default), None)
    )
    if chosen is None:
        raise DiasumError(
            f"{path} holds {len(configurations)} data sets: {', '.join(names)}.",
            hint=f"Choose one: --set data.config={names[0]}",
        )
    if len(configurations) == 1:
        return _tables(chosen), None
    others = ", ".join(name for name in names if name != chosen.name)
    return _tables(
        chosen
    ), f"{path}: the default configuration `{chosen.name}` was read; data.config chooses another: {others}."


def _tables(chosen: Configuration) -> dict[str, Table]:
    if chosen.folder is not None:
        return read_path(chosen.folder)
    return {split: join_files(files) for split, files in chosen.files.items()}


def _of_readme(folder: Path) -> Iterator[Configuration]:
    configs = front_matter(folder / "README.md").get("configs")
    for one in configs if isinstance(configs, list) else []:
        if not isinstance(one, dict):
            continue
        name = str(one.get("config_name", "default"))
        default = one.get("default") is True or name == "default"
        root = folder / str(one.get("data_dir", "."))
        if not root.resolve().is_relative_to(folder.resolve()):
            continue
        if "data_files" not in one:
            if "data_dir" in one and root.is_dir() and has_data(root):
                yield Configuration(name, {}, root, default)
            continue
        files: dict[str, list[Path]] = {}
        for split, pattern in _patterns(one["data_files"]):
            for file in _matching(root, pattern):
                files.setdefault(canonical_split(split or split_of(file.name) or "train"), []).append(file)
        if files:
            yield Configuration(name, files, default=default)


def _patterns(data_files: Any) -> Iterator[tuple[str | None, str]]:
    """Split, where one is named, and pattern: of a text, a list of texts, a list of ``{split, path}``, or a mapping of splits."""
    if isinstance(data_files, dict) and not {"split", "path"} <= data_files.keys():
        data_files = [{"split": split, "path": path} for split, path in data_files.items()]
    for item in data_files if isinstance(data_files, list) else [data_files]:
        split, paths = (item.get("split"), item.get("path")) if isinstance(item, dict) else (None, item)
        for path in paths if isinstance(paths, list) else [paths]:
            if isinstance(path, str):
                yield (str(split) if split is not None else None), path


def _matching(root: Path, pattern: str) -> list[Path]:
    pattern = pattern.removeprefix("./")
    if not pattern or pattern.startswith("/") or ".." in Path(pattern).parts or "://" in pattern:
        return []
    files = list((root / pattern).rglob("*")) if (root / pattern).is_dir() else list(root.glob(pattern))
    return sorted(file for file in files if file.is_file() and is_data_file(file))
