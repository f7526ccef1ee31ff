"""JSON that others wrote, one value per line or one per file: mistakes are reported with the file, the line and what it contains."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from diasum.errors import DiasumError


def json_lines(lines: Iterable[tuple[int, str]], source: str) -> Iterator[tuple[int, Any]]:
    """The values of lines that hold one each; blank lines hold none.

    Args:
        lines: with their numbers. Text must be split at line feeds: `str.splitlines` also splits within the strings of JSON.
        source: the file, for messages.

    Yields:
        The line's number and its value.

    Raises:
        DiasumError: a line is not JSON.
    """
    for number, line in lines:
        if not line.strip():
            continue
        try:
            value = loads(line)
        except (ValueError, RecursionError) as error:
            raise DiasumError(
                f"{source}, line {number}: not valid JSON ({_cause(error)}): {_shown(line)}",
                hint="Expected one JSON value a line; mend or remove this line.",
            ) from None
        yield number, value


def json_file(text: str, source: str) -> Any:
    """The value of a whole file.

    Raises:
        DiasumError: it is not JSON.
    """
    try:
        return loads(text)
    except (ValueError, RecursionError) as error:
        number = getattr(error, "lineno", 1)
        line = text.split("\n")[number - 1]
        raise DiasumError(
            f"{source}, line {number}: not valid JSON ({_cause(error)}): {_shown(line)}",
            hint="Fix this line; a file with one object per line should be named .jsonl.",
        ) from None


def is_json_lines(text: str) -> bool:
    """Whether a text begins with a line that is a whole object or list and goes on after it, as a file with one value per line does."""
    first, _, rest = text.lstrip().partition("\n")
    if not first.startswith(("{", "[")) or not rest.strip():
        return False
    try:
        loads(first)
    except (ValueError, RecursionError):
        return False
    return True


def loads(text: str) -> Any:
    """JSON, with halves of surrogate pairs, which UTF-8 cannot hold, replaced; raises ValueError or RecursionError."""
    tree = json.loads(text)
    return _without_surrogates(tree) if re.search(r"\\u[dD][89a-fA-F]", text) else tree


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _cause(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.removesuffix(' at')} at character {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _shown(line: str) -> str:
    line = line.strip()
    return line if len(line) <= 60 else f"{line[:57]}..."
