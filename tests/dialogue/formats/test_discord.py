"""Discord channels as DiscordChatExporter writes them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.dialogue.formats.reading import read, turns

ANA = {"id": "1", "name": "ana", "discriminator": "0000", "nickname": "Ana", "isBot": False}
BEN = {"id": "2", "name": "ben", "nickname": None, "isBot": False}


def message(number: int, content: str, author: dict[str, Any] = ANA, **more: Any) -> dict[str, Any]:
    return {
        "id": str(number), "type": "Default", "timestamp": f"2024-05-12T10:00:{number:02}.123+02:00", "timestampEdited": None,
        "isPinned": False, "content": content, "author": author, "attachments": [], "embeds": [], "stickers": [], "reactions": [],
        "mentions": [], **more,
    }  # fmt: skip


EXPORT = {
    "guild": {"id": "0", "name": "Team"},
    "channel": {"id": "5", "type": "GuildTextChat", "category": "Text", "name": "general", "topic": None},
    "dateRange": {"after": None, "before": None},
    "exportedAt": "2024-05-13T00:00:00+00:00",
    "messages": [
        message(1, "Joined the server.", type="GuildMemberJoin"),
        message(
            2,
            "Lunch, <@2>? <:yum:99>",
            mentions=[{**BEN, "nickname": "Ben"}],
            timestampEdited="2024-05-12T10:01:00+02:00",
        ),
        message(3, "", BEN, attachments=[{"id": "9", "url": "u", "fileName": "a.png", "fileSizeBytes": 1}]),
        message(
            4, "Yes", BEN, type="Reply", reference={"messageId": "2"}, reactions=[{"emoji": {"name": "👍"}, "count": 1}]
        ),
        message(5, "Pinned a message.", type="ChannelPinnedMessage"),
        message(6, "", {**BEN, "name": "bot", "isBot": True}, embeds=[{"title": "Build 7", "description": "passed"}]),
        message(7, "Started a call that lasted 3 minutes.", type="Call"),
        message(8, "", stickers=[{"id": "1", "name": "wave"}]),
    ],
    "messageCount": 8,
}


def test_a_channel() -> None:
    one = read(json.dumps(EXPORT, indent=2) + "\n")
    assert turns(one) == [("Ana", "Lunch, @Ben? :yum:"), ("ben", "Yes"), ("bot", "Build 7 passed")]
    assert one.left_out == {"join": 1, "edit": 1, "media": 1, "reaction": 1, "notice": 1, "call": 1, "sticker": 1}
    assert (one.id, one.format) == ("general", "discord")
    assert one.reason == "Discord export (DiscordChatExporter)"
    assert one.began == datetime(2024, 5, 12, 10, 0, 2, 123000, timezone(timedelta(hours=2)))
    assert [turn.source for turn in one.dialogue.turns] == ["2", "4", "6"]
    assert [turn.start for turn in one.dialogue.turns] == [0, 2, 4]


def test_values_that_nobody_expects() -> None:
    odd: list[Any] = [
        3,
        {"author": 7, "content": None},
        {**message(9, "x"), "author": None, "timestamp": 4, "reactions": [1], "embeds": 2},
    ]
    assert turns(read(json.dumps({**EXPORT, "messages": odd}) + "\n")) == [("", "x")]
