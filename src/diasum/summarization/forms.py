"""The forms in which a conversation, or many, may be handed over; files and Python calls are read alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diasum.data.columns import DIALOGUE_NAMES, find_name
from diasum.dialogue import Dialogue, is_turn
from diasum.dialogue import as_dialogue as read
from diasum.dialogue.turns import SPEAKER_KEYS, TEXT_KEYS
from diasum.errors import DiasumError

Conversation = str | Dialogue | Mapping[str, Any] | Sequence[Any]

EXPECTED = (
    "Expected text (`Anna: Are you coming?`, one turn a line), a list of turns (objects with speaker and text, or pairs), "
    "or an object with one of these under `dialogue`."
)


def as_dialogue(conversation: Any, name: str = "The conversation", *, may_be_empty: bool = False) -> Dialogue:
    """Read a conversation in any of the accepted forms; `name` says in errors which one it is.

    Raises:
        DiasumError: its turns cannot be read, or it is empty and may not be.
    """
    if isinstance(conversation, Mapping):
        conversation = _within(conversation, name)
    try:
        dialogue = read(conversation)
    except ValueError as error:
        raise DiasumError(f"{name} cannot be read: {error}.", hint=EXPECTED) from None
    if not may_be_empty and dialogue.is_empty:
        raise DiasumError(f"{name} is empty.", hint="No turn of it has a text: leave it out, or give it one.")
    return dialogue


def is_one(value: Any) -> bool:
    """Whether a value is one conversation: a text, a `Dialogue`, an object, or a list of turns."""
    return isinstance(value, str | Dialogue | Mapping) or (
        isinstance(value, Sequence)
        and len(value) > 0
        and all(is_turn(item) and not _holds_conversation(item) for item in value)
    )


def as_list(conversations: Any) -> list[Any]:
    """The items of a list of conversations, or of any other one-dimensional collection.

    Raises:
        DiasumError: it is none.
    """
    no_list = isinstance(conversations, str | bytes | Dialogue | Mapping)
    if no_list or not isinstance(conversations, Iterable) or getattr(conversations, "ndim", 1) != 1:
        raise DiasumError(
            f"Expected a conversation, found {type(conversations).__name__}.",
            hint=f"{EXPECTED} A list of such is summarised one by one.",
        )
    return list(conversations)


def _within(record: Mapping[str, Any], name: str) -> Any:
    """The conversation that an object holds, or the object itself where it has columns of turns."""
    if not _holds_conversation(record) and _has_columns(record):
        return record
    key = find_name(record, DIALOGUE_NAMES)
    if key is not None:
        return record[key]
    raise DiasumError(
        f"{name} cannot be found: its keys are {', '.join(map(str, record)) or 'none'}.",
        hint=f"A whole conversation is expected under one of: {', '.join(DIALOGUE_NAMES)}. Of a file, `diasum summarize "
        "--dialogue-column NAME` names another.",
    )


def _has_columns(record: Mapping[str, Any]) -> bool:
    """Whether it is what `datasets` makes of a list of turns: a list of speakers and a list of texts."""
    lists = {str(key).lower() for key, value in record.items() if isinstance(value, list | tuple)}
    return not lists.isdisjoint(SPEAKER_KEYS) and not lists.isdisjoint(TEXT_KEYS)


def _holds_conversation(value: Any) -> bool:
    """Whether an object is a conversation and not one of its turns, which has a ``text``, too."""
    return isinstance(value, Mapping) and find_name(value, [n for n in DIALOGUE_NAMES if n != "text"]) is not None
