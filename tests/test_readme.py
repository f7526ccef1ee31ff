"""The README says what is so: its table comes from saved results, its commands exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from benchmarks.tables import PAGES, written

README = Path(__file__).parent.parent / "README.md"
DOCS = [README, *sorted((README.parent / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in DOCS)
SHELL = "\n".join(re.findall(r"```bash\n(.*?)```", TEXT, re.S))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(README.parent)))
def test_tables_come_from_the_saved_results(page: Path) -> None:
    assert written(page) == page.read_text(encoding="utf-8"), "run: python -m benchmarks.tables"


def test_the_two_commands_come_first() -> None:
    first = README.read_text(encoding="utf-8").split("```bash\n")[1]
    assert first.startswith("make demo")
    assert first.splitlines()[1].startswith("make test")


def test_the_readme_is_short() -> None:
    words = [
        word for word in README.read_text(encoding="utf-8").split() if re.search(r"\w", word)
    ]  # not the bars of tables
    assert len(words) <= 700


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert not [t for t in targets if "://" not in t and not (page.parent / t).exists()]


def test_the_index_lists_every_page() -> None:
    index = (README.parent / "docs" / "README.md").read_text(encoding="utf-8")
    assert not [page.name for page in DOCS[1:] if page.name != "README.md" and f"({page.name})" not in index]


@pytest.mark.parametrize("line", sorted(set(re.findall(r"^(?:cat \S+ \| )?(diasum .*)$", SHELL, re.M))))
def test_commands_have_these_options(line: str) -> None:
    """Every `diasum` line of README and docs parses: the command exists, and so does each option."""
    import typer

    from diasum.cli import app

    command = typer.main.get_command(app)
    words = shlex.split(line, comments=True)[1:]
    context = typer.Context(command)  # type: ignore[arg-type]
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        assert name in command.commands, f"no command {name}"
        command = command.commands[name]
        context = typer.Context(command, parent=context)  # type: ignore[arg-type]
    options = {option for parameter in command.params for option in parameter.opts}
    for word in words:
        if word.startswith("-"):
            assert word in options, f"{line}: no option {word}"


def test_recipes_exist() -> None:
    from diasum.resolve import RECIPES

    text = TEXT
    named = set(re.findall(r"--config ([\w-]+)", text)) | set(re.findall(r"recipes/([\w-]+)\.yaml", text))
    assert {"demo", "dialogsum-mini", "dialogsum-flan-t5-base"} <= named
    assert named - {"FILE"} <= {path.stem for path in RECIPES.glob("*.yaml")}


def test_the_python_example_is_valid() -> None:
    """Its calls take these arguments."""
    import ast
    import inspect

    import diasum

    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    named = [
        (node.func.attr, [keyword.arg for keyword in node.keywords])
        for node in calls
        if isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "diasum"
    ]
    assert {name for name, _ in named} == {"train", "evaluate", "load"}
    for name, keywords in named:
        assert set(keywords) <= set(inspect.signature(getattr(diasum, name)).parameters)
