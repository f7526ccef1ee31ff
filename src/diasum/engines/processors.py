"""What stands between a model's scores and the search, beyond what transformers comes with.

Model cards show these classes to those who generate without diasum, so that they use torch and transformers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import LogitsProcessor, NoRepeatNGramLogitsProcessor

from diasum.engines.words import BegunWords


class FinishWords(NoRepeatNGramLogitsProcessor):
    """The no-repeat rule of transformers, except that a begun word may be finished as an earlier one was.

    Names of several tokens ("App|rent|ice") come again in every summary of a conversation; plain blocking breaks them at the second
    mention ("Apprent on Wednesdays"). Where the vocabulary does not mark the beginnings of words, the plain rule stays.
    """

    def __init__(self, size: int, inside: list[bool]) -> None:
        super().__init__(size)
        self.words = BegunWords(inside)

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        blocked: torch.FloatTensor = super().__call__(input_ids, scores.clone())
        for row, token in (blocked != scores).nonzero().tolist():
            if self.words.may_repeat(input_ids[row].tolist(), token):
                blocked[row, token] = scores[row, token]
        return blocked


class NotBefore(LogitsProcessor):
    """Forbids some tokens until a number of new tokens, one number for each row of the batch, are generated."""

    def __init__(self, shortest: Sequence[int], tokens: Sequence[int]) -> None:
        self.shortest, self.tokens = shortest, tokens

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> Any:
        least = torch.tensor(self.shortest, device=scores.device).repeat_interleave(len(scores) // len(self.shortest))
        early = input_ids.shape[1] - 1 < least  # the first token is the decoder's start
        held = scores.clone()
        for token in self.tokens:
            held[early, token] = -float("inf")
        return held
