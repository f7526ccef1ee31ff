"""Read conversations to summarise: text files with one conversation each, jsonl with one a line, or standard input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from diasum.dialogue import Dialogue
from diasum.errors import DiasumError, near_misses
from diasum.inference.summarizer import as_dialogue

DIALOGUE_KEYS = ("dialogue", "conversation", "transcript", "turns", "messages", "utterances", "dialog", "text")
MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Named:
    """A conversation and what to call it: its id, its file's name, or its place in the input."""

    id: str
    dialogue: Dialogue


def read_conversations(files: Sequence[Path], standard_input: IO[bytes]) -> list[Named]:
    """Read all files, or standard input when there are none.

    Raises:
        DiasumError: nothing given, a missing, empty or unreadable file, a broken jsonl line (file and line are named).
    """
    if not files:
        if standard_input.isatty():
            raise DiasumError(
                "There is nothing to summarise.",
                hint="Give files, or pipe a conversation in: cat chat.txt | diasum summarize",
            )
        return _read(standard_input.read(MOST_BYTES + 1), "standard input", jsonl=None)
    found: list[Named] = []
    for file in files:
        try:
            with file.open("rb") as handle:
                content = handle.read(MOST_BYTES + 1)
        except FileNotFoundError:
            siblings = [p.name for p in file.parent.iterdir()] if file.parent.is_dir() else []
            raise DiasumError(f"No file at {file}.", hint=near_misses(file.name, siblings)) from None
        except OSError as error:
            raise DiasumError(f"{file} cannot be read: {error.strerror}.") from None
        found += _read(content, str(file), jsonl=file.suffix in (".jsonl", ".ndjson"))
    return found


def _read(content: bytes, where: str, *, jsonl: bool | None) -> list[Named]:
    if len(content) > MOST_BYTES:
        raise DiasumError(f"{where} is larger than {MOST_BYTES >> 20} MiB.", hint="Split it into several files.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DiasumError(
            f"{where} is not UTF-8 text (byte {error.start}).", hint="Convert it: iconv -f latin1 -t utf-8 FILE"
        ) from None
    if not text.strip():
        raise DiasumError(f"{where} is empty.", hint="Expected text such as `Anna: Are you coming?`, one turn a line.")
    if jsonl is None:
        jsonl = _looks_like_json(text)
    if not jsonl:
        return [Named(Path(where).stem if where != "standard input" else "1", as_dialogue(text))]
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    return [_from_line(line, number, where) for number, line in lines]


def _looks_like_json(text: str) -> bool:
    first = next(line for line in text.splitlines() if line.strip())
    try:
        return isinstance(json.loads(first), dict | list)
    except ValueError:
        return False


def _from_line(line: str, number: int, where: str) -> Named:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise DiasumError(
            f"{where}, line {number}: not valid JSON ({error}).", hint="Each line must be one JSON object."
        ) from None
    name: Any = number
    if isinstance(record, dict):
        name = record.get("id", number)
        key = next((key for key in DIALOGUE_KEYS if key in record), None)
        if key is None:
            raise DiasumError(
                f"{where}, line {number}: no conversation found; its keys are {', '.join(map(str, record)) or 'none'}.",
                hint=near_misses("dialogue", DIALOGUE_KEYS),
            )
        record = record[key]
    if not isinstance(record, str | list):
        raise DiasumError(f"{where}, line {number}: expected a text or a list of turns, found {type(record).__name__}.")
    try:
        return Named(str(name), as_dialogue(record))
    except DiasumError as error:
        raise DiasumError(f"{where}, line {number}: {error.message}", hint=error.hint) from None
