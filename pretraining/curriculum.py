"""What is drawn when: short sources and copying first, then longer dialogues and mostly summaries.

A phase lasts until a number of tokens (sources and targets together, padding not counted) has been seen.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, replace

SHORT = {"copy": 0.4, "reading": 0.35, "summary": 0.2, "denoise": 0.05}
MIDDLE = {"copy": 0.1, "reading": 0.25, "summary": 0.3, "report": 0.2, "denoise": 0.15}
TELLING = {"report": 0.62, "summary": 0.18, "reading": 0.12, "copy": 0.03, "denoise": 0.03, "next_turn": 0.02}
LONG = {
    "summary": 0.3,
    "report": 0.48,
    "reading": 0.08,
    "copy": 0.03,
    "denoise": 0.05,
    "next_turn": 0.03,
    "title": 0.03,
}
WRITTEN = {"written": 0.84, "denoise": 0.07, "reading": 0.045, "copy": 0.045}


@dataclass(frozen=True)
class Phase:
    """Until `until` tokens: sources of up to `max_words` words (drawn below it for each pool), tasks by `weights`."""

    until: float
    max_words: tuple[int, ...]
    weights: dict[str, float]


CURRICULUM = (
    Phase(0.25e6, (30,), SHORT),
    Phase(0.6e6, (40, 70), SHORT),
    Phase(1.5e6, (60, 90, 120), MIDDLE),
    # who says what, turn after turn, is learnt on short dialogues or not at all
    Phase(35e6, (30, 45, 60, 80, 110), TELLING),
    Phase(42e6, (60, 100, 150, 220, 320), LONG),
    Phase(50e6, (45, 80, 120, 170, 230), TELLING),
    Phase(58e6, (60, 100, 150, 220, 320), LONG),
    # from here on with a head for whose turn a word is in (`heads`)
    Phase(66e6, (45, 70, 100, 150, 220), TELLING),
    Phase(79e6, (60, 100, 150, 220, 320), LONG),
    # written summaries; short ones come up in every pool
    Phase(float("inf"), (60, 120, 200, 350, 350, 350), WRITTEN),
)


def phase_at(tokens: int) -> Phase:
    """The phase in force after `tokens` tokens."""
    return next(p for p in CURRICULUM if tokens < p.until)


def without(phase: Phase, families: Collection[str]) -> Phase:
    """The same phase without these families of tasks; the others share their part."""
    return replace(phase, weights={name: weight for name, weight in phase.weights.items() if name not in families})


def draw_max_words(phase: Phase, rng: random.Random) -> int:
    """A bound on the source's words for one pool of examples."""
    return rng.choice(phase.max_words)
