"""What changes scores before the search chooses, on tensors: the rules of transformers and those of `diasum.engines.processors`.

In their order: the penalty of repetition, a forced first token, no repeated n-grams (but words may be finished), no early end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from diasum.engines.processors import FinishWords

_FORBIDDEN = float("-inf")


@dataclass(frozen=True, slots=True)
class Rules:
    """Which rules hold.

    Attributes:
        repetition_penalty: 1 for none.
        first: a token that must come first; None for none.
        repeats: which n-grams do not come twice; None for none.
        ends: tokens that may not come before a slot's least length.
    """

    repetition_penalty: float = 1.0
    first: int | None = None
    repeats: FinishWords | None = None
    ends: tuple[int, ...] = ()

    def apply(self, logits: Tensor, log_sums: Tensor | None, history: Tensor, lengths: Tensor, least: Tensor) -> None:
        """Change logits in place.

        Args:
            logits: (rows, vocabulary).
            log_sums: (rows, 1), the logarithm of the sum of their exponentials, to penalise log-probabilities; None penalises logits.
            history: (rows, width) int64, the start token and then what each row wrote.
            lengths: (rows,) new tokens of each row.
            least: (rows,) below which a row may not end.
        """
        if self.repetition_penalty != 1.0:
            _penalise(logits, log_sums, history, lengths, self.repetition_penalty)
        if self.first is not None and bool((begin := lengths == 0).any()):
            logits[begin] = _FORBIDDEN
            logits[begin, self.first] = 0.0 if log_sums is None else log_sums[begin, 0]
        if self.repeats is not None:
            _forbid_repeats(self.repeats, logits, history, lengths)
        if self.ends and bool((early := lengths < least).any()):
            logits.masked_fill_(early[:, None] & _columns(self.ends, logits), _FORBIDDEN)


def _forbid_repeats(rule: FinishWords, logits: Tensor, history: Tensor, lengths: Tensor) -> None:
    """The few that would repeat are looked at one by one."""
    rows, tokens = repeated(history, lengths, rule.ngram_size)
    for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
        if not rule.may_repeat(history[row, : int(lengths[row]) + 1].tolist(), token):
            logits[row, token] = _FORBIDDEN


def repeated(history: Tensor, lengths: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Rows and tokens that would complete an n-gram of this size that the row has already; arguments as in `Rules.apply`."""
    used = int(lengths.max()) + 1
    if used < size:
        return history.new_zeros(0), history.new_zeros(0)
    windows = history[:, :used].unfold(1, size, 1)
    begins = lengths[:, None] + 1 - (size - 1) + torch.arange(size - 1, device=history.device)
    last = history.gather(1, begins.clamp(min=0))
    ends = torch.arange(size - 1, used, device=history.device)
    same = (windows[:, :, :-1] == last[:, None]).all(-1) & (ends <= lengths[:, None]) & (lengths[:, None] + 1 >= size)
    rows, places = same.nonzero(as_tuple=True)
    return rows, history[rows, places + size - 1]


def _penalise(logits: Tensor, log_sums: Tensor | None, history: Tensor, lengths: Tensor, penalty: float) -> None:
    """Of each row's tokens; those behind its end are taken for its start token, which is among them anyway."""
    used = int(lengths.max()) + 1
    real = torch.arange(used, device=history.device) <= lengths[:, None]
    tokens = torch.where(real, history[:, :used], history[:, :1])
    scores = logits.gather(1, tokens) - (0 if log_sums is None else log_sums)
    scores = torch.where(scores < 0, scores * penalty, scores / penalty) + (0 if log_sums is None else log_sums)
    logits.scatter_(1, tokens, scores)


def _columns(tokens: Sequence[int], logits: Tensor) -> Tensor:
    chosen = torch.zeros(logits.shape[1], dtype=torch.bool, device=logits.device)
    chosen[list(tokens)] = True
    return chosen
