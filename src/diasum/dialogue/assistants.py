"""Conversations with assistants, by role: the messages of OpenAI's interface and the conversations of ShareGPT.

In: a list of objects. Out: what is said, and what is not: the system prompt instructs and is no speaker, and calls of tools and their
results are no speech. Shapes: https://platform.openai.com/docs/api-reference/chat (`role`, `content`, in parts or not) and the data sets
that fine-tuning kits call ShareGPT (`from`, `value`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_SPEAKERS = frozenset(("user", "assistant", "human", "gpt", "chatgpt", "bot", "model", "ai", "bing", "bard"))
_INSTRUCTIONS = frozenset(("system", "developer"))
_TOOLS = frozenset(("tool", "function", "function_call", "tool_call", "observation", "tool_response", "ipython"))
_ROLES = _SPEAKERS | _INSTRUCTIONS | _TOOLS
_TEXTS = ("text", "input_text", "output_text")


class RoleMessage(NamedTuple):
    """One message.

    Attributes:
        speaker: the role, or the name that a message gives.
        text: its words.
        kind: None for speech, else ``instruction``, ``tool`` or ``empty``.
        media: parts that are no text, by their types.
    """

    speaker: str
    text: str
    kind: str | None
    media: tuple[str, ...] = ()


def name_of(rows: Any) -> str | None:
    """What a list of messages is called: one of OpenAI's or of ShareGPT; None of other values."""
    if not isinstance(rows, Sequence) or isinstance(rows, str | bytes) or not rows:
        return None
    for key, other, name in (("role", "content", "OpenAI-style messages"), ("from", "value", "ShareGPT conversation")):
        if all(isinstance(row, Mapping) and key in row and (other in row or "tool_calls" in row) for row in rows):
            roles = {str(row[key]).lower() for row in rows}
            if roles <= _ROLES and roles & (_SPEAKERS | _INSTRUCTIONS):
                return name
    return None


def messages(rows: Sequence[Mapping[str, Any]]) -> list[RoleMessage]:
    """The messages of a list that `name_of` names."""
    return [_message(row) for row in rows]


def _message(row: Mapping[str, Any]) -> RoleMessage:
    role = str(row["role"] if "role" in row else row["from"])
    called = row.get("tool_calls") or row.get("function_call")
    return as_message(role, row.get("content", row.get("value")), called=called, name=row.get("name"))


def as_message(role: str, content: Any, *, called: Any = None, name: Any = None) -> RoleMessage:
    """One message.

    Args:
        role: who it is of.
        content: a text, or a list of parts.
        called: tools that are called in it.
        name: of the speaker, where the message gives one.
    """
    text, media = _content(content)
    kind: str | None
    if role.lower() in _INSTRUCTIONS:
        kind = "instruction"
    elif role.lower() in _TOOLS or (called and not text.strip()):
        kind = "tool"
        text = text or json.dumps(called, ensure_ascii=False, default=str)
    else:
        kind = None if text.strip() or media else "empty"
    return RoleMessage(name if isinstance(name, str) and name.strip() and kind is None else role, text, kind, media)


def _content(value: Any) -> tuple[str, tuple[str, ...]]:
    """The words of a content, and the types of its other parts."""
    if isinstance(value, str):
        return value, ()
    if isinstance(value, Mapping):
        value = [value]
    if not isinstance(value, Sequence):
        return "", ()
    texts: list[str] = []
    media: list[str] = []
    for part in value:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, Mapping):
            text = part.get("text", part.get("refusal"))
            if isinstance(text, str) and part.get("type", "text") in (*_TEXTS, "refusal"):
                texts.append(text)
            else:
                media.append(str(part.get("type", "part")))
    return "\n".join(texts), tuple(media)
