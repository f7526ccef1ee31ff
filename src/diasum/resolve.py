"""How settings come together, in one order for every command and function.

Defaults, then a recipe or file (`config`), then the run's own, then what was given: arguments, flags and ``--set`` alike. Among the last
three none takes precedence: one setting given twice with different values is refused, and so is a setting that the command
would not use.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from diasum.calls import checked_call
from diasum.config import DataSettings, Settings
from diasum.errors import DiasumError, near_misses, near_path
from diasum.settings_check import check_settings
from diasum.yaml_files import read_yaml, scalar

Given = Iterable[str | tuple[str, Any]] | Mapping[str, Any] | Settings
"""``["train.epochs=5"]``, ``[("train.epochs", 5)]``, ``{"train.epochs": 5}``, ``{"train": {"epochs": 5}}``, or a whole `Settings`, of
which the values count that differ from those that the command starts with."""

RECIPES = Path(__file__).parent / "assets" / "recipes"

_SECTIONS = {
    name
    for name, about in Settings.model_fields.items()
    if isinstance(about.annotation, type) and issubclass(about.annotation, BaseModel)
}
_UNSET = object()  # of a field of `LoraConfig` that the start has and the given `Settings` has not
_OF_ONE_CORPUS = (
    "dialogue_column",
    "summary_columns",
    "id_column",
    "topic_column",
    "revision",
    "config",
    "license",
    "format",
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command, by the settings that it uses.

    Attributes:
        name: as it is typed after ``diasum``.
        uses: sections and settings.
        instead: setting that it does not use to the option that does its work.
    """

    name: str
    uses: tuple[str, ...]
    instead: Mapping[str, str] = field(default_factory=dict)

    def check(self, paths: Iterable[str]) -> None:
        """Refuse settings that the command would not use.

        Raises:
            DiasumError: with the name of each.
        """
        unused = [path for path in dict.fromkeys(paths) if not any(_within(path, used) for used in self.uses)]
        if not unused:
            return
        other = [f"Use {self.instead[path]} for {path}." for path in unused if path in self.instead]
        used = ", ".join(f"{name}.*" if name in _SECTIONS else name for name in self.uses)
        raise DiasumError(
            f"`diasum {self.name}` does not use {', '.join(unused)}: leave {'them' if len(unused) > 1 else 'it'} out.",
            hint=" ".join([*other, f"It uses {used}."]),
        )


_READING = (
    *("data.path", "data.revision", "data.config", "data.dialogue_column", "data.summary_columns", "data.id_column"),
    *("data.topic_column", "data.on_empty", "data.format", "data.split_pause", "data.aliases", "data.keep_nonspeech"),
)
_SCORING = ("evaluate.split", "evaluate.protocol", "evaluate.resamples", "evaluate.seed", "evaluate.max_examples")

_LENGTHS = (
    *("prompt.template", "prompt.length", "prompt.turn_separator", "prompt.speakers", "prompt.redact"),
    *("prompt.max_source_tokens", "prompt.max_target_tokens"),
)

TRAIN = Command("train", tuple(Settings.model_fields))
EVALUATE = Command(
    "evaluate",
    (*_READING, "data.license", "check", "evaluate", "generate", "train.device", "trust_remote_code"),
    {"base": "--base", "train.dtype": "generate.dtype"},
)
SCORE = Command("score", (*_READING, "data.license", "check", *_SCORING, "evaluate.baselines"))
BASELINE = Command("baseline", (*_READING, "data.license", "check", *_SCORING), {"evaluate.baselines": "--method"})
SUMMARIZE = Command("summarize", ("generate", "check", "prompt.length", "prompt.redact"))
EXPORT = Command(
    "export",
    (*_READING, "evaluate.protocol", "evaluate.resamples", "evaluate.seed", "export", "generate", "trust_remote_code"),
    {"base": "--base"},
)
CHECK_DATA = Command("data check", (*_READING, "base", "base_revision", "trust_remote_code", *_LENGTHS))
DATA_STATS = Command("data stats", _READING)
SPLIT_DATA = Command("data split", _READING)
CONVERT_DATA = Command("data convert", _READING)
REDACT_DATA = Command("data redact", _READING)


def resolve(
    command: Command,
    settings: Given = (),
    arguments: Mapping[str, Any] | None = None,
    *,
    config: str | Path | None = None,
    own: Settings | None = None,
) -> Settings:
    """The settings that a command works with.

    Args:
        command: what it uses.
        settings: what was given as settings, in any of the forms of `Given`.
        arguments: by dotted path, what was given as arguments that stand for settings; None stands for not given.
        config: a YAML file or the name of a bundled recipe.
        own: those of the run that the command works on. Only a resumed training has both this and `config`; the file's values
            then count as a wish, and `Run.resume` refuses them where they differ.

    Raises:
        DiasumError: no such file, an unknown setting or a wrong value, a setting given twice with different values, or one that the
            command does not use.
    """
    tree: dict[str, Any] = {}
    if config is not None:
        file = _file(config)
        tree = read_yaml(file)
        check_settings(tree, str(file))
    if own is not None:
        tree = _put_all(own.model_dump(mode="json"), _leaves(tree))
    assignments = [(path, value) for path, value in (arguments or {}).items() if value is not None]
    assignments += _differing(settings, tree) if isinstance(settings, Settings) else _listed(settings)
    resolved = _with(tree, assignments)
    command.check(path for path, _ in assignments)
    _refuse_contradictions(tree, assignments)
    return resolved


@checked_call()
def load_settings(file: Path | str | None = None, overrides: Given = ()) -> Settings:
    """Read settings from YAML and put overrides on top.

    Args:
        file: a YAML file or the name of a bundled recipe; defaults only when None.
        overrides: ``section.key=value`` strings (the value in YAML), a mapping of such dotted paths to values, or a whole `Settings`.

    Raises:
        DiasumError: the file cannot be read, keys or values are wrong (all of them are listed with their paths), or one setting is
            given twice with different values.
    """
    return resolve(TRAIN, overrides, config=file)


def for_other_data(own: Settings) -> Settings:
    """A run's own settings for another corpus: without the column names, revision and licence of its own."""
    usual = {name: DataSettings.model_fields[name].get_default() for name in _OF_ONE_CORPUS}
    return own.model_copy(update={"data": own.data.model_copy(update=usual)})


def parse_override(item: str) -> tuple[str, Any]:
    """Split ``section.key=value``; the value is read as YAML.

    Raises:
        DiasumError: there is no ``=`` in it.
    """
    path, sign, value = item.partition("=")
    if not sign or not path.strip():
        raise DiasumError(
            f"--set expects section.key=value, found `{item}`.", hint="For example: --set train.learning_rate=1e-3"
        )
    return path.strip(), scalar(value)


def _file(config: str | Path) -> Path:
    """A settings file, or a bundled recipe by its name."""
    if Path(config).is_file():
        return Path(config)
    bundled = {path.stem: path for path in RECIPES.glob("*.yaml")}
    name = str(config)
    if name in bundled:
        return bundled[name]
    if "/" not in name and not name.endswith((".yaml", ".yml")):
        raise DiasumError(
            f"There is neither a file nor a bundled recipe `{name}`.",
            hint=near_path(Path(name)) or near_misses(name, bundled),
        )
    return Path(config)


def _listed(settings: Iterable[Any] | Mapping[str, Any]) -> list[tuple[str, Any]]:
    if isinstance(settings, str):
        settings = [settings]
    pairs = settings.items() if isinstance(settings, Mapping) else settings
    return _leaves(parse_override(pair) if isinstance(pair, str) else pair for pair in pairs)


def _leaves(pairs: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Settings by dotted path, sections taken apart."""
    leaves: list[tuple[str, Any]] = []
    for path, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
        if path in _SECTIONS and isinstance(value, Mapping):
            leaves += [(f"{path}.{key}", inner) for key, inner in value.items()]
        else:
            leaves.append((str(path), value))
    return leaves


def _differing(settings: Settings, tree: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Of a whole configuration what is not as at the start."""
    start = dict(_leaves(Settings.model_validate(tree).model_dump(mode="json")))
    wanted = dict(_leaves(settings.model_dump(mode="json")))
    both = [(path, start.get(path, _UNSET), wanted.get(path, _UNSET)) for path in {**start, **wanted}]
    return [(path, value) for path, before, value in both if value != before]


def _with(tree: dict[str, Any], assignments: Iterable[tuple[str, Any]]) -> Settings:
    return check_settings(_put_all(copy.deepcopy(tree), assignments), "the settings")


def _put_all(tree: dict[str, Any], assignments: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    for path, value in assignments:
        *sections, key = path.split(".")
        inner = tree
        for section in sections:
            if not isinstance(inner.get(section), dict):
                inner[section] = {}
            inner = inner[section]
        if value is _UNSET:
            inner.pop(key, None)
        else:
            inner[key] = copy.deepcopy(value)
    return tree


def _refuse_contradictions(tree: dict[str, Any], assignments: list[tuple[str, Any]]) -> None:
    """Of two values for one setting the order must not matter; `2` and `2.0`, or a name and a list of it, are the same."""
    for one, other in combinations(assignments, 2):
        if not (_within(one[0], other[0]) or _within(other[0], one[0])):
            continue
        if _with(tree, (one, other)) != _with(tree, (other, one)):
            raise DiasumError(
                f"{one[0]} is given twice with different values: {one[1]!r} and {other[1]!r}.",
                hint="Give it once; arguments, flags and --set count alike.",
            )


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}.")
