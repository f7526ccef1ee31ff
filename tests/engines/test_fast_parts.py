"""Parts of the fast engine: what it refuses, the largest scores, and n-grams that repeat."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import IA3Config, LoraConfig, PromptTuningConfig, get_peft_model
from transformers import LongT5Config, LongT5ForConditionalGeneration, NoRepeatNGramLogitsProcessor

from diasum.config import GenerateSettings
from diasum.engines import generate
from diasum.engines.fast.engine import FastEngine
from diasum.engines.fast.rules import repeated
from diasum.engines.fast.search import largest
from diasum.engines.plain import PlainEngine
from diasum.model.fast import compiling
from tests.models import CONVERSATIONS, tiny_t5


def test_sampling_is_left_to_the_plain_engine() -> None:
    reason = FastEngine(*tiny_t5()).unsupported(GenerateSettings(do_sample=True))
    assert reason is not None
    assert "generate.do_sample" in reason


def test_weights_that_must_stay_as_they_are_are_refused() -> None:
    assert FastEngine(*tiny_t5(), convert=False).unsupported(GenerateSettings()) is not None


def test_other_families_and_activations_are_refused() -> None:
    model, tokenizer = tiny_t5()
    model.config.dense_act_fn = "tanh"
    assert "activations" in str(FastEngine(model, tokenizer).unsupported(GenerateSettings()))
    other = LongT5ForConditionalGeneration(
        LongT5Config(vocab_size=40, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
    )
    assert "longt5" in str(FastEngine(other, tokenizer).unsupported(GenerateSettings()))


def test_a_model_class_of_ones_own_is_refused() -> None:
    class Mine(LongT5ForConditionalGeneration):  # type: ignore[misc]
        pass

    model = Mine(LongT5Config(vocab_size=40, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2))
    model.config.model_type = "t5"
    assert "Mine" in str(FastEngine(model, None).unsupported(GenerateSettings()))


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (PromptTuningConfig(task_type="SEQ_2_SEQ_LM", num_virtual_tokens=2), "PROMPT_TUNING"),
        (
            IA3Config(task_type="SEQ_2_SEQ_LM", target_modules=["k"], feedforward_modules=[]),
            "`k`",
        ),
        (LoraConfig(task_type="SEQ_2_SEQ_LM", target_modules=["q"], trainable_token_indices=[5]), "TrainableTokens"),
        (LoraConfig(task_type="SEQ_2_SEQ_LM", target_modules=["q", "shared"]), "`shared`"),
    ],
    ids=["prompt tuning", "IA3", "tokens", "embedding"],
)
def test_adapters_that_it_does_not_merge_are_refused_and_generate_all_the_same(config: Any, named: str) -> None:
    model, tokenizer = tiny_t5()
    model = get_peft_model(model, config).eval()
    sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS[:2]]
    settings = GenerateSettings(num_beams=2, max_new_tokens=4)
    reason = FastEngine(model, tokenizer).unsupported(settings)
    assert reason is not None
    assert named in reason
    assert generate(model, tokenizer, sources, settings) == PlainEngine(model, tokenizer).generate(sources, settings)


@pytest.mark.parametrize("columns", [7, 300, 1024, 3001])
@pytest.mark.parametrize("number", [2, 5])
def test_the_largest_of_blocks_are_the_largest(columns: int, number: int) -> None:
    torch.manual_seed(0)
    scores = torch.randn(9, columns)
    scores[0, -number:] = 9 + torch.arange(float(number))  # behind the last block
    scores[1, 128 : 128 + number] = 9 + torch.arange(float(number)) if columns > 200 else 0.5
    scores[2, 3:] = float("-inf")
    values, places = largest(scores, number)
    assert torch.equal(values, scores.topk(number).values)
    assert torch.equal(scores.gather(1, places), values)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_what_would_repeat_is_what_transformers_blocks(size: int) -> None:
    """Of rows of different lengths, whatever stands behind their ends."""
    torch.manual_seed(1)
    history, lengths = torch.randint(0, 4, (40, 12)), torch.randint(0, 12, (40,))
    rows, tokens = repeated(history, lengths, size)
    found = [{int(token) for row, token in zip(rows, tokens, strict=True) if row == i} for i in range(40)]
    processor, scores = NoRepeatNGramLogitsProcessor(size), torch.zeros(1, 4)
    for i, length in enumerate(lengths.tolist()):
        blocked = processor(history[i : i + 1, : length + 1], scores)  # type: ignore[arg-type]
        assert found[i] == set(blocked[0].isinf().nonzero().flatten().tolist())
    assert any(found)


def test_kernels_are_compiled_when_there_is_enough_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which takes seconds: the summary of one conversation does not wait for it, but takes what is there."""
    asked: list[str] = []
    monkeypatch.setattr(compiling, "compiled", lambda dtype: asked.append("compiled") or (None, ""))
    monkeypatch.setattr(compiling, "compiled_before", lambda dtype: asked.append("compiled before"))
    model, tokenizer = tiny_t5()
    engine, settings = FastEngine(model, tokenizer), GenerateSettings(num_beams=1, max_new_tokens=1)
    for count in (1, 62, 1):
        engine.generate([[4, 1]] * count, settings)
    assert asked == ["compiled before", "compiled"]
