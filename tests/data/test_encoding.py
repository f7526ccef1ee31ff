"""Prompts that survive the tokenizer; truncation that keeps the prompt whole and says what it cut."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from diasum.config import PromptSettings
from diasum.data import Pair, PairEncoder, Prompt, choose_separator, lost_characters
from diasum.dialogue import Dialogue, Turn, parse_dialogue
from diasum.errors import DiasumError
from tests.tokenizers import tiny_bart_tokenizer, tiny_t5_tokenizer

FAMILIES = [tiny_t5_tokenizer, tiny_bart_tokenizer]
Build = Callable[[], PreTrainedTokenizerFast]
WORDS = "good morning doctor headache since monday have you taken anything for it no i report before lunch".split()  # noqa: SIM905


def talk(turns: int, rng: random.Random, longest: int = 12) -> Dialogue:
    return Dialogue(
        tuple(
            Turn(f"#Person{i % 2 + 1}#", " ".join(rng.choices(WORDS, k=rng.randint(1, longest))) + ".")
            for i in range(turns)
        )
    )


def decoded(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> str:
    return tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def test_the_separator_is_a_line_break_where_it_survives() -> None:
    separator, reason = choose_separator(tiny_bart_tokenizer(), PromptSettings())
    assert separator == "\n"
    assert "survive" in reason


def test_the_separator_is_another_where_line_breaks_are_lost() -> None:
    tokenizer = tiny_t5_tokenizer()
    separator, reason = choose_separator(tokenizer, PromptSettings())
    assert separator == " | "
    assert "loses line breaks" in reason
    dialogue = parse_dialogue("Anna: Good morning.\nBen: Good morning, Doctor.\nAnna: yes")
    encoder = PairEncoder(tokenizer, PromptSettings())
    back = decoded(tokenizer, encoder.encode_dialogue(dialogue).input_ids)
    assert back == encoder.prompt.render(dialogue)
    assert back.startswith("Summarize the following conversation. Anna: Good")
    assert back.endswith("yes Summary:")


def test_a_separator_from_the_settings_is_used_and_its_loss_is_said() -> None:
    assert choose_separator(tiny_t5_tokenizer(), PromptSettings(turn_separator=" / "))[0] == " / "
    separator, reason = choose_separator(tiny_t5_tokenizer(), PromptSettings(turn_separator="\n"))
    assert separator == "\n"
    assert "loses it" in reason


def test_the_template_keeps_its_line_breaks_where_the_tokenizer_does() -> None:
    prompt = Prompt(PromptSettings(), "\n")
    assert (
        prompt.render(parse_dialogue("A: x\nB: y")) == "Summarize the following conversation.\n\nA: x\nB: y\n\nSummary:"
    )
    flat = Prompt(PromptSettings(template="One\n two:\n{dialogue}\n"), " | ", keeps_line_breaks=False)
    assert (flat.prefix, flat.suffix) == ("One two: ", " ")


def test_lost_characters_are_counted() -> None:
    texts = ["a {b} c\n", "{ { é"]
    assert lost_characters(tiny_t5_tokenizer(), texts) == {"{": 3, "}": 1, "\n": 1, "é": 1}
    assert lost_characters(tiny_bart_tokenizer(), [*texts, "東京 🙂 \u00a0"]) == {}
    assert lost_characters(tiny_t5_tokenizer(), []) == {}


@pytest.mark.parametrize("build", FAMILIES)
@pytest.mark.parametrize("keep", ["start", "end", "both"])
@pytest.mark.parametrize("limit", [40, 64, 200])
def test_truncation_keeps_the_prompt_whole(build: Build, keep: str, limit: int) -> None:
    tokenizer = build()
    encoder = PairEncoder(tokenizer, PromptSettings(keep=keep, max_source_tokens=limit))  # type: ignore[arg-type]
    rng = random.Random(limit)
    for turns in (1, 2, 3, 10, 40):
        dialogue = talk(turns, rng, longest=rng.choice([2, 12, 80]))
        source = encoder.encode_dialogue(dialogue)
        whole = tokenizer(encoder.prompt.render(dialogue))["input_ids"]
        text = decoded(tokenizer, source.input_ids)
        assert len(source.input_ids) <= limit
        assert source.tokens_total == len(whole)
        assert source.tokens_cut == len(whole) - len(source.input_ids)
        assert (source.reading.turns_cut > 0) == (source.input_ids != whole)
        assert text.startswith(encoder.prompt.prefix.strip())
        assert text.endswith(encoder.prompt.suffix)
        assert source.input_ids[-1] == tokenizer.eos_token_id
        assert tokenizer.pad_token_id not in source.input_ids


@pytest.mark.parametrize("build", FAMILIES)
def test_whole_turns_stay_from_the_side_asked_for(build: Build) -> None:
    tokenizer = build()
    dialogue = Dialogue(tuple(Turn("Anna" if i % 2 else "Ben", f"have you taken number {i}") for i in range(40)))
    kept = {}
    for keep in ("start", "end", "both"):
        encoder = PairEncoder(tokenizer, PromptSettings(keep=keep, max_source_tokens=128))  # type: ignore[arg-type]
        source = encoder.encode_dialogue(dialogue)
        body = (
            decoded(tokenizer, source.input_ids).removeprefix(encoder.prompt.prefix).removesuffix(encoder.prompt.suffix)
        )
        kept[keep] = body.split(encoder.prompt.separator)
        turns = [turn for turn in kept[keep] if turn != "..."]
        assert source.reading.turns_cut == 40 - len(turns)
        assert len(source.input_ids) > 90, "room is used"
    lines = [str(turn) for turn in dialogue.turns]
    assert kept["start"] == lines[: len(kept["start"])]
    assert kept["end"] == lines[-len(kept["end"]) :]
    gap = kept["both"].index("...")
    assert kept["both"][:gap] == lines[:gap]
    assert kept["both"][gap + 1 :] == lines[gap + 1 - len(kept["both"]) :]
    assert gap > 1
    assert len(kept["both"]) - gap > 1


@pytest.mark.parametrize("build", FAMILIES)
@pytest.mark.parametrize("keep", ["start", "end", "both"])
def test_a_turn_longer_than_the_room_is_cut_between_words(build: Build, keep: str) -> None:
    tokenizer = build()
    said = " ".join(f"word{i}" for i in range(300))
    encoder = PairEncoder(tokenizer, PromptSettings(keep=keep, max_source_tokens=100))  # type: ignore[arg-type]
    source = encoder.encode_dialogue(Dialogue((Turn("Anna", said),)))
    text = decoded(tokenizer, source.input_ids)
    assert 80 <= len(source.input_ids) <= 100
    assert source.reading.turns_cut == 1
    words = [word for word in text.split() if word.startswith("word")]
    assert set(words) <= set(said.split()), "no word is cut"
    assert ("word0" in words) == (keep != "end")
    assert ("word299" in words) == (keep != "start")
    assert text.count("Anna:") == (2 if keep == "both" else 1)


def test_a_short_first_turn_does_not_crowd_out_a_long_second_one() -> None:
    encoder = PairEncoder(tiny_bart_tokenizer(), PromptSettings(max_source_tokens=200))
    dialogue = Dialogue((Turn("Anna", "yes"), Turn("Ben", "good morning " * 300), Turn("Anna", "no")))
    source = encoder.encode_dialogue(dialogue)
    assert len(source.input_ids) > 190
    assert source.reading.turns_cut == 2


@pytest.mark.parametrize("keep", ["start", "end", "both"])
def test_the_limit_holds_where_turns_are_shorter_alone_than_in_their_place(keep: str) -> None:
    encoder = PairEncoder(tiny_bart_tokenizer(), PromptSettings(keep=keep, max_source_tokens=100))  # type: ignore[arg-type]
    encoder._room += 40  # as if the turns had been counted too short
    rng = random.Random(0)
    for dialogue in (talk(30, rng), talk(1, rng, 400), talk(3, rng, 100)):
        source = encoder.encode_dialogue(dialogue)
        assert len(source.input_ids) <= 100
        assert decoded(encoder.tokenizer, source.input_ids).endswith("Summary:")


def test_one_endless_word_is_cut_inside() -> None:
    encoder = PairEncoder(tiny_bart_tokenizer(), PromptSettings(max_source_tokens=120))
    assert 100 < len(encoder.encode_dialogue(Dialogue((Turn("A", "x" * 5000),))).input_ids) <= 120


def test_a_prompt_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(DiasumError, match=r"prompt.template alone takes \d+ tokens, prompt.max_source_tokens is 16"):
        PairEncoder(
            tiny_t5_tokenizer(), PromptSettings(template="good morning " * 20 + "{dialogue}", max_source_tokens=16)
        )


@pytest.mark.parametrize("build", FAMILIES)
def test_pairs_become_features_and_a_report(build: Build) -> None:
    tokenizer = build()
    rng = random.Random(0)
    pairs = [Pair(str(i), talk(5, rng), ("Anna asks Ben.", "unused")) for i in range(18)]
    pairs += [Pair("long", talk(60, rng), ("Ben agrees. " * 100,)), Pair("odd", talk(1, rng), ("{a}",))]
    encoder = PairEncoder(tokenizer, PromptSettings(max_source_tokens=256, max_target_tokens=32))
    features, report = encoder.encode(pairs)
    assert [set(feature) for feature in features] == [{"input_ids", "labels"}] * 20
    for pair, feature in zip(pairs, features, strict=True):
        assert feature["input_ids"] == encoder.encode_dialogue(pair.dialogue).input_ids
        assert feature["labels"][-1] == tokenizer.eos_token_id
        assert feature["labels"].count(tokenizer.eos_token_id) == 1
        assert len(feature["labels"]) <= 32
    assert features[0]["labels"] == tokenizer("Anna asks Ben.")["input_ids"]
    assert (report.n, report.cut, report.targets_cut, report.target_max) == (20, 1, 1, 32)
    assert report.tokens - report.tokens_cut == sum(len(feature["input_ids"]) for feature in features)
    assert report.source_max == max(len(feature["input_ids"]) for feature in features)
    assert report.sentence().startswith(
        f"1 of 20 dialogues cut, {100 * report.tokens_cut / report.tokens:.1f}% of tokens"
    )
    assert ("`{` (1x)" in report.sentence()) == (build is tiny_t5_tokenizer)


def test_dialogues_alone_are_encoded_the_same() -> None:
    rng = random.Random(2)
    dialogues = [talk(n, rng) for n in (1, 4, 50)]
    encoder = PairEncoder(tiny_t5_tokenizer(), PromptSettings(max_source_tokens=100))
    sources, report = encoder.encode_dialogues(dialogues)
    assert sources == [encoder.encode_dialogue(dialogue) for dialogue in dialogues]
    assert (report.n, report.target_max) == (3, 0)
    assert encoder.encode_dialogues([])[1].sentence() == "0 of 0 dialogues cut, 0.0% of tokens"


def test_labels_end_in_eos_even_where_the_tokenizer_adds_none() -> None:
    tokenizer = tiny_t5_tokenizer()
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="$A", special_tokens=[])
    assert tokenizer("good")["input_ids"][-1] != 1
    pair = Pair("1", parse_dialogue("A: good morning"), ("good morning",))
    features, _ = PairEncoder(tokenizer, PromptSettings()).encode([pair])
    assert features[0]["labels"][-1] == 1


def test_pairs_without_a_summary_are_refused() -> None:
    with pytest.raises(DiasumError, match=r"1 of 1 pairs have no reference summary \(first: x\)"):
        PairEncoder(tiny_t5_tokenizer(), PromptSettings()).encode([Pair("x", parse_dialogue("A: hi"), ())])


@pytest.mark.parametrize("build", FAMILIES)
def test_special_tokens_that_somebody_wrote_are_plain_characters(build: Build) -> None:
    tokenizer = build()
    written = " ".join(tokenizer.all_special_tokens)
    pair = Pair("x", parse_dialogue(f"Anna: what is {written} for?\nBen: no idea"), (f"Anna asks about {written}.",))
    (feature,), _ = PairEncoder(tokenizer, PromptSettings()).encode([pair])
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    framing = set(tokenizer("Anna").input_ids) & special
    for ids in (feature["input_ids"], feature["labels"]):
        assert special & set(ids) == framing
        assert sum(x in special for x in ids) == sum(x in special for x in tokenizer("Anna").input_ids)


def test_a_special_token_in_the_settings_is_meant() -> None:
    tokenizer = tiny_bart_tokenizer()
    dialogue = parse_dialogue("Anna: good morning\nBen: yes\nAnna: no")
    ids = PairEncoder(tokenizer, PromptSettings(turn_separator="</s>")).encode_dialogue(dialogue).input_ids
    assert ids.count(tokenizer.eos_token_id) == 3
