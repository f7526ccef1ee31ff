"""Whether the values in a file are those that are known here; nothing is converted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ID = (int, type(None))
IDS = (int, list, type(None))
NUMBER = (int, float)


def json_object(file: Path) -> dict[str, Any] | None:
    """The content of a JSON file that holds an object; None for any other, or none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def of_types(values: Mapping[str, Any], types: Mapping[str, tuple[type, ...]]) -> bool:
    """Whether every value has a name that is known, and one of the types that go with it (a bool is no int)."""
    return all(type(value) in types.get(name, ()) for name, value in values.items())
