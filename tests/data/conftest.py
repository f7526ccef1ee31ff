"""A corpus with one file a split."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.tables import rows, write_csv


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for split, n in (("train", 8), ("validation", 3), ("test", 4)):
        write_csv(tmp_path / f"{split}.csv", rows(n, split))
    return tmp_path
