"""Reports of dialogues by rule: persons, verbs and questions turn as English wants, and nothing is added."""

from __future__ import annotations

import random
import re

import pytest

from pretraining.closing import WORDS
from pretraining.reported import report, sentences
from pretraining.speakers import Person, person_n
from pretraining.third_person import tell
from pretraining.verbs import past, third_person

DANA = Person("Dana", "Dana", "Dana", "f")
BEN = Person("Ben", "Ben", "Ben", "m")
DESK = Person("Ferry Desk", "the Ferry Desk")


def told(sentence: str, me: Person = DANA, you: Person = BEN) -> str:
    """What is told of a sentence, with the name of the one addressed left out of "asks" and "tells"."""
    made = tell(random.Random(0), sentence, me, you, alone=False)
    return made[0] if made else ""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("I want to book a table.", "wants to book a table"),
        ("I've lost my key.", "has lost her key"),
        ("I'll send you the form.", "will send him the form"),
        ("I really need my glasses.", "really needs her glasses"),
        ("I went there with you.", "went there with him"),
        ("Can you help me?", "asks Ben to help her"),
        ("Could you please be able to call me?", "asks Ben to call her"),
        ("Do you like it?", "asks whether Ben likes it"),
        ("Do you currently smoke?", "asks whether Ben currently smokes"),
        ("Did you find my bag?", "asks whether Ben found her bag"),
        ("Are you coming?", "asks whether Ben is coming"),
        ("What time does it open?", "asks what time it opens"),
        ("Where did you put it?", "asks where Ben put it"),
        ("What's your name?", "asks what Ben's name is"),
        ("Please wait here.", "asks Ben to wait here"),
        ("Don't use salt, it's dangerous.", "tells Ben not to use salt"),
        ("Call me at 9:30.", "tells Ben to call her at 9:30"),
        ("Let's meet at six.", "suggests that they meet at six"),
        ("How about a walk?", "suggests a walk"),
        ("How about any allergies?", "asks about any allergies"),
    ],
)
def test_a_sentence_is_told_in_the_third_person(said: str, expected: str) -> None:
    assert told(said) == expected


def test_what_no_rule_fits_is_left_out() -> None:
    assert told("Raisins, sultanas, rum.") == ""
    assert told("Number sixteen, the blue door?") in ("", "asks about Number sixteen, the blue door")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("They have either been taken-- either broken or lost. You see a tent.", ["You see a tent."]),
        ("One of the ones that was-- He sits up and looks at you!", []),
    ],
)
def test_a_sentence_that_breaks_off_is_left_out(text: str, kept: list[str]) -> None:
    assert sentences(text) == kept


@pytest.mark.parametrize(
    "slip", ["It it works with one thumb.", "Which was quite good.", "Either it broke or it is lost."]
)
def test_slips_and_pieces_of_sentences_are_not_told(slip: str) -> None:
    assert told(slip) == ""


def test_numbered_speakers_and_roles_have_no_pronouns() -> None:
    assert told("I'll bring my umbrella.", person_n(1), person_n(2)) == "will bring #Person1#'s umbrella"
    assert told("Would you like to pay now?", DESK, DANA) == "asks whether Dana would like to pay now"


def test_fillers_and_greetings_go() -> None:
    assert sentences("Oh, hi. Well, um, thanks! So I need a new bulb. Bye.") == ["I need a new bulb."]
    assert sentences("I saw Mr. Hill at 9.30. And then--") == ["I saw Mr. Hill at 9.30."]


def test_a_report_keeps_its_limit_and_order_and_closes_in_the_house_style() -> None:
    said = [
        (DANA, "Hi, I'd like to return this lamp. I bought it on Monday for $45."),
        (DESK, "What's wrong with it?"),
        (DANA, "The switch is broken. Can you give me my money back?"),
        (DESK, "I can give you a voucher. I'll ask the manager about the money."),
    ]
    text = report(random.Random(0), said, 40, house_style=True)
    body, _, still_open = text.partition(": ")
    body, _, words = body.rpartition(". ")
    assert words in WORDS
    assert len(body.split()) <= 40 + body.count(" and ")
    assert body.startswith("Dana ")
    assert "$45" in body
    assert still_open == "whether the Ferry Desk will ask the manager about the money."
    assert report(random.Random(0), [(DANA, "Hm."), (BEN, "Yes.")], 40, house_style=True) == ""


def test_a_report_holds_no_number_that_was_not_said() -> None:
    said = [(person_n(1), f"I need {n} chairs by {n + 2}:30, please call 555-{n:04d}.") for n in range(3, 9)]
    numbers = set(re.findall(r"\d+", " ".join(text for _, text in said))) | {"1"}
    assert set(re.findall(r"\d+", report(random.Random(1), said, 60, house_style=False))) <= numbers


def test_verb_forms() -> None:
    assert [third_person(v) for v in ("have", "need", "try", "watch", "went", "can", "called", "play")] == [
        "has", "needs", "tries", "watches", "went", "can", "called", "plays",
    ]  # fmt: skip
    assert [past(v) for v in ("go", "call", "try", "stop", "like")] == ["went", "called", "tried", "stopped", "liked"]
