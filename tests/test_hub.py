"""A hub out of reach is noticed once, quickly, and switches the client to its offline mode."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants

from diasum import hub


class Session:
    def __init__(self, answers: bool) -> None:
        self.answers = answers
        self.asked = 0

    def head(self, url: str, *, timeout: float) -> object:
        self.asked += 1
        assert url == constants.ENDPOINT
        assert timeout <= 5
        if not self.answers:
            raise OSError("Name or service not known")
        return object()


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Offline mode off for a test, with a session that answers or not."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    hub.offline.cache_clear()

    def use(answers: bool) -> Session:
        session = Session(answers)
        monkeypatch.setattr(huggingface_hub, "get_session", lambda: session)
        return session

    yield use
    hub.offline.cache_clear()


def test_a_hub_out_of_reach_is_asked_once(online: Any) -> None:
    session = online(False)
    assert hub.offline()
    assert hub.offline()
    assert session.asked == 1
    assert constants.is_offline_mode()
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_a_hub_that_answers(online: Any) -> None:
    session = online(True)
    assert not hub.offline()
    assert session.asked == 1
    assert not constants.is_offline_mode()


def test_offline_mode_asks_nothing(online: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = online(True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert hub.offline()
    assert session.asked == 0
