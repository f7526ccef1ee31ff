"""Facts in a summary that its dialogue does not support, found by rules: no other model, nothing learnt.

In: a summary and a `Dialogue`. Out: the unsupported names, numbers, dates, times, amounts and negations with their places in the
summary, and for what is supported, the turns that support it. The rules are English and prefer silence to a false alarm; what they
catch and what they miss is measured by ``benchmarks/faithfulness.py`` and written down in ``docs/faithfulness.md``.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from diasum.claims.lexicon import STOPWORDS
from diasum.claims.names import WORD, Mentions, joined_names, names
from diasum.claims.negation import Clauses, flips, stem
from diasum.claims.quantities import Quantity, quantities
from diasum.claims.spoken_numbers import SpokenValues, spoken_values
from diasum.dialogue import Dialogue
from diasum.errors import DiasumError

KINDS = ("name", "number", "amount", "time", "date", "negation")
CHECKED = "names, numbers, amounts, times, dates and some negations"  # in words, for whoever reads a share of unsupported facts
_LABEL = re.compile(r"#[^#\s]{1,30}#")


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Something a summary says that its dialogue does not.

    Attributes:
        kind: one of `KINDS`.
        text: as it stands in the summary.
        start, end: its character offsets there.
        reason: one sentence for a reader.
    """

    kind: str
    text: str
    start: int
    end: int
    reason: str


@dataclass(frozen=True)
class FaithfulnessReport:
    """The checks over many summaries.

    Attributes:
        n: summaries checked.
        unsupported: for each summary, in the order given, what its dialogue does not support.
        counts: unsupported facts by kind, over all summaries.
        flagged: a kind to an array ``[n]`` of 0 and 1: whether the summary has at least one such fact; ``any`` stands for all kinds.
            Intervals are made of these arrays.
    """

    n: int
    unsupported: list[list[Unsupported]]
    counts: dict[str, int]
    flagged: dict[str, NDArray[np.float64]]

    @property
    def shares(self) -> dict[str, float]:
        """The share of summaries with at least one unsupported fact, per kind and for ``any``; 0 where there are none."""
        return {kind: float(values.mean()) if self.n else 0.0 for kind, values in self.flagged.items()}


class Evidence:
    """A dialogue prepared for checking; worth keeping when several summaries of one dialogue are checked."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue

    @cached_property
    def text(self) -> str:
        """What was said, without labels, one turn per line."""
        return "\n".join(turn.text for turn in self.dialogue.turns)

    @cached_property
    def spoken(self) -> SpokenValues:
        """All readings of its numbers."""
        return spoken_values(self.text)

    @cached_property
    def mentions(self) -> Mentions:
        """All its words, for names."""
        return Mentions(self.text, self.dialogue.speakers)

    @cached_property
    def clauses(self) -> Clauses:
        """Its sentences with their negations."""
        return Clauses(self.dialogue)

    def check(self, summary: str) -> list[Unsupported]:
        """As `check`."""
        unsupported = [
            problem for quantity in quantities(summary) if (problem := self._check_quantity(quantity)) is not None
        ]
        taken = [(problem.start, problem.end) for problem in unsupported]
        missing = [name for name in names(summary) if not self.mentions.has(name)]
        for start, end in joined_names(missing, summary):
            if not any(start < b and a < end for a, b in taken):
                text = summary[start:end]
                unsupported.append(
                    Unsupported(
                        "name", text, start, end, f"“{text}” is neither a speaker nor mentioned in the conversation."
                    )
                )
        for flip in flips(summary, self.clauses):
            unsupported.append(Unsupported("negation", flip.text, flip.start, flip.end, flip.reason))
        return sorted(unsupported, key=lambda problem: (problem.start, problem.end))

    @cached_property
    def _spaceless(self) -> str:
        return re.sub(r"\s+", "", self.text)

    def _check_quantity(self, quantity: Quantity) -> Unsupported | None:
        if quantity.spliced:
            if re.search(rf"(?<!\d){re.escape(quantity.text)}(?!\d)", self._spaceless):
                return None
            return Unsupported(
                quantity.kind,
                quantity.text,
                quantity.start,
                quantity.end,
                f"“{quantity.text}” is a number that no turn says.",
            )
        if quantity.small:
            counted = self._counted(quantity.noun)
            if not counted or quantity.parts[0][1] in counted | self.spoken.numbers:
                return None
        elif not (missing := self._missing(quantity)) or (
            missing == {"year"} and len(quantity.parts) == 3 and not self._years
        ):
            return None  # a full date, said without its year
        return Unsupported(
            quantity.kind, quantity.text, quantity.start, quantity.end, f"No turn says “{quantity.text}” in any form."
        )

    def _missing(self, quantity: Quantity) -> set[str]:
        return {
            kind
            for kind, value in quantity.parts
            if not self.spoken.supports(quantity.kind if kind == "number" else kind, value)
        }

    @property
    def _years(self) -> bool:
        return any(1900 <= value <= 2100 for value in self.spoken.numbers)

    def _counted(self, noun: str) -> set[float]:
        """How many of the noun the dialogue speaks of; empty where it gives no number for it."""
        if not noun:
            return set()
        singular = noun.removesuffix("s")
        runs = re.findall(rf"([\w,.\-]+ )(?:more |other )?{re.escape(singular)}(?:e?s)?\b", self.text, re.I)
        return {value for run in runs for value in spoken_values(run).numbers if value > 1}


def check(summary: str, dialogue: Dialogue) -> list[Unsupported]:
    """The facts of a summary that the dialogue does not support, in their order.

    Matching is tolerant: "two" and 2, "half past nine" and 9:30, "forty bucks" and $40, "the 3rd" and "third", nicknames, one letter
    misspelt, acronyms. Small counts that a writer may have made ("two friends") are left alone unless the dialogue counts the same
    noun otherwise.
    """
    return Evidence(dialogue).check(summary)


def faithfulness(
    summaries: Sequence[str], dialogues: Sequence[Dialogue], *, progress: Callable[[int], None] | None = None
) -> FaithfulnessReport:
    """Check many summaries, each against its dialogue (the same `Dialogue` object in a row is read once).

    Args:
        summaries: one per dialogue; an empty one states nothing and so has nothing unsupported.
        dialogues: in the same order.
        progress: called with the number of summaries done, now and then.

    Raises:
        DiasumError: there are not as many summaries as dialogues.
    """
    if len(summaries) != len(dialogues):
        raise DiasumError(
            f"Expected one summary per dialogue, found {len(summaries)} summaries and {len(dialogues)} dialogues.",
            hint="Give both in the same order; repeat a dialogue for each of its references.",
        )
    results: list[list[Unsupported]] = []
    evidence: Evidence | None = None
    for done, (summary, dialogue) in enumerate(zip(summaries, dialogues, strict=True), 1):
        if evidence is None or evidence.dialogue is not dialogue:
            evidence = Evidence(dialogue)
        results.append(evidence.check(summary))
        if progress and (done % 500 == 0 or done == len(summaries)):
            progress(500 if done % 500 == 0 else done % 500)
    flagged = {
        kind: np.array([any(claim.kind == kind for claim in claims) for claims in results], float) for kind in KINDS
    }
    flagged["any"] = np.array([bool(claims) for claims in results], float)
    counted = Counter(claim.kind for claims in results for claim in claims)
    return FaithfulnessReport(len(results), results, {kind: counted[kind] for kind in KINDS}, flagged)


def support(summary: str, dialogue: Dialogue) -> list[tuple[int, int, int]]:
    """The turns that support a summary, for marking them in a report.

    For every sentence the turns are ranked by the content words and facts they share with it, each weighted by how few turns have it
    (inverse document frequency, Spärck Jones 1972); every word and fact is given to the best turn that has it.

    Returns:
        ``(start, end, turn_index)``: character offsets in the summary, in order, and the turn's index from 0. Words and facts that
        no turn has are left out.
    """
    turns = [{stem(word) for word in WORD.findall(turn.text.lower())} for turn in dialogue.turns]
    readings = [spoken_values(turn.text) for turn in dialogue.turns]
    stated = quantities(summary)
    result: list[tuple[int, int, int]] = []
    for begin, stop in _sentences(summary):
        items: list[tuple[int, int, list[int]]] = []
        inside = [quantity for quantity in stated if begin <= quantity.start < stop]
        for quantity in inside:
            having = [i for i, reading in enumerate(readings) if any(reading.supports(k, v) for k, v in quantity.parts)]
            items.append((quantity.start, quantity.end, having))
        labels = [match.span() for match in _LABEL.finditer(summary, begin, stop)]
        for match in WORD.finditer(summary, begin, stop):
            word = match.group().lower()
            covered = any(a <= match.start() < b for a, b in labels) or any(
                quantity.start <= match.start() < quantity.end for quantity in inside
            )
            if word in STOPWORDS or covered:
                continue
            items.append((*match.span(), [i for i, stems in enumerate(turns) if stem(word) in stems]))
        scores: Counter[int] = Counter()
        for _, _, having in items:
            for i in having:
                scores[i] += math.log(1 + len(turns) / len(having))  # type: ignore[assignment]
        result += [(start, end, max(having, key=lambda i: (scores[i], -i))) for start, end, having in items if having]
    return sorted(result)


def _sentences(text: str) -> list[tuple[int, int]]:
    ends = [match.end() for match in re.finditer(r"[.!?]+(?=\s|$)|\n", text)]
    bounds = [0, *ends] if ends and ends[-1] == len(text) else [0, *ends, len(text)]
    return [(a, b) for a, b in pairwise(bounds) if b > a]
