"""What changes scores before the search chooses, on tensors: the rules of transformers and those of `diasum.engines.processors`.

In their order: the penalty of repetition, a forced first token, no repeated n-grams (but words may be finished), no early end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from diasum.engines.words import BegunWords

_FORBIDDEN = float("-inf")


@dataclass(frozen=True, slots=True)
class Rules:
    """Which rules hold.

    Attributes:
        repetition_penalty: 1 for none.
        first: a token that must come first; None for none.
        no_repeat_ngram_size: n-grams of this size do not come twice; 0 for none.
        words: which of them may, as they finish a word.
        ends: tokens that may not come before a slot's least length.
    """

    repetition_penalty: float = 1.0
    first: int | None = None
    no_repeat_ngram_size: int = 0
    words: BegunWords = field(default_factory=lambda: BegunWords([]))
    ends: tuple[int, ...] = ()

    def apply(self, scores: Tensor, history: Tensor, lengths: Tensor, least: Tensor) -> None:
        """Change scores in place.

        Args:
            scores: (rows, vocabulary), log-probabilities or logits.
            history: (rows, width) int64, the start token and then what each row wrote.
            lengths: (rows,) new tokens of each row.
            least: (rows,) below which a row may not end.
        """
        if self.repetition_penalty != 1.0:
            _penalise(scores, history, lengths, self.repetition_penalty)
        if self.first is not None and bool((begin := lengths == 0).any()):
            scores[begin] = _FORBIDDEN
            scores[begin, self.first] = 0.0
        if self.no_repeat_ngram_size:
            self._forbid_repeats(scores, history, lengths)
        if self.ends and bool((early := lengths < least).any()):
            scores[:, list(self.ends)] = scores[:, list(self.ends)].masked_fill(early[:, None], _FORBIDDEN)

    def _forbid_repeats(self, scores: Tensor, history: Tensor, lengths: Tensor) -> None:
        """The few that would repeat are looked at one by one."""
        rows, tokens = repeated(history, lengths, self.no_repeat_ngram_size)
        for row, token in zip(rows.tolist(), tokens.tolist(), strict=True):
            if not self.words.may_repeat(history[row, : int(lengths[row]) + 1].tolist(), token):
                scores[row, token] = _FORBIDDEN


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


def _penalise(scores: Tensor, history: Tensor, lengths: Tensor, penalty: float) -> None:
    """Of each row's tokens; those behind its end are taken for its start token, which is among them anyway."""
    used = int(lengths.max()) + 1
    real = torch.arange(used, device=history.device) <= lengths[:, None]
    tokens = torch.where(real, history[:, :used], history[:, :1])
    old = scores.gather(1, tokens)
    scores.scatter_(1, tokens, torch.where(old < 0, old * penalty, old / penalty))
