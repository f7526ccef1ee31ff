"""Conversations with assistants: OpenAI-style messages and ShareGPT, in each kind of file, and as Python values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diasum.dialogue import as_dialogue
from diasum.dialogue.read import readings
from tests.data.tables import load, write_jsonl
from tests.dialogue.formats.reading import read, read_all, turns

MESSAGES = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Where is my order?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "function": {"name": "find", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "1", "content": '{"status": "sent"}'},
    {
        "role": "assistant",
        "content": [{"type": "text", "text": "It was sent."}, {"type": "image_url", "image_url": {"url": "x"}}],
    },
]
SHARED = [
    {"from": "system", "value": "You are a helpful assistant."},
    {"from": "human", "value": "Where is my order?"},
    {"from": "gpt", "value": "It was sent."},
]
SAID = [("user", "Where is my order?"), ("assistant", "It was sent.")]
SHARED_SAID = [("human", "Where is my order?"), ("gpt", "It was sent.")]
LEFT_OUT = {"instruction": 1, "tool": 2, "media": 1}


def content(tree: Any) -> bytes:
    return json.dumps(tree).encode()


@pytest.mark.parametrize(
    ("tree", "expected", "left_out", "reason"),
    [
        ({"messages": MESSAGES}, SAID, LEFT_OUT, "OpenAI-style messages"),
        ({"model": "x", "messages": MESSAGES, "temperature": 0}, SAID, LEFT_OUT, "OpenAI-style messages"),
        (MESSAGES, SAID, LEFT_OUT, "OpenAI-style messages"),
        ([{"messages": MESSAGES}], SAID, LEFT_OUT, "OpenAI-style messages"),
        ({"conversations": SHARED}, SHARED_SAID, {"instruction": 1}, "ShareGPT conversation"),
        ([{"id": "a", "conversations": SHARED}], SHARED_SAID, {"instruction": 1}, "ShareGPT conversation"),
        (SHARED, SHARED_SAID, {"instruction": 1}, "ShareGPT conversation"),
    ],
)
def test_the_system_prompt_is_no_speaker(
    tree: Any, expected: list[tuple[str, str]], left_out: dict[str, int], reason: str
) -> None:
    for one in (read(content(tree)), read(content(tree) + b"\n")):
        assert turns(one) == expected
        assert (dict(one.left_out), one.reason) == (left_out, reason)
    assert next(iter(readings([one]))).startswith(f"read as: {reason}; left out: ")


def test_several_a_line(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"id": "a", "messages": MESSAGES}, {"id": "b", "messages": MESSAGES[:2]}])
    assert [(one.id, turns(one)) for one in read_all(tmp_path / "a.jsonl")] == [("a", SAID), ("b", SAID[:1])]


def test_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([{"conversations": SHARED}] * 2), tmp_path / "a.parquet")
    assert [turns(one) for one in read_all(tmp_path / "a.parquet")] == [SHARED_SAID] * 2


def test_all_is_kept_on_request() -> None:
    one = read(content({"messages": MESSAGES}), keep_nonspeech=True)
    assert turns(one)[0] == ("system", "You are a helpful assistant.")
    assert len(one.dialogue) == 6


@pytest.mark.parametrize(
    ("value", "expected"), [(MESSAGES, SAID), ({"messages": MESSAGES}, SAID), (SHARED, SHARED_SAID)]
)
def test_python_values(value: Any, expected: list[tuple[str, str]]) -> None:
    assert [(turn.speaker, turn.text) for turn in as_dialogue(value).turns] == expected


def test_training_reads_the_same(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"messages": MESSAGES, "summary": "Sent."}])
    (pair,) = load(tmp_path / "a.jsonl").split("all")
    assert [(turn.speaker, turn.text) for turn in pair.dialogue.turns] == SAID
    assert pair.references == ("Sent.",)


def test_people_who_are_called_like_a_role_still_speak() -> None:
    tree = [{"speaker": "System", "text": "Hi."}, {"speaker": "Ana", "text": "Ho."}]
    assert turns(read(content(tree))) == [("System", "Hi."), ("Ana", "Ho.")]
    tree = [{"role": "system", "content": "Hi."}, {"role": "Ana", "content": "Ho."}]
    assert turns(read(content(tree))) == [("system", "Hi."), ("Ana", "Ho.")]


def test_names_of_users_are_kept() -> None:
    assert turns(read(content([{"role": "user", "name": "Ana", "content": "Hi."}]))) == [("Ana", "Hi.")]


@settings(max_examples=80, deadline=None)
@given(
    talk=st.lists(
        st.tuples(
            st.sampled_from(["user", "assistant"]),
            st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20),
        ),
        min_size=1,
        max_size=8,
    ),
    share=st.booleans(),
)
def test_what_is_written_is_read_back(talk: list[tuple[str, str]], share: bool) -> None:
    keys, holder = (("from", "value"), "conversations") if share else (("role", "content"), "messages")
    tree = {holder: [dict(zip(keys, turn, strict=True)) for turn in talk]}
    assert turns(read(content(tree))) == talk


def test_a_message_that_is_but_a_picture_is_no_turn() -> None:
    rows = [{"role": "user", "content": [{"type": "image_url"}]}, {"role": "assistant", "content": "A cat."}]
    one = read(json.dumps(rows).encode())
    assert (turns(one), one.left_out) == ([("assistant", "A cat.")], {"media": 1})
