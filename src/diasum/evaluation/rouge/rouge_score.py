"""ROUGE as the package rouge-score 0.1.2 computes it, fast enough for every protocol on every run.

In: a prediction and a reference. Out: what F1 is made of, as counts: units in the prediction, units in the reference, units shared.
Counts, not scores, so that protocols can average, take the best or pool without counting again. The figures equal those of
`rouge_score.RougeScorer` to rounding (tests compare thousands of texts); they come some 20 times faster because stems and
tokenised texts are kept and the LCS is bit-parallel.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from diasum.claims.sentences import split_sentences
from diasum.evaluation.rouge.lcs import Indexed, lcs_length, union_lcs_hits

METRICS = ("rouge1", "rouge2", "rougeL", "rougeLsum")
Unit = TypeVar("Unit")
Count = tuple[int, int, int]  # units in the prediction, in the reference, in both

_WORD = re.compile("[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A text ready to be compared: its tokens, n-gram counts and, when it has more than one, its sentences."""

    whole: Indexed
    unigrams: Counter[str]
    bigrams: Counter[tuple[str, str]]
    sentences: list[Indexed]

    def __len__(self) -> int:
        return len(self.whole.tokens)


def prepare(sentences: Sequence[Sequence[str]]) -> Prepared:
    """Index a text's tokens and count its n-grams; n-grams run across sentences, as in all ROUGE packages."""
    whole = Indexed(token for sentence in sentences for token in sentence)
    parts = [sentence for sentence in sentences if sentence]
    return Prepared(
        whole,
        Counter(whole.tokens),
        Counter(pairwise(whole.tokens)),
        [Indexed(part) for part in parts] if len(parts) > 1 else [whole],
    )


def overlap(a: Counter[Unit], b: Counter[Unit]) -> int:
    """How many units two multisets share."""
    return sum(min(a[unit], b[unit]) for unit in a.keys() & b.keys())


@lru_cache(maxsize=1)
def _stemmer() -> Callable[[str], str]:
    from nltk.stem.porter import PorterStemmer

    stem: Callable[[str], str] = PorterStemmer().stem
    return stem


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    """rouge-score leaves words of up to three letters as they are."""
    return _stemmer()(word) if len(word) > 3 else word


def tokenize(text: str, *, stem: bool) -> list[str]:
    """rouge-score's tokens: runs of a-z and 0-9 of the lowered text, Porter-stemmed if asked. Other letters are lost."""
    words = _WORD.findall(text.lower())
    return list(map(_stem, words)) if stem else words


@lru_cache(maxsize=100_000)
def _sentence_words(text: str) -> list[list[str]]:
    return [tokenize(sentence, stem=False) for sentence in split_sentences(text)]


@lru_cache(maxsize=100_000)
def _prepared(text: str, stem: bool) -> Prepared:
    sentences = _sentence_words(text)
    if stem:
        sentences = [list(map(_stem, words)) for words in sentences]
    return prepare(sentences)


def rouge_score_counts(prediction: str, reference: str, *, stem: bool) -> tuple[Count, ...]:
    """Counts for `METRICS`, in their order.

    rougeL takes each text as one sequence. rougeLsum (Lin 2004, 3.2) works by sentence, split by `split_sentences`, where the
    package itself splits at line breaks only and leaves sentences to its caller.
    """
    return counts_of(_prepared(prediction, stem), _prepared(reference, stem))


def counts_of(p: Prepared, r: Prepared) -> tuple[Count, ...]:
    """Counts for `METRICS` from a prediction and a reference that are ready to be compared."""
    n, m = len(p), len(r)
    return (
        (n, m, overlap(p.unigrams, r.unigrams)),
        (max(n - 1, 0), max(m - 1, 0), overlap(p.bigrams, r.bigrams)),
        (n, m, lcs_length(r.whole, p.whole)),
        (n, m, union_lcs_hits(r.sentences, p.sentences, p.unigrams)),
    )
