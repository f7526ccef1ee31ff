"""YAML as settings are written in: files whose mistakes are reported with their line, and single values of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from diasum.errors import DiasumError, near_path

# What YAML raises of its own, and what its constructors run into: a 13th month, ``!!bool maybe``, brackets without end.
INVALID = (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError)


class _Repeated(yaml.constructor.ConstructorError):
    """A key that stands twice, of which YAML would silently take the last."""


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise _Repeated(problem=f"`{key.value}` appears twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(file: Path) -> dict[str, Any]:
    """The sections of a settings file; empty where it has none.

    Raises:
        DiasumError: it is not there, cannot be read, is not YAML, has a key twice, or holds no sections.
    """
    try:
        tree = yaml.load(file.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise DiasumError(
            f"No settings file at {file}.", hint=f"{near_path(file)} Check the path given to --config.".lstrip()
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DiasumError(f"{file} cannot be read as a settings file: {error}") from None
    except INVALID as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        if not isinstance(error, (yaml.YAMLError, ValueError)):
            problem = "a value that its tag does not allow, or brackets without end"
        where = f"{file}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(file)
        if isinstance(error, _Repeated):
            raise DiasumError(
                f"{where}: {problem}.", hint="Keep one of them; sections are written once, with all their keys."
            ) from None
        raise DiasumError(
            f"{where}: not valid YAML: {problem or error}.",
            hint="Often the cause is indentation, or a colon without a space after it.",
        ) from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise DiasumError(f"{file}: expected sections such as `train:` at the top, found a {type(tree).__name__}.")
    return tree


def scalar(text: str) -> Any:
    """A value as YAML has it, except that 1e-3 is a number (YAML 1.1 wants 1.0e-3)."""
    try:
        return float(text) if "e" in text.lower() and text[:1] in "0123456789.+-" else yaml.safe_load(text)
    except INVALID:
        return text
