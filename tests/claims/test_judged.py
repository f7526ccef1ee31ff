"""What a judge says of sentences, put together with what the rules find."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from diasum.claims.judgement import Calibration, Judgement, log_odds_wrong
from diasum.claims.sentence_checks import Checker, SummaryCheck
from diasum.dialogue import Dialogue, parse_dialogue

TALK = parse_dialogue(
    "Ana: Can we meet at noon on Friday, at the office?\nBen: Yes, Friday at noon suits me.\nAna: Good, I book the room."
)
RIGHT, WRONG, EMPTY = "Ana will book the room.", "Sandra paid $900 to the plumber in Chicago.", "They agree."
CALIBRATION = Calibration(
    judge=1.0, rules=0.5, constant=0.0, neutral=-2.0, check=1.0, unsupported=4.0, flag=(1.0, 0.5, 0.0, -2.0)
)


class Fake:
    """A judge that says of each sentence what it is told to."""

    name, weights = "fake", "0"

    def __init__(
        self, support: dict[str, float], way: str | None = None, calibration: Calibration | None = None
    ) -> None:
        self.support, self.way, self.calibration = support, way, calibration
        self.asked: list[tuple[int, list[str]]] = []

    def judge(self, dialogue: Dialogue, sentences: Sequence[str]) -> list[Judgement]:
        self.asked.append((len(dialogue.turns), list(sentences)))
        return [Judgement(self.support.get(sentence, 0.99), self.way) for sentence in sentences]


def check(text: str, judge: Fake | None, dialogue: Dialogue = TALK) -> SummaryCheck:
    return Checker(dialogue, english=True, judge=judge).check(text)


def test_the_odds_are_finite_whatever_a_judge_says() -> None:
    assert [log_odds_wrong(Judgement(one)) for one in (0.0, 0.5, 1.0)] == [20, 0, -20]


def test_without_calibration_a_sentence_is_flagged_that_either_finds_wrong() -> None:
    text = f"{RIGHT} {WRONG} {EMPTY}"
    assert [one.verdict for one in check(text, None).sentences] == ["supported", "unsupported", "not checked"]
    for support, verdicts in (
        ({}, ["supported", "unsupported", "supported"]),
        ({RIGHT: 0.2, WRONG: 0.3, EMPTY: 0.4}, ["check", "unsupported", "check"]),
        ({RIGHT: 0.6, EMPTY: 0.5}, ["supported", "unsupported", "supported"]),
    ):
        found = check(text, Fake(support))
        assert [one.verdict for one in found.sentences] == verdicts
        assert not any("were not checked" in note for note in found.not_checked)
    reasons = check(text, Fake({RIGHT: 0.2, WRONG: 0.3})).sentences
    assert reasons[0].reasons == ("The conversation does not support it, as fake finds (support 20%).",)
    assert reasons[1].reasons[-1] == "The conversation does not support it, as fake finds (support 30%)."
    assert len(reasons[1].reasons) > 1


def test_with_calibration_both_make_one_score() -> None:
    judge = Fake({RIGHT: 0.1}, "reversed", CALIBRATION)
    (one,) = check(RIGHT, judge).sentences
    (rules,) = check(RIGHT, None).sentences
    assert rules.score is not None
    assert one.score == pytest.approx(log_odds_wrong(Judgement(0.1)) + 0.5 * rules.score)
    assert (one.verdict, one.way) == ("check", "reversed")
    assert one.reasons == (
        "Somebody else says or does this, or it is the other way round, as fake finds (support 10%).",
    )
    assert check(RIGHT, Fake({RIGHT: 1e-9}, "negated", CALIBRATION)).sentences[0].verdict == "unsupported"
    sure = check(RIGHT, Fake({}, "negated", CALIBRATION)).sentences[0]
    assert (sure.verdict, sure.reasons, sure.way) == ("supported", (), None)


def test_a_sentence_that_the_rules_cannot_check_is_judged() -> None:
    (one,) = check(EMPTY, Fake({EMPTY: 0.1}, "invented", CALIBRATION)).sentences
    assert one.score == pytest.approx(log_odds_wrong(Judgement(0.1)) + 0.5 * CALIBRATION.neutral)
    assert (one.verdict, one.reasons) == ("check", ("The conversation does not say so, as fake finds (support 10%).",))


def test_an_unsupported_fact_stays_unsupported() -> None:
    (one,) = check(WRONG, Fake({}, "invented", CALIBRATION)).sentences
    assert one.verdict == "unsupported"
    assert one.reasons == check(WRONG, None).sentences[0].reasons[: len(one.reasons)]


def test_the_review_flag_is_of_what_was_found_with_the_judge() -> None:
    sure, unsure = (check(RIGHT, Fake({RIGHT: one}, "invented", CALIBRATION)).review for one in (0.99, 0.05))
    assert sure is not None
    assert unsure is not None
    assert unsure > 2 * sure
    assert check(RIGHT, Fake({})).review == check(RIGHT, None).review


def test_where_the_rules_alone_speak_against_a_sentence_their_reason_is_given() -> None:
    talk = parse_dialogue("Ana: The cake is ready.\nBen: Thank you, it smells lovely.")
    text = "The gardener painted a wooden fence near the harbour."
    (rules,) = check(text, None, talk).sentences
    assert rules.flagged
    strict = Calibration(0.1, 1.0, 0.0, 0.0, check=0.0, unsupported=9.0, flag=(1.0, 0.0, 0.0, 0.0))
    (one,) = check(text, Fake({}, "reversed", strict), talk).sentences
    assert (one.verdict, one.reasons, one.way) == ("check", rules.reasons, rules.way)
    (both,) = check(text, Fake({text: 0.1}, "reversed", strict), talk).sentences
    assert both.reasons[:-1] == rules.reasons
    assert (len(both.reasons), both.way) == (len(rules.reasons) + 1, "reversed")


def test_a_judges_reason_is_no_fact() -> None:
    """The review flag counts unsupported facts, and what an uncalibrated judge says does not move it."""
    talk = parse_dialogue("Ana: The cake is ready.\nBen: Thank you, it smells lovely.")
    text = "The gardener painted a wooden fence near the harbour."
    assert check(text, Fake({text: 0.1}), talk).review == check(text, None, talk).review
    assert [one.fact for one in check(WRONG, Fake({WRONG: 0.1})).sentences] == [True]


def test_a_sentence_is_judged_once() -> None:
    judge = Fake({})
    checker = Checker(TALK, english=True, judge=judge)
    checker.check(f"{RIGHT} {EMPTY}")
    checker.check(f"{EMPTY} {WRONG} {WRONG}")
    assert [asked for _, asked in judge.asked] == [[RIGHT, EMPTY], [WRONG]]


def test_a_sentence_of_a_window_is_judged_by_its_turns() -> None:
    judge = Fake({})
    checker = Checker(TALK, english=True, judge=judge)
    checker.check(f"{RIGHT} {EMPTY}", [frozenset({2}), frozenset()])
    assert judge.asked == [(1, [RIGHT]), (3, [EMPTY])]


@pytest.mark.parametrize(
    ("text", "dialogue"),
    [
        (
            "Ana bucht den Raum für Freitag.",
            parse_dialogue("Ana: Treffen wir uns am Freitag?\nBen: Ja, gern, am Mittag."),
        ),
        (RIGHT, Dialogue(())),
    ],
)
def test_what_is_not_checked_is_not_judged(text: str, dialogue: Dialogue) -> None:
    judge = Fake({text: 0.0})
    found = Checker(dialogue, judge=judge).check(text)
    assert [one.verdict for one in found.sentences] == ["not checked"]
    assert not judge.asked
