"""Training on dialogues that do not fit: by window, with the reference sentences that belong there; or refused; or cut, as ever."""

from __future__ import annotations

import pytest

from diasum.config import PromptSettings
from diasum.data import Pair, PairEncoder
from diasum.data.long_pairs import encode_pairs, window_targets
from diasum.dialogue import Dialogue, Turn
from diasum.errors import DiasumError
from tests.tokenizers import tiny_bart_tokenizer

TOKENIZER = tiny_bart_tokenizer()
TOPICS = ("the report and the table", "a headache since Monday", "lunch at nine", "nothing at all")
LONG = Dialogue(
    tuple(Turn("Ana" if i % 2 else "Ben", f"We talk about {topic}, number {i}.") for topic in TOPICS for i in range(9))
)
SHORT = Dialogue((Turn("Ana", "Lunch?"), Turn("Ben", "At nine.")))
REFERENCE = "Ben talks about lunch at nine. Ana has had a headache since Monday. Somewhere else altogether: xylophones."
PAIRS = [Pair("long", LONG, (REFERENCE,)), Pair("short", SHORT, ("Ana and Ben eat.",))]


def encoder(**settings: object) -> PairEncoder:
    return PairEncoder(TOKENIZER, PromptSettings(max_source_tokens=250, **settings))  # type: ignore[arg-type]


def test_a_sentence_belongs_to_the_window_that_holds_most_of_it() -> None:
    texts = ["Ana: the report", "Ben: a headache since Monday", "Ana: lunch at nine"]
    assert window_targets(texts, REFERENCE) == [
        "",
        "Ana has had a headache since Monday. Somewhere else altogether: xylophones.",
        "Ben talks about lunch at nine.",
    ]
    assert window_targets(texts, "Lunch at nine.\nStill open: a headache.") == [
        "",
        "Still open: a headache.",
        "Lunch at nine.",
    ]
    assert window_targets(["x"], "A b.\nC d. E f.") == ["A b.\nC d. E f."]


def test_windows_are_examples_with_their_part_of_the_reference() -> None:
    features, report = encode_pairs(encoder(), PAIRS, "windows")
    windows = encoder().encode_windows(LONG)
    texts = [TOKENIZER.decode(one["labels"], skip_special_tokens=True) for one in features]
    assert sorted(" ".join(texts[:-1]).split()) == sorted(REFERENCE.split()), "no sentence is lost or told twice"
    assert texts[-1] == "Ana and Ben eat."
    assert [one["input_ids"] for one in features[:-1]] == [
        one.input_ids for one in windows if one.input_ids in [feature["input_ids"] for feature in features]
    ]
    assert (report.n, report.cut, report.tokens_cut, report.in_windows) == (2, 0, 0, 1)
    assert report.windows == len(windows) > 3
    assert report.windows_left_out == len(windows) - (len(features) - 1) > 0
    assert f"1 dialogue read in {len(windows)} windows, {report.windows_left_out} of them left out" in report.sentence()
    assert max(len(one["input_ids"]) for one in features) <= 250


def test_speakers_keep_their_numbers_in_windows_and_targets() -> None:
    late = Dialogue((*LONG.turns, *(Turn("Carla", f"I like xylophones, number {i}.") for i in range(12))))
    pair = Pair("late", late, ("Carla likes xylophones.",))
    features, _ = encode_pairs(encoder(speakers="numbered"), [pair], "windows")
    assert [TOKENIZER.decode(one["labels"], skip_special_tokens=True) for one in features] == [
        "#Person3# likes xylophones."
    ]


def test_cut_is_what_it_was_and_refuse_names_them() -> None:
    assert encode_pairs(encoder(), PAIRS, "cut") == encoder().encode(PAIRS)
    assert encode_pairs(encoder(), PAIRS[1:], "windows") == encoder().encode(PAIRS[1:])
    assert encode_pairs(encoder(), PAIRS[1:], "refuse") == encoder().encode(PAIRS[1:])
    with pytest.raises(DiasumError, match=r"1 of 2 dialogues take more than 250 tokens: long\.") as caught:
        encode_pairs(encoder(), PAIRS, "refuse")
    assert "train.long=windows" in str(caught.value.hint)


def test_cut_references_of_dialogues_that_fit_are_counted_too() -> None:
    pairs = [PAIRS[0], Pair("short", SHORT, ("Ana and Ben eat, " * 20,))]
    _, report = encode_pairs(encoder(max_target_tokens=60), pairs, "windows")
    assert report.targets_cut == 1
    _, report = encode_pairs(encoder(max_target_tokens=12), pairs, "windows")
    assert report.targets_cut > 1, "and those of windows"


def test_a_prompt_that_fits_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one = encoder()
    seen: list[str] = []
    ids = one._ids
    monkeypatch.setattr(one, "_ids", lambda texts, **options: seen.extend(texts) or ids(texts, **options))
    encode_pairs(one, PAIRS, "windows")
    assert seen.count(one.source_text(SHORT)) == 1
    assert seen.count(one.source_text(LONG)) == 1
