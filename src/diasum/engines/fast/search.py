"""Beam search and greedy search over slots, on tensors: what `transformers` 5 does, for sources that begin and end at different steps.

Equal to `GenerationMixin._beam_search` with `early_stopping=False`: as many finished summaries as beams are kept, their log-probabilities
divided by length ** length_penalty; a source ends when its best running beam, at its present length, is below the worst of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from diasum.engines.fast.rules import Rules

_NEVER = -1.0e9  # what transformers adds to the score of what must not be chosen
_BLOCK = 128  # scores whose largest is looked at first


@dataclass(frozen=True, slots=True)
class SearchSpec:
    """How to search.

    Attributes:
        beams: 1 is greedy search.
        longest: new tokens at most.
        start: the decoder's first token.
        ends: tokens that end a summary.
        length_penalty: exponent of the length by which a score is divided.
        rules: what changes scores.
    """

    beams: int
    longest: int
    start: int
    ends: tuple[int, ...]
    length_penalty: float
    rules: Rules


class Search(ABC):
    """The state of all slots.

    Args:
        spec: how to search.
        device: of the scores.

    Attributes:
        tokens: what each beam reads next, (count, beams) int64.
        done: slots whose summary is found, (count,) bool.
    """

    def __init__(self, spec: SearchSpec, device: torch.device) -> None:
        self.spec = spec
        self.lengths = torch.zeros(0, dtype=torch.long, device=device)  # new tokens of each slot's beams
        self.least = self.lengths.clone()  # before which none may end
        self.history = self.lengths.new_zeros(0, spec.beams, spec.longest + 1)  # running beams with their start token
        self.done = self.lengths.bool()
        self._ends = self.lengths.new_tensor(spec.ends)

    @property
    def tokens(self) -> Tensor:
        index = self.lengths[:, None, None].expand(-1, self.spec.beams, 1)
        return self.history.gather(2, index).squeeze(2)

    def admit(self, least: Sequence[int]) -> None:
        """New slots, in which no summary may end before so many new tokens."""
        count = len(least)
        self.lengths = torch.cat([self.lengths, self.lengths.new_zeros(count)])
        self.least = torch.cat([self.least, self.least.new_tensor(least)])
        began = self.history.new_full((count, *self.history.shape[1:]), self.spec.start)
        self.history = torch.cat([self.history, began])
        self.done = torch.cat([self.done, self.done.new_zeros(count)])

    @abstractmethod
    def advance(self, logits: Tensor) -> Tensor:
        """Choose the next tokens.

        Args:
            logits: (count * beams, vocabulary) fp32; they may be overwritten.

        Returns:
            Which of its slot's beams each beam continues, (count, beams) int64.
        """

    @abstractmethod
    def summaries(self, slot: int, most: int) -> list[list[int]]:
        """The tokens of the likeliest summaries that a slot which is done has found, in order; each begins with the start token."""

    def keep(self, places: Tensor) -> None:
        """Free all slots but these, which take the places 0, 1 ... in this order."""
        self.lengths, self.least, self.done = self.lengths[places], self.least[places], self.done[places]
        self.history = self.history[places]

    def _apply_rules(self, scores: Tensor) -> None:
        beams = self.spec.beams
        self.spec.rules.apply(
            scores,
            self.history.flatten(0, 1),
            self.lengths.repeat_interleave(beams),
            self.least.repeat_interleave(beams),
        )

    def _ended(self, tokens: Tensor) -> Tensor:
        """Which of these next tokens, (count, n), end a summary; at the longest, all."""
        return torch.isin(tokens, self._ends) | (self.lengths + 1 >= self.spec.longest)[:, None]


class GreedySearch(Search):
    """The most probable token at every step; repetition is penalised in the scores as they are, not in log-probabilities."""

    def advance(self, logits: Tensor) -> Tensor:
        self._apply_rules(logits)
        chosen = logits.argmax(-1, keepdim=True)
        self.done = self._ended(chosen).squeeze(1)
        self.lengths = self.lengths + 1
        self.history.scatter_(2, self.lengths[:, None, None], chosen[:, :, None])
        return torch.zeros_like(chosen)

    def summaries(self, slot: int, most: int) -> list[list[int]]:
        return [self.history[slot, 0, : int(self.lengths[slot]) + 1].tolist()]


class BeamSearch(Search):
    """See the module."""

    def __init__(self, spec: SearchSpec, device: torch.device) -> None:
        super().__init__(spec, device)
        self._chosen = max(2, 1 + len(spec.ends)) * spec.beams  # enough to go on if all the best ones end
        self._among_best = torch.arange(self._chosen, device=device) < spec.beams
        divisors = [float(max(length, 1)) ** spec.length_penalty for length in range(spec.longest + 1)]
        self._divisors = torch.tensor(divisors, dtype=torch.float32, device=device)
        self.scores = torch.zeros(0, spec.beams, device=device)  # of running beams
        self.found = self.history.clone()  # summaries that ended, best first
        self.found_scores = self.scores.clone()
        self.found_lengths = self.found.new_zeros(0, spec.beams)  # 0 where there is none yet

    def admit(self, least: Sequence[int]) -> None:
        super().admit(least)
        count, beams = len(least), self.spec.beams
        first = self.scores.new_full((count, beams), _NEVER)
        first[:, 0] = 0  # all beams are the same yet
        self.scores = torch.cat([self.scores, first])
        self.found = torch.cat([self.found, self.history[-count:]])
        self.found_scores = torch.cat([self.found_scores, first.new_full((count, beams), _NEVER)])
        self.found_lengths = torch.cat([self.found_lengths, self.found_lengths.new_zeros(count, beams)])

    def advance(self, logits: Tensor) -> Tensor:
        log_probs = logits.log_softmax(-1)
        self._apply_rules(log_probs)
        scores, parents, tokens = self._candidates(log_probs)
        ended = self._ended(tokens)
        histories = self.history.gather(1, parents[:, :, None].expand(-1, -1, self.history.shape[2]))
        self.lengths = self.lengths + 1
        index = self.lengths[:, None, None].expand(-1, parents.shape[1], 1)
        histories.scatter_(2, index, tokens[:, :, None])
        if bool((newly := ended & self._among_best).any()):
            self._find(scores, histories, newly)
        running = scores + ended.float() * _NEVER
        going_on = running.topk(self.spec.beams).indices
        self.scores = running.gather(1, going_on)
        self.history = histories.gather(1, going_on[:, :, None].expand(-1, -1, histories.shape[2]))
        self.done = ~self._may_improve() | (self.lengths >= self.spec.longest)
        return parents.gather(1, going_on)

    def summaries(self, slot: int, most: int) -> list[list[int]]:
        lengths: list[int] = self.found_lengths[slot, :most].tolist()
        return [self.found[slot, i, : length + 1].tolist() for i, length in enumerate(lengths) if length]

    def keep(self, places: Tensor) -> None:
        super().keep(places)
        self.scores, self.found = self.scores[places], self.found[places]
        self.found_scores, self.found_lengths = self.found_scores[places], self.found_lengths[places]

    def _candidates(self, log_probs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The best continuations of all beams of a slot: scores, which beam each continues, and its token, (count, n) each."""
        count, beams = self.scores.shape
        values, tokens = largest(log_probs, min(self._chosen, log_probs.shape[1]))
        each = values.shape[1]
        values = values.view(count, beams, each) + self.scores[:, :, None]
        scores, places = values.flatten(1).topk(self._chosen)
        return scores, places // each, tokens.view(count, -1).gather(1, places)

    def _find(self, scores: Tensor, histories: Tensor, newly: Tensor) -> None:
        """Those that newly ended, (count, n) bool, join the summaries found; the best stay."""
        fair = scores / self._divisors[self.lengths][:, None] + (~newly).float() * _NEVER
        all_scores = torch.cat([self.found_scores, fair], 1)
        lengths = torch.cat([self.found_lengths, self.lengths[:, None] * newly], 1)
        stay = all_scores.topk(self.spec.beams).indices
        self.found_scores, self.found_lengths = all_scores.gather(1, stay), lengths.gather(1, stay)
        width = histories.shape[2]
        self.found = torch.cat([self.found, histories], 1).gather(1, stay[:, :, None].expand(-1, -1, width))

    def _may_improve(self) -> Tensor:
        """Whether a slot's best running beam is above one of its summaries, or it has too few, (count,) bool."""
        best = self.scores[:, :1] / self._divisors[self.lengths][:, None]
        worst = self.found_scores.min(1, keepdim=True).values
        return (best > torch.where(self.found_lengths > 0, worst, _NEVER)).any(1)


def largest(scores: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """As `scores.topk(number)` of each row, (rows, number) each.

    The largest of each block are found first, in one fast pass: the largest of all stand in the blocks with the largest maxima.
    """
    rows, columns = scores.shape
    blocks = columns // _BLOCK
    if blocks < 2 * number:
        return scores.topk(number)
    whole = scores[:, : blocks * _BLOCK].view(rows, blocks, _BLOCK)
    best_blocks = whole.amax(-1).topk(number).indices
    inside = whole.gather(1, best_blocks[:, :, None].expand(-1, -1, _BLOCK)).flatten(1)
    values, places = torch.cat([inside, scores[:, blocks * _BLOCK :]], 1).topk(number)
    block = best_blocks.gather(1, (places // _BLOCK).clamp(max=number - 1))
    behind = places - number * _BLOCK
    return values, torch.where(behind < 0, block * _BLOCK + places % _BLOCK, blocks * _BLOCK + behind)
