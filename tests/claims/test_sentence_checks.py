"""Sentences that a dialogue does not support are flagged with a reason that a reader can use; what cannot be checked says so."""

from __future__ import annotations

import json
import tracemalloc
from importlib.resources import files

import pytest

from diasum.claims import sentence_checks
from diasum.claims.attribution import TOKEN, People, doers
from diasum.claims.orientation import EVIDENCE, verb_of
from diasum.claims.readings import readings
from diasum.claims.sentence_checks import WAYS, WEIGHTS, Checker, check_summary, leaf, load_weights
from diasum.claims.sentence_features import NAMES, Features, read_sentences
from diasum.claims.synonyms import OPPOSITES, SYNONYMS, root
from diasum.dialogue import Dialogue, Turn, parse_dialogue

TALK = parse_dialogue(
    "Grandson: Why do we always make two loaves, Nana? There's only you and me.\n"
    "Grandma: One's for us, and one's for Mr. Fell next door. He can't stand for long with that hip.\n"
    "Grandson: We could make a third one. For the lady with the parrot.\n"
    "Grandma: The oven takes four. We may as well fill it.\n"
    "Grandson: I will draw labels with the day on them. Can I have a bell?\n"
    "Grandma: There is an old one in the cellar. Please wash your hands first, and then we'll find it."
)
GERMAN = parse_dialogue(
    "Eva: Ich nehme morgen den Zug um neun, weil der Wagen noch in der Werkstatt steht und ich zur Arbeit muss.\n"
    "Jan: Dann bringe ich dich zum Bahnhof und hole dich am Abend wieder ab, wenn du willst."
)


def flagged(sentence: str, dialogue: Dialogue = TALK) -> bool:
    (one,) = check_summary(sentence, dialogue).sentences
    return one.flagged


@pytest.mark.parametrize(
    "sentence",
    [
        "Grandson asks Grandma why they always make two loaves.",
        "One of the loaves is for Mr. Fell next door.",
        "Grandson will draw labels with the day on them.",
        "Grandma tells Grandson to wash his hands first.",
        "Outcome: The oven takes four loaves.",
        "Grandson explains that he wants a bell.",
    ],
)
def test_what_the_dialogue_supports_is_supported(sentence: str) -> None:
    (one,) = check_summary(sentence, TALK).sentences
    assert (one.verdict, one.reasons, one.way) == ("supported", (), None)


@pytest.mark.parametrize(
    "sentence",
    [
        "Grandma plans to sell vegetables at the supermarket during summer.",
        "The patient has no known drug allergies.",
        "Grandson apologizes because he broke the kitchen window with a football.",
    ],
)
def test_what_nobody_says_is_flagged_with_the_words(sentence: str) -> None:
    (one,) = check_summary(sentence, TALK).sentences
    assert one.flagged
    assert one.way == "invented"
    assert one.score is not None
    assert one.score >= load_weights().check
    assert any(f"“{word.strip('.')}”" in one.reasons[-1] for word in sentence.split())


def test_a_fact_that_nobody_says_is_unsupported_whatever_the_words() -> None:
    (one,) = check_summary("Grandma makes 17 loaves.", TALK).sentences
    assert one.verdict == "unsupported"
    assert one.reasons[0] == "No turn says “17” in any form."


def test_places_of_sentences_and_the_review_flag() -> None:
    good, bad = "Grandson asks why they always make two loaves.", "They travel to Norway by submarine with 90 penguins."
    both = check_summary(f"{good} {bad}", TALK)
    assert [(one.start, one.end) for one in both.sentences] == [
        (0, len(good)),
        (len(good) + 1, len(good) + 1 + len(bad)),
    ]
    assert [one.flagged for one in both.sentences] == [False, True]
    alone = check_summary(good, TALK)
    assert alone.review is not None
    assert both.review is not None
    assert 0 < alone.review < both.review < 1


def test_who_asks_whom_counts() -> None:
    talk = parse_dialogue(
        "Ana: What are you majoring in?\nBen: I major in Japanese literature.\nAna: Do you like the literature course?\n"
        "Ben: It is very helpful. I read so many novels."
    )
    right, wrong = (
        one.score
        for name in ("Ana asks Ben", "Ben asks Ana")
        for one in check_summary(f"{name} about the course.", talk).sentences
    )
    assert right is not None
    assert wrong is not None
    assert wrong > right + 0.5


def _features(sentence: str, dialogue: Dialogue = TALK) -> Features:
    ((features, _),) = read_sentences([sentence], dialogue, load_weights().learnt)
    return features


def test_features_tell_who_does_what() -> None:
    assert _features("Grandson draws labels.").done_by_them > 0
    assert _features("Grandma draws labels.").done_by_others > 0
    assert _features("Grandma tells Grandson to wash his hands.").done_by_others == 0, (
        "the one who is told to is the one who acts"
    )
    assert _features("Grandson asks about loaves.").another < 0 < _features("Grandma asks about loaves.").another


def test_features_tell_what_is_denied() -> None:
    talk = parse_dialogue("Ana: I don't eat fish.\nBen: I eat meat every day.")
    assert _features("Ana does not eat fish.", talk).denied_denied > 0
    assert _features("Ana likes fish.", talk).affirmed_denied > 0
    assert _features("Ben does not eat meat.", talk).denied_affirmed > 0
    assert _features("Ana has no time.", parse_dialogue("Ana: I have time.\nBen: Great.")).denied_alone == 1


def test_words_that_stand_apart_are_told_from_words_together() -> None:
    talk = Dialogue(tuple(Turn("AB"[i % 2], f"topic{i} belongs to item{i}") for i in range(20)))
    assert _features("topic3 with item3", talk).least_beside > 0.5
    assert _features("topic3 with item17", talk).least_beside == 0


def test_numbers_belong_to_what_they_stand_with() -> None:
    talk = parse_dialogue(
        "A: We need 25 chairs in the hall.\nB: Fine.\nA: And 40 tables for the garden, by 6:30.\nB: Within 5 minutes."
    )
    right, wrong = _features("They need 25 chairs.", talk), _features("They need 40 chairs.", talk)
    assert right.number_beside < wrong.number_beside
    assert right.number_other < 0 < wrong.number_other
    assert (right.number_unit, wrong.number_unit) == (0, 1)
    assert _features("They need it by half past six.", talk).number_unit == 0
    assert _features("They need it at five o'clock.", talk).number_unit == 1, "five are minutes"
    assert _features("They need chairs.", talk).numbers == 0


def test_a_decimal_point_ends_no_sentence() -> None:
    ((one, _),) = read_sentences(
        ["A cup costs 2.80 for guests."],
        parse_dialogue("A: A cup is 2.80 for guests.\nB: Fine."),
        load_weights().learnt,
    )
    assert one.spread_sentence == 0


@pytest.mark.parametrize(
    ("answer", "sentence", "clash", "agreed"),
    [
        ("No, never.", "The patient smokes.", True, False),
        ("No, never.", "The patient does not smoke.", False, True),
        ("Yes, a lot.", "The patient smokes.", False, False),
        ("Yes, a lot.", "The patient does not smoke.", True, False),
        ("Twenty a day.", "The patient does not smoke.", False, False),
    ],
)
def test_what_is_asked_is_denied_by_the_answer(answer: str, sentence: str, clash: bool, agreed: bool) -> None:
    found = _features(sentence, parse_dialogue(f"Doctor: Do you smoke?\nPatient: {answer}"))
    assert (found.clash > 0, found.agreed > 0) == (clash, agreed)


def test_a_question_for_more_than_yes_or_no_denies_nothing() -> None:
    talk = parse_dialogue("A: Why do you smoke?\nB: No idea.")
    assert _features("B smokes.", talk).clash == 0


def test_what_is_denied_ends_with_the_clause() -> None:
    talk = parse_dialogue("A: I have a cat and a dog.\nB: Nice.")
    (one,) = readings(["A has no cat or dog, but a parrot because of mice."], talk)
    assert {word.said.text for word in one.told if word.denied} == {"cat", "dog"}
    assert {"parrot", "mice"} <= {word.said.text for word in one.told}


@pytest.mark.parametrize(
    ("said", "verb"),
    [
        ("invites her", root("invite")),
        ("is invited by", "be " + root("invited")),
        ("was told to", "be " + root("told")),
        ("does not want to", root("want")),
        ("is happy", "is " + root("happy")),
        ("", ""),
    ],
)
def test_the_verb_of_a_speaker(said: str, verb: str) -> None:
    assert verb_of(said.split()) == verb


@pytest.mark.parametrize(
    ("summary", "dialogue", "reason"),
    [
        ("Eva nimmt den Zug, und Jan bringt sie hin.", GERMAN, "not in English"),
        ("Eva takes the train, and Jan brings her to the station.", GERMAN, "not in English"),
        ("Der Enkel fragt die Oma, warum zwei Brote gebacken werden.", TALK, "not in English"),
        ("Grandma bakes.", Dialogue(()), "nothing is said"),
        ("Grandma bakes.", Dialogue((Turn("Grandma", ""),)), "nothing is said"),
    ],
)
def test_what_cannot_be_checked_is_not_called_supported(summary: str, dialogue: Dialogue, reason: str) -> None:
    found = check_summary(summary, dialogue)
    assert found.sentences
    assert {one.verdict for one in found.sentences} == {"not checked"}
    assert found.review is None
    assert reason in found.not_checked[0]


def test_a_sentence_without_content_words_is_not_checked_and_counted() -> None:
    found = check_summary("They agree. Grandson draws labels. Next: nothing.", TALK)
    assert [one.verdict for one in found.sentences] == ["not checked", "supported", "not checked"]
    assert found.not_checked == ("2 of 3 sentences have no words that a turn would have to say and were not checked.",)


def test_without_speakers_only_that_is_not_checked() -> None:
    found = check_summary("Someone has a parrot.", Dialogue((Turn("", "I have a parrot."), Turn("", "A big one?"))))
    assert found.sentences[0].verdict == "supported"
    assert found.not_checked == ("Who says and does what was not checked: the conversation names no speakers.",)


def test_an_empty_summary_has_nothing_to_check() -> None:
    assert check_summary("", TALK).sentences == ()
    assert check_summary("", TALK).not_checked == ()


def test_a_dialogue_is_prepared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = check_summary("Grandson draws labels.", TALK)
    prepared: list[str] = []
    for name in ("People", "Evidence"):
        made = getattr(sentence_checks, name)
        monkeypatch.setattr(sentence_checks, name, lambda talk, n=name, m=made: prepared.append(n) or m(talk))
    checker = Checker(TALK)
    assert [checker.check("Grandson draws labels.") for _ in range(2)] == [alone, alone]
    assert prepared == ["Evidence", "People"]


def test_a_sentence_of_a_window_is_supported_by_its_turns_only() -> None:
    sentences = ("Ana asks for the umbrella.", "Ana sells the lantern, the blanket and the carpet.")
    talk = parse_dialogue(
        "Ana: May I have the umbrella?\nBen: Yes.\nBen: I sell the lantern, the blanket and the carpet.\nCy: Fine, 20 euros."
    )
    everywhere = Checker(talk).check(" ".join(sentences))
    first = frozenset({0, 1})
    here = Checker(talk).check(" ".join(sentences), [first, first])
    assert everywhere.sentences[0].verdict == here.sentences[0].verdict == "supported"
    assert everywhere.sentences[1].way != "invented"
    assert here.sentences[1].way == "invented"
    assert Checker(talk).check(" ".join(sentences), [frozenset()] * 2) == everywhere
    named = Checker(talk).check("Cy takes the umbrella for 20 euros.", [first]).sentences[0]
    assert not any("Cy" in reason or "cy" in reason or "20" in reason for reason in named.reasons), (
        "known from elsewhere"
    )


def test_features_of_a_dialogue_of_100000_words_stay_small() -> None:
    peaks = []
    for n in (1_250, 12_500):
        talk = Dialogue(tuple(Turn("ABC"[i % 3], f"word{i} and word{i + 1} of topic {i % 97} again") for i in range(n)))
        read_sentences(["warm up"], talk, load_weights().learnt)
        tracemalloc.start()
        read_sentences(["A tells of word700 and word1100."], talk, load_weights().learnt)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 8_000_000, "only what is asked for is kept; most of it is the cache of roots"


def test_the_weights_say_where_they_come_from() -> None:
    saved = json.loads((files("diasum.claims") / WEIGHTS).read_text(encoding="utf-8"))
    assert {"generated_by", "date", "corpora", "dialogues", "sentences"} <= saved["about"].keys()
    assert tuple(saved["features"]) == NAMES
    assert tuple(saved["ways"]) == WAYS
    assert saved["orientation"]["evidence"] == list(EVIDENCE)
    assert all(len(row) == len(EVIDENCE) for row in saved["orientation"]["verbs"].values())
    assert saved["check"] < saved["unsupported"]


def test_a_tree_is_read_from_its_root() -> None:
    tree = [1, 0.5, -1.0, [0, 2.0, 0.25, 3.0]]
    assert [leaf(tree, values) for values in ([0, 0.5], [2, 0.6], [2.1, 0.6])] == [-1.0, 0.25, 3.0]
    assert leaf(0.5, []) == 0.5


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("recommendation", "recommends"),
        ("refusal", "refuse"),
        ("invitation", "invites"),
        ("arrangement", "arranged"),
        ("buys", "buy"),
    ],
)
def test_derived_words_have_one_root(a: str, b: str) -> None:
    assert root(a) == root(b)


def test_synonyms_and_opposites_are_mutual() -> None:
    for table in (SYNONYMS, OPPOSITES):
        assert all(one in table[other] for one, others in table.items() for other in others)
    assert root("buy") in SYNONYMS[root("purchase")]


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("I will bring the book", "bring", ("Ana",)),
        ("could you bring the book", "bring", ("Ben",)),
        ("bring the book please", "bring", ("Ben",)),
        ("we bring the book", "bring", ()),
        ("she will bring the book", "bring", ()),
    ],
)
def test_who_does_it_by_the_pronoun(text: str, word: str, expected: tuple[str, ...]) -> None:
    tokens = TOKEN.findall(text.lower())
    assert doers(tokens, tokens.index(word), "Ana", ("Ben",), {"ana": "Ana", "ben": "Ben"}) == expected


def test_who_is_told_of_in_a_sentence() -> None:
    people = People(parse_dialogue("Ana: Hello.\nBen: Hello."))
    agents = {
        one.text: one.agent for one in people.read("Ana asks Ben to bring books, and Ben refuses. Ana's car stops.")
    }
    assert agents["asks"] == "Ana"
    assert agents["bring"] == agents["refuses"] == "Ben"
    owners = {one.text: one.owner for one in people.read("Ben likes Ana's car.")}
    assert owners["car"] == "Ana"
    assert {one.agent for one in people.read("Ana and Ben travel.")} == {None}
