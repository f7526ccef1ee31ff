"""The names of splits, and which of them a file name says."""

from __future__ import annotations

import re

_SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "devel", "development"),
    "test": ("test", "testing"),
    "eval": ("eval", "evaluation"),  # validation to some, test to others
}
SPLIT_TOKENS = {token: split for split, tokens in _SPLIT_NAMES.items() for token in tokens}


def canonical_split(name: str) -> str:
    """``dev``, ``val`` and ``valid`` are ``validation``; other names stay as they are."""
    return SPLIT_TOKENS.get(name.strip().lower(), name)


def split_of(name: str) -> str | None:
    """The split that a file name's tokens say: ``dialogsum.dev.jsonl`` is validation; None where they say none, or two."""
    splits = {SPLIT_TOKENS[token] for token in re.split(r"[^a-z]+", name.lower()) if token in SPLIT_TOKENS}
    if len(splits) > 1:
        splits.discard("eval")  # `eval_test.jsonl`
    return splits.pop() if len(splits) == 1 else None
