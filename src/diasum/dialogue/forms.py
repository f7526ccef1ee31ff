"""The forms in which a conversation, or many, may be handed over; cells of tables, files and Python calls are read alike.

In: text, a `Dialogue`, a list of turns, columns of turns, an object that holds one of these, or a list written as JSON. Out: `Dialogue`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from diasum.dialogue import assistants
from diasum.dialogue.names import (
    DIALOGUE_NAMES,
    END_KEYS,
    SPEAKER_KEYS,
    START_KEYS,
    TEXT_KEYS,
    UNMISTAKABLE_NAMES,
    find_name,
)
from diasum.dialogue.text import one_line, parse_dialogue, seconds
from diasum.dialogue.turns import Dialogue, Turn
from diasum.errors import DiasumError

Conversation = str | Dialogue | Mapping[str, Any] | Sequence[Any]

EXPECTED = (
    "Expected text (`Anna: Are you coming?`, one turn per line), a list of turns (objects with speaker and text, or pairs), "
    "or an object with one of these under `dialogue`."
)
_KEYS_EXPECTED = (
    f"A whole conversation is expected under one of: {', '.join(DIALOGUE_NAMES)}. Of a file, `diasum summarize "
    "--dialogue-column NAME` names another."
)


class NoConversation(ValueError):
    """None of an object's keys is a usual name of a conversation."""


def as_dialogue(conversation: Any, name: str = "The conversation", *, may_be_empty: bool = False) -> Dialogue:
    """Read a conversation in any of the accepted forms.

    Args:
        conversation: text, a `Dialogue`, a list of turns (objects with speaker and text under any of the usual names, pairs, or lines of
            text), ``{"speaker": [...], "text": [...]}``, an object with one of these under ``dialogue``, ``turns`` or another usual
            name, or a list of turns written as JSON. None and not-a-number, as tables write what is missing, are empty.
        name: what to call it in errors.
        may_be_empty: whether it may hold no words.

    Raises:
        DiasumError: its turns cannot be read, or it is empty and may not be.
    """
    try:
        dialogue = _read(conversation)
    except RecursionError:
        raise DiasumError(f"{name} cannot be read: it is nested too deeply.", hint=EXPECTED) from None
    except ValueError as error:
        hint = _KEYS_EXPECTED if isinstance(error, NoConversation) else EXPECTED
        raise DiasumError(f"{name} cannot be read: {error}.", hint=hint) from None
    if not may_be_empty and dialogue.is_empty:
        raise DiasumError(f"{name} is empty.", hint="None of its turns has any text: leave it out, or add some.")
    return dialogue


def conversation_in(record: Mapping[str, Any]) -> Any:
    """What an object or a row of a table holds as its conversation, in one of the other forms.

    Raises:
        NoConversation: it has none under any of the usual names.
    """
    key = find_name(record, UNMISTAKABLE_NAMES)
    if key is None and (turns := columns_of_turns(record)) is not None:
        return turns
    key = key or find_name(record, DIALOGUE_NAMES)
    if key is None:
        raise NoConversation(f"none of its keys names a conversation: {', '.join(map(str, record)) or 'it has none'}")
    return record[key]


def columns_of_turns(record: Mapping[str, Any]) -> list[Any] | None:
    """The turns of what `datasets` makes of a list of turns: a list of texts, with lists of speakers and times; None for others."""
    names = {known[0]: find_name(record, known) for known in (SPEAKER_KEYS, TEXT_KEYS, START_KEYS, END_KEYS)}
    columns = {kind: record[name] for kind, name in names.items() if name is not None and _is_list(record[name])}
    if TEXT_KEYS[0] not in columns or len({len(column) for column in columns.values()}) > 1:
        return None
    if names[SPEAKER_KEYS[0]] is not None and SPEAKER_KEYS[0] not in columns:  # one speaker's words, in several parts
        return None
    if len(columns) == 1 and all(isinstance(text, str) for text in columns[TEXT_KEYS[0]]):
        return list(columns[TEXT_KEYS[0]])
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def is_one(value: Any) -> bool:
    """Whether a value is one conversation: a text, a `Dialogue`, an object, or a list of turns."""
    return isinstance(value, str | Dialogue | Mapping) or (
        isinstance(value, Sequence)
        and len(value) > 0
        and all(_is_turn(item) and not _holds_conversation(item) for item in value)
    )


def as_list(conversations: Any) -> list[Any]:
    """The items of a list of conversations, or of any other one-dimensional collection.

    Raises:
        DiasumError: `conversations` is not a list of conversations.
    """
    no_list = isinstance(conversations, str | bytes | Dialogue | Mapping)
    if no_list or not isinstance(conversations, Iterable) or getattr(conversations, "ndim", 1) != 1:
        raise DiasumError(
            f"Expected a conversation, found {type(conversations).__name__}.",
            hint=f"{EXPECTED} A list of these is summarised one by one.",
        )
    return list(conversations)


def _read(value: Any) -> Dialogue:
    """Raises ValueError with what is wrong, so that the caller can add where."""
    if isinstance(value, Dialogue):
        return value
    if value is None or value != value:  # not-a-number, as tables write what is missing
        return Dialogue(())
    if isinstance(value, str):
        rows = _json_rows(value)
        return parse_dialogue(value) if rows is None else _from_rows(rows)
    if isinstance(value, Mapping):
        return _read(conversation_in(value))
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return _from_rows(value)
    raise ValueError(f"expected text or a list of turns, found {type(value).__name__} {str(value)[:40]!r}")


def _from_rows(rows: Iterable[Mapping[str, Any] | Sequence[Any] | str]) -> Dialogue:
    """Make a dialogue of a list of turns: objects, ``(speaker, text)`` pairs, or strings.

    Strings alone are read together, as the lines of one text; turns without words are left out.
    """
    rows = list(rows)
    if assistants.name_of(rows):
        spoken = [one for one in assistants.messages(cast(list[Mapping[str, Any]], rows)) if one.kind is None]
        return Dialogue(tuple(Turn(one_line(one.speaker), text) for one in spoken if (text := one_line(one.text))))
    if rows and all(isinstance(row, str) for row in rows):
        return parse_dialogue("\n".join(one_line(str(row)) for row in rows))
    turns: list[Turn] = []
    for number, row in enumerate(rows, 1):
        if isinstance(row, str):
            turns += [replace(turn, id=None, source=None) for turn in parse_dialogue(row).turns]
        elif isinstance(row, Mapping):
            turns.append(_turn(row, number))
        elif isinstance(row, Sequence) and len(row) == 2:
            turns.append(Turn(_plain(row[0]), _plain(row[1])))
        else:
            raise ValueError(f"turn {number} is neither an object nor a (speaker, text) pair")
    return Dialogue(tuple(turn for turn in turns if turn.text))


def _turn(row: Mapping[str, Any], number: int) -> Turn:
    cells = {str(key).lower(): value for key, value in row.items()}
    if cells.keys().isdisjoint(TEXT_KEYS):
        raise ValueError(
            f"turn {number} has no text: expected one of {', '.join(TEXT_KEYS)}, found {', '.join(map(str, row))}"
        )
    speaker, text = _plain(_first(cells, SPEAKER_KEYS)), _plain(_first(cells, TEXT_KEYS))
    return Turn(speaker, text, seconds(_first(cells, START_KEYS)), seconds(_first(cells, END_KEYS)))


def _is_turn(value: Any) -> bool:
    """Whether a value is one turn: an object with a text under one of the usual names, or a (speaker, text) pair.

    A text of several lines is one only beside a speaker: by itself it may be a whole conversation.
    """
    if isinstance(value, Mapping):
        cells = {str(key).lower(): cell for key, cell in value.items()}
        if cells.keys().isdisjoint(TEXT_KEYS):
            return False
        return not cells.keys().isdisjoint(SPEAKER_KEYS) or "\n" not in str(_first(cells, TEXT_KEYS)).strip()
    pair = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
    return pair and all(part is None or isinstance(part, str) for part in value)


def _holds_conversation(value: Any) -> bool:
    """Whether an object is a conversation and not one of its turns, which has a ``text``, too."""
    return isinstance(value, Mapping) and (
        find_name(value, UNMISTAKABLE_NAMES) is not None or columns_of_turns(value) is not None
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _plain(value: Any) -> str:
    """A cell as one line: text; a named object (``{"name": ...}``); a list of text parts as chat interfaces export them."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, Mapping):
        inner = {str(key).lower(): item for key, item in value.items()}
        return _plain(_first(inner, ("name", "display_name", *SPEAKER_KEYS, *TEXT_KEYS)))
    if isinstance(value, Sequence):
        return " ".join(part for part in map(_plain, value) if part)
    return one_line(str(value)) if value is not None else ""


def _json_rows(text: str) -> list[Any] | None:
    text = text.strip()
    if not (text.startswith(("[{", "[[", '["')) and text.endswith("]")):
        return None
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or none that anybody wrote: then it is text
        return None
    return rows if isinstance(rows, list) else None


def _first(cells: Mapping[str, Any], keys: Iterable[str]) -> Any:
    return next((cells[key] for key in keys if cells.get(key) is not None), None)
