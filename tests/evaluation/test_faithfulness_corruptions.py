"""Corruptions change one thing, grammatically, the same for the same seed, and say None where there is nothing to change."""

from __future__ import annotations

import pytest

from diasum.claims import lexicon
from diasum.claims.support import check
from diasum.dialogue import parse_dialogue
from diasum.errors import DiasumError
from diasum.evaluation.corruptions import KINDS, corrupt, spelt

TALK = parse_dialogue(
    "#Person1#: Kevin, can you lend me $40 until Friday? I need it for two weeks.\n"
    "#Person2#: Sure, come at 9:30 to the London office.\n"
    "#Person1#: I will bring eleven cups."
)
REFERENCE = "#Person1# wants to borrow $40 from Kevin until Friday. #Person1#'s meeting is at 9:30. #Person1# will bring 11 cups."


def text(summary: str, kind: str, seed: int = 0) -> str:
    made = corrupt(summary, TALK, kind, seed=seed)
    assert made is not None
    return made.text


def test_speakers_swap_everywhere_with_possessives() -> None:
    swapped = text("#Person1# asks #Person2# about #Person2#'s dog.", "speakers")
    assert swapped == "#Person2# asks #Person1# about #Person1#'s dog."


def test_a_speaker_alone_becomes_the_other() -> None:
    assert text("#Person1# needs money.", "speakers") == "#Person2# needs money."


def test_a_name_swaps_with_a_label() -> None:
    assert text("#Person1# asks Kevin for money.", "speakers") == "Kevin asks #Person1# for money."


def test_roles_swap_with_their_case() -> None:
    dialogue = parse_dialogue("Doctor: How are you?\nPatient: Fine.")
    made = corrupt("The patient tells the doctor that all is well.", dialogue, "speakers")
    assert made is not None
    assert made.text == "The doctor tells the patient that all is well."


def test_a_list_of_two_is_not_swapped_alone() -> None:
    assert corrupt("#Person1# and #Person2# are talking.", TALK, "speakers") is None
    assert corrupt("#Person1# and #Person2# talk about #Person2#'s dog.", TALK, "speakers") is not None


@pytest.mark.parametrize("kind", ["name", "number", "amount", "time", "date"])
@pytest.mark.parametrize("seed", range(5))
def test_changed_facts_are_not_in_the_dialogue_and_are_caught(kind: str, seed: int) -> None:
    made = corrupt(REFERENCE, TALK, kind, seed=seed)
    assert made is not None
    assert made.after.lower() not in TALK.text.lower()
    assert check(REFERENCE, TALK) == []
    assert kind in {claim.kind for claim in check(made.text, TALK)}


def test_numbers_keep_their_form() -> None:
    dialogue = parse_dialogue("A: It is 1,200 for twenty-one days, until the 21st.")
    made = [corrupt("It is 1,200.", dialogue, "number", seed=seed) for seed in range(5)]
    assert all(c and c.after == f"{int(c.after.replace(',', '')):,}" for c in made)
    words = corrupt("It takes twenty-one days.", dialogue, "number")
    assert words is not None
    assert words.after.isascii()
    assert not any(c.isdigit() for c in words.after)
    ordinal = corrupt("They stay until the 21st.", dialogue, "number", seed=3)
    assert ordinal is not None
    assert ordinal.after[-2:] in ("st", "nd", "rd", "th")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Ana will pay.", "Ana will not pay."),
        ("Ana can pay.", "Ana cannot pay."),
        ("Ana likes tea.", "Ana does not like tea."),
        ("Ana does not like tea.", "Ana likes tea."),
        ("Ana doesn't go home.", "Ana goes home."),
        ("Ana won't pay.", "Ana will pay."),
        ("Ana can't pay.", "Ana can pay."),
        ("Ana isn't happy.", "Ana is happy."),
        ("Ana refuses to pay.", "Ana agrees to pay."),
        ("Ana agrees to pay.", "Ana refuses to pay."),
    ],
)
def test_negations_are_added_and_taken_away(before: str, after: str) -> None:
    assert text(before, "negation") == after


def test_nothing_to_change_gives_none() -> None:
    assert all(corrupt("A quiet day.", TALK, kind) is None for kind in KINDS)
    assert corrupt("", TALK, "number") is None


def test_seeds() -> None:
    made = {text(REFERENCE, "number", seed) for seed in range(10)}
    assert len(made) > 1
    assert text(REFERENCE, "number", 4) == text(REFERENCE, "number", 4)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(DiasumError, match="nam") as caught:
        corrupt(REFERENCE, TALK, "nam")
    assert "`name`" in str(caught.value)


def test_the_checks_do_not_know_the_new_names() -> None:
    known = lexicon.GIVEN_NAMES | lexicon.PLACES | lexicon.SENTENCE_WORDS | lexicon.COMMON_CAPITALS
    new = {
        name.lower() for names in (lexicon.OTHER_GIVEN, lexicon.OTHER_SURNAMES, lexicon.OTHER_PLACES) for name in names
    }
    assert new.isdisjoint(known)


@pytest.mark.parametrize(("value", "words"), [(0, "zero"), (12, "twelve"), (40, "forty"), (206, "two hundred and six")])
def test_spelt(value: int, words: str) -> None:
    assert spelt(value) == words
