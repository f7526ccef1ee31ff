"""Turns and the dialogue that numbers them."""

from __future__ import annotations

import pickle

from diasum.dialogue import Dialogue, Turn, as_dialogue


def ids(dialogue: Dialogue) -> list[int | None]:
    return [turn.id for turn in dialogue.turns]


def test_a_dialogue_numbers_its_turns() -> None:
    dialogue = Dialogue((Turn("Ana", "Hi."), Turn("Ben", "Yo.")))
    assert ids(dialogue) == [0, 1]
    assert ids(as_dialogue([("Ana", "Hi."), ("Ben", " "), ("Ben", "Yo.")])) == [0, 1], (
        "turns without words have no number"
    )
    assert pickle.loads(pickle.dumps(dialogue)).turns[1].id == 1


def test_turns_keep_their_ids_in_a_part_of_their_dialogue() -> None:
    dialogue = Dialogue(tuple(Turn("Ana", word) for word in "abcd"))
    assert ids(Dialogue(dialogue.turns[2:])) == [2, 3]
    assert ids(Dialogue(dialogue.turns[::-1])) == [3, 2, 1, 0]


def test_no_two_turns_of_a_dialogue_have_one_id() -> None:
    one, two = Dialogue((Turn("Ana", "Hi."),)), Dialogue((Turn("Ben", "Yo."),))
    assert ids(Dialogue(one.turns + two.turns)) == [0, 1]
    assert ids(Dialogue((*Dialogue((Turn("A", "x"), Turn("B", "y"))).turns[1:], Turn("Ana", "Hi.")))) == [0, 1]


def test_where_a_turn_stands_makes_it_no_other() -> None:
    assert Turn("Ana", "Hi.", id=1, source=7) == Turn("Ana", "Hi.")
    assert hash(Turn("Ana", "Hi.", id=1, source=7)) == hash(Turn("Ana", "Hi."))
    assert Turn("Ana", "Hi.", 1.0, 2.0) != Turn("Ana", "Hi.", 1.0, 3.0)
