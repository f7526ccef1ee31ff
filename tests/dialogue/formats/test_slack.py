"""Slack's exports: day file, channel folder, workspace as folder and zip; names, threads, and what is no speech."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from diasum.dialogue.formats.slack_text import Names
from tests.dialogue.formats.reading import read, read_all, turns

USERS = [
    {"id": "U1", "name": "ana", "profile": {"real_name": "Ana Li", "display_name": "Ana"}},
    {"id": "U2", "name": "ben", "real_name": "Ben Roth", "profile": {"real_name": "Ben Roth", "display_name": ""}},
]
DAY_1 = [
    {"type": "message", "subtype": "channel_join", "user": "U1", "text": "<@U1> has joined the channel", "ts": "1715500000.000100"},
    {"type": "message", "user": "U1", "text": "Lunch, <@U2>? &amp; see <https://x.org|the menu>", "ts": "1715500001.000200",
     "thread_ts": "1715500001.000200", "reply_count": 2, "reactions": [{"name": "+1", "users": ["U2"], "count": 1}]},
    {"type": "message", "user": "U2", "text": "New topic: <#C9|general> <!here> <mailto:a@x.org|a@x.org>", "ts": "1715500002.000300"},
    {"type": "message", "user": "U2", "text": "Yes.", "ts": "1715500003.000400", "thread_ts": "1715500001.000200",
     "edited": {"user": "U2", "ts": "1715500004.000000"}},
    {"type": "message", "user": "U1", "text": "", "files": [{"name": "plan.pdf", "title": "Plan"}], "ts": "1715500005.000500"},
    {"type": "message", "subtype": "bot_message", "bot_id": "B1", "username": "deploy", "text": "",
     "attachments": [{"fallback": "f", "title": "Build 7", "text": "passed"}], "ts": "1715500006.000600"},
    {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "text": "This message was deleted.", "ts": "1715500007.000700"},
    {"type": "message", "subtype": "channel_topic", "user": "U1", "text": "set the topic: food", "ts": "1715500008.000800"},
    {"type": "message", "subtype": "huddle_thread", "user": "U1", "text": "", "ts": "1715500009.000900"},
]  # fmt: skip
DAY_2 = [
    {
        "type": "message",
        "user": "U1",
        "text": "At one then.",
        "ts": "1715600000.000100",
        "thread_ts": "1715500001.000200",
    },
    {"type": "message", "user": "U2", "text": "Morning!", "ts": "1715600001.000200"},
]
EXPECTED = [
    ("Ana", "Lunch, @Ben Roth? & see the menu (https://x.org)"),
    ("Ben Roth", "Yes."),
    ("Ana", "At one then."),
    ("Ben Roth", "New topic: #general @here a@x.org"),
    ("deploy", "Build 7 passed"),
    ("Ben Roth", "Morning!"),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return export(tmp_path / "Export")


def export(folder: Path) -> Path:
    files: dict[str, Any] = {
        "users.json": USERS,
        "channels.json": [{"id": "C9", "name": "general", "members": ["U1", "U2"]}],
        "dms.json": [{"id": "D1", "members": ["U1", "U2"]}],
        "integration_logs.json": [],
        "general/2024-05-12.json": DAY_1,
        "general/2024-05-13.json": DAY_2,
        "D1/2024-05-13.json": [{"type": "message", "user": "U1", "text": "psst", "ts": "1715600000.000100"}],
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def zipped(folder: Path, inside: str = "") -> Path:
    file = folder.with_suffix(".zip")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*.json")):
            archive.write(path, f"{inside}{path.relative_to(folder)}")
    return file


def test_a_workspace(workspace: Path) -> None:
    for source in (workspace, zipped(workspace), zipped(workspace, "Team export/")):
        direct, general = read_all(source)
        assert turns(general) == EXPECTED
        assert (general.id, direct.id) == ("general", "Ana, Ben Roth")
        assert (general.format, general.reason) == ("slack", "Slack export of a workspace")
        assert general.left_out == dict.fromkeys(
            ("join", "reaction", "edit", "media", "file", "deleted", "notice", "call"), 1
        )
        assert general.began == datetime.fromtimestamp(1715500001.0002, UTC)
        assert general.dialogue.turns[0].source == "1715500001.000200"
        assert not general.notes


def test_a_channels_folder_and_a_days_file_find_the_names_beside(workspace: Path) -> None:
    assert turns(read(workspace / "general")) == EXPECTED
    one = read(workspace / "general" / "2024-05-13.json")
    assert turns(one) == [("Ana", "At one then."), ("Ben Roth", "Morning!")]
    assert one.reason == "Slack export (messages of a day)"


def test_without_a_list_of_users_ids_stand_and_it_is_said() -> None:
    one = read(json.dumps(DAY_2) + "\n")
    assert turns(one) == [("U1", "At one then."), ("U2", "Morning!")]
    assert "no users.json names 2 of the users (U1, U2)" in one.notes[0]
    named = [{**record, "user_profile": {"real_name": "Ana Li", "display_name": "Ana"}} for record in DAY_2[:1]]
    assert turns(read(json.dumps(named) + "\n")) == [("Ana", "At one then.")]


def test_a_pause_in_a_thread_cuts_nothing(workspace: Path) -> None:
    parts = read_all(workspace / "general", split_pause="12h")
    assert [len(part.dialogue) for part in parts] == [5, 1]
    assert [part.id for part in parts] == ["general-1", "general-2"]


def test_an_answer_of_the_api_has_the_latest_first() -> None:
    answer = {"ok": True, "messages": [DAY_2[1], {**DAY_2[0], "thread_ts": None}], "has_more": False}
    assert [text for _, text in turns(read(json.dumps(answer) + "\n"))] == ["At one then.", "Morning!"]


def test_two_users_of_one_name_are_told_apart() -> None:
    names = Names({"U1": {"name": "ana", "real_name": "Ana"}, "U2": {"name": "ana2", "real_name": "Ana"}})
    assert [names.of_user(one) for one in ("U1", "U2")] == ["Ana (ana)", "Ana (ana2)"]


def test_blocks_stand_in_for_text() -> None:
    section = {
        "type": "rich_text_section",
        "elements": [{"type": "text", "text": "Hi "}, {"type": "user", "user_id": "U7"}],
    }
    blocks = [
        {"type": "rich_text", "elements": [section]},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*Done*"}},
    ]
    record = {"type": "message", "user": "U7", "text": "", "blocks": blocks, "ts": "1715600000.000100"}
    assert turns(read(json.dumps([record]) + "\n")) == [("U7", "Hi @U7 *Done*")]


def test_an_edit_as_an_event_of_its_own() -> None:
    changed = {"type": "message", "subtype": "message_changed", "ts": "1715600002.0",
               "message": {"type": "message", "user": "U1", "text": "Better.", "ts": "1715600000.000100"}}  # fmt: skip
    one = read(json.dumps([changed]) + "\n")
    assert turns(one) == [("U1", "Better.")]
    assert one.left_out == {"edit": 1}
