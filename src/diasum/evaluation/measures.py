"""What a summary is like, whatever its score: how long, how much of it copied, how much of it new, how much of it repeated."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diasum.data import Pair

MEASURES: dict[str, str] = {
    "words": "words in the summary",
    "compression": "words of the dialogue per word of the summary",
    "novelty1": "share of the summary's words that are not in the dialogue",
    "novelty2": "share of the summary's word pairs that are not in the dialogue",
    "coverage": "share of the summary's words in fragments copied from the dialogue (Grusky et al. 2018)",
    "density": "mean length of the copied fragment that a word of the summary belongs to (Grusky et al. 2018)",
    "repetition": "share of the summary's word triples that repeat an earlier one",
    "cut": "share of summaries stopped by the length limit",
    "empty": "share of summaries without any words",
}

# Present where a model for them was named (`evaluate.bertscore_model`, `evaluate.nli_model`).
FURTHER: dict[str, str] = {
    "bertscore": "BERTScore F1, in points",
    "nli_consistency": "mean probability that the dialogue entails a sentence of the summary, in points",
}

_WORD = re.compile(r"\w+")


def describe(pairs: Sequence[Pair], texts: Sequence[str], cut: Sequence[bool]) -> dict[str, NDArray[np.float64]]:
    """Every measure for every example.

    Returns:
        `MEASURES` name to one value an example; NaN where it is not defined (an empty summary has no compression).
    """
    sources = {pair.id: _WORD.findall(pair.dialogue.text.lower()) for pair in pairs}
    rows = [
        _measure(sources[pair.id], _WORD.findall(text.lower()), was_cut)
        for pair, text, was_cut in zip(pairs, texts, cut, strict=True)
    ]
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in MEASURES}


def _measure(source: Sequence[str], summary: Sequence[str], cut: bool) -> dict[str, float]:
    n = len(summary)
    fragments = extractive_fragments(source, summary)
    triples = Counter(zip(summary, summary[1:], summary[2:], strict=False))
    return {
        "words": n,
        "compression": len(source) / n if n else np.nan,
        "novelty1": _novelty(source, summary, 1),
        "novelty2": _novelty(source, summary, 2),
        "coverage": sum(fragments) / n if n else np.nan,
        "density": sum(length**2 for length in fragments) / n if n else np.nan,
        "repetition": (triples.total() - len(triples)) / triples.total() if triples else np.nan,
        "cut": float(cut),
        "empty": float(n == 0),
    }


def extractive_fragments(source: Sequence[str], summary: Sequence[str]) -> list[int]:
    """Lengths of the copied fragments: from left to right, the longest run of the summary that the source has, too.

    This is the greedy algorithm of Grusky et al. 2018 ("Newsroom"), section 3.1.
    """
    starts: dict[str, list[int]] = {}
    for position, word in enumerate(source):
        starts.setdefault(word, []).append(position)
    fragments = []
    i = 0
    while i < len(summary):
        longest = 0
        for j in starts.get(summary[i], ()):
            length = 1
            while i + length < len(summary) and j + length < len(source) and summary[i + length] == source[j + length]:
                length += 1
            longest = max(longest, length)
        if longest:
            fragments.append(longest)
        i += longest or 1
    return fragments


def _novelty(source: Sequence[str], summary: Sequence[str], n: int) -> float:
    grams = [tuple(summary[i : i + n]) for i in range(len(summary) - n + 1)]
    known = {tuple(source[i : i + n]) for i in range(len(source) - n + 1)}
    return sum(gram not in known for gram in grams) / len(grams) if grams else np.nan
