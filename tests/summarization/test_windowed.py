"""Dialogues longer than the model: everything is read, once, in order, and told."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from diasum.config import GenerateSettings, PromptSettings
from diasum.data import PairEncoder
from diasum.dialogue import Dialogue, Turn
from diasum.engines import Generated
from diasum.summarization.windowed import WindowSource, reads_in_windows, summarize_in_windows
from tests.tokenizers import tiny_bart_tokenizer

TOKENIZER = tiny_bart_tokenizer()


def talk(turns: int) -> Dialogue:
    return Dialogue(tuple(Turn("Ana" if i % 2 else "Ben", f"This is number {i}.") for i in range(turns)))


class Writer:
    """Writes what a function makes of each decoded prompt, and remembers what it read."""

    def __init__(self, answer: Callable[[str], str], cut: bool = False) -> None:
        self.calls: list[list[str]] = []
        self.parts: list[list[Dialogue]] = []
        self._answer, self._cut = answer, cut

    def __call__(self, sources: list[WindowSource]) -> list[Generated]:
        self.parts.append([one.part for one in sources])
        self.calls.append([TOKENIZER.decode(one.input_ids, skip_special_tokens=True) for one in sources])
        return [Generated(self._answer(text), self._cut) for text in self.calls[-1]]


def first_number(text: str) -> str:
    first, *_ = re.findall(r"number (\d+)", text)
    return f"#Person1# told of {first}."


def test_summaries_of_windows_are_put_together() -> None:
    encoder = PairEncoder(TOKENIZER, PromptSettings(max_source_tokens=200, speakers="numbered"))
    write = Writer(first_number)
    short, long = talk(2), talk(30)
    (one, text_of_one), (job, joined) = summarize_in_windows(encoder, [short, long], write)
    assert len(write.calls) == 1, "all windows of all dialogues together"
    assert (len(one.windows), one.passes, text_of_one.text) == (1, 1, "Ben told of 0.")
    n = len(job.windows)
    assert n > 2
    assert joined.text == " ".join(f"Ben told of {window.first}." for window in job.windows), "names are back"
    assert [part.turns for part in job.parts] == [tuple(range(w.first, w.last + 1)) for w in job.windows]
    assert (job.passes, job.tokens) == (n, sum(len(TOKENIZER(text)["input_ids"]) for text in write.calls[0][1:]))
    assert job.reading.whole
    assert job.reading.spans == ((1, 30),)
    assert not job.cut


def test_summaries_that_are_too_long_are_read_again() -> None:
    encoder = PairEncoder(TOKENIZER, PromptSettings(max_source_tokens=200))
    said = "Ana and Ben talked for a very long time about number {} and about everything else that came to their minds."

    def answer(text: str) -> str:
        numbers = re.findall(r"number (\d+)", text)
        return said.format(numbers[0]) + f" Then came number {numbers[-1]}."

    write = Writer(answer)
    ((job, joined),) = summarize_in_windows(encoder, [talk(60)], write)
    assert len(write.calls) > 1
    assert all(len(TOKENIZER(text)["input_ids"]) <= 200 for call in write.calls for text in call)
    assert [len(call) for call in write.calls] == sorted((len(call) for call in write.calls), reverse=True)
    assert job.passes == sum(map(len, write.calls))
    assert len(job.windows) == len(write.calls[0]), "what was read of the dialogue itself"
    assert all("talked for a very long time" in text for text in write.calls[1])
    assert "number 0 " in joined.text
    assert "number 59." in joined.text
    for part in job.parts:
        assert part.turns
        assert part.sources


def test_a_brief_is_one_sentence_however_long_the_dialogue() -> None:
    settings = PromptSettings(max_source_tokens=200, template="Briefly: {dialogue} Summary:")
    encoder = PairEncoder(TOKENIZER, settings.model_copy(update={"length": "brief"}))
    ((job, joined),) = summarize_in_windows(encoder, [talk(30)], Writer(lambda _: "Ana told of number 1."))
    assert len(job.windows) > 2
    assert joined.text == "Ana told of number 1."
    assert job.passes > len(job.windows)


def test_a_house_form_is_not_read_again_with_its_labels() -> None:
    encoder = PairEncoder(TOKENIZER, PromptSettings(max_source_tokens=240))
    write = Writer(lambda text: f"{'Ana talked a lot. ' * 3}She said number {len(text)}.\nStill open: number 7.")
    ((job, joined),) = summarize_in_windows(encoder, [talk(90)], write, closing="Still open:")
    assert len(write.calls) > 1
    assert not any("Still open:" in text for call in write.calls[1:] for text in call)
    assert joined.text.count("Still open:") == 1
    assert joined.text.endswith("\nStill open: number 7.")
    assert job.passes > len(job.windows)


def test_it_ends_where_summaries_do_not_get_fewer() -> None:
    encoder = PairEncoder(TOKENIZER, PromptSettings(max_source_tokens=80))
    write = Writer(lambda text: "Words and words and more words that nobody needs. " * 9 + text[:1])
    ((job, joined),) = summarize_in_windows(encoder, [talk(20)], write)
    assert len(write.calls) < 5
    assert joined.text
    assert [part.text for part in job.parts]


def test_a_summary_that_reached_its_limit_and_an_empty_one() -> None:
    encoder = PairEncoder(TOKENIZER, PromptSettings(max_source_tokens=200))
    ((job, _),) = summarize_in_windows(encoder, [talk(30)], Writer(first_number, cut=True))
    assert job.cut
    ((job, joined),) = summarize_in_windows(encoder, [talk(30)], Writer(lambda _: ""))
    assert joined.text == ""
    assert job.passes == len(job.windows)
    assert summarize_in_windows(encoder, [], Writer(first_number)) == []


@pytest.mark.parametrize(
    ("long", "keep", "expected"),
    [
        ("auto", "start", True),
        ("auto", "end", False),
        ("auto", "both", False),
        ("windows", "end", True),
        ("cut", "start", False),
    ],
)
def test_who_names_what_is_to_stay_gets_that(long: str, keep: str, expected: bool) -> None:
    settings = GenerateSettings(long=long)  # type: ignore[arg-type]
    assert reads_in_windows(settings, PromptSettings(keep=keep)) is expected  # type: ignore[arg-type]


def test_what_is_hidden_stays_hidden_in_all_windows_and_comes_back() -> None:
    pytest.importorskip("phonenumbers")
    encoder = PairEncoder(TOKENIZER, PromptSettings(max_source_tokens=200, redact="on"))
    turns = [
        *talk(15).turns,
        Turn("Ana", "Write to ana@example.com."),
        *talk(15).turns,
        Turn("Ben", "ana@example.com?"),
    ]
    dialogue = Dialogue(tuple(replace(turn, id=None) for turn in turns))
    redacted = encoder.redacted(dialogue)
    assert redacted is not None
    hidden = redacted.hide("ana@example.com")
    write = Writer(lambda text: f"They wrote to {hidden}." if hidden in text else "They talked.")
    ((job, joined),) = summarize_in_windows(encoder, [dialogue], write)
    assert len(job.windows) > 2
    assert not any("example.com" in text for call in write.calls for text in call)
    assert sum(hidden in text for text in write.calls[0]) == 2, "one placeholder in every window"
    assert joined.text == "They talked. They wrote to ana@example.com."
