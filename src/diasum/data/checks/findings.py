"""What a check reports: findings with the ids concerned, and figures for the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from diasum.data.checks.statistics import CorpusStats

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
SHOWN = 5  # ids in a line of the terminal


@dataclass(frozen=True, slots=True)
class Finding:
    """Something found in a corpus.

    Attributes:
        kind: short name for programs, such as ``overlap``.
        severity: "error" where rows are useless or a score on them is wrong, "warning" where a result is in doubt, "info" where it is
            good to know.
        message: for people, with the count.
        split: where; two splits as ``train/test``.
        count: pairs concerned.
        ids: of all of them; two ids that belong together as ``a = b``.
    """

    kind: str
    severity: Severity
    message: str
    split: str
    count: int
    ids: tuple[str, ...]

    @property
    def line(self) -> str:
        """Severity, message and the first ids, for a terminal."""
        more = ", ..." if len(self.ids) > SHOWN else ""
        which = f" ({', '.join(self.ids[:SHOWN])}{more})" if self.ids else ""
        return f"{self.severity}: {self.message}{which}"


@dataclass(frozen=True, slots=True)
class Spread:
    """How some figures are distributed.

    Attributes:
        n: how many there are.
        median, p90, p99, most: quantiles and the largest; 0 where there are none.
        edges: of a histogram that ends at the 99th percentile; the last bin holds what is larger, too.
        counts: figures in each bin, one fewer than edges.
    """

    n: int
    median: float
    p90: float
    p99: float
    most: float
    edges: list[float] = field(repr=False)
    counts: list[int] = field(repr=False)

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of any figures that are not negative."""
        if not values:
            return cls(0, 0, 0, 0, 0, [], [])
        array = np.asarray(values, dtype=np.float64)
        median, p90, p99 = (float(value) for value in np.quantile(array, (0.5, 0.9, 0.99)))
        low, high = float(array.min()), p99
        bins = min(max(round(2 * len(values) ** (1 / 3)), 8), 30)  # by the rule of Rice
        counts, edges = np.histogram(np.minimum(array, p99), bins=bins, range=(low, high if high > low else low + 1))
        return cls(len(values), median, p90, p99, float(array.max()), edges.tolist(), counts.tolist())


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of one split in tokens of a base.

    Attributes:
        sources: of each dialogue's prompt, before cutting.
        targets: of each reference summary.
        sources_cut: dialogues with more tokens than the base is given.
        tokens_cut: share of all source tokens beyond that limit, 0 to 1.
        targets_cut: references with more tokens than are trained on.
        windows_median: how many windows a dialogue that is too long would be summarised in (`diasum.data.windows`), the median over a
            hundred of them; None where there are none.
    """

    sources: Spread
    targets: Spread
    sources_cut: int
    tokens_cut: float
    targets_cut: int
    windows_median: float | None = None


@dataclass(frozen=True, slots=True)
class TokenLengths:
    """Lengths under one base.

    Attributes:
        base: its name.
        max_source, max_target: the limits, in tokens.
        splits: by split.
    """

    base: str
    max_source: int
    max_target: int
    splits: dict[str, Lengths]


@dataclass(frozen=True, slots=True)
class ClaimsChecked:
    """How the claims of a split's references compare with its dialogues.

    Attributes:
        references: how many there are.
        checked: how many were compared.
        not_checked: of the others, how many were left out, by reason.
        unsupported: how many of those compared claim something that their dialogue lacks.
        by_kind: such claims, by kind (`diasum.claims.support.KINDS`).
    """

    references: int
    checked: int
    not_checked: dict[str, int]
    unsupported: int
    by_kind: dict[str, int]


@dataclass(frozen=True, slots=True)
class CorpusCheck:
    """All findings, errors first, with the figures behind them.

    Attributes:
        name: the corpus.
        stats: its sizes.
        findings: what was found.
        notes: what reading the corpus noted (rows skipped or joined), and what was not checked, with the reason.
        lengths: in tokens; None without a tokenizer.
        languages: split to language (ISO 639-1, ``und`` where it is not clear) to number of dialogues.
        claims: by split; splits without references are not in it.
        talk_shares: split to the share of words of each dialogue's most talkative speaker, where there are two or more.
        written: files that were made of it, one sentence each.
    """

    name: str
    stats: CorpusStats
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lengths: TokenLengths | None = None
    languages: dict[str, dict[str, int]] = field(default_factory=dict)
    claims: dict[str, ClaimsChecked] = field(default_factory=dict)
    talk_shares: dict[str, Spread] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether there are neither errors nor warnings."""
        return all(finding.severity == "info" for finding in self.findings)
