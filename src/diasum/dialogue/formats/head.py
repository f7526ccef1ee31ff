"""What a format is recognised by: the beginning of the content and the name; and what a recogniser answers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from pathlib import PurePath
from typing import Any, NamedTuple


class Strength(IntEnum):
    """How sure a recogniser is. The strongest answer wins; two of the same strength are a tie, which the user decides."""

    FALLBACK = 0  # any text will do
    POSSIBLE = 1  # some of it looks like the format
    LIKELY = 2  # most of it does, or its keys are those of the format
    CERTAIN = 3  # nothing else is written like this


class Evidence(NamedTuple):
    """A recogniser's answer.

    Attributes:
        strength: how sure it is.
        reason: what it is, in words: ``WhatsApp export (Android)``. Shown to the user after "read as".
    """

    strength: Strength
    reason: str


@dataclass(frozen=True)
class Head:
    """The beginning of a file's content; `content` and `text` are empty for a folder.

    Attributes:
        name: the file's name, without folders and `.gz`; empty for standard input and texts.
        content: up to `HEAD_BYTES` first bytes (decompressed where it is gzipped).
        text: the same as text, without what does not decode.
        whole: whether `content` is all there is.
        members: paths of what is inside, of a folder or a zip archive; empty for other files.
    """

    name: str
    content: bytes = b""
    text: str = ""
    whole: bool = True
    members: tuple[str, ...] = field(default=(), repr=False)

    @property
    def ending(self) -> str:
        """For example ``.txt``, in lower case."""
        return PurePath(self.name).suffix.lower()

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Lines that are not blank, without white space around them; the last one is left out where it may be cut."""
        lines = self.text.splitlines()
        if not self.whole and len(lines) > 1:
            lines.pop()
        return tuple(line.strip() for line in lines if line.strip())

    @cached_property
    def tree(self) -> Any:
        """The JSON that the content is or begins with, as much of it as is there; None if it is not JSON."""
        return json_prefix(self.text)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the JSON object that the content is or begins with."""
        return frozenset(self.tree) if isinstance(self.tree, dict) else frozenset()


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|[^\s"{}\[\],]+', re.S)
_CLOSED_BY = {"{": "}", "[": "]"}
_DEEPEST = 60


def json_prefix(text: str) -> Any:
    """The value that a JSON text begins with, also where the text is cut: what is complete of it, with its brackets closed.

    Returns:
        An object or a list; None where the text is not JSON of either kind.
    """
    text = text.lstrip("\ufeff \t\r\n")
    if not text.startswith(("{", "[")):
        return None
    open_: list[str] = []
    cut, closing = 1, _CLOSED_BY[text[0]]
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark in "{[":
            if len(open_) == _DEEPEST:
                break
            open_.append(mark)
        elif mark in "}]":
            if not open_ or _CLOSED_BY[open_.pop()] != mark:
                return None
        elif mark != ",":
            continue
        if not open_:
            return _loads(text[: token.end()])
        cut = token.start() if mark == "," else token.end()
        closing = "".join(_CLOSED_BY[one] for one in reversed(open_))
    return _loads(text[:cut] + closing)


def _loads(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
