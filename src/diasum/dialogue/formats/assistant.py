"""What people export of their conversations with ChatGPT and Claude: `conversations.json`, alone or in the zip archive that is sent.

ChatGPT keeps a tree of messages (`mapping`), as questions can be changed and answers asked for again: read is the branch that was seen
last (`current_node`); messages of others are counted. Claude keeps a list (`chat_messages`). A stream: memory holds one conversation.
https://help.openai.com/en/articles/7260999, https://support.anthropic.com/en/articles/9450526
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from diasum.dialogue.assistants import RoleMessage, as_message
from diasum.dialogue.files.times import Times
from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.json_stream import items, names_of
from diasum.dialogue.formats.messages import Aside, Conversation, Message
from diasum.dialogue.formats.recognised import objects
from diasum.dialogue.formats.source import Source

_FILE = re.compile(r"conversations(?:-\d+)?\.json")
_BESIDE = (
    "chat.html",
    "user.json",
    "users.json",
    "projects.json",
    "message_feedback.json",
    "shared_conversations.json",
)
_TIMES = Times([])


def recognises(head: Head) -> Evidence | None:
    """By trees of messages, or Claude's lists; of a folder or archive, by the names in it."""
    if head.members:
        names = {PurePosixPath(name).name for name in head.members}
        found = any(map(_FILE.fullmatch, names)) and not names.isdisjoint(_BESIDE)
        return Evidence(Strength.CERTAIN, "export of an assistant's conversations") if found else None
    records = [head.tree] if isinstance(head.tree, Mapping) else objects(head.tree)
    return next((Evidence(Strength.CERTAIN, reason) for one in records if (reason := _reason(one))), None)


def read(source: Source) -> Iterator[Conversation]:
    """Its conversations.

    Raises:
        DiasumError: it is no JSON, or ends early.
    """
    if source.is_container:
        for member in source.members:
            if _FILE.fullmatch(PurePosixPath(member.within).name):
                yield from read(member)
        return
    records = [source.json()] if isinstance(source.head.tree, Mapping) else items(source, [""])
    for number, record in enumerate(records, 1):
        if isinstance(record, Mapping):
            yield _conversation(record, source, number)


def _reason(record: Mapping[str, Any]) -> str | None:
    mapping = record.get("mapping")
    if isinstance(mapping, Mapping) and all(isinstance(node, Mapping) for node in mapping.values()):
        return "ChatGPT export"
    return "Claude export" if isinstance(record.get("chat_messages"), list) else None


def _conversation(record: Mapping[str, Any], source: Source, number: int) -> Conversation:
    name = names_of(record, "title", "name") or names_of(record, "conversation_id", "id", "uuid")
    conversation = Conversation((), f"{source.where}, item {number}", name or None, _reason(record), may_split=False)
    mapping = record.get("mapping")
    if isinstance(mapping, Mapping):
        nodes = {key: node for key, node in mapping.items() if isinstance(node, Mapping)}
        branch = _branch(nodes, record.get("current_node"))
        others = (message for key, node in nodes.items() if key not in branch and (message := _of_node(node)))
        conversation.messages = [
            *(message for key in branch if (message := _of_node(nodes[key]))),
            *(replace(message, kind=message.kind or "branch") for message in others),
        ]
    else:
        conversation.messages = [_of_claude(one) for one in objects(record.get("chat_messages"))]
    return conversation


def _branch(nodes: Mapping[str, Mapping[str, Any]], last: Any) -> dict[str, None]:
    """The keys from the root to the node that was seen last; without one, to the newest answers. Links that lead nowhere end it."""
    parents = {key: parent for key, node in nodes.items() if _leads(parent := node.get("parent"), nodes)}
    node = last if _leads(last, nodes) else _newest(nodes, next((key for key in nodes if key not in parents), None))
    branch: dict[str, None] = {}
    while node is not None and node not in branch:
        branch[node] = None
        node = parents.get(node)
    return dict.fromkeys(reversed(branch))


def _newest(nodes: Mapping[str, Mapping[str, Any]], root: str | None) -> str | None:
    """The node at the end of the newest answers."""
    node, seen = root, {root}
    while node is not None:
        children = nodes[node].get("children")
        after = [key for key in children if _leads(key, nodes)] if isinstance(children, list) else []
        new = [key for key in after if key not in seen]
        if not new:
            break
        node = new[-1]
        seen.add(node)
    return node


def _leads(link: object, nodes: Mapping[str, Any]) -> bool:
    return isinstance(link, str) and link in nodes


def _of_node(node: Mapping[str, Any]) -> Message | None:
    """A node's message; None where it has none, or an empty one that no one wrote."""
    message = node.get("message")
    if not isinstance(message, Mapping):
        return None
    author, content, about = (_object(message.get(key)) for key in ("author", "content", "metadata"))
    role = names_of(author, "role")
    if about.get("is_visually_hidden_from_conversation") or content.get("content_type") == "user_editable_context":
        role = "system"
    elif message.get("recipient") not in (None, "all") or content.get("content_type") not in _SAID:
        role = "tool"
    parts = content.get("parts", content.get("text"))
    one = as_message(role, parts, name=author.get("name"))
    if role in ("system", "tool") and not one.media and one.text.strip() in ("", "null"):
        return None
    return _message(one, _TIMES.time(message.get("create_time")), names_of(message, "id"))


_SAID = (None, "text", "multimodal_text")


def _of_claude(one: Mapping[str, Any]) -> Message:
    texts = one.get("text") or [part for part in objects(one.get("content")) if part.get("type") == "text"]
    asides = tuple(
        Aside("file", names_of(file, "file_name") or "file")
        for key in ("attachments", "files")
        for file in objects(one.get(key))
    )
    message = _message(
        as_message(names_of(one, "sender"), texts), _TIMES.time(one.get("created_at")), names_of(one, "uuid")
    )
    kind = None if asides and message.kind == "empty" else message.kind
    return replace(message, kind=kind, asides=asides)


def _message(one: RoleMessage, time: Any, identifier: str) -> Message:
    asides = tuple(Aside("media", part) for part in one.media)
    return Message(one.speaker, one.text, one.kind, time, source=identifier or None, asides=asides)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
