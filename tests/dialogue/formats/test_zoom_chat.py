"""Zoom's saved chats, old and new."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dialogue.formats.reading import read, turns


@pytest.mark.parametrize(
    "line",
    [
        "00:12:01\t From Ana Li To Everyone : hi: there",
        "00:12:01\t From Ana Li : hi: there",
        "00:12:01\tFrom Ana Li to Everyone:\thi: there",
        "00:12:01 From  Ana Li  to  Everyone:\n\thi: there",
        "00:12:01\t From Ana Li To Ben Ode (Privately) : hi: there",
        "00:12:01 From Ana Li to Ben Ode(Direct Message):\r\n\thi: there\r\n",
        "2024-05-12 00:12:01 From Ana Li to Everyone:\n\thi:\n\tthere",
        "\ufeff00:12:01 From Ana Li to Everyone:\n\n\thi: there\n",
    ],
)
def test_forms(line: str) -> None:
    one = read(f"{line}\n00:13:00 From Ben Ode to Everyone : Ho" if "\n" not in line else line)
    assert turns(one)[0] == ("Ana Li", "hi: there")
    assert one.dialogue.turns[0].start == 721
    assert (one.format, one.reason) == ("zoom_chat", "Zoom chat")


def test_replies_reactions_and_private_messages() -> None:
    one = read(
        "16:05:23 From Ana Li to Everyone:\n\tShall we start?\n\tBen is late.\n"
        '16:05:40 From Cem to Everyone:\n\tReplying to "Shall we start?..."\n\t\n\tYes\n'
        '16:05:41 From Dia to Everyone:\n\tReacted to "Shall we start?..." with 👍\n'
        '16:05:42 From Dia to Everyone:\n\tRemoved a 👍 reaction from "Shall we start?..."\n'
        "16:06:00 From Ben to Ana Li(Direct Message):\n\tOn my way: 5 minutes\n"
    )
    assert turns(one) == [
        ("Ana Li", "Shall we start? Ben is late."),
        ("Cem", "Yes"),
        ("Ben", "On my way: 5 minutes"),
    ]
    assert one.left_out == {"quote": 1, "reaction": 2}
    assert [turn.start for turn in one.dialogue.turns] == [0, 17, 37]
    assert [turn.source for turn in one.dialogue.turns] == [1, 4, 12]
    assert one.notes == ("the text: 1 of the messages was private, to one person.",)


def test_after_midnight() -> None:
    one = read("23:59:00\t From Ana To Everyone : hi\n00:01:00\t From Ben To Everyone : ho\n")
    assert [turn.start for turn in one.dialogue.turns] == [0, 120]


def test_no_line_is_lost() -> None:
    one = read("Chat of Monday\n10:00:00 From Ana to Everyone:\n\ta\n\nb\n10:00:01 From Ben to Everyone:\n")
    assert turns(one) == [("", "Chat of Monday"), ("Ana", "a b")]
    assert one.left_out == {"empty": 1}


_NAMES = st.sampled_from(["Ana", "Ben Ode", "Çelik, Ada (she/her)", "李明", "iPhone 12", "Toto"])
_LINE = st.from_regex(r"[\w<>&'\"?!:,.-][\w ,<>&'\"?!:.-]{0,60}", fullmatch=True).map(
    lambda text: " ".join(text.split())
)


@settings(max_examples=200, deadline=None)
@given(
    talk=st.lists(st.tuples(_NAMES, st.lists(_LINE.filter(bool), min_size=1, max_size=3)), min_size=1, max_size=8),
    new=st.booleans(),
)
def test_what_is_written_is_read_back(talk: list[tuple[str, list[str]]], new: bool) -> None:
    text = ""
    for i, (name, lines) in enumerate(talk):
        if new:
            text += f"10:00:{i:02} From {name} to Everyone:\n" + "".join(f"\t{line}\n" for line in lines)
        else:
            text += f"10:00:{i:02}\t From {name} To Everyone : " + "\n".join(lines) + "\n"
    assert turns(read(text)) == [(name, " ".join(lines)) for name, lines in talk]
