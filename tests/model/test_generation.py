"""Generation: batches and padding change nothing, order is kept, cut summaries are known."""

from __future__ import annotations

from typing import Any

import pytest

from diasum.config import GenerateSettings
from diasum.model import generate
from tests.models import CONVERSATIONS, tiny_bart, tiny_t5


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


def test_the_models_own_search_settings_do_not_leak_in() -> None:
    model, tokenizer = tiny_bart()
    model.generation_config.min_length = 30
    model.generation_config.no_repeat_ngram_size = 1
    source = tokenizer(CONVERSATIONS[0][0]).input_ids
    plain, _ = tiny_bart()
    settings = GenerateSettings(num_beams=2, max_new_tokens=10)
    assert generate(model, tokenizer, [source], settings) == generate(plain, tokenizer, [source], settings)


def _processor(tokenizer: Any, size: int) -> Any:
    from transformers import GenerationConfig

    from diasum.model.generation import _finish_words

    config = GenerationConfig(no_repeat_ngram_size=size)
    return _finish_words(tokenizer, size, config), config


def test_a_begun_word_is_finished_though_it_repeats() -> None:
    import torch

    _, tokenizer = tiny_bart()
    tokens = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    begin = next(i for i, t in enumerate(tokens) if t.startswith("\u0120") and len(t) > 1)
    inside = next(i for i, t in enumerate(tokens) if t.isalnum() and t.isascii())
    (processor,), config = _processor(tokenizer, 2)
    assert config.no_repeat_ngram_size == 0
    scores = torch.zeros(1, len(tokenizer))
    again = processor(torch.tensor([[begin, inside, begin, begin, begin]]), scores)
    assert again[0, inside] == 0, "the rest of a word that was there comes again"
    assert again[0, begin] == -float("inf"), "a new word that repeats does not"
    looping = processor(torch.tensor([[begin, inside, inside]]), scores)
    assert looping[0, inside] == -float("inf"), "a word does not grow by repeating its end"
    assert (scores == 0).all(), "the scores given are left as they are"


def test_no_size_no_processor() -> None:
    processors, _ = _processor(tiny_bart()[1], 0)
    assert processors == []


def test_without_marks_of_words_the_plain_rule_stays() -> None:
    class Plain:
        def __len__(self) -> int:
            return 3

        def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
            return ["a", "b", "c"]

    processors, config = _processor(Plain(), 2)
    assert processors == []
    assert config.no_repeat_ngram_size == 2


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

    from diasum.model.generation import _ends, _not_before

    scores, ids = torch.zeros(2, 5), torch.zeros(2, 1, dtype=torch.long)
    assert (_not_before([3, 3], _ends(GenerationConfig(eos_token_id=None)))(ids, scores) == 0).all()
    held = _not_before([3, 0], _ends(GenerationConfig(eos_token_id=[1, 4])))(ids, scores)
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
