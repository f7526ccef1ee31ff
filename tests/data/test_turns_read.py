"""What was read of a conversation that does not fit, in words and numbers."""

from __future__ import annotations

import pytest

from diasum.config import PromptSettings
from diasum.data import PairEncoder
from diasum.data.turns_read import Reading, reading
from diasum.dialogue import Dialogue, Turn
from tests.tokenizers import tiny_bart_tokenizer

TURNS = tuple(Turn("Anna", f"number {i} it is") for i in range(1, 134))


@pytest.mark.parametrize(
    ("head", "tail", "cut", "said"),
    [
        (TURNS, (), 0, "read all 133 turns"),
        (TURNS[:5], (), 128, "read turns 1 to 5 of 133 (4% of the words)"),
        ((), TURNS[-1:], 132, "read turn 133 of 133 (under 1% of the words)"),
        (TURNS[:2], TURNS[-3:], 128, "read turns 1 to 2 and 131 to 133 of 133 (4% of the words)"),
        (
            (*TURNS[:4], Turn("Anna", "number")),
            (),
            129,
            "read turns 1 to 5 of 133, 1 of them in part (3% of the words)",
        ),
        ((Turn("Anna", "number 1"),), (), 133, "read turn 1 of 133, in part (under 1% of the words)"),
        (TURNS[:132], (), 1, "read turns 1 to 132 of 133 (99% of the words)"),
        ((), (), 133, "read none of its 133 turns"),
    ],
)
def test_what_is_said_of_it(head: tuple[Turn, ...], tail: tuple[Turn, ...], cut: int, said: str) -> None:
    found = reading(TURNS, head, tail)
    assert (found.turns, found.turns_cut, found.whole) == (133, cut, cut == 0)
    assert found.sentence() == said


def test_a_turn_read_at_both_ends_is_one_turn() -> None:
    turns = (Turn("Anna", "one two three four"),)
    found = reading(turns, [Turn("Anna", "one")], [Turn("Anna", "four")])
    assert (found.spans, found.partial, found.turns_cut) == (((1, 1),), 1, 1)
    assert found.sentence() == "read turn 1 of 1, in part (50% of the words)"


def test_letters_count_where_there_are_no_spaces() -> None:
    turns = (Turn("甲", "今天天气很好"), Turn("乙", "是的"))
    assert reading(turns, turns[:1], ()) == Reading(2, ((1, 1),), 0, 8, 6)


@pytest.mark.parametrize("keep", ["start", "end", "both"])
def test_the_encoder_tells_what_it_kept(keep: str) -> None:
    tokenizer = tiny_bart_tokenizer()
    encoder = PairEncoder(tokenizer, PromptSettings(keep=keep, max_source_tokens=128))  # type: ignore[arg-type]
    source = encoder.encode_dialogue(Dialogue(TURNS))
    text = tokenizer.decode(source.input_ids, skip_special_tokens=True)
    told = {i for first, last in source.reading.spans for i in range(first, last + 1)}
    assert told == {i for i in range(1, 134) if f"number {i} it is" in text}
    assert source.reading.words_read == 4 * len(told)
    assert source.reading.words == 4 * 133
