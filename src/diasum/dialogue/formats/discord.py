"""Channels of Discord as DiscordChatExporter writes them in JSON.

https://github.com/Tyrrrz/DiscordChatExporter (JsonMessageWriter.cs has the keys). The file is read as a stream, a message at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.json_stream import groups, names_of
from diasum.dialogue.formats.messages import Aside, Conversation, Message
from diasum.dialogue.formats.source import Source

_SPEECH = (
    "Default",
    "Reply",
    "ThreadStarterMessage",
    "ChatInputCommand",
    "ContextMenuCommand",
    "0",
    "19",
    "20",
    "21",
    "23",
)
_JOINS = ("GuildMemberJoin", "RecipientAdd", "RecipientRemove", "UserJoin", "1", "2", "7")
_CALLS = ("Call", "3")
# Emoji and times as they stand in a message: <:name:123>, <a:name:123>, <t:1715500000:R>
_EMOJI = re.compile(r"<a?(:\w+:)\d+>")
_MENTION = re.compile(r"<(@[!&]?|#)(\d+)>")


def recognises(head: Head) -> Evidence | None:
    """By the keys of an export: a guild, a channel, messages."""
    if head.members or not (head.keys >= {"guild", "channel"} and head.keys & {"messages", "dateRange", "exportedAt"}):
        return None
    return Evidence(Strength.CERTAIN, "Discord export (DiscordChatExporter)")


def read(source: Source) -> Iterator[Conversation]:
    """The channel's one conversation.

    Raises:
        DiasumError: the file is no JSON, or ends early.
    """
    for group in groups(source, ("",), "messages"):
        channel = group.about.get("channel")
        title = names_of(channel, "name") if isinstance(channel, Mapping) else ""
        yield Conversation(map(_message, group.items), source.where, title or source.stem)


def _message(record: Any) -> Message:
    if not isinstance(record, Mapping):
        return Message("", str(record), "notice")
    author = record.get("author")
    speaker = names_of(author, "nickname", "name", "id") if isinstance(author, Mapping) else ""
    text = _text(record)
    asides = tuple(_asides(record, bool(text.strip())))
    identifier = record.get("id")
    return Message(
        speaker,
        text if text.strip() or not asides else asides[0].text,
        _kind(record, text, asides),
        _time(record.get("timestamp")),
        source=None if identifier is None else str(identifier),
        asides=asides if text.strip() else asides[1:],
    )


def _text(record: Mapping[str, Any]) -> str:
    """The words, with the names of who and what is mentioned; those of an embed where a bot writes nothing else."""
    content = record.get("content")
    text = content if isinstance(content, str) else ""
    names = {
        str(one.get("id")): names_of(one, "nickname", "name")
        for one in record.get("mentions") or ()
        if isinstance(one, Mapping)
    }
    text = _MENTION.sub(lambda match: f"{match[1][0]}{names.get(match[2]) or match[2]}", text)
    text = _EMOJI.sub(r"\1", text)
    if text.strip():
        return text
    embeds = record.get("embeds")
    parts = [
        names_of(embed, key)
        for embed in (embeds if isinstance(embeds, list) else [])
        if isinstance(embed, Mapping)
        for key in ("title", "description")
    ]
    return "\n".join(part for part in parts if part)


def _kind(record: Mapping[str, Any], text: str, asides: tuple[Aside, ...]) -> str | None:
    kind = str(record.get("type", "Default"))
    if kind in _JOINS:
        return "join"
    if kind in _CALLS:
        return "call"
    if kind not in _SPEECH:
        return "notice"
    if text.strip():
        return None
    return asides[0].kind if asides else "empty"


def _asides(record: Mapping[str, Any], has_text: bool) -> Iterator[Aside]:
    for key, kind in (("attachments", "media"), ("stickers", "sticker")):
        items = record.get(key)
        for item in items if isinstance(items, list) else []:
            if isinstance(item, Mapping):
                yield Aside(kind, names_of(item, "fileName", "name", "url") or kind)
    if has_text and record.get("timestampEdited"):
        yield Aside("edit", "(edited)")
    reactions = record.get("reactions")
    for reaction in reactions if isinstance(reactions, list) else []:
        emoji = reaction.get("emoji") if isinstance(reaction, Mapping) else None
        if isinstance(reaction, Mapping):
            name = names_of(emoji, "name", "code") if isinstance(emoji, Mapping) else ""
            yield Aside("reaction", f"{name} x {reaction.get('count', 1)}")


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None
