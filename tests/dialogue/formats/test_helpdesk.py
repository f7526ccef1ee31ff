"""Zendesk's tickets with their comments and Intercom's conversations with their parts, however they are put together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from diasum.dialogue.read import iter_dialogues
from tests.data.tables import load
from tests.dialogue.formats.reading import read, read_all, turns

TICKETS: list[dict[str, Any]] = [
    {
        "id": 35,
        "subject": "Late",
        "description": "My order is late.",
        "requester": {"id": 11, "name": "Ana Li", "email": "ana@x.org"},
        "comments": [
            {"id": 2, "author_id": 12, "html_body": "<p>We look.</p>", "public": True, "created_at": "2024-05-12T10:02:00Z"},
            {"id": 1, "author_id": 11, "plain_body": "My order is late.", "body": "Late.", "created_at": "2024-05-12T10:00:00Z"},
            {"id": 3, "author_id": 12, "body": "Lost, I fear.", "public": False, "created_at": "2024-05-12T10:03:00Z"},
            {"id": 4, "author_id": 11, "body": "", "attachments": [{"file_name": "a.png"}], "created_at": "2024-05-12T10:04:00Z"},
        ],
    },
    {"id": 36, "comments": [{"id": 5, "author": {"name": "Cem"}, "body": "Reset: fails.", "created_at": "2024-05-12T11:00:00Z"}]},
]  # fmt: skip
USERS = [{"id": 12, "name": "Support"}, {"id": 13, "name": "Zoe"}]
EXPECTED = [
    ("35", [("Ana Li", "My order is late."), ("Support", "We look."), ("Support", "Lost, I fear.")]),
    ("36", [("Cem", "Reset: fails.")]),
]


def written(tree: Any) -> bytes:
    return json.dumps(tree).encode()


def test_tickets_with_the_names_of_their_users() -> None:
    found = read_all(written({"tickets": TICKETS, "users": USERS, "count": 2}))
    assert [(one.id, turns(one)) for one in found] == EXPECTED
    assert found[0].left_out == {"file": 1}
    assert found[0].notes == ("the bytes: notes that customers do not see are read, too.",)
    assert [turn.start for turn in found[0].dialogue.turns] == [0, 120, 180]
    assert found[0].dialogue.turns[0].source == "1"
    assert found[0].reason == "Zendesk tickets with their comments (JSON)"


@pytest.mark.parametrize(
    "content",
    [
        written(TICKETS),
        "".join(json.dumps(ticket) + "\n" for ticket in TICKETS).encode(),
        written({"data": TICKETS}),
    ],
    ids=["list", "lines", "data"],
)
def test_users_that_nothing_names(content: bytes) -> None:
    first, second = read_all(content)
    assert turns(first)[1] == ("user 12", "We look.")
    assert turns(second) == EXPECTED[1][1]


def test_the_comments_of_one_ticket(tmp_path: Path) -> None:
    (tmp_path / "ticket.json").write_bytes(written({"comments": TICKETS[0]["comments"], "users": USERS}))
    one = read(tmp_path / "ticket.json")
    assert one.id == "ticket"
    assert turns(one) == [("user 11", "My order is late."), *EXPECTED[0][1][1:]]


CONVERSATION = {
    "type": "conversation",
    "id": "5",
    "created_at": 1715500800,
    "source": {"id": "1", "body": "<p>Hi &amp; hello</p>", "author": {"type": "user", "id": "u", "name": "Ana"}},
    "conversation_parts": {
        "conversation_parts": [
            {"id": "3", "part_type": "comment", "body": "<p>Yes?</p>", "created_at": 1715500860,
             "author": {"type": "admin", "id": "a", "name": None, "email": "ben@x.org"}},
            {"id": "2", "part_type": "assignment", "body": None, "created_at": 1715500810, "author": {"type": "bot", "id": "7"}},
            {"id": "4", "part_type": "close", "body": "Done", "created_at": 1715500870, "author": {"type": "bot", "id": "7"}},
        ],
    },
}  # fmt: skip
SAID = [("Ana", "Hi & hello"), ("ben@x.org", "Yes?"), ("bot 7", "Done")]


@pytest.mark.parametrize(
    "tree",
    [CONVERSATION, [CONVERSATION], {"type": "conversation.list", "conversations": [CONVERSATION], "pages": {}}],
    ids=["one", "list", "answer"],
)
def test_conversations_of_intercom(tree: Any) -> None:
    one = read(written(tree))
    assert (one.id, one.left_out, one.reason) == ("5", {"notice": 1}, "Intercom conversations (JSON)")
    assert turns(one) == SAID
    assert [turn.start for turn in one.dialogue.turns] == [0, 60, 70]


def test_they_are_a_corpus(tmp_path: Path) -> None:
    (tmp_path / "tickets.jsonl").write_bytes(b"".join(written(ticket) + b"\n" for ticket in TICKETS))
    corpus = load(tmp_path / "tickets.jsonl", need_summaries=False)
    assert [pair.id for pair in corpus.split("all")] == ["35", "36"]
    assert [one.id for one in iter_dialogues(tmp_path / "tickets.jsonl")] == ["35", "36"]
