"""How many sentences of summaries their dialogues support, for report and metrics.json."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from diasum.claims.judgement import Judge
from diasum.claims.sentence_checks import VERDICTS, Checker, SummaryCheck
from diasum.evaluation.metrics import Evaluation
from diasum.evaluation.repeats import Repeated, repeated
from diasum.evaluation.rouge.unicode_words import unicode_words
from diasum.evaluation.statistics.bootstrap import Interval, share_interval

LOOKS_AT = "words that no turn supports, who says and does what, what is denied, and what many summaries repeat"  # beside facts, in words
_ALIKE = 0.05  # difference in the share of sentences not checked, from which two systems were not checked alike


@dataclass(frozen=True)
class SentenceTally:
    """What was found in all sentences of some summaries.

    Attributes:
        verdicts: how many sentences have each.
        flagged: share of the sentences checked that a reader should look at, 0 to 1, with its interval; None where none was checked.
        review: the mean review flag of summaries that have one.
    """

    verdicts: Mapping[str, int]
    flagged: Interval | None
    review: float | None

    @classmethod
    def of(cls, checks: Sequence[SummaryCheck]) -> SentenceTally:
        """Count."""
        sentences = [one for check in checks for one in check.sentences]
        counted = Counter(one.verdict for one in sentences)
        checked = [float(one.flagged) for one in sentences if one.verdict != "not checked"]
        flags = [check.review for check in checks if check.review is not None]
        return cls(
            {verdict: counted[verdict] for verdict in VERDICTS},
            share_interval(checked) if checked else None,
            float(np.mean(flags)) if flags else None,
        )

    @property
    def n(self) -> int:
        """Sentences, checked or not."""
        return sum(self.verdicts.values())

    @property
    def checked(self) -> int:
        """Sentences that were checked."""
        return self.n - self.verdicts["not checked"]

    @property
    def not_checked(self) -> float:
        """Share of sentences that were not checked, 0 to 1."""
        return self.verdicts["not checked"] / self.n if self.n else 0.0

    def alike(self, other: SentenceTally) -> bool:
        """Whether the same was checked of both, so that their shares may be compared."""
        both = self.flagged is not None and other.flagged is not None
        return both and abs(self.not_checked - other.not_checked) < _ALIKE

    def to_json(self) -> dict[str, Any]:
        """As metrics.json has it: shares from 0 to 1."""
        band = self.flagged
        return {
            "n": self.n,
            "verdicts": dict(self.verdicts),
            "flagged": band and {"mean": band.mean, "low": band.low, "high": band.high},
            "review": self.review,
        }


@dataclass(frozen=True)
class SentenceChecks:
    """All systems' sentences, and those of each pair's first reference."""

    systems: Mapping[str, SentenceTally]
    references: SentenceTally
    judge: str | None = None  # the name of the model that was asked beside the rules

    def to_json(self) -> dict[str, Any]:
        """As metrics.json has it; ``compared`` names the systems that were checked as the references were."""
        return {
            "checked": LOOKS_AT,
            "judge": self.judge,
            "systems": {name: tally.to_json() for name, tally in self.systems.items()},
            "references": self.references.to_json(),
            "compared": [name for name, tally in self.systems.items() if tally.alike(self.references)],
        }

    def sentence(self, system: str) -> str:
        """What was found in a system's summaries, what was not checked, and how human ones fare where they were checked alike."""
        tally = self.systems[system]
        if tally.flagged is None:
            return f"No sentence of {system} was checked further: the rules are English, and need words that a turn would have to say."
        by_judge = f", and by the judge {self.judge}" if self.judge else ""
        said = (
            f"{100 * tally.flagged.mean:.1f}% of the sentences of {system} are flagged by rules that look at {LOOKS_AT}, "
            f"and at facts{by_judge}; {100 * tally.not_checked:.1f}% of its {tally.n} could not be checked and do not count"
        )
        human = self.references.flagged
        if human is not None and tally.alike(self.references):
            said += (
                f". Of the sentences of human summaries they flag {100 * human.mean:.1f}%; a system that copies words is flagged less, "
                "whether it is right or not"
            )
        return f"{said}. What is not flagged may still be wrong (docs/faithfulness.md tells how much is found)."


def check_sentences(
    texts: Mapping[str, Sequence[str]], evaluation: Evaluation, judge: Judge | None = None
) -> SentenceChecks:
    """Check every system's summaries, and each pair's first reference; a dialogue is prepared once.

    What the summaries of a system repeat over many dialogues (`diasum.evaluation.repeats`) is to be looked at, and in the references, too.

    Args:
        texts: system to one summary a pair.
        evaluation: with the pairs.
        judge: a model that is asked beside the rules.
    """
    pairs = evaluation.pairs
    references = [pair.references[0] for pair in pairs]
    checkers = [Checker(pair.dialogue, judge=judge) for pair in pairs]

    def tally(summaries: Sequence[str]) -> SentenceTally:
        checks = [checker.check(text) for checker, text in zip(checkers, summaries, strict=True)]
        return SentenceTally.of(with_repeats(checks, summaries, repeated(pairs, summaries)))

    return SentenceChecks(
        {name: tally(summaries) for name, summaries in texts.items()}, tally(references), judge.name if judge else None
    )


def with_repeats(
    checks: Sequence[SummaryCheck], texts: Sequence[str], repeats: Sequence[Repeated]
) -> list[SummaryCheck]:
    """Checks in which a sentence that many dialogues share is to be looked at, where nothing else was found against it."""
    shared = {tuple(unicode_words(one.text)): f"{one}." for one in repeats}
    if not shared:
        return list(checks)
    result = []
    for check, text in zip(checks, texts, strict=True):
        sentences = [
            replace(one, verdict="check", reasons=(reason,))
            if one.verdict == "supported"
            and (reason := shared.get(tuple(unicode_words(text[one.start : one.end])))) is not None
            else one
            for one in check.sentences
        ]
        result.append(replace(check, sentences=tuple(sentences)))
    return result
