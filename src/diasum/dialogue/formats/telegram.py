"""Telegram Desktop's exports as JSON (`result.json`): one chat, or a whole account with many.

https://core.telegram.org/import-export (schema of the machine-readable JSON). The file is read as a stream, a message at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.json_stream import groups, names_of
from diasum.dialogue.formats.messages import Aside, Conversation, Message
from diasum.dialogue.formats.source import Source

_CHATS = frozenset(("chats", "left_chats"))
_JOINS = ("invite", "join", "remove_members", "migrate", "leave")
_MEDIA = ("photo", "file", "voice_message", "video_message", "video_file", "audio_file", "animation", "media_type")


def recognises(head: Head) -> Evidence | None:
    """By the keys of a chat, or of an account."""
    tree = head.tree
    if head.members or not isinstance(tree, dict):
        return None
    if _is_chat(tree):
        return Evidence(Strength.CERTAIN, "Telegram export of a chat")
    account = tree.keys() & {"about", "personal_information", "contacts", "frequent_contacts", "chats"}
    chats = tree.get("chats")
    if isinstance(chats, dict) and isinstance(chats.get("list"), list):
        return Evidence(Strength.CERTAIN, "Telegram export of an account")
    return Evidence(Strength.CERTAIN, "Telegram export of an account") if len(account) >= 3 else None


def read(source: Source) -> Iterator[Conversation]:
    """A conversation a chat that has messages.

    Raises:
        DiasumError: the file is no JSON, or ends early.
    """
    whole_account = bool(source.head.keys & {"chats", "about", "left_chats"})
    paths = ("chats.list.item", "left_chats.list.item") if whole_account else ("",)
    for number, group in enumerate(groups(source, paths, "messages"), 1):
        title = str(group.about.get("name") or "").strip() or None
        where = f"{source.where}: {title or f'chat {number}'}" if whole_account else source.where
        yield Conversation(map(_message, group.items), where, title or (None if whole_account else source.stem))


def _is_chat(tree: Mapping[str, Any]) -> bool:
    messages = tree.get("messages")
    if not isinstance(messages, list) or not (messages or tree.keys() >= {"name", "type", "id"}):
        return False
    first = messages[0] if messages else {"type": "message", "date": "", "from": ""}
    if not isinstance(first, dict) or first.get("type", "message") not in ("message", "service"):
        return False
    return "type" in tree and ("date" in first or not first)


def _message(record: Any) -> Message:
    if not isinstance(record, Mapping):
        return Message("", str(record), "notice")
    text = _text(record.get("text"))
    asides = tuple(_asides(record, bool(text.strip())))
    identifier = record.get("id")
    service = record.get("type") == "service"
    speaker = names_of(record, "actor") if service else names_of(record, "from", "from_id", "author")
    return Message(
        speaker,
        (_action(record) if service else text) or _placeholder(record),
        _kind(record, text, asides),
        _time(record),
        source=None if identifier is None else str(identifier),
        asides=asides if text.strip() else (),
    )


def _text(value: Any) -> str:
    """A text, or the pieces that it is in where some are bold, links or mentions: joined as they are, without spaces between."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    pieces = (piece.get("text") if isinstance(piece, Mapping) else piece for piece in value)
    return "".join(piece for piece in pieces if isinstance(piece, str))


def _kind(record: Mapping[str, Any], text: str, asides: tuple[Aside, ...]) -> str | None:
    if record.get("type") == "service":
        action = str(record.get("action") or "")
        if "call" in action:
            return "call"
        return "join" if any(word in action for word in _JOINS) else "notice"
    if text.strip():
        return None
    return asides[0].kind if asides else "empty"


def _asides(record: Mapping[str, Any], has_text: bool) -> Iterator[Aside]:
    """What comes with a message; the first is what it is where it has no text."""
    if record.get("media_type") == "sticker":
        yield Aside("sticker", _placeholder(record))
    elif "location_information" in record:
        yield Aside("location", _placeholder(record))
    elif "contact_information" in record:
        yield Aside("contact", _placeholder(record))
    elif "poll" in record:
        yield Aside("poll", _placeholder(record))
    elif any(key in record for key in _MEDIA):
        yield Aside("media", _placeholder(record))
    if has_text and record.get("edited"):
        yield Aside("edit", "(edited)")
    reactions = record.get("reactions")
    for reaction in reactions if isinstance(reactions, list) else []:
        if isinstance(reaction, Mapping):
            yield Aside("reaction", f"{reaction.get('emoji') or reaction.get('type')} x {reaction.get('count', 1)}")


def _placeholder(record: Mapping[str, Any]) -> str:
    """What stands for something that is no text: a poll's question, a sticker's emoji, the kind or name of a file."""
    poll = record.get("poll")
    if isinstance(poll, Mapping):
        return f"(poll: {_text(poll.get('question'))})"
    for key in ("sticker_emoji", "file_name", "media_type", "place_name"):
        if isinstance(record.get(key), str):
            return f"({record[key]})"
    kind = next((key for key in ("photo", "file", "location_information", "contact_information") if key in record), "")
    return f"({kind.removesuffix('_information')})" if kind else ""


def _action(record: Mapping[str, Any]) -> str:
    action = str(record.get("action") or "").replace("_", " ")
    what = record.get("title") or record.get("members")
    named = ", ".join(str(name) for name in what) if isinstance(what, list) else str(what or "")
    return f"({action}{f': {named}' if named else ''})" if action else ""


def _time(record: Mapping[str, Any]) -> datetime | None:
    """By the clock of the computer that exported it; None where none is given."""
    try:
        return datetime.fromisoformat(str(record["date"])).replace(tzinfo=None)
    except (KeyError, ValueError):
        return None
