"""Numbered speakers: names out before the model reads, back in afterwards."""

from __future__ import annotations

import pytest

from diasum.config import DataSettings, PromptSettings
from diasum.data import Pair, PairEncoder, load_corpus
from diasum.data.speakers import NumberedSpeakers
from diasum.dialogue import Dialogue, Turn, parse_dialogue
from tests.tokenizers import tiny_bart_tokenizer

CHAT = parse_dialogue(
    "Ana: Ben, is the Front Desk open?\nFront Desk: It's open, Ana.\nBen Okri: Will Ana come, Okri asks."
)


def test_labels_and_spoken_names_become_numbers_in_the_order_of_speaking() -> None:
    assert NumberedSpeakers(CHAT).dialogue.text == (
        "#Person1#: #Person3#, is #Person2# open?\n#Person2#: It's open, #Person1#.\n#Person3#: Will #Person1# come, #Person3# asks."
    )


@pytest.mark.parametrize(
    ("summary", "hidden", "restored"),
    [
        ("Ana's key is with the Front Desk.", "#Person1#'s key is with #Person2#.", None),
        ("The front desk calls Ben.", "#Person2# calls #Person3#.", "The Front Desk calls Ben Okri."),
        ("Ben Okri leaves. The Front Desk waits.", "#Person3# leaves. #Person2# waits.", None),
        ("Anabel is not Ana.", "Anabel is not #Person1#.", None),
        ("An Front Desk", "An #Person2#", "An Front Desk"),
    ],
)
def test_a_summary_goes_there_and_back(summary: str, hidden: str, restored: str | None) -> None:
    speakers = NumberedSpeakers(CHAT)
    assert speakers.hide(summary) == hidden
    assert speakers.restore(hidden) == (restored or summary)


def test_what_a_model_gets_wrong_is_still_readable() -> None:
    speakers = NumberedSpeakers(CHAT)
    assert (
        speakers.restore("#Person7# and #Person0# meet. The #Person1# goes.") == "Someone and someone meet. Ana goes."
    )
    assert speakers.restore("#Person1 # Person2# #Person#") == "#Person1 # Person2# #Person#"


@pytest.mark.parametrize(
    "text",
    ["#Person2#: Hi.\n#Person1#: Hello, #Person2#.", "no labels here\nat all", "Ana: see #Person3#\nBen: who?"],
)
def test_numbers_of_ones_own_and_text_without_labels_stay(text: str) -> None:
    dialogue = parse_dialogue(text)
    speakers = NumberedSpeakers(dialogue)
    assert speakers.dialogue == dialogue
    assert speakers.hide("Ana and #Person2#") == "Ana and #Person2#"


def test_a_name_shared_by_two_speakers_stands_for_neither() -> None:
    speakers = NumberedSpeakers(parse_dialogue("Mr. Ilgner: Yes.\nMrs. Ilgner: No."))
    assert speakers.hide("Mrs. Ilgner asks Mr. Ilgner; the Ilgners go.") == "#Person2# asks #Person1#; the Ilgners go."
    assert speakers.hide("Ilgner goes") == "Ilgner goes"


def test_a_name_that_is_a_common_word_is_not_replaced_in_talk() -> None:
    speakers = NumberedSpeakers(parse_dialogue("Will: May I?\nMay: Will you?"))
    assert speakers.dialogue.text == "#Person1#: May I?\n#Person2#: Will you?"
    assert speakers.hide("Will asks May.") == "#Person1# asks #Person2#."


def test_labels_that_are_words_are_not_replaced_in_talk() -> None:
    """As in exports (`You`, `Me`) and exercises (`A`, `B`)."""
    speakers = NumberedSpeakers(parse_dialogue("A: A friend of B came.\nB: Who?"))
    assert speakers.dialogue.text == "#Person1#: A friend of B came.\n#Person2#: Who?"
    assert speakers.hide("A tells B.") == "#Person1# tells #Person2#."
    speakers = NumberedSpeakers(parse_dialogue("You: You are late.\nAna: You too."))
    assert speakers.dialogue.text == "#Person1#: You are late.\n#Person2#: You too."


def test_a_label_of_white_space_is_no_role() -> None:
    speakers = NumberedSpeakers(Dialogue((Turn(" ", "hi"),)))
    assert speakers.restore("#Person1# asks.") == "  asks."


def test_the_sample_conversations_come_back_as_they_were_written() -> None:
    """At least nine references in ten of the training split word for word, and every one but for an article or a first name."""
    same, loose = 0, 0
    pairs = load_corpus(DataSettings(path="sample")).split("train")
    for pair in pairs:
        speakers = NumberedSpeakers(pair.dialogue)
        back = speakers.restore(speakers.hide(pair.references[0]))
        same += back == pair.references[0]
        words = [[w for w in text.lower().split() if w not in ("the", "a")] for text in (back, pair.references[0])]
        loose += words[0] == words[1]
    assert same >= 0.9 * len(pairs)
    assert loose >= 0.98 * len(pairs)


def test_the_encoder_numbers_sources_and_targets_alike_and_gives_names_back() -> None:
    tokenizer = tiny_bart_tokenizer()
    pair = Pair("1", CHAT, ("Ana asks the Front Desk.",))
    numbered = PairEncoder(tokenizer, PromptSettings(speakers="numbered"))
    (feature,), report = numbered.encode([pair])
    source, target = (tokenizer.decode(feature[key], skip_special_tokens=True) for key in ("input_ids", "labels"))
    assert "#Person2#: It's open, #Person1#." in source
    assert "Ana" not in source
    assert target == "#Person1# asks #Person2#."
    assert numbered.finish(CHAT, target) == "Ana asks the Front Desk."
    assert report.cut == 0
    for speakers in ("named", "auto"):
        named = PairEncoder(tokenizer, PromptSettings(speakers=speakers))  # type: ignore[arg-type]
        (feature,), _ = named.encode([pair])
        assert "Ana: Ben" in tokenizer.decode(feature["input_ids"])
        assert named.finish(CHAT, "#Person1#") == "Someone"


@pytest.mark.parametrize("speakers", ["named", "numbered"])
@pytest.mark.parametrize(
    ("conversation", "written", "read"),
    [
        ("Lunch at one?\nHalf past.", "#Person1# asks #Person2# for lunch.", "Someone asks someone for lunch."),
        (
            "Lunch at one?\nHalf past.",
            "They meet. #Person1#'s early, and #Person12",
            "They meet. Someone's early, and someone",
        ),
        ("Lunch at one?", "It is asked by #Person", "It is asked by"),
        (
            "#Person1#: Lunch?\n#Person2#: Yes.",
            "#Person1# asks #Person2# and #Person3#.",
            "#Person1# asks #Person2# and someone.",
        ),
        ("Ana: Lunch?\nBen: Yes.", "Ana asks #Person7#.", "Ana asks someone."),
    ],
)
def test_no_number_is_left_that_the_conversation_does_not_have(
    speakers: str, conversation: str, written: str, read: str
) -> None:
    encoder = PairEncoder(tiny_bart_tokenizer(), PromptSettings(speakers=speakers))  # type: ignore[arg-type]
    assert encoder.finish(parse_dialogue(conversation), written) == read


def test_what_else_is_known_of_a_turn_stays() -> None:
    dialogue = parse_dialogue("\n1\n00:00:01,000 --> 00:00:02,500\nAna: Hi Ben.\nBen: Yo.")
    numbered = NumberedSpeakers(dialogue).dialogue
    assert numbered.speakers == ("#Person1#", "#Person2#")
    for turn, other in zip(dialogue.turns, numbered.turns, strict=True):
        assert (other.id, other.source, other.start, other.end) == (turn.id, turn.source, 1.0, 2.5)
