"""What to know of a corpus before training on it: sizes, and findings that would spoil a result.

In: a `Corpus`. Out: `CorpusStats` and `CorpusCheck`, a list of findings, each with a count and first ids. Near-duplicates are found by
MinHash over word shingles with locality-sensitive banding (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3), and
confirmed by the exact Jaccard similarity, so there are no false ones; 32 bands of 4 miss a pair at 0.8 similarity once in ten million.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from zlib import crc32

import numpy as np

from diasum.data.pairs import Corpus, Pair, Rows
from diasum.wording import counted

NEAR = 0.8  # Jaccard similarity from which two dialogues are near-duplicates
_SHINGLE = 3  # words
_BANDS, _ROWS = 32, 4
_SHORT, _LONG = 10, 3000  # words in a dialogue
_MANY_EMPTY = 0.1  # of the rows
_MANY_REFERENCES = 10  # of one dialogue; corpora with several have two to five
_SHOWN = 5


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


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found in a corpus.

    Attributes:
        kind: short name for programs, such as ``overlap``.
        severity: "warning" where a result is in doubt, "info" where it is good to know.
        message: for people, with the count.
        split: where; two splits as ``train/test``.
        count: pairs concerned.
        ids: the first of them; two ids that belong together as ``a = b``.
    """

    kind: str
    severity: str
    message: str
    split: str
    count: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CorpusCheck:
    """All findings, warnings first, and what reading the corpus already noted (rows skipped or joined)."""

    name: str
    stats: CorpusStats
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether there are no warnings."""
        return all(finding.severity != "warning" for finding in self.findings)


def corpus_stats(corpus: Corpus) -> CorpusStats:
    """Count pairs, turns, words, speakers and topics of every split."""
    splits = {name: _split_stats(pairs) for name, pairs in corpus.splits.items()}
    return CorpusStats(corpus.name, splits, list(corpus.notes))


def overlap(a: Iterable[Pair], b: Iterable[Pair]) -> list[str]:
    """Ids of the pairs in `b` whose dialogue is also in `a`, by words alone (case, punctuation and spaces aside)."""
    known = {normalized(pair) for pair in a}
    return [pair.id for pair in b if normalized(pair) in known]


def normalized(pair: Pair) -> str:
    """The words of a dialogue in lower case."""
    return " ".join(_words(pair.dialogue.text))


def check_corpus(corpus: Corpus) -> CorpusCheck:
    """Look for what spoils training or evaluation: overlap, near-duplicates, empty, odd and copied pairs."""
    findings = [*_overlaps(corpus), *_near_duplicates(corpus)]
    for split, pairs in corpus.splits.items():
        findings += [*_skipped(split, corpus.rows.get(split)), *_of_split(split, pairs)]
    findings.sort(key=lambda finding: finding.severity != "warning")
    return CorpusCheck(corpus.name, corpus_stats(corpus), findings, list(corpus.notes))


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


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _overlaps(corpus: Corpus) -> Iterator[Finding]:
    for (first, a), (second, b) in combinations(corpus.splits.items(), 2):
        ids = overlap(a, b)
        if ids:
            yield Finding(
                kind="overlap",
                severity="warning",
                message=f"{len(ids)} of {len(b)} dialogues of `{second}` are also in `{first}`: scores on it would be too good.",
                split=f"{first}/{second}",
                count=len(ids),
                ids=tuple(ids[:_SHOWN]),
            )


def _skipped(split: str, rows: Rows | None) -> Iterator[Finding]:
    if rows and rows.empty >= _MANY_EMPTY * rows.read:
        yield Finding(
            kind="skipped",
            severity="warning",
            message=f"{rows.empty} of {rows.read} rows of `{split}` are empty where a conversation was expected: is it in another column?",
            split=split,
            count=rows.empty,
            ids=(),
        )


def _of_split(split: str, pairs: list[Pair]) -> Iterator[Finding]:
    tests: list[tuple[str, str, str, Callable[[Pair], bool]]] = [
        ("empty_dialogue", "warning", "have no words in the dialogue", lambda p: not _words(p.dialogue.text)),
        ("no_summary", "warning", "have no summary", lambda p: not any(_words(text) for text in p.references)),
        (
            "repeated_dialogue",
            "warning",
            f"have more than {_MANY_REFERENCES} summaries, as if rows repeated one conversation",
            lambda p: len(p.references) > _MANY_REFERENCES,
        ),
        ("copied", "warning", "have a summary that only repeats the dialogue", _is_copy),
        ("summary_longer", "warning", "have a summary longer than the dialogue", _is_longer),
        ("short", "info", f"have fewer than {_SHORT} words", lambda p: 0 < _length(p) < _SHORT),
        ("long", "info", f"have more than {_LONG} words", lambda p: _length(p) > _LONG),
        ("one_speaker", "info", "have one speaker", lambda p: len(p.dialogue.speakers) == 1),
        ("no_speakers", "info", "have no speaker labels", lambda p: not p.dialogue.speakers),
    ]
    for kind, severity, what, holds in tests:
        ids = [pair.id for pair in pairs if holds(pair)]
        if ids:
            message = f"{len(ids)} of {len(pairs)} dialogues of `{split}` {what}."
            yield Finding(kind, severity, message, split, len(ids), tuple(ids[:_SHOWN]))
    repeated = [name for name, count in Counter(pair.id for pair in pairs).items() if count > 1]
    if repeated:
        message = f"{counted(len(repeated), 'id')} of `{split}` used more than once."
        yield Finding("duplicate_id", "warning", message, split, len(repeated), tuple(repeated[:_SHOWN]))


def _length(pair: Pair) -> int:
    return len(pair.dialogue.text.split())


def _is_copy(pair: Pair) -> bool:
    dialogue = f" {' '.join(_words(' '.join(turn.text for turn in pair.dialogue.turns)))} "
    labelled = f" {normalized(pair)} "
    summaries = (f" {' '.join(words)} " for text in pair.references if (words := _words(text)))
    return any(summary in dialogue or summary in labelled for summary in summaries)


def _is_longer(pair: Pair) -> bool:
    return any(len(text.split()) > _length(pair) for text in pair.references)


def _near_duplicates(corpus: Corpus) -> Iterator[Finding]:
    """Similar pairs within and across splits; a pair of pairs is counted once, at the later split."""
    places = [(split, pair) for split, pairs in corpus.splits.items() for pair in pairs]
    shingles = [_shingles(pair) for _, pair in places]
    similar: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for i, j in sorted(_candidates(shingles)):
        if _jaccard(shingles[i], shingles[j]) >= NEAR:
            similar[places[i][0], places[j][0]].append((i, j))
    for (first, second), pairs in similar.items():
        across = first != second
        count = len({j for _, j in pairs})
        where = f"also in `{first}`" if across else "in it twice"
        yield Finding(
            kind="near_duplicate",
            severity="warning" if across else "info",
            message=f"{counted(count, 'dialogue')} of `{second}` {where}, or nearly (similarity of {NEAR} or more).",
            split=f"{first}/{second}" if across else second,
            count=count,
            ids=tuple(f"{places[i][1].id} = {places[j][1].id}" for i, j in pairs[:_SHOWN]),
        )


def _shingles(pair: Pair) -> np.ndarray:
    """Sorted distinct hashes of the dialogue's word triples."""
    hashed = np.array([crc32(word.encode()) for word in _words(pair.dialogue.text)], dtype=np.uint64)
    if len(hashed) < _SHINGLE:
        return np.unique(hashed)
    mixed = hashed[: len(hashed) - _SHINGLE + 1].copy()
    for k in range(1, _SHINGLE):
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + hashed[k : len(hashed) - _SHINGLE + 1 + k]
    return np.unique(mixed)


def _candidates(shingles: list[np.ndarray]) -> set[tuple[int, int]]:
    """Index pairs, the smaller first, that agree in a whole band of their MinHash signatures."""
    rng = np.random.default_rng(0)
    multipliers = rng.integers(1, 2**63, _BANDS * _ROWS, dtype=np.uint64) | np.uint64(1)
    offsets = rng.integers(0, 2**63, _BANDS * _ROWS, dtype=np.uint64)
    buckets: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    for i, values in enumerate(shingles):
        if not len(values):
            continue
        # The low bits of a product are not mixed: minima are taken over the high ones.
        signature = ((values[:, None] * multipliers + offsets) >> np.uint64(20)).min(axis=0).reshape(_BANDS, _ROWS)
        for band in range(_BANDS):
            buckets[band, signature[band].tobytes()].append(i)
    pairs: set[tuple[int, int]] = set()
    for members in buckets.values():
        # A crowd of equal dialogues is linked to its first member only: all are found, without a quadratic number of pairs.
        pairs.update(combinations(members, 2) if len(members) <= 50 else ((members[0], m) for m in members[1:]))
    return pairs


def _jaccard(a: np.ndarray, b: np.ndarray) -> float:
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / (len(a) + len(b) - common)
