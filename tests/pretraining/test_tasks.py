"""The pretraining mixture: summaries true to their dialogues, names consistent, held-out parts apart, draws repeatable."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from diasum.dialogue import parse_dialogue
from diasum.errors import DiasumError
from pretraining import reading
from pretraining.attribution import questions
from pretraining.corpora import FILES, Talk, as_written, clean_meeting, make_turn, shared_words
from pretraining.everyday import Dialogue, Everyday, summarize
from pretraining.grammar import GENERATORS, read_grammar, walk
from pretraining.names import FEMALE, MALE
from pretraining.speakers import cast_two, known
from pretraining.tasks import FAMILIES, SUMMARIZE, TaskMixture, window
from tests.pretraining.talks import DATA, booking, needs_data

FIGURE = re.compile(r"\$?\d[\d:.,]*\d|\d")


@pytest.fixture(scope="module")
def everyday() -> Everyday:
    return Everyday()


@pytest.fixture(scope="module")
def mixture() -> TaskMixture:
    return TaskMixture(DATA)


@pytest.fixture(scope="module")
def held() -> TaskMixture:
    return TaskMixture(DATA, held_out=True)


def figures_missing(summary: str, source: str) -> list[str]:
    return [f for f in FIGURE.findall(re.sub(r"#Person\d#", "", summary)) if f not in source]


# -- everyday grammars -------------------------------------------------------------------------------------------------
def test_every_scenario_draws_and_its_figures_occur_in_its_turns(everyday: Everyday) -> None:
    assert len(everyday.scenarios) >= 100
    rng = random.Random(5)
    for scenario in everyday.scenarios:
        for _ in range(12):
            lines, summary = summarize(rng, everyday.draw(rng, scenario), 400)
            source = reading.render(lines)
            assert summary, scenario.name
            assert not figures_missing(summary, source), (scenario.name, source, summary)
            assert not re.search(r"[{}<>@~]|\$[a-z]| {2}", source + summary), (scenario.name, source, summary)


def test_summaries_mention_only_speakers_or_names_of_the_dialogue(everyday: Everyday) -> None:
    rng = random.Random(6)
    names = set(FEMALE) | set(MALE)
    for _ in range(600):
        lines, summary = summarize(rng, everyday.draw(rng, longest=2), 400)
        source = reading.render(lines)
        for word in re.findall(r"#Person\d#|[A-Z][a-z]+", summary):
            if word.startswith("#") or word in names:
                assert word in source, (source, summary)


def test_numbered_speakers_are_called_by_their_own_numbers(everyday: Everyday) -> None:
    """A number that is spoken belongs to a speaker, never to who speaks; no placeholder is left."""
    spoken = 0
    for seed in range(300):
        lines, target = summarize(random.Random(seed), everyday.draw(random.Random(seed), longest=3), 200)
        labels = {label for label, _ in lines}
        text = "\n".join(said for _, said in lines)
        assert not re.search(r"#[A-D]#", text + target)
        for label, said in lines:
            for number in re.findall(r"#Person\d#", said):
                spoken += 1
                assert number in labels or len(labels) == 1
                assert number != label or re.search(rf"(?:is|am|'m|'s) {number}|{number} (?:speaking|here)", said)
    assert spoken > 20


def test_few_scenarios_are_enough_to_draw_long_dialogues() -> None:
    everyday = Everyday()
    everyday.private = everyday.private[:1]
    for seed in range(40):
        everyday.draw(random.Random(seed), everyday.private[0], longest=4)


def test_who_says_it_is_asked_of_a_sentence_of_the_speaker() -> None:
    dialogue = parse_dialogue("Ana: The key is under the mat.\nBen: Yes. I took it an hour ago. Sorry?")
    asked = [*questions([dialogue] * 20, 0, 2)]
    assert {(who, sentence) for _, who, sentence in asked} == {
        ("Ana", "The key is under the mat"),
        ("Ben", "I took it an hour ago"),
    }
    assert not [*questions([dialogue], 0, 3)]


def test_a_cut_dialogue_is_summarized_only_as_far_as_it_goes() -> None:
    turns = [("A", "one two three"), ("B", "four five"), ("A", "six")]
    dialogue = Dialogue(turns, [(1, "A counts"), (3, "B stops")], ["the end"], "counting")
    lines, summary = summarize(random.Random(0), dialogue, 8)
    assert [t for _, t in lines] == ["one two three", "four five"]
    assert summary == "A counts."


def test_a_grammar_error_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    path.write_text("== x | y | -\nA: hello\n+ what is this\n")
    with pytest.raises(DiasumError, match=r"bad.txt, line 3"):
        read_grammar(path)
    path.write_text("== x | y | -\nA: {hello\n")
    with pytest.raises(DiasumError, match="braces"):
        read_grammar(path)


def test_every_variable_of_the_grammars_is_known(everyday: Everyday) -> None:
    for scenario in everyday.scenarios:
        for line in walk(scenario.body):
            for name in re.findall(r"\$([a-z]\w*)", str(line)):
                assert name in scenario.variables or name in everyday.shared or name in GENERATORS


# -- reading and copying -----------------------------------------------------------------------------------------------
LINES = [
    ("Priya", "Could you book a table for 4 at Luigi on Friday at 7:30 pm?"),
    ("Tom", "Luigi is full on Friday. I can offer Saturday."),
    ("Priya", "Saturday is fine, thank you Tom."),
]


def test_answers_of_reading_questions_stand_in_the_source() -> None:
    rng = random.Random(0)
    kinds = set()
    for _ in range(2000):
        asked = reading.read(rng, LINES)
        if asked is None:
            continue
        kind, (_, body, cue, answer) = asked
        kinds.add(kind)
        if kind == "all_said_by":
            assert answer == " ".join(t for s, t in LINES if s in cue)
        elif kind not in ("count_turns", "numbers", "names", "speakers", "who_mentions", "missing_words"):
            assert answer in body
        elif kind == "missing_words":
            assert "____" in body
            assert answer in body
    assert len(kinds) == len(reading.READERS)


def test_who_says_is_not_asked_of_words_that_two_people_say() -> None:
    lines = [("A", "Yes."), ("B", "Yes.")]
    assert all(reading.who_says(random.Random(k), lines) is None for k in range(20))


def test_numbers_are_listed_in_order() -> None:
    question = reading.numbers(random.Random(0), LINES)
    assert question is not None
    assert question[3] == "4, 7:30 pm"


def test_copy_tasks_answer_from_their_body() -> None:
    rng = random.Random(0)
    for _ in range(500):
        kind, (_, body, cue, answer) = reading.copy(rng, ["tree", "house", "river", "stone"], 40)
        if kind == "lookup":
            key = re.search(r"What does (\w+) say", cue)
            assert key is not None
            assert f"{key[1]}: {answer}" in body
        else:
            assert all(word in body.replace("*", "") for word in answer.replace(",", "").split())


# -- corpora -----------------------------------------------------------------------------------------------------------
def test_as_written_finds_whole_words_in_any_case() -> None:
    assert as_written("san jose", "I am in San Jose now") == "San Jose"
    assert as_written("2", "at 12 pm") == ""
    assert as_written("Paris", "London") == ""


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("And and um th the th this is the R_F_I_D_ one", "And the this is the RFID one"),
        ("I I think it's {disfmarker} it's it's fine, uh, yeah .", "I think it's fine, yeah."),
        ("you're you're watching the second channel , um .", "you're watching the second channel,."),
        ("We can can see a one and a two, uh-huh", "We can see a one and a two,"),
        ("It is in the inbox so some of it is gone", "It is in the inbox so some of it is gone"),
        ("Plan B costs $5, vitamin C helps", "Plan B costs $5, vitamin C helps"),
    ],
)
def test_talk_of_meetings_is_written_down_as_one_would_write_it(said: str, written: str) -> None:
    assert clean_meeting(said) == written


def test_the_person_behind_a_label() -> None:
    assert known("#Person2#").mention == "#Person2#"
    assert (known("Priya").he, known("Mr. Rossi").he) == ("she", "he")
    assert known("Front Desk").mention == "the front desk"


@needs_data
def test_reports_of_everyday_talk_tell_of_its_own_speakers(mixture: TaskMixture) -> None:
    rng = random.Random(0)
    for _ in range(50):
        said = mixture.everyday_said(rng, 80)
        assert said
        assert sum(len(f"{person.label}: {text}".split()) for person, text in said) <= 80
        assert all(person == known(person.label) for person, _ in said)


def test_shared_words_tells_fitting_recaps_from_others() -> None:
    turns = (make_turn("A", "The dragon burns the bridge."),)
    assert shared_words("A dragon burns bridges", turns) == 1.0
    assert shared_words("Everyone sleeps peacefully", turns) == 0.0


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match=r"train.jsonl.gz"):
        TaskMixture(tmp_path)


def test_only_allowed_files_are_read() -> None:
    allowed = {"sgd", "sgd_dev", "crd3", "mts", "qmsum", "qmsum_val", "taskmaster4", "star"}
    assert set(FILES) == allowed
    assert not any("dialogsum" in f or "test" in f or "validation" in f for f in FILES.values())


def test_windows_are_whole_turns_within_the_bound() -> None:
    turns = booking()
    for seed in range(50):
        part = window(random.Random(seed), turns, 20)
        assert sum(t.words for t in part) <= 20
        assert list(part) == turns[turns.index(part[0]) : turns.index(part[0]) + len(part)] if part else True


def test_two_speakers_never_share_a_label() -> None:
    rng = random.Random(0)
    for _ in range(3000):
        a, b = cast_two(rng)
        assert a.label != b.label
        assert a.mention != b.mention


# -- the mixture, with the corpora -------------------------------------------------------------------------------------
@needs_data
@pytest.mark.parametrize("family", FAMILIES)
def test_draws_are_repeatable_and_bounded(mixture: TaskMixture, family: str) -> None:
    for words in (30, 120, 300):
        first = [mixture.sample(random.Random(k), max_words=words, weights={family: 1.0}) for k in range(25)]
        again = [mixture.sample(random.Random(k), max_words=words, weights={family: 1.0}) for k in range(25)]
        assert first == again
        assert all(len(e.source.split()) <= words and e.target and e.task.startswith(f"{family}/") for e in first)
        assert all(e.source.count("\n\n") == 2 for e in first)


@needs_data
def test_composed_summaries_take_figures_and_speakers_from_the_source(mixture: TaskMixture) -> None:
    rng = random.Random(9)
    drawn = [mixture.sample(rng, max_words=220, weights={"summary": 1.0}) for _ in range(1500)]
    composed = [e for e in drawn if e.task in ("summary/sgd", "summary/everyday", "summary/taskmaster4")]
    assert len(composed) > 1000
    for example in composed:
        assert example.source.startswith(SUMMARIZE)
        assert not figures_missing(example.target, example.source), example
        for label in re.findall(r"#Person\d#", example.target):
            assert label in example.source, example
        assert not re.search(r"[{}<>~]|\ba [aeio][a-z]", example.target.replace("a one", "")), example


@needs_data
def test_held_out_dialogues_are_apart(mixture: TaskMixture, held: TaskMixture) -> None:
    def ids(part: dict[str, list[Talk]]) -> set[tuple[str, str]]:
        return {(source, talk.id) for source, talks in part.items() for talk in talks if source != "sgd"}

    assert not ids(mixture.talks) & ids(held.talks)
    texts = {talk.turns for talk in mixture.talks["sgd"]}
    assert not any(talk.turns in texts for talk in held.talks["sgd"])
    assert not {s.name for s in mixture.everyday.scenarios} & {s.name for s in held.everyday.scenarios}
    assert all(held.talks[source] for source in held.talks)
    assert not {d.id for d in mixture.written.dialogues} & {d.id for d in held.written.dialogues}
    pairs = held.held_out_pairs(40)
    assert pairs == mixture.held_out_pairs(40)
    assert len({e.source for e in pairs}) == 40
