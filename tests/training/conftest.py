"""An uninterrupted run, which interrupted ones are compared to."""

from __future__ import annotations

from pathlib import Path

import pytest

import diasum
from tests.training.interrupted import settings


@pytest.fixture(scope="session")
def whole(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "whole"
    result = diasum.train(base, corpus, run=run, settings=settings())
    assert result.best is not None
    assert result.best["step"] == 9, "the last of nine steps must be the best, or the comparisons below show little"
    return run
