"""A score without its protocol is no score: each protocol here says exactly how ROUGE is counted and how references are joined.

In: predictions and, for each, one or more references. Out: per-example F1 in points (0 to 100), one array a metric. Pair counts are
kept between protocols, so that scoring under all of them costs four countings (stemmed, unstemmed, py-rouge, Unicode), not nine.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from diasum.claims.language import OTHER_SCRIPT, other_scripts
from diasum.errors import DiasumError, near_misses
from diasum.evaluation.rouge import py_rouge, rouge_score
from diasum.evaluation.rouge.rouge_score import Count
from diasum.evaluation.rouge.unicode_words import unicode_counts

Scores = dict[str, NDArray[np.float64]]
Join = Literal["mean", "best", "first", "pooled"]
Progress = Callable[[int, int], None]  # examples done, examples in all

_JOINS: dict[Join, str] = {
    "mean": "mean of the F1 against each reference",
    "best": "highest F1 over the references, for each metric by itself",
    "first": "the first reference only",
    "pooled": "counts added over the references before F1 is taken",
}


@contextmanager
def _collector_off() -> Iterator[None]:
    """Switch off Python's cycle collector, which keeps visiting every cached text in vain: without it, counting takes half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(frozen=True)
class Protocol:
    """How ROUGE is computed.

    Attributes:
        name: what users ask for.
        library: the package whose figures these are.
        stemming: what is done to words before they are compared.
        join: how several references make one score; one reference is the same under each.
        sentences: what ROUGE-L takes as its units.
        metrics: what it gives, in order.
        note: what else a reader must know to repeat the figures.
        counts: from (prediction, reference) to counts for each metric.
        lcs_weight: py-rouge raises the precision and recall of ROUGE-L to 1 / this.
        any_script: counts words of every script; the others count a-z and 0-9 and drop all other letters.
    """

    name: str
    library: str
    stemming: str
    join: Join
    sentences: str
    metrics: tuple[str, ...]
    counts: Callable[[str, str], tuple[Count, ...]]
    note: str = ""
    lcs_weight: float = 1.0
    any_script: bool = False

    @property
    def stemmed(self) -> bool:
        """Whether words are cut to English stems."""
        return self.stemming != "none"

    @property
    def joining(self) -> str:
        """How several references make one score, in words."""
        return _JOINS[self.join]

    @property
    def description(self) -> str:
        """The protocol in one line, for tables and reports."""
        parts = [
            self.library,
            f"stemming: {self.stemming}",
            f"references: {self.joining}",
            self.sentences,
            self.note,
        ]
        return "; ".join(part for part in parts if part) + "."

    def to_json(self) -> dict[str, Any]:
        """The protocol's entry in metrics.json."""
        return {
            "name": self.name,
            "library": self.library,
            "stemming": self.stemming,
            "references": self.joining,
            "metrics": list(self.metrics),
            "description": self.description,
        }

    @_collector_off()
    def score(
        self,
        predictions: Sequence[str],
        references: Sequence[Sequence[str]],
        *,
        progress: Progress | None = None,
    ) -> Scores:
        """Per-example F1.

        Args:
            predictions: one text an example; an empty one scores 0.
            references: one or more texts for each.
            progress: called after every 500 examples and at the end.

        Returns:
            Metric name to an array of ``len(predictions)`` F1 values, 0 to 100.

        Raises:
            DiasumError: the lengths differ, or an example has no reference.
        """
        if len(predictions) != len(references):
            raise DiasumError(f"{len(predictions)} predictions cannot be scored against {len(references)} examples.")
        if self.join == "first":
            references = [texts[:1] for texts in references]
        bare = [str(i) for i, texts in enumerate(references) if not texts]
        if bare:
            raise DiasumError(
                f"{len(bare)} of {len(references)} examples have no reference summary (number {', '.join(bare[:5])}).",
                hint="Scores need a reference for each example; `diasum data check` lists the rows without one.",
            )
        if not predictions:
            return {metric: np.zeros(0) for metric in self.metrics}
        counted: list[tuple[Count, ...]] = []
        for i, (prediction, texts) in enumerate(zip(predictions, references, strict=True), 1):
            counted.extend([self.counts(prediction, text) for text in texts])
            if progress and (i % 500 == 0 or i == len(predictions)):
                progress(i, len(predictions))
        sizes = np.array([len(texts) for texts in references])
        points = 100 * self._join(np.array(counted, dtype=np.float64), sizes)
        return {metric: points[:, i] for i, metric in enumerate(self.metrics)}

    def _join(self, counts: NDArray[np.float64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
        """From counts [pairs, metrics, 3] to F1 [examples, metrics], the examples having `sizes` pairs each."""
        starts = np.cumsum(sizes) - sizes
        if self.join == "pooled":
            return self._f1(np.asarray(np.add.reduceat(counts, starts, axis=0)))
        if self.join == "best":
            return np.asarray(np.maximum.reduceat(self._f1(counts), starts, axis=0))
        return np.asarray(np.add.reduceat(self._f1(counts), starts, axis=0) / sizes[:, None])

    def _f1(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        predicted, wanted, shared = np.moveaxis(counts, -1, 0)
        precision = np.divide(shared, predicted, out=np.zeros_like(shared), where=predicted > 0)
        recall = np.divide(shared, wanted, out=np.zeros_like(shared), where=wanted > 0)
        if self.lcs_weight != 1:
            at = self.metrics.index("rougeL")
            precision[:, at] **= 1 / self.lcs_weight
            recall[:, at] **= 1 / self.lcs_weight
        total = precision + recall
        return np.asarray(np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0))


# Enough for 10,000 summaries with three references under each counting; a kept pair takes about half a kilobyte.
@lru_cache(maxsize=100_000)
def _rouge_score(prediction: str, reference: str, stem: bool) -> tuple[Count, ...]:
    return rouge_score.rouge_score_counts(prediction, reference, stem=stem)


@lru_cache(maxsize=100_000)
def py_rouge_pair(prediction: str, reference: str) -> tuple[Count, ...]:
    """`py_rouge.py_rouge_counts`, kept."""
    return py_rouge.py_rouge_counts(prediction, reference)


def _py_rouge_cut(prediction: str, reference: str, max_words: int) -> tuple[Count, ...]:
    return py_rouge_pair(py_rouge.cut_words(prediction, max_words), py_rouge.cut_words(reference, max_words))


def _google(name: str, join: Join, *, stem: bool = True, note: str = "") -> Protocol:
    return Protocol(
        name=name,
        library="rouge-score 0.1.2",
        stemming="Porter (NLTK)" if stem else "none",
        join=join,
        sentences="rougeL over the whole text, rougeLsum over sentences split by rule",
        metrics=rouge_score.METRICS,
        counts=partial(_rouge_score, stem=stem),
        note=note,
    )


def _perl(name: str, join: Join, *, max_words: int | None, lcs_weight: float, note: str = "") -> Protocol:
    return Protocol(
        name=name,
        library="py-rouge 1.1 (after ROUGE-1.5.5, alpha 0.5)",
        stemming="irregular forms to their base forms, else a variant of Porter (original)",
        join=join,
        sentences="ROUGE-L is the summary-level one over lines",
        metrics=py_rouge.METRICS,
        counts=py_rouge_pair if max_words is None else partial(_py_rouge_cut, max_words=max_words),
        note=note,
        lcs_weight=lcs_weight,
    )


_PAPER = (
    "texts cut after 100 words, weight factor 1.2 (which the package applies to ROUGE-L, too), as in its own example"
)

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        _google("rouge-score", "mean"),
        _google("rouge-score-mean", "mean", note="the same as `rouge-score`, by its full name"),
        _google("rouge-score-best", "best"),
        _google("rouge-score-first", "first"),
        _google("rouge-score-unstemmed", "mean", stem=False),
        _perl("dialogsum-paper", "mean", max_words=100, lcs_weight=1.2, note=_PAPER),
        _perl("dialogsum-paper-best", "best", max_words=100, lcs_weight=1.2, note=_PAPER),
        _perl("dialogsum-paper-pooled", "pooled", max_words=100, lcs_weight=1.2, note=f"{_PAPER}; the package's `Avg`"),
        _perl("py-rouge", "mean", max_words=None, lcs_weight=1.0, note="nothing cut, no weight"),
        Protocol(
            name="unicode",
            library="diasum: words of Unicode letters, marks and digits, NFKC, case folded",
            stemming="none",
            join="mean",
            sentences="rougeL over the whole text, rougeLsum over sentences split by rule",
            metrics=rouge_score.METRICS,
            counts=unicode_counts,
            note="scripts without spaces (Han, kana, Thai, Lao, Khmer, Myanmar) by letter with its marks",
            any_script=True,
        ),
    )
}

ALIASES = {"rouge-score-mean": "rouge-score"}  # another name of a protocol to its own


AUTO = "auto"


@dataclass(frozen=True)
class Choice:
    """A protocol and why it is that one.

    Attributes:
        reason: a sentence for reports.
        noteworthy: whether users should read the reason even where nobody asked: it is not what Latin text gets.
    """

    protocol: Protocol
    reason: str
    noteworthy: bool = False


def choose_protocol(name: str, references: Sequence[Sequence[str]]) -> Choice:
    """The protocol of that name; for `auto` the one that fits the script of the references.

    Args:
        name: a key of `PROTOCOLS`, or ``auto``.
        references: those of each example.

    Raises:
        DiasumError: `name` is not a known protocol.
    """
    check_protocol(name)
    if name != AUTO:
        return Choice(PROTOCOLS[name], "as set")
    share, scripts = other_scripts(text for texts in references for text in texts)
    if share < OTHER_SCRIPT:
        return Choice(PROTOCOLS["rouge-score"], "auto: the references are in Latin letters")
    reason = f"auto: {share:.0%} of the references' letters are not Latin ({', '.join(scripts[:3])}), which rouge-score would drop"
    return Choice(PROTOCOLS["unicode"], reason, noteworthy=True)


def get_protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        DiasumError: there is no protocol of that name; the message lists those that exist.
    """
    if name not in PROTOCOLS:
        raise DiasumError(f"There is no protocol `{name}`.", hint=near_misses(name, [AUTO, *PROTOCOLS]))
    return PROTOCOLS[name]


def check_protocol(name: str) -> None:
    """Refuse a name that `choose_protocol` does not know.

    Raises:
        DiasumError: `name` is neither ``auto`` nor a key of `PROTOCOLS`.
    """
    if name != AUTO:
        get_protocol(name)
