"""Contrast reports what the scorer prefers: planted preferences come out, and likelihoods equal those computed one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration, T5Config, T5ForConditionalGeneration

from diasum.config import GenerateSettings, PromptSettings
from diasum.data import Pair, PairEncoder
from diasum.dialogue import Dialogue, parse_dialogue
from diasum.errors import DiasumError
from diasum.evaluation.contrast import contrast, log_likelihoods
from diasum.evaluation.corruptions import KINDS
from diasum.model.hardware import choose_hardware
from diasum.model.loading import Base
from diasum.reports.headline import contrast_sentence
from diasum.summarization.trained import Trained
from tests.tokenizers import tiny_bart_tokenizer, tiny_t5_tokenizer

PAIRS = [
    Pair(
        f"p{i}",
        parse_dialogue(
            f"#Person1#: Can you come at {i}:30, Kevin? It costs $40.\n#Person2#: Yes, I will{' surely' * i}."
        ),
        (f"#Person1# asks Kevin to come at {i}:30. It costs $40 and #Person2# will come{' surely' * i}.",),
    )
    for i in range(1, 7)
]

MANY = [
    Pair(
        f"m{i}",
        parse_dialogue(f"#Person1#: Can you come at {i % 9 + 1}:{10 + i}, Kevin?\n#Person2#: Yes{' surely' * i}."),
        (f"#Person1# asks Kevin to come at {i % 9 + 1}:{10 + i}{'!' * i}.",),
    )
    for i in range(20)
]


def tiny(family: str, *, lora: bool = False) -> Trained:
    torch.manual_seed(0)
    tokenizer: Any
    model: Any
    if family == "t5":
        tokenizer = tiny_t5_tokenizer()
        model = T5ForConditionalGeneration(
            T5Config(
                vocab_size=len(tokenizer),
                d_model=16,
                d_kv=8,
                d_ff=32,
                num_layers=2,
                num_heads=2,
                decoder_start_token_id=0,
            )
        )
    else:
        tokenizer = tiny_bart_tokenizer()
        model = BartForConditionalGeneration(
            BartConfig(
                vocab_size=len(tokenizer), d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
                decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=256,
                bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, init_std=0.3,
            )
        )  # fmt: skip
    if lora:
        from peft import LoraConfig, get_peft_model

        modules = ["q", "v"] if family == "t5" else ["q_proj", "v_proj"]
        model = get_peft_model(
            model, LoraConfig(task_type="SEQ_2_SEQ_LM", target_modules=modules, init_lora_weights=False)
        )
    base = Base("tiny", model, tokenizer, family, None, "")
    settings = PromptSettings(max_source_tokens=200)
    return Trained(
        "tiny", model.eval(), base, PairEncoder(tokenizer, settings), GenerateSettings(), choose_hardware("cpu", "fp32", model_type=family),
        has_adapter=lora,
    )  # fmt: skip


@pytest.mark.parametrize("lora", [False, True])
@pytest.mark.parametrize("family", ["t5", "bart"])
def test_likelihoods_equal_those_of_one_text_at_a_time(family: str, lora: bool) -> None:
    trained = tiny(family, lora=lora)
    texts = [[pair.references[0], "Something else."][: 1 + i % 2] for i, pair in enumerate(PAIRS)]
    scores = log_likelihoods(trained, [pair.dialogue for pair in PAIRS], texts)
    assert [len(row) for row in scores] == [len(row) for row in texts]
    for pair, row, values in zip(PAIRS, texts, scores, strict=True):
        source = torch.tensor([trained.encoder.encode_dialogue(pair.dialogue).input_ids])
        for summary, value in zip(row, values, strict=True):
            labels = torch.tensor([trained.base.tokenizer(text_target=summary)["input_ids"]])
            with torch.no_grad():
                loss = trained.model(input_ids=source, attention_mask=torch.ones_like(source), labels=labels).loss
            assert value == pytest.approx(-loss.item(), abs=2e-4)


def test_a_planted_preference_of_the_model_comes_out() -> None:
    trained = tiny("bart")
    tokenizer = trained.base.tokenizer
    pairs = [Pair("a", parse_dialogue("A: I pay $40.\nB: Good."), ("It is $40.",))]
    forty = tokenizer("40", add_special_tokens=False)["input_ids"]
    for bias, share in ((12.0, 1.0), (-12.0, 0.0)):
        trained.model.final_logits_bias.zero_()
        trained.model.final_logits_bias[0, forty] = bias
        assert contrast(trained, pairs, kinds=["amount"]).kinds["amount"].share == share


def test_the_share_follows_the_scorer() -> None:
    right = {pair.references[0] for pair in PAIRS}

    def knows(sources: Sequence[Dialogue], groups: Sequence[Sequence[str]]) -> list[list[float]]:
        return [[float(text in right) for text in group] for group in groups]

    def against(sources: Sequence[Dialogue], groups: Sequence[Sequence[str]]) -> list[list[float]]:
        return [[-float(text in right) for text in group] for group in groups]

    def blind(sources: Sequence[Dialogue], groups: Sequence[Sequence[str]]) -> list[list[float]]:
        return [[0.0 for _ in group] for group in groups]

    trained = tiny("t5")
    for scorer, share in ((knows, 1.0), (against, 0.0), (blind, 0.5)):
        result = contrast(trained, PAIRS, kinds=["speakers", "name", "amount", "time"], scorer=scorer)
        assert list(result.kinds) == ["speakers", "name", "amount", "time"]
        assert all(kind.n == len(PAIRS) and kind.share == share for kind in result.kinds.values())
        assert result.kinds["name"].ids == tuple(pair.id for pair in PAIRS)


def test_the_control_sees_other_dialogues() -> None:
    own = {pair.references[0]: pair.dialogue for pair in PAIRS}

    def reads(sources: Sequence[Dialogue], groups: Sequence[Sequence[str]]) -> list[list[float]]:
        return [
            [float(text in own and own[text] is source) for text in group]
            for source, group in zip(sources, groups, strict=True)
        ]

    result = contrast(tiny("t5"), PAIRS, kinds=["name"], scorer=reads, control=True).kinds["name"]
    assert result.share == 1
    assert result.control is not None
    assert result.control.tolist() == [0.5] * len(PAIRS)


def test_gains_over_the_control_are_tested_and_told() -> None:
    """One model reads: right with its own dialogue, a coin with another. One only knows English: right with any dialogue."""
    own = {pair.references[0]: pair.dialogue for pair in MANY}

    def reads(sources: Sequence[Dialogue], groups: Sequence[Sequence[str]]) -> list[list[float]]:
        return [
            [float(own.get(t) is source or (own.get(t) is not None and len(t) % 2)) for t in group]
            for source, group in zip(sources, groups, strict=True)
        ]

    def fluent(sources: Sequence[Dialogue], groups: Sequence[Sequence[str]]) -> list[list[float]]:
        return [[float(t in own) for t in group] for group in groups]

    for scorer, established in ((reads, True), (fluent, False)):
        result = contrast(tiny("t5"), MANY, kinds=["name", "time", "date"], scorer=scorer, control=True)
        assert set(result.gains) == {"name", "time"}, "no date could be changed"
        gain = result.gains["name"]
        kind = result.kinds["name"]
        assert kind.control_share is not None
        assert gain.difference.mean == pytest.approx(kind.share - kind.control_share)
        assert gain.established is established
        said = contrast_sentence("adapter", result)
        assert said is not None
        assert (
            f"dialogue? {'shown' if established else 'not shown'} for name (100%, control {kind.control_share:.0%}, n 20)"
            in said
        )
        told = result.to_json()
        assert (told["chance"], told["kinds"]["date"]["n"], told["kinds"]["date"]["gain"]) == (0.5, 0, None)
        assert told["kinds"]["name"]["gain"]["established"] is established
    few = contrast(tiny("t5"), MANY[:5], kinds=["name"], scorer=reads, control=True)
    assert few.gains["name"].p_holm == 1
    assert "too few cases of name (n 5)" in str(contrast_sentence("adapter", few))
    assert contrast_sentence("adapter", contrast(tiny("t5"), MANY, kinds=["name"], scorer=fluent)) is None


def test_a_share_at_chance_is_not_shown_however_low_its_control() -> None:
    own = {pair.references[0]: pair.dialogue for pair in MANY}
    order = {pair.references[0]: i for i, pair in enumerate(MANY)}

    def half(sources: Sequence[Dialogue], groups: Sequence[Sequence[str]]) -> list[list[float]]:
        """Right in every second own dialogue, never in another one."""
        return [
            [float(t in own and own[t] is source and order[t] % 2 == 0) - 0.5 * (t in own) for t in group]
            for source, group in zip(sources, groups, strict=True)
        ]

    result = contrast(tiny("t5"), MANY, kinds=["name"], scorer=half, control=True)
    kind = result.kinds["name"]
    assert (kind.share, kind.control_share) == (0.5, 0)
    assert result.gains["name"].established
    assert not result.shown("name")
    assert "dialogue? not shown for name (50%, control 0%, n 20)" in str(contrast_sentence("adapter", result))
    assert result.to_json()["kinds"]["name"]["shown"] is False


def test_any_reference_that_can_be_corrupted_is_used() -> None:
    pair = Pair("a", parse_dialogue("Tom: I pay $40.\nBen: Good."), ("They talk about money.", "Tom pays $40."))
    right = "Tom pays $40."

    def knows(sources: Sequence[Dialogue], groups: Sequence[Sequence[str]]) -> list[list[float]]:
        assert all(len(group) == len(set(group)) for group in groups)
        return [[float(text == right) for text in group] for group in groups]

    result = contrast(tiny("t5"), [pair], kinds=["amount", "name"], scorer=knows)
    assert (result.kinds["amount"].n, result.kinds["amount"].share) == (1, 1.0)


def test_draw_is_seeded_and_kinds_without_cases_are_empty() -> None:
    trained = tiny("t5")
    first = contrast(trained, PAIRS, kinds=["time", "date"], max_pairs=3, seed=1)
    again = contrast(trained, PAIRS, kinds=["time", "date"], max_pairs=3, seed=1)
    assert first.pairs == 3
    assert first.kinds["time"].ids == again.kinds["time"].ids
    assert np.array_equal(first.kinds["time"].wins, again.kinds["time"].wins)
    assert first.kinds["date"].n == 0
    assert np.isnan(first.kinds["date"].share)


def test_progress_counts_pairs() -> None:
    seen: list[int] = []
    contrast(tiny("bart"), PAIRS, kinds=KINDS, progress=seen.append)
    assert sum(seen) == len(PAIRS)


def test_bad_input() -> None:
    trained = tiny("t5")
    with pytest.raises(DiasumError, match="no corruption `speaker`"):
        contrast(trained, PAIRS, kinds=["speaker"])
    with pytest.raises(DiasumError, match="1 of 1 have none"):
        contrast(trained, [Pair("x", PAIRS[0].dialogue, ())])
    with pytest.raises(DiasumError, match="0 of 0"):
        contrast(trained, [])
