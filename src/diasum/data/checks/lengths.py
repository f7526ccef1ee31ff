"""Lengths in tokens under a base, and what its limits would cut.

In: pairs and the base's `PairEncoder`; no weights. Out: lengths of prompts and references. Talk uses few distinct words, and most
tokenizers never join two words: then the tokens of a text are the sum of those of its words, each of which is tokenised once. Whether
that holds for a tokenizer is tried on texts of the corpus; if not, all texts are tokenised.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from diasum.data.checks.findings import Finding, Lengths, Spread, TokenLengths
from diasum.data.encoding import PairEncoder
from diasum.data.pairs import Corpus, Pair

_WORD = re.compile(r"\s*\S+")  # with the space before it
_BEFORE = "a"
_TRIED = 100  # texts
_CHUNK = 4096
_MANY_CUT = 0.05  # of the dialogues or references

Count = Callable[[Sequence[str]], list[int]]


class WordSums:
    """Counts the tokens of texts by their words.

    Attributes:
        additive: whether that gave what the tokenizer gives on the texts tried.
    """

    def __init__(self, count: Count, tried: Sequence[str]) -> None:
        """Try it out.

        Args:
            count: tokens of texts, special ones included.
            tried: some of the texts.
        """
        self._count = count
        self._of_word: dict[str, int] = {}
        self._constant = 0
        self._special, self._before = count(["", _BEFORE])
        differences = {whole - parts for whole, parts in zip(count(tried), self._sums(tried), strict=True)}
        self.additive = len(differences) <= 1
        self._constant = differences.pop() if len(differences) == 1 else 0

    def __call__(self, texts: Iterable[str]) -> Iterator[int]:
        """The tokens of each text, special ones included."""
        texts = iter(texts)
        while chunk := list(islice(texts, _CHUNK)):
            yield from self._sums(chunk) if self.additive else self._count(chunk)

    def _sums(self, texts: Sequence[str]) -> list[int]:
        split = [_WORD.findall(text) for text in texts]
        new = list({word for words in split for word in words if word not in self._of_word})
        # A word with space before it is counted after another one: some tokenizers treat the first one of a text in their own way.
        first = [word for word in new if not word[0].isspace()]
        later = [word for word in new if word[0].isspace()]
        self._of_word |= self._beyond(self._special, first, first)
        self._of_word |= self._beyond(self._before, later, [_BEFORE + word for word in later])
        length = self._of_word.__getitem__
        return [sum(map(length, words)) + self._constant for words in split]

    def _beyond(self, base: int, words: Sequence[str], texts: Sequence[str]) -> dict[str, int]:
        counts = self._count(texts) if texts else []
        return {word: tokens - base for word, tokens in zip(words, counts, strict=True)}


def token_lengths(corpus: Corpus, encoder: PairEncoder, base: str) -> tuple[TokenLengths, list[Finding]]:
    """Measure all prompts and references of a corpus.

    Args:
        corpus: what is measured.
        encoder: of the base, with its prompt and limits.
        base: its name.

    Returns:
        The lengths, and findings about what would be cut.
    """
    sources, targets = _counters(corpus, encoder)
    limits = encoder.settings.max_source_tokens, encoder.settings.max_target_tokens
    splits: dict[str, Lengths] = {}
    findings: list[Finding] = []
    for split, pairs in corpus.splits.items():
        of_sources = list(sources(encoder.source_text(pair.dialogue) for pair in pairs))
        owners = [pair for pair in pairs for _ in pair.references]
        of_targets = list(targets(encoder.target(pair.dialogue, text) for pair in pairs for text in pair.references))
        long_sources = [pair for pair, tokens in zip(pairs, of_sources, strict=True) if tokens > limits[0]]
        long_targets = [pair for pair, tokens in zip(owners, of_targets, strict=True) if tokens > limits[1]]
        beyond = sum(max(0, tokens - limits[0]) for tokens in of_sources)
        splits[split] = Lengths(
            sources=Spread.of(of_sources),
            targets=Spread.of(of_targets),
            sources_cut=len(long_sources),
            tokens_cut=beyond / max(1, sum(of_sources)),
            targets_cut=len(long_targets),
            windows_median=_windows_median(encoder, long_sources),
        )
        text = f"dialogues of `{split}` are longer than the {limits[0]} tokens that {base} is given"
        lost = f"{splits[split].tokens_cut:.1%} of all tokens would be cut"
        windows = splits[split].windows_median
        read = f"read in windows, {windows:g} each at the median, they lose nothing" if windows else ""
        findings += _cut("source_cut", split, pairs, long_sources, f"{text}: {lost}; {read}.")
        text = f"summaries of `{split}` are longer than the {limits[1]} tokens that are trained on"
        findings += _cut("target_cut", split, owners, long_targets, f"{text}.")
    return TokenLengths(base, *limits, splits), findings


def _windows_median(encoder: PairEncoder, long: Sequence[Pair]) -> float | None:
    """Windows that a dialogue which is too long would be read in, by some evenly among them; None where there are none."""
    some = long[:: max(1, len(long) // _TRIED)][:_TRIED]
    return statistics.median(len(encoder.encode_windows(pair.dialogue)) for pair in some) if some else None


def _cut(kind: str, split: str, all_: Sequence[Pair], cut: Sequence[Pair], text: str) -> Iterator[Finding]:
    if cut:
        ids = tuple(dict.fromkeys(pair.id for pair in cut))
        message = f"{len(cut)} of {len(all_)} {text}"
        severe = len(cut) > _MANY_CUT * len(all_)
        yield Finding(kind, "warning" if severe else "info", message, split, len(cut), ids)


def _counters(corpus: Corpus, encoder: PairEncoder) -> tuple[WordSums, WordSums]:
    pairs = [pair for split in corpus.splits.values() for pair in split]
    tried = pairs[:: max(1, len(pairs) // _TRIED)][:_TRIED]
    references = [(pair, text) for pair in tried for text in pair.references[:1]]

    def count_sources(texts: Sequence[str]) -> list[int]:
        return list(map(len, encoder.source_ids(texts)))

    def count_targets(texts: Sequence[str]) -> list[int]:
        return list(map(len, encoder.target_ids(texts)))

    return (
        WordSums(count_sources, [encoder.source_text(pair.dialogue) for pair in tried]),
        WordSums(count_targets, [encoder.target(pair.dialogue, text) for pair, text in references]),
    )
