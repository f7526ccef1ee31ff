"""What a model that judges sentences says of them, and how that is put together with what the rules find.

A judge is a model that reads a conversation and a sentence and tells how likely the one supports the other (`diasum.judges` has them);
`diasum.claims.sentence_checks` takes one, and knows no more of it than is said here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from diasum.dialogue import Dialogue


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge says of one sentence.

    Attributes:
        support: how likely it is that the conversation supports the sentence, between 0 and 1.
        way: in which it is likeliest to be wrong if it is, one of `diasum.claims.sentence_checks.WAYS`; None from a judge that does not
            say.
    """

    support: float
    way: str | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a judge's figure and that of the rules make one score.

    The score is the log-odds that a sentence is wrong: `judge` times those of the judge, plus `rules` times those of the rules, plus
    `constant`. A sentence that the rules have nothing to say of counts as `neutral` there.

    Attributes:
        check, unsupported: scores from which a sentence is one.
        flag: weights of the review flag, as `diasum.claims.sentence_checks.Weights` has them.
    """

    judge: float
    rules: float
    constant: float
    neutral: float
    check: float
    unsupported: float
    flag: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """As a judge's files hold it; ``Calibration(**...)`` reads it."""
        return asdict(self) | {"flag": list(self.flag)}


def log_odds_wrong(judgement: Judgement) -> float:
    """That the sentence is wrong, between -20 and 20."""
    support = min(max(judgement.support, 1e-12), 1 - 1e-12)
    return max(-20.0, min(20.0, math.log(1 - support) - math.log(support)))


class Judge(Protocol):
    """A model that judges sentences.

    Attributes:
        name: as users gave it, of a folder its last part.
        weights: a hash of them.
        calibration: None where its figures were never calibrated: a sentence that it finds more likely wrong than right is to be looked at.
    """

    @property
    def name(self) -> str: ...
    @property
    def weights(self) -> str: ...
    @property
    def calibration(self) -> Calibration | None: ...

    def judge(self, dialogue: Dialogue, sentences: Sequence[str]) -> list[Judgement]:
        """What it says of each sentence, given the dialogue."""
