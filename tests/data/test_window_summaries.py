"""Summaries of windows put together: a house form once, and each sentence with its turns."""

from __future__ import annotations

import pytest

from diasum.data.summary import split_into_sentences
from diasum.data.window_summaries import TextOfTurns, house_labels, join, nearest, recall, without_labels


def parts(*texts: str) -> list[TextOfTurns]:
    return [TextOfTurns(text, (10 * i, 10 * i + 1)) for i, text in enumerate(texts)]


def test_summaries_stand_one_after_the_other_and_keep_their_turns() -> None:
    joined = join(parts("Ana asks for the report. Ben agrees.", "They meet at nine.", "Ana thanks Ben."))
    assert joined.text == "Ana asks for the report. Ben agrees. They meet at nine. Ana thanks Ben."
    sentences = joined.sentences(split_into_sentences(joined.text))
    assert [one.turns for one in sentences] == [(0, 1), (0, 1), (10, 11), (20, 21)]
    assert join([]).text == ""


def test_what_two_windows_say_alike_is_said_once() -> None:
    joined = join(parts("Ana asks for the report.", "Ana  asks for the report.", "Ben agrees."))
    assert joined.text == "Ana asks for the report. Ben agrees."
    assert [one.turns for one in joined.sentences(split_into_sentences(joined.text))] == [(0, 1, 10, 11), (20, 21)]


def test_labelled_parts_stand_together_under_one_label() -> None:
    joined = join(
        parts(
            "Gist: Ana rents a boat. Outcome: It costs 40. Next: Ana pays.",
            "Gist: The boat leaks. Outcome: Ben mends it. Next: They sail.",
        )
    )
    assert (
        joined.text
        == "Gist: Ana rents a boat. The boat leaks. Outcome: It costs 40. Ben mends it. Next: Ana pays. They sail."
    )
    sentences = joined.sentences(split_into_sentences(joined.text))
    assert [one.turns for one in sentences] == [(0, 1), (10, 11)] * 3


def test_a_closing_line_comes_once_and_last() -> None:
    texts = [
        "Ana rents a boat.\nStill open: whether it leaks.",
        "They sail.\nStill open: nothing.",
        "Ben pays.\nStill open: who rows.",
    ]
    joined = join(parts(*texts), closing="Still open:")
    assert joined.text == "Ana rents a boat. They sail. Ben pays.\nStill open: whether it leaks; who rows."
    assert join(parts(*texts)).text == joined.text, "found without being told, too"
    nothing = join(parts("A. B.\nStill open: nothing.", "C.\nStill open: nothing."), closing="Still open:")
    assert nothing.text == "A. B. C.\nStill open: nothing."


def test_a_speaker_is_not_a_label_and_what_one_summary_has_is_not_a_form() -> None:
    texts = ["Ana: no. Ben asks why.", "Ana: yes. Ben is glad."]
    assert join(parts(*texts), speakers=["Ana", "Ben"]).text == " ".join(texts)
    assert house_labels(["Gist: x.", "y.", "z. w."]) == []
    assert house_labels(["Gist: x. Next: y.", "Gist: x.", "Next: z."]) == ["Gist:", "Next:"]
    assert house_labels(["They meet at 9:30. It is 10: so late.", "They meet at 9:30."]) == []


def test_labels_are_left_out_for_another_reading() -> None:
    labels = ["Gist:", "Next:"]
    assert without_labels("Gist: Ana rents a boat. Next: Ana pays.", labels) == "Ana rents a boat. Ana pays."
    assert without_labels("Ana rents a boat.", []) == "Ana rents a boat."


def test_what_was_written_from_summaries_rests_on_the_nearest_of_them() -> None:
    sources = parts("Ana asks for the report.", "They talk about lunch.", "Ben sends the table.")
    assert nearest("Ana asks for a report.", sources) == (0, 1)
    assert nearest("Nobody knows.", sources) == (0, 1, 10, 11, 20, 21), "no word in common: any of them"
    whole = TextOfTurns("Ana asks for the report. Ben sends the table.", (0, 1, 20, 21), sources=tuple(sources))
    joined = join([whole])
    sentences = joined.sentences(split_into_sentences(joined.text))
    assert [one.turns for one in sentences] == [(0, 1), (20, 21)]


@pytest.mark.parametrize(
    ("reference", "text", "expected"),
    [
        ("Ana asks Ben", "ana ASKS ben today", 1.0),
        ("Ana asks Ben", "Ben asks Ana", 0.5),
        ("Ana asks", "nobody", 0.0),
        ("今天下雨", "今天不下雨", (1 + 2 / 3) / 2),
        ("", "Ana", 0.0),
    ],
)
def test_recall_counts_words_and_pairs_of_words(reference: str, text: str, expected: float) -> None:
    assert recall(reference, text) == pytest.approx(expected)
