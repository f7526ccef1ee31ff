"""Windows hold every turn once more or less, in order, in the room there is; what is too long is split where speech pauses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diasum.config import PromptSettings
from diasum.data import PairEncoder
from diasum.data.windows import OVERLAP, even_spans, split_turn, turn_windows
from diasum.dialogue import Dialogue, Turn
from tests.data.test_encoding import Build
from tests.tokenizers import tiny_bart_tokenizer, tiny_t5_tokenizer


def words(turns: Sequence[Turn]) -> list[int]:
    """A measure as a tokenizer with a token a word, and one between turns, would give it."""
    return [1 + len(str(turn).split()) for turn in turns]


def numbered(sizes: Sequence[int]) -> list[Turn]:
    return list(Dialogue(tuple(Turn("Ana", " ".join([f"w{i}"] * n)) for i, n in enumerate(sizes))).turns)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=60), st.integers(8, 100))
def test_windows_hold_everything_in_order_and_in_the_room(sizes: list[int], room: int) -> None:
    turns = numbered(sizes)
    windows = turn_windows(turns, room, words)
    assert bool(windows) == bool(turns)
    spoken: dict[int, list[str]] = {}
    for window in windows:
        assert sum(words(window.turns)) <= room
        assert (window.first, window.last) == (window.turns[0].id, window.turns[-1].id)
        assert window.whole == all(part == turns[part.id or 0] for part in window.turns)
        for part in window.turns:
            spoken.setdefault(part.id or 0, []).append(part.text)
    for before, after in pairwise(windows):
        assert before.first <= after.first <= before.last + 1
        there = {turn.id for turn in before.turns}  # turns with the same words are equal
        shared = [turn for turn in after.turns if turn.id in there and turn == turns[turn.id or 0]]
        assert sum(words(shared)) <= max(room * OVERLAP, 0) or before.first == after.first
    assert list(spoken) == list(range(len(turns)))
    for turn in turns:
        parts = spoken[turn.id or 0]
        assert turn.text in parts or " ".join(parts) == turn.text


def test_neighbours_share_their_border() -> None:
    windows = turn_windows(numbered([8] * 40), 100, words)
    assert len(windows) > 3
    assert all(after.first == before.last for before, after in pairwise(windows))


def test_windows_are_even() -> None:
    spans = even_spans([10] * 11, 100, 0)
    assert spans == [(0, 6), (6, 11)], "not ten and one"
    assert even_spans([], 100, 10) == []
    assert even_spans([10] * 10, 100, 10) == [(0, 10)]
    assert even_spans([300, 1, 300], 100, 10) == [(0, 1), (1, 2), (2, 3)]


def test_a_long_turn_is_split_between_sentences() -> None:
    turn = Turn("Ana", " ".join(f"This is sentence {i} of a speech." for i in range(30)), id=7, source=3)
    parts = split_turn(turn, 40, words)
    assert " ".join(part.text for part in parts) == turn.text
    assert all(part.text.endswith(".") and part.text.startswith("This") for part in parts)
    assert {(part.speaker, part.id, part.source) for part in parts} == {("Ana", 7, 3)}
    assert max(words(parts)) <= 40
    assert len({len(part.text.split()) for part in parts}) <= 2, "of about equal size"


def test_without_sentences_between_words_and_without_words_anywhere() -> None:
    parts = split_turn(Turn("Ana", " ".join(f"word{i}" for i in range(100))), 20, words)
    assert [word for part in parts for word in part.text.split()] == [f"word{i}" for i in range(100)]
    letters = lambda turns: [len(str(turn)) for turn in turns]  # noqa: E731
    parts = split_turn(Turn("Ana", "天" * 100), 20, letters)
    assert "".join(part.text for part in parts) == "天" * 100
    assert max(letters(parts)) <= 20
    assert split_turn(Turn("A" * 50, "x"), 20, letters) == [Turn("A" * 50, "x")], "a label that never fits"


@pytest.mark.parametrize("build", [tiny_t5_tokenizer, tiny_bart_tokenizer])
@pytest.mark.parametrize("keep", ["start", "both"])
def test_prompts_of_windows_fit_and_read_everything(build: Build, keep: Literal["start", "both"]) -> None:
    tokenizer = build()
    encoder = PairEncoder(tokenizer, PromptSettings(max_source_tokens=100, keep=keep))
    long = Turn("Ben", " ".join(f"It is worse at {i} in the evening." for i in range(40)))
    dialogue = Dialogue((*(Turn("Anna", f"have you taken number {i}") for i in range(30)), long, Turn("Anna", "No.")))
    windows = encoder.encode_windows(dialogue)
    texts = [tokenizer.decode(one.input_ids, skip_special_tokens=True) for one in windows]
    assert max(len(one.input_ids) for one in windows) <= 100
    assert all(encoder.prompt.prefix.strip() in text and text.rstrip().endswith("Summary:") for text in texts)
    for i in range(30):
        assert any(re.search(rf"have you taken number {i}\b", text) for text in texts)
    for i in range(40):
        assert any(f"worse at {i} in" in text for text in texts)
    assert [one.whole for one in windows] == [one.window.whole for one in windows]
    assert not all(one.whole for one in windows), "the long turn stands in parts"
    short = Dialogue(dialogue.turns[:3])
    (one,) = encoder.encode_windows(short)
    assert one.input_ids == encoder.encode_dialogue(short).input_ids
    assert one.whole


def test_speakers_have_one_number_in_all_windows() -> None:
    tokenizer = tiny_bart_tokenizer()
    encoder = PairEncoder(tokenizer, PromptSettings(max_source_tokens=120, speakers="numbered"))
    names = ["Anna"] * 20 + ["Ben"] * 20 + ["Carla"] * 20
    dialogue = Dialogue(tuple(Turn(name, f"I said so, number {i}.") for i, name in enumerate(names)))
    last = tokenizer.decode(encoder.encode_windows(dialogue)[-1].input_ids)
    assert "#Person3#: I said so, number 59." in last
    assert "#Person1#" not in last


def test_what_the_model_wrote_is_read_as_it_stands() -> None:
    encoder = PairEncoder(tiny_bart_tokenizer(), PromptSettings(max_source_tokens=100, speakers="numbered"))
    written = Dialogue(tuple(Turn("", f"#Person{i % 3 + 1}# tells the Anna of number {i}.") for i in range(30)))
    windows = encoder.encode_windows(written, plain=True)
    assert {replace(turn, id=None) for one in windows for turn in one.window.turns} == {
        replace(turn, id=None) for turn in written.turns
    }


def test_a_label_that_never_fits_is_cut_and_told() -> None:
    encoder = PairEncoder(tiny_bart_tokenizer(), PromptSettings(max_source_tokens=80))
    windows = encoder.encode_windows(Dialogue((Turn("Ana", "Hi."), Turn("B" * 400, "Hello."))))
    assert max(len(one.input_ids) for one in windows) <= 80
    assert [one.whole for one in windows] == [True, False]
