"""What is imported is declared: the package's imports by its own dependencies or an extra, those of the tools around it also by `dev`."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DISTRIBUTIONS = packages_distributions()  # of each package that can be imported
# Declared, though they need not be imported: transformers takes the first two to read the tokenizers of T5; the readers of exports to come
# take the others.
NOT_IMPORTED = {"sentencepiece", "protobuf", "babel", "ijson"}


def _names(requirements: list[str]) -> set[str]:
    """Normalised names of distributions, without versions and extras."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", text, maxsplit=1)[0]).lower() for text in requirements}


def _imported(*folders: str) -> dict[str, str]:
    """Distribution to one of the files that import it; imports within functions and for type checkers count, too."""
    own = {"diasum", "benchmarks", "pretraining", "tests"} | sys.stdlib_module_names
    importers: dict[str, str] = {}
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            for package in {module.partition(".")[0] for module in modules} - own:
                for name in _names(DISTRIBUTIONS.get(package, [package])):
                    importers[name] = str(path.relative_to(ROOT))
    return importers


@pytest.mark.parametrize(
    ("folders", "extras"),
    [
        (["src"], [name for name in EXTRAS if name != "dev"]),
        (["benchmarks", "pretraining", "tests"], list(EXTRAS)),
    ],
)
def test_what_is_imported_is_declared(folders: list[str], extras: list[str]) -> None:
    declared = _names([*PROJECT["dependencies"], *(text for name in extras for text in EXTRAS[name])])
    importers = _imported(*folders)
    assert {name: file for name, file in importers.items() if name not in declared} == {}


def test_what_is_declared_is_needed() -> None:
    assert _names(PROJECT["dependencies"]) - _imported("src").keys() <= NOT_IMPORTED
