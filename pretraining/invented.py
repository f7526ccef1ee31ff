"""Invented speaker names, so that copying names of several tokens is learnt too.

Every name of `names` is one token of the tokenizer; a user's conversation has names that are three ("Achterberg") and speakers called
"Ferry Desk". A share of the examples has its speakers renamed, in source and target alike, to made-up names and two-word roles.
"""

from __future__ import annotations

import random
import re

SHARE = 0.5
ONSETS = [
    "b",
    "br",
    "c",
    "ch",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "r",
    "s",
    "sch",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "y",
    "z",
] + [""] * 6
VOWELS = ["a", "a", "ai", "e", "e", "ea", "i", "i", "ie", "o", "o", "oi", "u", "ou", "ui"]
CODAS = ["l", "n", "n", "r", "s", "t", "m", "ck", "nd", "rg", "sh", "th", "x"] + [""] * 8
PLACES = [
    "Ferry",
    "Ticket",
    "Box",
    "Front",
    "Help",
    "Fraud",
    "Night",
    "School",
    "Bus",
    "Library",
    "Hotel",
    "Bank",
    "Parts",
    "Repair",
    "Town",
    "Gym",
    "Garden",
    "Events",
    "Parking",
]
POSTS = [
    "Desk",
    "Office",
    "Team",
    "Manager",
    "Nurse",
    "Clerk",
    "Line",
    "Admin",
    "Officer",
    "Counter",
    "Driver",
    "Coach",
    "Shop",
    "Guard",
    "Helper",
]
ACCENTED = {
    "a": "áàãåä",
    "e": "éèêë",
    "i": "íîï",
    "o": "óôõøö",
    "u": "úûü",
    "c": "çć",
    "n": "ñ",
    "s": "šş",
    "z": "ž",
    "l": "ł",
}
LABEL = re.compile(r"^(?:(?:Mr|Mrs|Ms|Dr)\. )?([A-Z][a-z]+):", re.MULTILINE)


def invented_name(rng: random.Random) -> str:
    """A pronounceable name of one to three syllables, or a role such as "Ferry Desk"."""
    if rng.random() < 0.2:
        return f"{rng.choice(PLACES)} {rng.choice(POSTS)}"
    name = ""
    while len(name) < 3:
        name = "".join(
            rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(rng.choice((1, 2, 2, 3)))
        )
    if rng.random() < 0.15:  # a letter that English does not have
        plain = rng.choice([c for c in name if c in ACCENTED])
        name = name.replace(plain, rng.choice(ACCENTED[plain]), 1)
    return name.capitalize()


def rename(rng: random.Random, source: str, target: str) -> tuple[str, str]:
    """Source and target with those speakers renamed whose label stands in the target as it is (roles become "the customer" there)."""
    for label in sorted(set(LABEL.findall(source))):
        word = re.compile(rf"\b{label}\b")
        if word.search(target) and rng.random() < 0.8:
            new = invented_name(rng)
            source, target = word.sub(new, source), word.sub(new, target)
    return source, target
