"""Telegram Desktop's JSON: one chat, a whole account, texts in pieces, and what is no speech."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from diasum.errors import DiasumError
from tests.dialogue.formats.reading import read, read_all, turns


def message(number: int, text: Any, who: str | None = "Ana", **more: Any) -> dict[str, Any]:
    return {
        "id": number, "type": "message", "date": f"2024-05-12T10:00:{number:02}", "date_unixtime": str(1715500000 + number),
        "from": who, "from_id": f"user{len(who or '')}", "text": text, **more,
    }  # fmt: skip


MESSAGES = [
    {"id": 1, "type": "service", "date": "2024-05-12T10:00:01", "actor": "Ana", "action": "create_group", "title": "Trip", "text": ""},
    message(2, ["Hi ", {"type": "bold", "text": "all"}, "."]),
    message(3, "", "Ben", photo="photos/1.jpg", width=1),
    message(4, ["Look: ", {"type": "link", "text": "https://x.org"}], "Ben", photo="photos/2.jpg", edited="2024-05-12T10:01:00",
            reactions=[{"type": "emoji", "count": 2, "emoji": "👍"}]),
    message(5, "", "Ben", media_type="sticker", sticker_emoji="😀", file="s.webp"),
    {"id": 6, "type": "service", "date": "2024-05-12T10:00:06", "actor": "Cy", "action": "join_group_by_link", "text": ""},
    {"id": 7, "type": "service", "date": "2024-05-12T10:00:07", "actor": "Ana", "action": "phone_call", "duration_seconds": 3, "text": ""},
    message(8, "", poll={"question": "Lunch?", "answers": []}),
    message(9, "", location_information={"latitude": 1, "longitude": 2}),
    message(10, "Bye", None, reply_to_message_id=2),
]  # fmt: skip
CHAT = {"name": "Trip", "type": "private_group", "id": 7, "messages": MESSAGES}


def test_one_chat() -> None:
    one = read(json.dumps(CHAT, indent=1) + "\n")
    assert turns(one) == [("Ana", "Hi all."), ("Ben", "Look: https://x.org"), ("user0", "Bye")]
    assert one.left_out == {
        "notice": 1, "media": 2, "edit": 1, "reaction": 1, "sticker": 1, "join": 1, "call": 1, "poll": 1, "location": 1,
    }  # fmt: skip
    assert (one.id, one.reason) == ("Trip", "Telegram export of a chat")
    assert one.began == datetime(2024, 5, 12, 10, 0, 2)
    assert [turn.source for turn in one.dialogue.turns] == ["2", "4", "10"]
    kept = read(json.dumps(CHAT) + "\n", keep_nonspeech=True)
    assert ("Ana", "(create group: Trip)") in turns(kept)
    assert ("Ben", "(😀)") in turns(kept)


def test_a_whole_account() -> None:
    account = {
        "about": "Here is the data you requested.",
        "personal_information": {"first_name": "Ana"},
        "contacts": {"about": "", "list": [{"first_name": "Ben"}]},
        "chats": {
            "about": "x",
            "list": [CHAT, {"name": "Ben", "type": "personal_chat", "id": 8, "messages": [message(1, "Yo", "Ben")]}],
        },
        "left_chats": {"about": "y", "list": [{"type": "saved_messages", "id": 9, "messages": []}]},
    }
    first, second, third = read_all(json.dumps(account, indent=1) + "\n")
    assert [one.id for one in (first, second, third)] == ["Trip", "Ben", None]
    assert turns(first)[0] == ("Ana", "Hi all.")
    assert (turns(second), second.where) == ([("Ben", "Yo")], "the text: Ben")
    assert third.dialogue.is_empty
    only_chats = {"chats": account["chats"]}
    assert len(read_all(json.dumps(only_chats) + "\n")) == 2


def test_a_file_that_ends_early() -> None:
    text = json.dumps(CHAT)
    with pytest.raises(DiasumError, match="the text: not valid JSON"):
        read(text[: len(text) // 2] + "\n")


def test_bytes_of_another_encoding() -> None:
    text = json.dumps({**CHAT, "messages": [message(1, "Grüße", "Ünal")]}, ensure_ascii=False)
    for encoding in ("utf-8-sig", "utf-16"):
        assert turns(read(text.encode(encoding))) == [("Ünal", "Grüße")]


def test_values_that_nobody_expects() -> None:
    odd: list[Any] = [
        7,
        None,
        {"id": None},
        message(1, {"a": []}),
        message(2, [None, 7, {"text": 3}, "x"]),
        {**message(3, "y"), "date": 9},
    ]
    one = read(json.dumps({**CHAT, "messages": [message(0, "z"), *odd]}) + "\n")
    assert [text for _, text in turns(one)] == ["z", "x", "y"]
