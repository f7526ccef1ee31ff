"""What the tests of formats share: fixtures and texts to turns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diasum.dialogue.read import ReadDialogue, iter_dialogues

FIXTURES = Path(__file__).parent / "fixtures"


def read(source: Path | str | bytes, **options: Any) -> ReadDialogue:
    """The only dialogue of a source; a name of a fixture stands for its file."""
    (one,) = read_all(source, **options)
    return one


def read_all(source: Path | str | bytes, **options: Any) -> list[ReadDialogue]:
    if isinstance(source, str) and "\n" not in source and (FIXTURES / source).exists():
        source = FIXTURES / source
    return list(iter_dialogues(source, **options))


def turns(one: ReadDialogue) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in one.dialogue.turns]
