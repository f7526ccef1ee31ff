"""The turns that sentences rest on: rare words, numbers, who speaks; in time and memory that a long dialogue can pay."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from diasum.data.summary import Summary
from diasum.data.turns_read import Reading
from diasum.dialogue import Dialogue, Turn, parse_dialogue
from diasum.evidence import rank_turns, with_turns

TALK = parse_dialogue(
    "Ana: Hello, do you want the blue bicycle?\n"
    "Ben: I want a bicycle, but not a blue one.\n"
    "Ana: It costs forty bucks, and my cousin Rosa wants it, too.\n"
    "Ben: Then I'll come at half past nine on Friday.\n"
    "Ana: Good. I'll tell Rosa that you were first."
)


def best(sentence: str, dialogue: Dialogue = TALK, **options: object) -> list[int]:
    return [turn.id for turn in rank_turns([sentence], dialogue, **options)[0]]  # type: ignore[arg-type]


def test_numbers_are_found_in_the_words_they_were_said_in() -> None:
    assert best("The price is $40.")[0] == 2
    assert best("He is there at 9:30.")[0] == 3


def test_of_two_turns_with_the_words_the_one_by_whom_the_sentence_is_about_comes_first() -> None:
    assert best("Ben wants a bicycle.")[0] == 1
    assert best("Ana asks about a bicycle.")[0] == 0


def test_rare_words_count_more_than_frequent_ones() -> None:
    often = Dialogue(
        (*(Turn("", "The meeting is long.") for _ in range(9)), Turn("", "The budget."), Turn("", "A meeting."))
    )
    assert best("The meeting is about the budget.", often)[0] == 9


def test_the_second_turn_adds_to_the_first() -> None:
    talk = parse_dialogue("A: red apples and green pears\nB: red apples, right\nA: old cheese and bread\nB: fine")
    assert best("They want red apples, green pears, bread and cheese.", talk) == [0, 2]


def test_scores_fall_and_are_above_zero() -> None:
    first, second = rank_turns(["Rosa wants the blue bicycle for $40."], TALK)[0]
    assert first.score > 0
    assert second.score > 0


def test_nothing_shared_gives_no_turn() -> None:
    assert best("Zebras graze.") == []
    assert best("Ana and Ben.") == [], "speakers alone are in every turn"
    assert best("") == []
    assert rank_turns([], TALK) == []
    assert best("Anything.", Dialogue(())) == []


def test_only_turns_that_come_into_question_are_given() -> None:
    assert best("Ben wants a bicycle.", among=[{0, 4}]) == [0]
    assert best("Ben wants a bicycle.", among=[set()]) == []


def test_any_language_is_matched_word_by_word() -> None:
    german = parse_dialogue("Eva: Ich nehme den Zug um neun.\nJan: Und ich das Fahrrad.")
    assert best("Jan nimmt das Fahrrad.", german)[0] == 1
    chinese = Dialogue((Turn("甲", "我坐火车去北京"), Turn("乙", "我骑自行车")))
    assert best("他坐火车", chinese)[0] == 0


def test_ids_of_turns_are_kept() -> None:
    talk = Dialogue((Turn("A", "red apples", id=70), Turn("B", "green pears", id=12)))
    assert best("They want pears.", talk) == [12]


def test_a_summary_gets_turns_of_its_windows_or_of_what_was_read() -> None:
    summary = Summary.of_text("Ben wants a bicycle. Rosa is a cousin.")
    assert [one.turns[0] for one in with_turns(summary, TALK).sentences] == [1, 2]
    windowed = replace(summary, sentences=tuple(replace(one, turns=(3, 4)) for one in summary.sentences))
    assert [one.turns for one in with_turns(windowed, TALK).sentences] == [(3, 4), (4,)]
    cut = replace(summary, reading=Reading(5, ((1, 1), (5, 5)), 0, 45, 17))
    assert [one.turns for one in with_turns(cut, TALK).sentences] == [(0,), (4,)]


def test_memory_stays_flat_in_a_dialogue_of_100000_words() -> None:
    few, many = (
        Dialogue(tuple(Turn("ABC"[i % 3], f"word{i} and word{i + 1} of topic {i % 97} again") for i in range(n)))
        for n in (1_250, 12_500)
    )
    peaks = []
    for talk in (few, many):
        tracemalloc.start()
        assert best("A tells of word700 and word1100.", talk)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2_000_000


@pytest.mark.parametrize("sentence", ["They want 20:00123.", "#Person1# wants.", "...", "²", "١٢ كتاب"])
def test_odd_sentences_raise_nothing(sentence: str) -> None:
    assert isinstance(best(sentence), list)
