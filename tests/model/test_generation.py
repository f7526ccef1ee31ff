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
    model, tokenizer = tiny_t5()
    sources = [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS]
    made = generate(model, tokenizer, sources, GenerateSettings(num_beams=1, max_new_tokens=8))
    ended = [one for one in made if not one.cut]
    assert ended, "some of these random outputs end by themselves"
    assert len(ended) < len(made), "and some do not"
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
