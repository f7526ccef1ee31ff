"""Amounts in words: in the singular where it is one, in a unit of which there is some."""

from __future__ import annotations

import pytest

from diasum.wording import counted, duration, duration_range, size, with_article


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.2, "1 second"), (1.4, "1 second"), (45, "45 seconds"), (119, "2 minutes"), (2460, "41 minutes"), (7300, "2.0 hours")],
)  # fmt: skip
def test_durations(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        (0.1, 0.9, "1 second"),
        (0.1, 2.0, "1 to 2 seconds"),
        (20, 40, "20 to 40 seconds"),
        (40, 130, "40 seconds to 2 minutes"),
        (50, 130, "1 to 2 minutes"),
        (120, 540, "2 to 9 minutes"),
        (121, 122, "2 minutes"),
        (1500, 7300, "25 minutes to 2.0 hours"),
    ],
)
def test_ranges(least: float, most: float, expected: str) -> None:
    assert duration_range(least, most) == expected


def test_sizes_and_counts() -> None:
    assert [size(count) for count in (3.14e9, 88e6, 120e3, 0)] == ["3.1 GB", "88 MB", "120 kB", "0 kB"]
    assert counted(1, "thread") == "1 thread"
    assert counted(1200, "process", "processes") == "1,200 processes"
    assert with_article("Embedding") == "an Embedding"
    assert with_article("Linear") == "a Linear"
