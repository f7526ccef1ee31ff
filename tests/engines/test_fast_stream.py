"""Sources enter the fast engine's batch as there is room, leave it as they end, and are not changed by their company."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from diasum.config import GenerateSettings
from diasum.engines.fast.caches import Caches, Room
from diasum.engines.fast.decoder import Decoder
from diasum.engines.fast.engine import FastEngine, Waiting
from diasum.engines.plain import PlainEngine
from diasum.errors import DiasumError
from tests.models import CONVERSATIONS, tiny_bart, tiny_t5

SETTINGS = GenerateSettings(num_beams=3, max_new_tokens=24, batch_tokens=130)


def engine_and_sources(make: Any = tiny_t5) -> tuple[FastEngine, list[list[int]]]:
    """Summaries of this model have different lengths."""
    model, tokenizer = make(seed=18)
    return FastEngine(model, tokenizer), [tokenizer(dialogue).input_ids for dialogue, _ in CONVERSATIONS * 2]


@pytest.mark.parametrize("make", [tiny_t5, tiny_bart])
def test_a_source_is_taken_when_there_is_room_and_not_before(make: Any) -> None:
    engine, sources = engine_and_sources(make)
    taken = 0

    def items() -> Iterator[tuple[int, list[int]]]:
        nonlocal taken
        for number, source in enumerate(sources):
            taken += 1
            yield number, source

    ahead, results = [], {}
    for number, summary in engine.generate_stream(items(), SETTINGS):
        results[number] = summary
        ahead.append(taken - len(results))
    assert max(ahead) < len(sources) - 2, "the stream is not read to its end at once"
    assert sorted(results) == list(range(len(sources)))
    assert [results[i] for i in range(len(sources))] == [
        engine.generate([source], SETTINGS)[0] for source in sources
    ], "the same alone and in any company"


@pytest.mark.parametrize("make", [tiny_t5, tiny_bart])
def test_room_that_grows_while_others_have_just_come(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diasum.engines.fast.caches._UNITS", Room(1, 3, 2))

    def one_more(self: Waiting, lengths: list[int]) -> Any:
        item = self.next()
        return [] if item is None else [item]

    engine, sources = engine_and_sources(make)
    for beams in (1, 3):
        settings = SETTINGS.model_copy(update={"num_beams": beams, "batch_tokens": 8192})
        expected = [engine.generate([source], settings)[0] for source in sources]
        with monkeypatch.context() as patch:
            patch.setattr(Waiting, "that_fit", one_more)
            together = dict(engine.generate_stream(enumerate(sources), settings))
        assert [together[i] for i in range(len(sources))] == expected


def test_short_sources_do_not_get_the_room_of_long_ones() -> None:
    caches = Caches(1, 1, 4, 2, torch.zeros(0))
    for count, length in ((2, 600), (60, 20)):
        caches.make_room(count, length)
        caches.admit([torch.randn(count * length, 8)], [length] * count)
        caches.keep([])
    slots, _, _, source = caches.layers[0].source_keys.shape
    assert slots >= 60
    assert source < 100


def test_summaries_come_as_they_are_found() -> None:
    engine, sources = engine_and_sources()
    settings = GenerateSettings(num_beams=1, max_new_tokens=16)
    order = [number for number, _ in engine.generate_stream(enumerate(sources), settings)]
    assert order != sorted(order)


def test_nothing_in_nothing_out() -> None:
    engine, _ = engine_and_sources()
    assert engine.generate([], SETTINGS) == []


def test_progress_counts_every_source() -> None:
    engine, sources = engine_and_sources()
    done: list[int] = []
    engine.generate(sources, SETTINGS, progress=done.append)
    assert sum(done) == len(sources)


def test_a_source_longer_than_the_budget_is_alone() -> None:
    engine, sources = engine_and_sources()
    settings = SETTINGS.model_copy(update={"batch_tokens": 64})
    long = [[token for source in sources for token in source], *sources]
    plain = PlainEngine(engine.model, engine.tokenizer)
    assert engine.generate(long, settings) == plain.generate(long, settings)


def test_where_memory_runs_out_fewer_are_together(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, sources = engine_and_sources()
    settings = SETTINGS.model_copy(update={"batch_tokens": 8192})
    expected = engine.generate(sources, settings)
    most: list[int] = []
    admit = Decoder.admit

    def short_of_memory(self: Decoder, new: Any, caches: Any, adapters: Any) -> None:
        most.append(caches.count + len(new))
        if most[-1] > 4:
            raise torch.OutOfMemoryError
        admit(self, new, caches, adapters)

    monkeypatch.setattr(Decoder, "admit", short_of_memory)
    assert engine.generate(sources, settings) == expected
    assert most[0] == len(sources)
    assert max(most[2:]) <= 4


def test_one_source_that_memory_does_not_suffice_for(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, sources = engine_and_sources()

    def short_of_memory(self: Decoder, new: Any, caches: Any, adapters: Any) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(Decoder, "admit", short_of_memory)
    with pytest.raises(DiasumError, match="one source of") as failed:
        engine.generate(sources, SETTINGS)
    assert "num_beams" in (failed.value.hint or "")


def test_other_errors_come_through(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, sources = engine_and_sources()

    def broken(self: Decoder, new: Any, caches: Any, adapters: Any) -> None:
        raise RuntimeError("something else")

    monkeypatch.setattr(Decoder, "admit", broken)
    with pytest.raises(RuntimeError, match="something else"):
        engine.generate(sources, SETTINGS)
