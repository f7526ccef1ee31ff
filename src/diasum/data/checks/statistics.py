"""Sizes of a corpus: dialogues, turns, words, speakers."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from diasum.data.pairs import Corpus, Pair


@dataclass(frozen=True, slots=True)
class SplitStats:
    """Sizes of one split; words are runs of non-space."""

    pairs: int
    references: int
    turns_median: float
    turns_max: int
    words_median: float
    words_max: int
    summary_words_median: float
    summary_words_max: int
    speakers_median: float
    topics: int


@dataclass(frozen=True, slots=True)
class CorpusStats:
    """Sizes of all splits, and what reading the corpus noted (rows skipped or joined)."""

    name: str
    splits: dict[str, SplitStats]
    notes: list[str] = field(default_factory=list)


def corpus_stats(corpus: Corpus) -> CorpusStats:
    """Count pairs, turns, words, speakers and topics of every split."""
    splits = {name: _split_stats(pairs) for name, pairs in corpus.splits.items()}
    return CorpusStats(corpus.name, splits, list(corpus.notes))


def _split_stats(pairs: list[Pair]) -> SplitStats:
    turns = [len(pair.dialogue) for pair in pairs] or [0]
    words = [len(pair.dialogue.text.split()) for pair in pairs] or [0]
    summaries = [len(text.split()) for pair in pairs for text in pair.references] or [0]
    speakers = [len(pair.dialogue.speakers) for pair in pairs] or [0]
    return SplitStats(
        pairs=len(pairs),
        references=sum(len(pair.references) for pair in pairs),
        turns_median=statistics.median(turns),
        turns_max=max(turns),
        words_median=statistics.median(words),
        words_max=max(words),
        summary_words_median=statistics.median(summaries),
        summary_words_max=max(summaries),
        speakers_median=statistics.median(speakers),
        topics=len({pair.topic for pair in pairs if pair.topic}),
    )
