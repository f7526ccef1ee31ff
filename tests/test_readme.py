"""The README says what is so: its table comes from saved results, its commands exist."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from benchmarks.tables import (
    CARD,
    FROZEN,
    MEMORY,
    RESULTS,
    SPEED,
    SPEED_BF16,
    STEP,
    card_table,
    frozen_table,
    insert,
    memory_table,
    speed_table,
    step_table,
    table,
)

README = Path(__file__).parent.parent / "README.md"


def test_table_comes_from_the_saved_results() -> None:
    text = README.read_text(encoding="utf-8")
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert insert(text, table(results)) == text, "run: python -m benchmarks.tables"
    speed = json.loads(SPEED.read_text(encoding="utf-8"))
    assert insert(text, speed_table(speed), "speed") == text, "run: python -m benchmarks.tables"


def test_the_cards_table_comes_from_the_saved_results() -> None:
    text = CARD.read_text(encoding="utf-8")
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert insert(text, card_table(results), "adapter") == text, "run: python -m benchmarks.tables"


def test_tables_of_memory_and_the_frozen_encoder_come_from_the_saved_results() -> None:
    text = (README.parent / "docs" / "memory-and-speed.md").read_text(encoding="utf-8")
    found = frozen_table(json.loads(FROZEN.read_text(encoding="utf-8")))
    assert insert(text, found, "frozen") == text, "run: python -m benchmarks.tables"
    found = memory_table(json.loads(MEMORY.read_text(encoding="utf-8")))
    assert insert(text, found, "memory") == text, "run: python -m benchmarks.tables"


def test_the_tables_of_the_fast_path_come_from_the_saved_results() -> None:
    text = (README.parent / "docs" / "fast-path.md").read_text(encoding="utf-8")
    for path, made, name in ((STEP, step_table, "step"), (SPEED_BF16, speed_table, "speed-bf16")):
        table = made(json.loads(path.read_text(encoding="utf-8")))
        assert insert(text, table, name) == text, "run: python -m benchmarks.tables"


def test_the_two_commands_come_first() -> None:
    first = README.read_text(encoding="utf-8").split("```bash\n")[1]
    assert first.startswith("make demo")
    assert first.splitlines()[1].startswith("make test")


@pytest.mark.parametrize("line", sorted(set(re.findall(r"^diasum .*$", README.read_text(encoding="utf-8"), re.M))))
def test_commands_have_these_options(line: str) -> None:
    """Every `diasum` line of the README parses: the command exists, and so does each option."""
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
    from diasum.api import RECIPES

    text = README.read_text(encoding="utf-8")
    named = set(re.findall(r"--config ([\w-]+)", text)) | set(re.findall(r"recipes/([\w-]+)\.yaml", text))
    assert {"demo", "dialogsum-mini", "dialogsum-flan-t5-base"} <= named
    assert named <= {path.stem for path in RECIPES.glob("*.yaml")}


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
