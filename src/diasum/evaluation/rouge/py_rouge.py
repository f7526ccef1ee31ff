"""ROUGE as the package py-rouge 1.1 computes it, which the DialogSum paper (Chen et al. 2021) and SAMSum (Gliwa et al. 2019) used.

The package follows the Perl script ROUGE-1.5.5. It differs from rouge-score in what moves scores: irregular forms are replaced
by their base forms before stemming (went -> go; see `irregular`), the stemmer is a variant of Porter's original one (see
`perl_stem`), contractions such as "gonna" are split ("cannot" is not), ROUGE-L is the summary-level one over *lines*, and texts
may be cut at a number of words. Two habits of the package that a reader would not expect are reproduced too, because published
figures contain them (see `docs/protocols.md`): the ROUGE-W weight set on the scorer also raises ROUGE-L's precision and recall to
the power 1/weight, and an empty text counts -1 bigrams when counts are pooled.

The code here is our own; its counts are compared with the package's in the tests.
"""

from __future__ import annotations

import re
from functools import lru_cache

from diasum.evaluation.rouge.irregular import base_form
from diasum.evaluation.rouge.lcs import union_lcs_hits
from diasum.evaluation.rouge.perl_stem import perl_stem
from diasum.evaluation.rouge.rouge_score import Count, Prepared, overlap, prepare

METRICS = ("rouge1", "rouge2", "rougeL")

_OTHER = re.compile("[^a-z0-9]")
_SPLIT = re.compile(r"\b(gim)(me)\b|\b(gon)(na)\b|\b(got)(ta)\b|\b(lem)(me)\b|\b(wan)(na)\b")


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    return (base_form(word) or perl_stem(word)) if len(word) > 3 else word


def tokenize(text: str) -> list[str]:
    """py-rouge's tokens of one line: words of a-z and 0-9, stemmed."""
    text = _OTHER.sub(" ", text.lower())
    return [_stem(word) for word in _SPLIT.sub(_apart, text).split()]


def _apart(match: re.Match[str]) -> str:
    return " ".join(part for part in match.groups() if part)


def cut_words(text: str, most: int) -> str:
    """The text with its line breaks, cut after `most` words; the text itself where it is not longer."""
    if len(text.split()) <= most:
        return text
    kept: list[str] = []
    for line in text.split("\n"):
        words = line.split()[:most]
        kept.append(" ".join(words))
        most -= len(words)
        if not most:
            break
    return "\n".join(kept)


@lru_cache(maxsize=100_000)
def _prepared(text: str) -> Prepared:
    return prepare([tokenize(line) for line in text.split("\n")])


def py_rouge_counts(prediction: str, reference: str) -> tuple[Count, ...]:
    """Counts for `METRICS`, in their order."""
    p, r = _prepared(prediction), _prepared(reference)
    n, m = len(p), len(r)
    return (
        (n, m, overlap(p.unigrams, r.unigrams)),
        (n - 1, m - 1, overlap(p.bigrams, r.bigrams)),
        (n, m, union_lcs_hits(r.sentences, p.sentences, p.unigrams)),
    )
