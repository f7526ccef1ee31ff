"""The engine that is asked for is taken or refused by name; `auto` takes the first that can do everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from diasum.config import GenerateSettings
from diasum.engines import Generated, choose_engine
from diasum.errors import DiasumError


class Stub:
    """An engine that cannot sample where `samples` is False."""

    def __init__(self, name: str, samples: bool) -> None:
        self.name, self.samples = name, samples

    def unsupported(self, settings: GenerateSettings) -> str | None:
        return "it does not sample (generate.do_sample)" if settings.do_sample and not self.samples else None

    def generate(self, sources: Sequence[Sequence[int]], settings: GenerateSettings, **_: Any) -> list[Generated]:
        raise NotImplementedError


FAST, PLAIN = Stub("torch-fast", samples=False), Stub("torch-plain", samples=True)


def test_auto_takes_the_fastest_that_can() -> None:
    assert choose_engine([FAST, PLAIN], GenerateSettings()).engine is FAST


def test_auto_says_why_the_fastest_was_passed_over() -> None:
    engine, reason = choose_engine([FAST, PLAIN], GenerateSettings(do_sample=True))
    assert engine is PLAIN
    assert reason == "not torch-fast: it does not sample (generate.do_sample)"


def test_an_engine_that_is_asked_for_is_taken() -> None:
    assert choose_engine([FAST, PLAIN], GenerateSettings(engine="torch-plain")) == (PLAIN, "as set")


def test_an_engine_that_cannot_is_refused_with_the_setting() -> None:
    with pytest.raises(DiasumError, match=r"torch-fast.*generate\.do_sample") as refused:
        choose_engine([FAST, PLAIN], GenerateSettings(engine="torch-fast", do_sample=True))
    assert "torch-plain" in (refused.value.hint or "")


def test_an_engine_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(DiasumError, match=r"generate\.engine is ct2") as refused:
        choose_engine([FAST, PLAIN], GenerateSettings(engine="ct2"))
    assert "torch-fast, torch-plain" in (refused.value.hint or "")


def test_nothing_that_can_is_refused_with_every_reason() -> None:
    with pytest.raises(DiasumError, match="No engine can do what is asked: torch-fast: it does not sample"):
        choose_engine([FAST], GenerateSettings(do_sample=True))
