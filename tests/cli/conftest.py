"""A terminal to type commands in, and a run for them."""

from __future__ import annotations

import pytest

import diasum
from tests.cli.terminal import Terminal


@pytest.fixture
def diasum_(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


@pytest.fixture(scope="module")
def run(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("runs") / "run"
    diasum.train(
        base,
        corpus,
        run=folder,
        settings={"train.epochs": 1, "train.eval_generate": 2, "generate.max_new_tokens": 6, "generate.num_beams": 1},
    )
    return str(folder)
