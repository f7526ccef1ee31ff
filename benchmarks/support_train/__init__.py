"""Sentences that dialogues support and do not, to train checks on: `written` gives them, README.md says how they came about.

They are about the conversations and dialogues in ``DIASUM_DATA`` that may train what diasum ships (`benchmarks.support_weights.CORPORA`),
by whose ids they go. Words alone give some of their labels away, as writers say wrong things in other words than right ones: `evened` says
how much each has to weigh so that they do not.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.logistic import logistic

HERE = Path(__file__).resolve().parent
FILE = HERE / "sentences.jsonl.gz"
KINDS = ("invented", "reversed", "boilerplate", "relation", "negation", "number")  # of sentences that are not supported
_PARTS, _FOLDS = 10, 5
_LEAST_USES, _SMOOTHING = 5, 2.0
_LIGHTEST, _HEAVIEST = 0.3, 3.0
_TOKEN = re.compile(r"[a-z']+|#|[0-9]+")


class Written(NamedTuple):
    """A sentence.

    Attributes:
        text: itself.
        kind: one of `KINDS`, or ``supported``.
    """

    text: str
    kind: str

    @property
    def supported(self) -> bool:
        """Whether its dialogue says so."""
        return self.kind == "supported"


def written() -> dict[str, list[Written]]:
    """The sentences about each dialogue, by its corpus and id (``written/written-001-01``)."""
    sentences = {}
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            yes = [Written(text, "supported") for text in row["yes"]]
            sentences[row["id"]] = yes + [Written(text, kind) for kind, text in row["no"]]
    return sentences


def held_out(dialogue: str) -> bool:
    """Whether the sentences about a dialogue are kept from training, to measure on: a tenth of all."""
    return zlib.crc32(f"judge{dialogue}".encode()) % _PARTS == 0


def evened(sentences: Mapping[str, list[Written]]) -> dict[Written, float]:
    """How much each sentence weighs so that its words alone say next to nothing of its label.

    The inverse of the probability that naive Bayes over words, pairs of words, first word and length, fitted on other dialogues and
    calibrated, gives to its label (inverse propensity weighting), times the share of the label; from 0.3 to 3.
    """
    rows = [
        (zlib.crc32(dialogue.encode()) % _FOLDS, one, _parts(one.text))
        for dialogue, of_it in sentences.items()
        for one in of_it
    ]
    scores: list[float] = []
    scored: list[Written] = []
    for fold in range(_FOLDS):
        uses = {True: Counter[str](), False: Counter[str]()}
        seen = Counter[bool]()
        for other, one, parts in rows:
            if other != fold:
                uses[one.supported].update(parts)
                seen[one.supported] += 1
        for other, one, parts in rows:
            if other == fold:
                scores.append(sum(_evidence(part, uses, seen) for part in sorted(parts)))
                scored.append(one)
    values, wanted = np.array(scores), np.array([one.supported for one in scored], dtype=np.float64)
    slope, constant = logistic(values[:, None], wanted)
    likely = (1 / (1 + np.exp(-slope * values - constant))).clip(1e-6, 1 - 1e-6)
    share = wanted.mean()
    weights = np.where(wanted == 1, share / likely, (1 - share) / (1 - likely)).clip(_LIGHTEST, _HEAVIEST)
    return dict(zip(scored, weights.tolist(), strict=True))


def _parts(text: str) -> set[str]:
    tokens = ["<number>" if token.isdigit() else token for token in _TOKEN.findall(text.lower())]
    pairs = {f"{a} {b}" for a, b in pairwise(tokens)}
    return {*tokens, *pairs, f"<length {min(len(tokens), 24) // 2}>", f"<first {tokens[0] if tokens else ''}>"}


def _evidence(part: str, uses: Mapping[bool, Counter[str]], seen: Counter[bool]) -> float:
    """Its log-odds of being in a supported sentence."""
    if uses[True][part] + uses[False][part] < _LEAST_USES:
        return 0.0
    yes, no = (math.log((uses[label][part] + _SMOOTHING) / (seen[label] + 2 * _SMOOTHING)) for label in (True, False))
    return yes - no
