"""Of what a search found, the summary is taken of which the checks flag the fewest sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import diasum
from diasum.config import GenerateSettings
from diasum.dialogue import Dialogue, parse_dialogue
from diasum.engines import Generated
from diasum.errors import DiasumError
from diasum.resolve import SUMMARIZE, resolve
from diasum.summarization.reranking import reranked

TALK = "Ana: Can we meet at noon on Friday, at the office?\nBen: Yes, Friday at noon suits me.\nAna: Good, then I will book the room."
RIGHT = ("Ana and Ben meet on Friday.", "Ana will book the room.", "Ben will meet Ana at noon.")
WRONG = ("Sandra sold forty horses in Chicago.", "They paid $900 to the plumber.")


def found(*texts: str) -> Generated:
    return Generated.of_search([Generated(text, cut=False) for text in texts])


class Finder:
    """An engine that finds the same for every source."""

    name = "torch-plain"

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def unsupported(self, settings: GenerateSettings) -> str | None:
        return None

    def generate(self, sources: Sequence[Sequence[int]], settings: GenerateSettings, **_: Any) -> list[Generated]:
        return [found(*(self.texts if settings.rerank else self.texts[:1])) for _ in sources]


@pytest.fixture(scope="module")
def mini() -> Any:
    return diasum.load("mini")


@pytest.mark.parametrize(
    ("texts", "taken"),
    [
        ((RIGHT[0], RIGHT[1]), 0),
        ((WRONG[0], RIGHT[1], RIGHT[0]), 1),
        ((f"{WRONG[0]} {WRONG[1]}", f"{RIGHT[0]} {WRONG[0]}", WRONG[1]), 1),
        ((f"{RIGHT[0]} {RIGHT[1]}", RIGHT[2]), 0),
        ((WRONG[1],), 0),
        ((WRONG[0], "", RIGHT[1]), 2),
    ],
)
def test_the_fewest_flags_win_and_the_likeliest_of_those(texts: tuple[str, ...], taken: int, mini: Any) -> None:
    dialogue = parse_dialogue(TALK)
    (one,) = reranked([found(*texts)], [(dialogue, dialogue)], mini.trained.encoder)
    assert one.text == texts[taken]


def test_what_a_search_found_is_each_text_once_and_none_empty() -> None:
    one = found("a", "b", "a", "", "c", "b")
    assert (one.text, [other.text for other in one.others]) == ("a", ["b", "c"])
    assert found("").others == ()


def test_names_are_back_in_a_text_before_it_is_checked(mini: Any) -> None:
    assert mini.trained.encoder.settings.speakers == "numbered"
    texts = ("#Person2# will book the room for the forty guests of Sandra.", "#Person1# will book the room.")
    mini.trained.generate_with([Finder(*texts)])
    try:
        assert mini.summarize({"dialogue": TALK}).startswith("Ben will book the room for the forty")
        assert mini.summarize({"dialogue": TALK}, rerank=True) == "Ana will book the room."
    finally:
        mini.trained._engines = None


def test_in_windows_a_part_is_checked_against_what_was_read_for_it(mini: Any) -> None:
    """Names as the conversation has them, though the model reads numbers; a text without names gains nothing by that."""
    turns = [("Ana", f"Apples number {i} are ripe and sweet in the garden today.") for i in range(60)]
    turns += [("Ben", f"The plumber mended pipe {i} in the kitchen and left.") for i in range(60)]
    of_apples, of_pipes = (
        "#Person1# says that apples are ripe in the garden.",
        "#Person2# says that the plumber left the kitchen.",
    )
    mini.trained.generate_with(
        [Finder(of_pipes, of_apples, "Sandra sold forty horses in Chicago.", "Something is said.")]
    )
    settings = mini.trained.generate.model_copy(update={"rerank": True})
    try:
        (one,) = mini.trained.summarize([_dialogue(turns)], settings=settings)
    finally:
        mini.trained._engines = None
    assert one.windows
    assert len(one.windows) > 2
    assert one.text.startswith("Ana says that apples are ripe in the garden.")
    assert one.text.endswith("Ben says that the plumber left the kitchen.")


def test_one_that_was_cut_does_not_take_the_place_of_one_that_ended(mini: Any) -> None:
    dialogue = parse_dialogue(TALK)
    ended, cut = Generated(f"{RIGHT[0]} {WRONG[0]}", cut=False), Generated(RIGHT[1], cut=True)
    (one,) = reranked([Generated.of_search([ended, cut])], [(dialogue, dialogue)], mini.trained.encoder)
    assert one.text == ended.text
    (other,) = reranked(
        [Generated.of_search([Generated(ended.text, cut=True), cut])], [(dialogue, dialogue)], mini.trained.encoder
    )
    assert other.text == cut.text


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"num_beams": 1}, "has one beam"), ({"do_sample": True}, "samples one")],
)
def test_nothing_to_choose_among_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(DiasumError, match=told):
        resolve(SUMMARIZE, {"generate": {"rerank": True, **changes}})


def _dialogue(turns: list[tuple[str, str]]) -> Dialogue:
    return parse_dialogue("\n".join(f"{speaker}: {text}" for speaker, text in turns))
