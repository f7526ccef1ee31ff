"""What is imported is declared: the package's imports by its own dependencies or an extra, those of the tools around it also by `dev`."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DISTRIBUTIONS = packages_distributions()  # of each package that can be imported
# Declared, though they need not be imported: transformers takes them to read the tokenizers of T5.
NOT_IMPORTED = {"sentencepiece", "protobuf"}


def _names(requirements: list[str]) -> set[str]:
    """Normalised names of distributions, without versions and extras."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", text, maxsplit=1)[0]).lower() for text in requirements}


def _lines(file: str) -> list[str]:
    """Without comments."""
    return [
        line for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")
    ]


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


@pytest.mark.parametrize("extra", [None, *EXTRAS])
def test_what_is_declared_has_bounds_that_hold_the_pinned_version(extra: str | None) -> None:
    """Upper bounds are next majors, which may change what this project relies on."""
    pinned = dict(line.split("==") for line in _lines("constraints.txt"))
    versions = {canonicalize_name(name): version for name, version in pinned.items()}
    for text in PROJECT["dependencies"] if extra is None else EXTRAS[extra]:
        requirement = Requirement(text)
        if requirement.name == "diasum":  # its own extras
            continue
        version = Version(versions[canonicalize_name(requirement.name)])
        (cap,) = [Version(one.version) for one in requirement.specifier if one.operator == "<"]
        assert any(one.operator == ">=" for one in requirement.specifier), text
        assert version in requirement.specifier, text
        assert cap.release[1:] in ((), (0,)), f"{text}: not a major version"
        assert cap.major == version.major + 1, f"{text}: {version} is pinned"


def test_extras_that_errors_name_are_there() -> None:
    named = {
        node.args[1].value
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "MissingExtraError"
        if isinstance(node.args[1], ast.Constant)
    }
    assert "tensorboard" in named <= EXTRAS.keys()
    assert _names(EXTRAS["tensorboard"]) == {"tensorboard"}


def test_what_is_declared_is_needed() -> None:
    assert _names(PROJECT["dependencies"]) - _imported("src").keys() <= NOT_IMPORTED
