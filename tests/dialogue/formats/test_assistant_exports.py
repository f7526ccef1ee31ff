"""What ChatGPT and Claude give to those who export their conversations: the branch seen last, and nothing that nobody said."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.data.tables import load
from tests.dialogue.formats.reading import read, read_all, turns


def node(
    name: str, parent: str | None, children: list[str], role: str = "", parts: list[Any] | None = None, **about: Any
) -> dict[str, Any]:
    """A node of ChatGPT's tree, without a message where it has no role."""
    content = {"content_type": about.pop("content_type", "text"), "parts": parts}
    message = {"id": name, "author": {"role": role}, "create_time": 1715500800.0, "content": content, "metadata": {}}
    return {"id": name, "parent": parent, "children": children, "message": {**message, **about} if role else None}


NODES = [
    node("root", None, ["sys"]),
    node("sys", "root", ["q"], "system", [""]),
    node("q", "sys", ["old", "call"], "user", ["Where to: Rome?", {"content_type": "image_asset_pointer"}], content_type="multimodal_text"),
    node("old", "q", [], "assistant", ["To Oslo."]),
    node("call", "q", ["result"], "assistant", ["search(Rome)"], recipient="browser"),
    node("result", "call", ["new"], "tool", ["Rome is fine."]),
    node("new", "result", ["hidden"], "assistant", ["Yes, Rome."]),
    node("hidden", "new", [], "user", ["About me."], metadata={"is_visually_hidden_from_conversation": True}),
]  # fmt: skip
CHATGPT = {
    "title": "A trip",
    "conversation_id": "c1",
    "mapping": {one["id"]: one for one in NODES},
    "current_node": "hidden",
}
CLAUDE = {
    "uuid": "c2",
    "name": "",
    "chat_messages": [
        {"uuid": "m1", "sender": "human", "text": "Lunch?", "created_at": "2024-05-12T10:00:00Z", "files": [{"file_name": "menu.pdf"}]},
        {"uuid": "m2", "sender": "assistant", "text": "", "created_at": "2024-05-12T10:00:05Z",
         "content": [{"type": "tool_use", "name": "x"}, {"type": "text", "text": "At one."}]},
    ],
}  # fmt: skip
SAID = [("user", "Where to: Rome?"), ("assistant", "Yes, Rome.")]


@pytest.mark.parametrize("tree", [CHATGPT, [CHATGPT]], ids=["one", "all"])
def test_the_branch_that_was_seen_last(tree: Any) -> None:
    one = read(json.dumps(tree).encode())
    assert turns(one) == SAID
    assert (one.id, one.reason) == ("A trip", "ChatGPT export")
    assert one.left_out == {"instruction": 1, "tool": 2, "branch": 1, "media": 1}
    assert one.dialogue.turns[1].source == "new"


def test_without_a_last_node_it_is_that_of_the_newest_answers() -> None:
    tree = {key: value for key, value in CHATGPT.items() if key != "current_node"}
    assert turns(read(json.dumps([tree]).encode())) == SAID


def test_trees_that_go_in_circles_end() -> None:
    nodes = {"a": node("a", "b", ["b"], "user", ["Hi."]), "b": node("b", "a", ["a"], "assistant", ["Ho."])}
    for last in ("a", "b", "gone", None):
        one = read(json.dumps([{"mapping": nodes, "current_node": last}]).encode(), keep_nonspeech=True)
        assert sorted(turns(one)) == [("assistant", "Ho."), ("user", "Hi.")]


@pytest.mark.parametrize("link", [["q"], {"id": "q"}, 7, "absent"])
def test_links_that_are_no_keys_lead_nowhere(link: Any) -> None:
    nodes = {key: {**value, "parent": link} for key, value in CHATGPT["mapping"].items()}
    for changed in (
        {"mapping": nodes},
        {"mapping": nodes, "current_node": link},
        {"mapping": {key: {**value, "children": [link]} for key, value in nodes.items()}},
        {"mapping": {key: {**value, "children": link} for key, value in nodes.items()}},
    ):
        one = read(json.dumps([changed]).encode(), keep_nonspeech=True)
        assert sum("Oslo" in turn.text for turn in one.dialogue.turns) == 1


def test_lists_of_claude() -> None:
    one = read(json.dumps([CLAUDE]).encode())
    assert turns(one) == [("human", "Lunch?"), ("assistant", "At one.")]
    assert (one.id, one.left_out, one.dialogue.turns[1].start) == ("c2", {"file": 1}, 5)


def test_the_archive_as_it_is_sent(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("conversations-000.json", json.dumps([CHATGPT]))
        archive.writestr("conversations-001.json", json.dumps([{**CHATGPT, "title": "Another"}]))
        archive.writestr("user.json", '{"id": "user-1", "email": "ana@x.org"}')
        archive.writestr("chat.html", "<html></html>")
    found = read_all(tmp_path / "export.zip")
    assert [(one.id, one.format) for one in found] == [("A trip", "assistant"), ("Another", "assistant")]
    assert len(load(tmp_path / "export.zip", need_summaries=False).split("all")) == 1, "two that are the same are one"
