"""Pairs and texts that the evaluation tests share."""

from __future__ import annotations

import random

from diasum.data import Pair
from diasum.dialogue import parse_dialogue

_LISTED = (
    "the a to of and Tom Anna #Person1# goes went bought buys mice house running ran them child meeting "
    "agreement cannot gonna wanna happily it 3.5 half-past café don't Mr. U.S. Büro 漢字 _x_ , . . ! ?"
)
WORDS = _LISTED.split()


def random_text(rng: random.Random, longest: int = 40) -> str:
    """Words, punctuation and line breaks in any order; may be empty."""
    words = rng.choices(WORDS, k=rng.randint(0, longest))
    return "".join(word + (rng.choice("\n ") if rng.random() < 0.1 else " ") for word in words)


def pair(name: str, dialogue: str, *references: str, topic: str | None = None) -> Pair:
    return Pair(name, parse_dialogue(dialogue), references, topic)


PAIRS = [
    pair(
        "d0",
        "Anna: Hi Ben. Could you send me the report before lunch?\nBen: Sure, I will send it at eleven.\nAnna: Thanks!",
        "Anna asks Ben for the report. Ben will send it at eleven.",
        "Ben will send Anna the report before lunch.",
    ),
    pair(
        "d1",
        "Anna: Where is the cat?\nBen: It sleeps on the sofa in the living room.\nCara: No, it is in the garden.\nBen: Oh.",
        "Anna looks for the cat. Cara says that it is in the garden.",
        "The cat is in the garden, not on the sofa.",
    ),
    pair(
        "d2",
        "Dora: I have had a headache since Monday.\nEd: Take some rest and drink water.",
        "Dora has a headache. Ed tells her to rest and to drink water.",
    ),
]
