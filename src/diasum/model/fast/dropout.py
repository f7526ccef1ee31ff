"""Dropout that keeps a seed instead of a mask: the backward pass draws the same elements again."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from diasum.model.fast.kernels import Kernels


@dataclass(frozen=True, slots=True)
class Dropout:
    """Which elements of some rows are dropped.

    Attributes:
        p: probability of each; on a CPU it is rounded to 1/65536.
        seed: of the draw, 64 bits.
        kernels: compiled ones, or None for torch's; they draw other elements from the same seed.
    """

    p: float
    seed: int
    kernels: Kernels | None = None

    @staticmethod
    def draw(p: float, kernels: Kernels | None) -> Dropout | None:
        """With a seed from torch's generator; None where nothing is dropped."""
        return Dropout(p, int(torch.randint(2**63 - 1, ())), kernels) if p else None

    def __call__(self, x: Tensor) -> Tensor:
        """x with 0 for what is dropped; what is kept is not scaled."""
        if self.kernels:
            return self.kernels.dropout(x, self.seed, self.p)
        return x * self._kept(x)

    def add_to(self, total: Tensor, x: Tensor) -> Tensor:
        """Adds to `total`, in place, what `self(x)` would be."""
        if self.kernels:
            return self.kernels.dropout_add(total, x, self.seed, self.p)
        return total.addcmul_(x, self._kept(x).to(x.dtype))

    def _kept(self, x: Tensor) -> Tensor:
        """A boolean mask; on a CPU four elements share one 64-bit draw, which is over three times as fast as a draw for each."""
        generator = torch.Generator(x.device).manual_seed(self.seed)
        if x.device.type != "cpu":
            return torch.empty(x.shape, dtype=torch.bool, device=x.device).bernoulli_(1 - self.p, generator=generator)
        count = x.numel()
        bits = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None, generator=generator)
        return bits.view(torch.int16)[:count].view(x.shape) >= round(self.p * 2**16) - 2**15
