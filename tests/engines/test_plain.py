"""Generation: batches and padding change nothing, order is kept, cut summaries are known."""

from __future__ import annotations

from typing import Any

import pytest

from diasum.config import GenerateSettings, LoraSettings
from diasum.engines import Generated
from diasum.engines.plain import PlainEngine
from diasum.model import add_adapter
from tests.models import CONVERSATIONS, tiny_bart, tiny_t5


def generate(
    model: Any,
    tokenizer: Any,
    sources: list[list[int]],
    settings: GenerateSettings,
    *,
    convert: bool = True,
    **more: Any,
) -> list[Generated]:
    return PlainEngine(model, tokenizer, convert=convert).generate(sources, settings, **more)


@pytest.mark.parametrize("make", [tiny_t5, tiny_bart])
@pytest.mark.parametrize("beams", [1, 3])
def test_batched_equals_one_by_one(make: Any, beams: int) -> None:
    model, tokenizer = make()
    model.train()
    sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS]
    settings = GenerateSettings(num_beams=beams, max_new_tokens=12, batch_tokens=200)
    done: list[int] = []
    together = generate(model, tokenizer, sources, settings, progress=done.append)
    alone = [generate(model, tokenizer, [source], settings)[0] for source in sources]
    assert together == alone
    assert sum(done) == len(sources)
    assert len(done) > 1, "the budget must split these sources"
    assert model.training, "the mode it had is restored"
    assert len({one.text for one in together}) > 1, "different sources must give different texts here"


def test_cut_is_told_apart_from_ended() -> None:
    model, tokenizer = tiny_t5(seed=18)  # one whose random outputs end by themselves, some of them
    sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS]
    made = generate(model, tokenizer, sources, GenerateSettings(num_beams=1, max_new_tokens=8))
    ended = [one for one in made if not one.cut]
    assert ended
    assert len(ended) < len(made)
    longer = generate(model, tokenizer, sources, GenerateSettings(num_beams=1, max_new_tokens=16))
    for short, long in zip(made, longer, strict=True):
        assert long.text.startswith(short.text.split(" ")[0])
        if not short.cut:
            assert long == short, "a summary that ended is the same with more room"


NASTY = {
    "min_length": 30, "num_beams": 4, "num_beam_groups": 1, "no_repeat_ngram_size": 1, "encoder_no_repeat_ngram_size": 2,
    "min_new_tokens": 9,
    "length_penalty": -3.0, "repetition_penalty": 3.0, "early_stopping": True, "forced_eos_token_id": 7,
    "suppress_tokens": [5, 6, 8, 9, 11],
    "begin_suppress_tokens": [12, 13], "bad_words_ids": [[10], [14]],
    "exponential_decay_length_penalty": [1, 5.0], "num_return_sequences": 1,
}  # fmt: skip


@pytest.mark.parametrize("adapted", [False, True], ids=["base", "adapter"])
@pytest.mark.parametrize("make", [tiny_t5, tiny_bart])
def test_the_models_own_search_settings_do_not_leak_in(make: Any, adapted: bool) -> None:
    """Those that ours leave open, too, which transformers fills in from the model."""
    made = []
    for nasty in ({}, NASTY):
        model, tokenizer = make()
        model.generation_config.forced_eos_token_id = None
        for name, value in nasty.items():
            setattr(model.generation_config, name, value)
        before = model.generation_config.to_dict()
        if adapted:
            model = add_adapter(model, LoraSettings(r=2), seed=1)
        sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS]
        settings = GenerateSettings(num_beams=2, max_new_tokens=10)
        made.append(generate(model, tokenizer, sources, settings))
        assert model.generation_config.to_dict() == before, "the model has its own back"
        base = model.get_base_model() if adapted else model
        assert base.generation_config.to_dict() == before
    assert made[0] == made[1]


def test_weights_held_in_bf16_generate_in_fp32_and_stay_as_they_were() -> None:
    """As in training, where the frozen weights are in bf16: what is chosen by must not depend on the batch."""
    import torch

    model, tokenizer = tiny_bart()
    sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS]
    settings = GenerateSettings(num_beams=2, max_new_tokens=12)
    model.to(torch.bfloat16)
    seen: set[torch.dtype] = set()
    model.lm_head.register_forward_hook(lambda module, given, out: seen.add(out.dtype))
    held = [weight.data_ptr() for weight in model.parameters()]
    together = generate(model, tokenizer, sources, settings)
    assert seen == {torch.float32}
    assert together == [generate(model, tokenizer, [source], settings)[0] for source in sources]
    assert [weight.data_ptr() for weight in model.parameters()] == held
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
    seen.clear()
    generate(model, tokenizer, sources[:1], settings, convert=False)
    assert seen == {torch.bfloat16}


def test_bf16_is_what_it_is_generated_in_where_it_is_set() -> None:
    import torch

    model, tokenizer = tiny_t5()
    seen: set[torch.dtype] = set()
    model.lm_head.register_forward_hook(lambda module, given, out: seen.add(out.dtype))
    source = tokenizer(CONVERSATIONS[0][0]).input_ids
    generate(model, tokenizer, [source], GenerateSettings(num_beams=1, max_new_tokens=4, dtype="bf16"))
    assert seen == {torch.bfloat16}
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


def test_a_begun_word_is_finished_though_it_repeats() -> None:
    import torch

    from diasum.engines.processors import FinishWords
    from diasum.engines.words import inside_words

    _, tokenizer = tiny_bart()
    tokens = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    begin = next(i for i, t in enumerate(tokens) if t.startswith("\u0120") and len(t) > 1)
    inside = next(i for i, t in enumerate(tokens) if t.isalnum() and t.isascii())
    processor = FinishWords(2, inside_words(tokenizer))
    scores: Any = torch.zeros(1, len(tokenizer))
    again = processor(torch.tensor([[begin, inside, begin, begin, begin]]), scores)
    assert again[0, inside] == 0, "the rest of a word that was there comes again"
    assert again[0, begin] == -float("inf"), "a new word that repeats does not"
    looping = processor(torch.tensor([[begin, inside, inside]]), scores)
    assert looping[0, inside] == -float("inf"), "a word does not grow by repeating its end"
    assert (scores == 0).all(), "the scores given are left as they are"


def test_without_marks_of_words_the_plain_rule_stays() -> None:
    import torch

    from diasum.engines.processors import FinishWords
    from diasum.engines.words import inside_words

    class Plain:
        def __len__(self) -> int:
            return 3

        def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
            return ["a", "b", "c"]

    scores: Any = torch.zeros(1, 3)
    again = FinishWords(2, inside_words(Plain()))(torch.tensor([[0, 1, 0]]), scores)
    assert again[0].tolist() == [0, -float("inf"), 0]


@pytest.mark.parametrize("beams", [1, 3])
def test_a_summary_is_not_forced_beyond_a_third_of_its_source(beams: int) -> None:
    model, tokenizer = tiny_t5()
    short, long = tokenizer("Ana: hi").input_ids, tokenizer(" ".join(d for d, _ in CONVERSATIONS)).input_ids
    assert len(short) < 30 < len(long)
    settings = GenerateSettings(num_beams=beams, min_new_tokens=10, max_new_tokens=40)
    tokens = [len(tokenizer(one.text).input_ids) for one in generate(model, tokenizer, [short, long], settings)]
    assert tokens[1] >= 8, "white space at the ends is trimmed"
    assert generate(model, tokenizer, [short], settings.model_copy(update={"min_new_tokens": 40})) == generate(
        model, tokenizer, [short], settings.model_copy(update={"min_new_tokens": len(short) // 3})
    )


def test_a_model_without_an_end_token_is_held_to_no_length() -> None:
    import torch
    from transformers import GenerationConfig

    from diasum.engines.processors import NotBefore
    from diasum.engines.search_settings import end_tokens

    scores: Any = torch.zeros(2, 5)
    ids: Any = torch.zeros(2, 1, dtype=torch.long)
    assert (NotBefore([3, 3], end_tokens(GenerationConfig(eos_token_id=None)))(ids, scores) == 0).all()
    held = NotBefore([3, 0], end_tokens(GenerationConfig(eos_token_id=[1, 4])))(ids, scores)
    assert held[0].tolist() == [0, -float("inf"), 0, 0, -float("inf")]
    assert (held[1] == 0).all()


@pytest.mark.parametrize("make", [tiny_t5, tiny_bart])
def test_a_closing_line_does_not_begin_before_the_shortest_length(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is made to want its first word more than anything."""
    import torch

    model, tokenizer = make()
    model.requires_grad_(False)
    source = tokenizer(" ".join(d for d, _ in CONVERSATIONS)).input_ids
    plain = GenerateSettings(num_beams=1, min_new_tokens=8, max_new_tokens=16)
    word = tokenizer("See", add_special_tokens=False).input_ids[0]
    forward = model.forward

    def wants_it(*args: Any, **options: Any) -> Any:
        output = forward(*args, **options)
        output.logits[..., word] += 1e4
        return output

    monkeypatch.setattr(model, "forward", wants_it)
    made: list[torch.Tensor] = []
    whole = model.generate
    monkeypatch.setattr(model, "generate", lambda **options: made.append(whole(**options)) or made[-1])
    for closing in (None, "See you"):
        generate(model, tokenizer, [source], plain.model_copy(update={"closing": closing}))
    free, held = (row[0].tolist()[1:] for row in made)
    assert free[0] == word
    assert word not in held[:8]
    assert set(held[8:]) - {tokenizer.eos_token_id} == {word}, "BART ends with the end token at the longest"
