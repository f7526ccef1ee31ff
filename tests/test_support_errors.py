"""What sentences are made wrong with, and how trees are grown from them."""

from __future__ import annotations

import random

import numpy as np
import pytest

from benchmarks.boosting import Growth, boost
from benchmarks.support_errors import KINDS, Other, make
from diasum.claims.sentence_checks import leaf
from diasum.dialogue import parse_dialogue

TALK = parse_dialogue(
    "Ana: The train leaves at nine, and the ticket costs 40 euros.\nBen: I need a seat by the window and the key of the hotel."
)
ELSEWHERE = Other(
    parse_dialogue("Cy: The cake burns.\nDi: Open the oven."), "Cy tells Di that the cake in the oven burns."
)


def made(kind: str, sentence: str, siblings: tuple[str, ...] = ()) -> set[str | None]:
    return {make(kind, sentence, TALK, siblings, ELSEWHERE, random.Random(seed)) for seed in range(30)}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Ben does not want the ticket.", {"Ben wants the ticket."}),
        ("Ana cannot find a seat.", {"Ana can find a seat."}),
        ("Ben agrees to pay.", {"Ben refuses to pay.", "Ben does not agree to pay.", "Ben never agrees to pay."}),
        ("Ben refuses to pay.", {"Ben agrees to pay."}),
        ("Ben travels without a ticket.", {"Ben travels with a ticket."}),
        ("Ana loses the key.", {"Ana does not lose the key.", "Ana never loses the key."}),
        ("No trains leave.", {"Trains leave."}),
        ("Hello there.", {None}),
    ],
)
def test_negations_are_turned_both_ways(sentence: str, expected: set[str | None]) -> None:
    assert made("negation", sentence) == expected


def test_numbers_come_from_the_dialogue_or_change_places() -> None:
    assert made("number", "It costs 50 euros.") == {"It costs 40 euros.", "It costs 9 euros."}
    assert "It is nine for 40 people." in made("number", "It is 40 for nine people.") | {"It is nine for 40 people."}
    assert made("number", "It costs money.") == {None}


def test_nouns_come_from_the_dialogue_or_change_places() -> None:
    words = made("word", "Ben wants a bed in the room.")
    assert words <= {
        f"Ben wants a {a} in the {b}."
        for a in ("bed", "window", "key", "hotel", "seat")
        for b in ("room", "window", "hotel", "seat", "key")
    }
    assert "Ben wants a room in the bed." in made("exchange", "Ben wants a bed in the room.")
    assert "Ben wants a bed in the ticket." in made(
        "exchange", "Ben wants a bed in the room.", ("Ana pays for the ticket.",)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_wrong_differs_from_what_was_right(kind: str) -> None:
    sentence = "Ana tells Ben that the train with the ticket leaves at nine."
    results = made(kind, sentence, ("Ben asks for the window in the hotel.",))
    assert results - {None}
    assert sentence not in results


def test_boosting_finds_what_tells_the_classes_apart() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2000, 3))
    wrong = (values[:, 0] > 0) & (values[:, 2] > 0)
    trees = boost(values, wrong, np.ones(len(values)), Growth(trees=30, leaves=4, rate=0.3, rows=20, ridge=1.0))
    odds = np.array([sum(leaf(tree, row) for tree in trees) for row in values])
    assert ((odds > 0) == wrong).mean() > 0.97
    used = {tree[0] for tree in trees[1:] if isinstance(tree, list)}
    assert 1 not in used


def test_boosting_keeps_to_the_share_where_nothing_tells_the_classes_apart() -> None:
    trees = boost(np.zeros((400, 2)), np.arange(400) < 100, np.ones(400))
    assert sum(leaf(tree, [0.0, 0.0]) for tree in trees) == pytest.approx(np.log(1 / 3), abs=0.01)
