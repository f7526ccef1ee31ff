"""The forms in which a conversation may be handed over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from diasum.dialogue import Dialogue, Turn, as_dialogue
from diasum.dialogue.forms import is_one
from diasum.errors import DiasumError


@pytest.mark.parametrize(
    "rows",
    [
        [{"speaker": "Anna", "text": "Hi\nthere"}, {"speaker": "Ben", "text": "Yo"}],
        [{"Role": "Anna", "Content": "Hi there"}, {"role": "Ben", "content": [{"type": "text", "text": "Yo"}]}],
        [{"author": {"name": "Anna", "id": 3}, "body": "Hi there"}, {"author": {"name": "Ben"}, "body": "Yo"}],
        [("Anna", "Hi there"), ["Ben", "Yo"]],
        ["Anna: Hi there", "Ben: Yo"],
    ],
)
def test_tables_of_turns(rows: list[object]) -> None:
    expected = Dialogue((Turn("Anna", "Hi there"), Turn("Ben", "Yo")))
    assert as_dialogue(rows) == expected
    assert as_dialogue(json.dumps(rows)) == expected


def test_columns_of_turns_and_nested_turns() -> None:
    expected = Dialogue((Turn("Anna", "Hi"), Turn("Ben", "Yo")))
    assert as_dialogue({"speaker": ["Anna", "Ben"], "text": ["Hi", "Yo"]}) == expected
    assert as_dialogue({"messages": [{"role": "Anna", "content": "Hi"}, {"role": "Ben", "content": "Yo"}]}) == expected


def test_turns_without_words_are_left_out() -> None:
    rows = [{"speaker": "Anna", "text": None}, {"speaker": "Ben", "text": " "}, {"speaker": "Ben", "text": "Yo"}]
    assert len(as_dialogue(rows)) == 1
    assert as_dialogue(None, may_be_empty=True).turns == ()


def test_times_of_rows() -> None:
    rows = [
        {"speaker": "A", "text": "a", "start": "00:05", "end": "00:06.5"},
        {"speaker": "B", "text": "b", "start": 7},
        {"speaker": "A", "text": "c", "start": "?", "end_time": 9},
    ]
    turns = as_dialogue(rows).turns
    assert [(turn.start, turn.end) for turn in turns] == [(5.0, 6.5), (7.0, None), (None, 9.0)]
    assert [turn.source for turn in turns] == [None] * 3


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ([{"who": "Anna"}], "who"),
        ([("a", "b", "c")], "turn 1"),
        (3.5, "float"),
        ({"a": 1}, "none of its keys names a conversation: a"),
    ],
)
def test_what_is_no_conversation_is_refused_with_what_was_found(value: object, word: str) -> None:
    with pytest.raises(DiasumError, match=word):
        as_dialogue(value)


@pytest.mark.parametrize("opening", ["[[", '[{"text":'])
def test_json_nested_beyond_measure(opening: str) -> None:
    deep = opening * 100_000 + "]" * 100_000
    assert len(as_dialogue(deep)) == 1, "text that is no conversation in JSON stays text"
    value: object = "x"
    for _ in range(5000):
        value = [value]
    with pytest.raises(DiasumError, match="nested too deeply"):
        as_dialogue([("Ana", value)])


def test_bytes_are_no_rows() -> None:
    with pytest.raises(DiasumError, match="found bytes"):
        as_dialogue(b"Ana: Hi.")


def test_an_object_holds_its_conversation_at_any_depth_and_in_any_case() -> None:
    expected = as_dialogue("Ana: Hi.\nBen: Yo.")
    assert as_dialogue({"Transcript": "Ana: Hi.\nBen: Yo."}) == expected
    assert as_dialogue({"conversation": {"Messages": [["Ana", "Hi."], ["Ben", "Yo."]]}}) == expected


def test_columns_of_turns_beside_other_lists_and_without_speakers() -> None:
    expected = as_dialogue("Ana: Hi.\nBen: Yo.")
    record: dict[str, Any] = {"Speaker": ["Ana", "Ben"], "content": ["Hi.", "Yo."], "tags": ["a"], "source": "web"}
    assert as_dialogue(record) == expected
    assert as_dialogue({"utterance": ["Ana: Hi.", "Ben: Yo."]}) == expected


def test_a_turn_may_name_its_source() -> None:
    turns = [{"speaker": "Ana", "text": "Hi.", "source": "web"}, {"speaker": "Ben", "text": "Yo.", "source": "web"}]
    assert is_one(turns)
    assert not is_one([{"text": "Ana: Hi.", "dialogue": "x"}])
    parts = [{"role": "Ana", "parts": ["Hi", "there"]}, {"role": "Ben", "parts": ["Yo"]}]
    assert is_one(parts)
    assert as_dialogue(parts).text == "Ana: Hi there\nBen: Yo"


def test_lines_in_a_list_are_numbered_as_those_of_a_text_and_texts_among_turns_are_not() -> None:
    assert [turn.source for turn in as_dialogue(["Ana: a", "b", "Ben: c"]).turns] == [1, 3]
    mixed = as_dialogue([{"speaker": "Ana", "text": "a"}, "Ben: b", "Ana: c"]).turns
    assert [(turn.id, turn.source) for turn in mixed] == [(0, None), (1, None), (2, None)]
