"""The last line of a longer summary: what is still open, in changing words.

One fixed line would be learnt as a habit of every summary; which words a house has for it is for an adapter to learn.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

WORDS = ("Undecided", "Left open", "Not settled yet", "To be seen", "The remaining question", "Unclear")


def left_open(rng: random.Random, points: Sequence[str]) -> str:
    """Such as "Left open: whether Dana pays."; empty where nothing is open."""
    return f"{rng.choice(WORDS)}: {' and '.join(points)}." if points else ""
