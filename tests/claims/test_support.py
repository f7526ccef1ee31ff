"""Facts that the dialogue supports in other words pass; facts that it does not support are found, at their place."""

from __future__ import annotations

import pytest

from diasum.claims.quantities import quantities
from diasum.claims.spoken_numbers import number, spoken_values
from diasum.claims.support import KINDS, check, faithfulness, support
from diasum.dialogue import Dialogue, Turn, parse_dialogue
from diasum.errors import DiasumError

TALK = parse_dialogue(
    "#Person1#: Hi, I'm Ana. Could we meet on Fri. at half past nine? I have twenty-five chairs for you.\n"
    "#Person2#: Sure, Mr. Keller's office? That is forty bucks, as I said on the third of March.\n"
    "#Person1#: Two of us can carry a dozen. Thomas brings 2, 500 more in 2019, with twenty percent off.\n"
    "#Person2#: Lunch at 12: 15 p. m. then. I will call the M R I room and the book store."
)


def kinds(summary: str, dialogue: Dialogue = TALK) -> list[tuple[str, str]]:
    return [(claim.kind, claim.text) for claim in check(summary, dialogue)]


@pytest.mark.parametrize(
    "summary",
    [
        "Ana has 25 chairs.",
        "Ana has twenty five chairs, and they meet at 9:30 on Friday.",
        "They meet at 21:30.",
        "They meet at nine thirty on Friday.",
        "It costs $40, or 40 dollars.",
        "It was said on March 3rd.",
        "It was said on the 3rd of March.",
        "Twelve can be carried by two people. Both agree.",
        "Tom brings 2,500 more with a 20% discount.",
        "They have lunch at 12:15 pm.",
        "#Person1# tells #Person2# about Keller's MRI and the Bookstore.",
        "Mr. Keller's office is in Kellers street.",
        "The American wants this today. They think so. Still open.",
        "One of the first things they do is to talk about three friends.",
        "",
    ],
)
def test_what_the_dialogue_supports_passes(summary: str) -> None:
    assert kinds(summary) == []


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("Ana has 26 chairs.", [("number", "26")]),
        ("Ana has thirty-five chairs.", [("number", "thirty-five")]),
        ("They meet at 9:45.", [("time", "9:45")]),
        ("They meet at quarter past nine.", [("time", "quarter past nine")]),
        ("They meet at 4 p.m. to talk.", [("time", "4 p.m")]),
        ("It costs $45.", [("amount", "$45")]),
        ("It costs fifty bucks.", [("amount", "fifty bucks")]),
        ("There is 30% off.", [("amount", "30%")]),
        ("It was said on March 4th.", [("date", "March 4th")]),
        ("They meet next Tuesday.", [("date", "Tuesday")]),
        ("It was in June 2019.", [("date", "June 2019")]),
        ("Mr. Weber has an office.", [("name", "Weber")]),
        ("#Person1# calls Ana Lopez.", [("name", "Lopez")]),
        ("#Person3# brings more.", [("name", "#Person3#")]),
        ("Rupert suggests lunch.", [("name", "Rupert")]),
        ("They wait six weeks.", [("number", "six")]),
    ],
)
def test_what_it_does_not_support_is_found(summary: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(summary) == expected


def test_offsets_point_into_the_summary() -> None:
    summary = "Ana meets Boris at 7:10 with $99 on Sunday."
    found = check(summary, TALK)
    assert [claim.kind for claim in found] == ["name", "time", "amount", "date"]
    assert all(summary[claim.start : claim.end] == claim.text and claim.reason for claim in found)


def test_a_small_count_is_checked_against_the_dialogues_own_count() -> None:
    dialogue = parse_dialogue("Ana: I bought five tickets.\nBen: Good.")
    assert kinds("Ana bought three tickets.", dialogue) == [("number", "three")]
    assert kinds("Ana tells three jokes.", dialogue) == []


def test_names_of_speakers_count_without_being_spoken() -> None:
    dialogue = Dialogue((Turn("Dr. Osei", "How do you feel?"), Turn("Maya", "Better.")))
    assert kinds("Maya tells Osei that she feels better.", dialogue) == []
    assert kinds("Maya tells Asante that she feels better.", dialogue) == [("name", "Asante")]


def test_added_negation_is_found_only_where_nothing_near_is_negative() -> None:
    glad = parse_dialogue("#Person1#: I will buy the green shirt.\n#Person2#: Great, it suits you.")
    torn = parse_dialogue("#Person1#: I won't buy the green shirt.\n#Person2#: Why?")
    flipped = "#Person1# does not buy the green shirt."
    assert [claim.kind for claim in check(flipped, glad)] == ["negation"]
    assert check(flipped, torn) == []
    assert check("#Person1# buys the green shirt.", glad) == []


def test_removed_negation_is_found_where_the_dialogue_only_denies() -> None:
    dialogue = parse_dialogue("Ana: I don't eat raw fish at weddings.\nBen: I see.")
    assert [claim.text for claim in check("Ana eats raw fish at weddings.", dialogue)] == ["eats"]
    assert check("Ana does not eat raw fish at weddings.", dialogue) == []
    both = parse_dialogue("Ana: I don't eat raw fish at weddings.\nBen: I eat raw fish at weddings.")
    assert check("Ben eats raw fish at weddings.", both) == []


def test_report_counts_and_arrays() -> None:
    summaries = ["Ana has 25 chairs.", "Ana has 26 chairs for Boris and Clelia.", ""]
    seen: list[int] = []
    report = faithfulness(summaries, [TALK] * 3, progress=seen.append)
    assert report.n == 3
    assert sum(seen) == 3
    assert report.counts == {**dict.fromkeys(KINDS, 0), "number": 1, "name": 2}
    assert report.flagged["name"].tolist() == [0, 1, 0]
    assert report.flagged["any"].tolist() == [0, 1, 0]
    assert report.shares["number"] == pytest.approx(1 / 3)
    assert faithfulness([], []).shares["any"] == 0


def test_summaries_and_dialogues_must_match() -> None:
    with pytest.raises(DiasumError, match="2 summaries and 1 dialogues"):
        faithfulness(["a", "b"], [TALK])


def test_support_gives_words_and_facts_to_their_turns() -> None:
    summary = "Ana has 25 chairs. Lunch is at 12:15. Zebras."
    marked = {summary[start:end]: turn for start, end, turn in support(summary, TALK)}
    assert marked["25"] == marked["chairs"] == 0
    assert marked["Lunch"] == marked["12:15"] == 3
    assert "Zebras" not in marked


def test_support_prefers_the_turn_that_shares_more() -> None:
    dialogue = parse_dialogue("A: The shirt is here.\nB: The green shirt costs ten dollars.\nA: Fine.")
    summary = "The green shirt costs $10."
    assert {turn for _, _, turn in support(summary, dialogue)} == {1}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twenty-five", 25), ("two hundred and six", 206), ("2,500", 2500), ("$40.50", 40.5), ("2 million", 2e6), ("two dozen", 24),
        ("a hundred", 100), ("three thousand two hundred", 3200), ("12.5k", 12500), ("nothing", None), ("nine thirty", None),
    ],
)  # fmt: skip
def test_number(text: str, value: float | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("nine thirty", 570),
        ("quarter to ten", 585),
        ("21:30", 570),
        ("ten past three", 190),
        ("at noon", 0),
        ("9: 30", 570),
    ],
)
def test_said_times(text: str, clock: int) -> None:
    assert clock in spoken_values(text).times


def test_said_reads_years_telephone_numbers_and_prices() -> None:
    assert 1995 in spoken_values("nineteen ninety-five").numbers
    assert 2008 in spoken_values("two thousand eight").numbers
    assert 5550199 in spoken_values("five five five, oh one nine nine").numbers
    assert 12.99 in spoken_values("twelve ninety-nine").numbers
    assert 2.5 in spoken_values("two and a half").numbers
    assert 30 in spoken_values("half an hour").numbers
    assert spoken_values("Nine or ten people").numbers.isdisjoint({7, 19, 910})
    assert spoken_values("half past six").numbers.isdisjoint({30, 50})


def test_turns_do_not_run_together() -> None:
    assert 930 not in spoken_values("I am nine\nthirty are here").numbers


def test_list_marks_and_codes_are_no_numbers() -> None:
    assert [quantity.text for quantity in quantities("1. Pain. 2. Fever since 4 days. COVID-19 and MP3.")] == ["4"]


@pytest.mark.parametrize("hour", ["1 p.m.", "8 pm", "8 o'clock"])
def test_an_article_or_a_price_is_no_hour(hour: str) -> None:
    talk = parse_dialogue(
        "#Person1#: Keep a bag for $20 until 6 p. m., please.\n#Person2#: Sure, an hour more is free."
    )
    assert kinds("#Person2# keeps the bag until 6 pm.", talk) == []
    assert [kind for kind, _ in kinds(f"#Person2# keeps the bag until {hour}", talk)] == ["time"]


@pytest.mark.parametrize(
    "spoken", ["20 o'clock", "20:00", "20.00 h", "eight", "at 8", "8ish", "eight or nine", "twenty hundred hours"]
)
def test_an_hour_said_in_other_words(spoken: str) -> None:
    assert kinds("They meet at 8 pm.", parse_dialogue(f"Ana: We meet {spoken}.\nBen: Good.")) == []


@pytest.mark.parametrize(
    ("summary", "flagged"),
    [
        ("They meet at 20:00123.", ["20:00123"]),
        ("They meet at 20:00.", []),
        ("They meet at 20:00 and pay 123 dollars.", []),
        ("It has number 2000123.", ["2000123"]),
        ("It costs 12,3456.", ["12,3456"]),
        ("It costs 1.2.3.", ["1.2.3"]),
        ("It costs 2,500 dollars.", []),
        ("He takes 2.5mg.", []),
        ("The address is 10.0.0.12.", []),
        ("The ratio is 1:1000.", []),
        ("The ratio is 1:10001.", ["1:10001"]),
        ("They meet at 20:00Tom.", ["20:00Tom"]),
    ],
)
def test_digits_that_are_glued_are_no_number(summary: str, flagged: list[str]) -> None:
    talk = parse_dialogue(
        "Ann: At 20:00? It costs 123 dollars, or 2, 500, and he takes 2.5 mg.\nTom: The ratio is 1: 1000, and 10.0.0.12 answers."
    )
    assert [claim.text for claim in check(summary, talk)] == flagged
