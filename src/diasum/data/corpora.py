"""Load a corpus by whatever name the user has for it, with the splits that its purpose needs.

In: data settings. Out: a `Corpus` whose notes say how it was read. Names are tried in this order: the bundled `everyday` and `sample`, a
local file or folder, a hub id. What the purpose does not need is read leniently: a broken test split does not stop training.
"""

from __future__ import annotations

import random
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from diasum.config import DataSettings
from diasum.data.checks.words import normalized
from diasum.data.columns import to_pairs
from diasum.data.configurations import Configuration, configurations, read_configuration
from diasum.data.exports import is_export, read_export, table_form
from diasum.data.licences import hub_licence, local_licence
from diasum.data.pairs import Corpus, Pair
from diasum.dialogue.files.rows import Table
from diasum.dialogue.files.splits import SPLIT_TOKENS, canonical_split
from diasum.dialogue.files.tables import FORMATS, UNNAMED, format_of, ignored_files, is_data_file, read_path
from diasum.errors import DiasumError, near_misses, near_path
from diasum.hub import may_be_id, offline
from diasum.wording import counted

_ASSETS = Path(__file__).parent.parent / "assets"
BUNDLED = {name: _ASSETS / name for name in ("sample", "everyday")}
Purpose = Literal["train", "evaluate", "any"]


def load_corpus(
    settings: DataSettings,
    *,
    purpose: Purpose = "any",
    split: str | None = None,
    need_summaries: bool = True,
    trained_on: Callable[[Pair], bool] | None = None,
    named_in: Path | None = None,
) -> Corpus:
    """Read conversations and summaries.

    Args:
        settings: where they are and which columns to take.
        purpose: "train" gives the splits `train` and `validation`, whatever their names in the source, made from
            `settings.train_split` and `settings.validation_split`; a seeded share of the training part is held out where there is no
            validation split; other splits are kept. "evaluate" gives the one split asked for. "any" gives all splits as they are.
        split: the split to evaluate; for "any", the name for a single file without one.
        need_summaries: rows without one count as empty, and a column with them must exist.
        trained_on: for "evaluate": pairs of a file without splits that are left out.
        named_in: the file that the path stands in, where the user did not give it with this command; complaints then say so.

    Raises:
        DiasumError: nothing is there, it cannot be read, or a split or column is missing.
    """
    corpus = Corpus(settings.path, {}, license=settings.license)
    tables = _read(settings, corpus, named_in)
    if purpose == "train":
        _training_splits(tables, settings, corpus, need_summaries)
        return corpus
    if UNNAMED in tables:
        name = canonical_split(split) if split else "all"
        if purpose == "evaluate":
            pairs = _convert(tables[UNNAMED], name, settings, corpus, need_summaries)
            corpus.splits[name] = _new(pairs, name, settings, corpus, trained_on)
            return corpus
        tables = {name: tables[UNNAMED]}
    elif purpose == "any" and not _split_names(tables):
        corpus.notes.append(
            f"No part of {settings.path} is named as a split, so training needs them joined. {_to_join(tables)}"
        )
    if purpose == "evaluate" and split is not None:
        name = _find(split, tables, settings, "")
        tables = {name: tables[name]}
    for name, table in tables.items():
        corpus.splits[name] = _convert(table, name, settings, corpus, need_summaries)
    return corpus


def _new(
    pairs: list[Pair], name: str, settings: DataSettings, corpus: Corpus, trained_on: Callable[[Pair], bool] | None
) -> list[Pair]:
    """Those of a file without splits that were not trained on."""
    new = [pair for pair in pairs if not (trained_on and trained_on(pair))]
    if not new:
        raise DiasumError(
            f"All {len(pairs)} dialogues of {settings.path} were trained on: scores on them would say nothing about new ones.",
            hint="Evaluate on others: --data FILE.",
        )
    what = "all of it is" if len(new) == len(pairs) else f"the {len(new)} of {len(pairs)} dialogues not trained on are"
    corpus.notes.append(f"{settings.path} has no splits of its own; {what} evaluated as `{name}`.")
    return new


def _read(settings: DataSettings, corpus: Corpus, named_in: Path | None) -> dict[str, Table]:
    path = BUNDLED.get(settings.path) or Path(settings.path).expanduser()
    if path.is_fifo():
        raise DiasumError(f"{path} is a pipe, which can be read only once.", hint="Save what it gives in a file first.")
    if path.exists():
        corpus.license = corpus.license or local_licence(path)
        configurations = [] if is_export(path, settings) else _configurations(path)
        if configurations or settings.config is not None:
            tables, note = read_configuration(path, configurations, settings.config)
            corpus.notes += [note] if note else []
            return tables
        if exported := read_export(path, settings, corpus.notes):
            return exported
        tables = read_path(path, table_form(path))
        if ignored := ignored_files(path):
            corpus.notes.append(f"Not read, because their names do not say which split they are: {', '.join(ignored)}.")
        return tables
    try:
        if _looks_local(settings.path, path):
            raise _no_such_file(settings.path, path)
        return _read_hub(settings, corpus)
    except DiasumError as error:
        if named_in is None:
            raise
        raise DiasumError(
            error.message,
            hint=f"{named_in} gives this path (data.path) relative to the folder where the training was started: run the "
            f"command there, or give the data with --data. {error.hint or ''}".rstrip(),
        ) from None


def _configurations(path: Path) -> list[Configuration]:
    try:
        return configurations(path) if path.is_dir() else []
    except PermissionError as error:
        raise DiasumError(f"{error.filename or path} cannot be read: permission denied.") from None


def _training_splits(tables: dict[str, Table], settings: DataSettings, corpus: Corpus, need_summaries: bool) -> None:
    if UNNAMED in tables:
        train_name = UNNAMED
        train = _convert(tables[UNNAMED], "train", settings, corpus, need_summaries)
    else:
        train_name = _find(settings.train_split, tables, settings, "data.train_split")
        train = _convert(tables[train_name], train_name, settings, corpus, need_summaries)
    validation_name = _validation_name(settings, tables)
    if validation_name is None or validation_name == train_name:
        train, validation = _hold_out(train, settings)
        source = f"`{train_name}`" if train_name else settings.path
        corpus.notes.append(
            f"{source} has no validation split: {len(validation)} of {len(train) + len(validation)} dialogues were "
            f"held out for validation (data.validation_share={settings.validation_share}, data.split_seed={settings.split_seed})."
        )
    else:
        validation = _convert(tables[validation_name], validation_name, settings, corpus, need_summaries)
        if (train_name, validation_name) != ("train", "validation"):
            corpus.notes.append(f"Training is on `{train_name}`, validation on `{validation_name}`.")
    corpus.splits = {"train": train[: settings.max_train], "validation": validation[: settings.max_validation]}
    for name, pairs in (("train", train), ("validation", validation)):
        if len(corpus.splits[name]) < len(pairs):
            corpus.notes.append(f"Only the first {len(corpus.splits[name])} of {len(pairs)} `{name}` pairs are used.")
    for name in [key for key in tables if key not in {train_name, validation_name, "train", "validation"}]:
        try:
            corpus.splits[name] = _convert(tables[name], name, settings, corpus, need_summaries)
        except DiasumError as error:
            corpus.notes.append(f"The split `{name}` was left out: {error.message}")
    if settings.on_overlap == "drop":
        _drop_overlap(corpus)


def _validation_name(settings: DataSettings, tables: dict[str, Table]) -> str | None:
    """None if a part of the training split is to be held out: only the default name may be absent."""
    split = _present(settings.validation_split, tables)
    if split is None and canonical_split(settings.validation_split) != "validation":
        names = [name for name in tables if name != UNNAMED]
        raise DiasumError(
            f"{settings.path} has no split `{settings.validation_split}`, which data.validation_split names.",
            hint=f"{near_misses(settings.validation_split, names)} If there is no validation split, leave the setting out: part of the "
            "data is then held out for validation.",
        )
    return split or ("eval" if "eval" in tables else None)


def _drop_overlap(corpus: Corpus) -> None:
    in_other_splits = {normalized(pair) for name, pairs in corpus.splits.items() if name != "train" for pair in pairs}
    kept = [pair for pair in corpus.splits["train"] if normalized(pair) not in in_other_splits]
    dropped = len(corpus.splits["train"]) - len(kept)
    if dropped:
        corpus.splits["train"] = kept
        corpus.notes.append(
            f"{counted(dropped, 'training dialogue')} with a copy in another split left out (data.on_overlap=drop)."
        )


def _convert(table: Table, name: str, settings: DataSettings, corpus: Corpus, need_summaries: bool) -> list[Pair]:
    if not table.rows:
        raise DiasumError(f"{table.source}: the split `{name}` has no rows.")
    pairs, notes, corpus.rows[name] = to_pairs(table, name, settings, need_summaries=need_summaries)
    corpus.notes += notes
    return pairs


def _hold_out(pairs: list[Pair], settings: DataSettings) -> tuple[list[Pair], list[Pair]]:
    """A seeded share, at least one; both parts stay in the source's order."""
    if len(pairs) < 2:
        raise DiasumError(
            f"{settings.path} has {counted(len(pairs), 'usable dialogue')}, too few to train on some and validate on others.",
            hint="At least two are needed; a hundred is a sensible start.",
        )
    count = min(len(pairs) - 1, max(1, round(len(pairs) * settings.validation_share)))
    held = set(random.Random(settings.split_seed).sample(range(len(pairs)), count))
    return [p for i, p in enumerate(pairs) if i not in held], [p for i, p in enumerate(pairs) if i in held]


def _present(name: str, tables: dict[str, Table]) -> str | None:
    return name if name in tables else next((key for key in tables if key == canonical_split(name)), None)


def _find(name: str, tables: dict[str, Table], settings: DataSettings, setting: str) -> str:
    split = _present(name, tables)
    if split is None:
        wanted = f", which {setting} names" if setting else ""
        hint = near_misses(name, tables)
        if setting and "validation" in tables:
            hint += " To train on another: --set data.train_split=validation (a part of it is then held out for validation)."
        elif setting and not _split_names(tables):
            hint = f"{near_misses(name, tables, listed=4)} {_to_join(tables)}"
        raise DiasumError(f"{settings.path} has no split `{name}`{wanted}.", hint=hint)
    return split


def _split_names(tables: dict[str, Table]) -> set[str]:
    return tables.keys() & set(SPLIT_TOKENS.values())


def _to_join(tables: dict[str, Table]) -> str:
    """What to do with a folder of files that are not splits, such as one per conversation."""
    files = [Path(table.source) for table in tables.values()]
    if all(format_of(file) in (".jsonl", ".ndjson") and file.suffix != ".gz" for file in files):
        return f"To use them as one: cat {shlex.quote(str(files[0].parent))}/*{files[0].suffix} > all.jsonl, and give all.jsonl."
    return (
        "To use them as one, join them into one file with one header and give that, or name the parts train and test."
    )


def _looks_local(name: str, path: Path) -> bool:
    return not may_be_id(name) or name.startswith(".") or is_data_file(path) or path.parent.is_dir()


def _no_such_file(name: str, path: Path) -> DiasumError:
    if path.is_symlink():
        return DiasumError(
            f"{name} is a symbolic link that leads to no file.", hint="Give the file itself, or mend the link."
        )
    return DiasumError(
        f"There is no file or folder {name}.",
        hint=f"{near_path(path, BUNDLED)} Expected a file ({FORMATS}), a folder with one file per split, the bundled `everyday` "
        "or `sample`, or a hub id such as `knkarthick/dialogsum`.".lstrip(),
    )


def _read_hub(settings: DataSettings, corpus: Corpus) -> dict[str, Table]:
    import datasets
    from datasets import DatasetDict, load_dataset
    from datasets.exceptions import DatasetNotFoundError, DatasetsError

    datasets.config.HF_HUB_OFFLINE = offline()
    try:
        data = load_dataset(settings.path, settings.config, revision=settings.revision)
    except DatasetNotFoundError as error:
        raise DiasumError(
            f"The hub has no data set {settings.path} that can be read here: {error}",
            hint="Check the name and the revision; a private or gated one needs `hf auth login`.",
        ) from None
    except (OSError, ValueError, RuntimeError, DatasetsError) as error:
        folder = settings.path.split("/")[-1]
        if isinstance(error, ConnectionError) or "offline" in str(error).lower():
            raise DiasumError(
                f"There is no local file or folder {settings.path}, and the hub cannot be reached ({error}).",
                hint=f"{near_path(Path(settings.path), BUNDLED)} Without network: on a connected machine run `hf download "
                f"--repo-type dataset {settings.path} --local-dir {folder}`, copy that folder here and give its path as the data; "
                "or copy that machine's Hugging Face cache and set HF_HOME to it.".lstrip(),
            ) from None
        if "Config name is missing" in str(error) or "BuilderConfig" in str(error):
            raise DiasumError(
                f"The hub's data set {settings.path}: {error}", hint="Choose a configuration: --set data.config=NAME"
            ) from None
        raise DiasumError(
            f"The hub's data set {settings.path} cannot be read: {error}",
            hint=f"Download it (`hf download --repo-type dataset {settings.path} --local-dir {folder}`) and give the path of "
            "its files; only plain tables are read, no loading scripts.",
        ) from None
    corpus.license = corpus.license or hub_licence(settings.path, settings.revision)
    if not isinstance(data, DatasetDict):
        return {UNNAMED: Table(settings.path, data.to_list())}
    return {
        canonical_split(str(name)): Table(f"{settings.path}, `{name}`", part.to_list()) for name, part in data.items()
    }
