"""The optimiser: Muon for the hidden matrices, Adam for embeddings, norms and position biases; and the learning-rate schedule.

Muon (Jordan et al. 2024) replaces a matrix's momentum by its nearest semi-orthogonal matrix, found by Newton-Schulz iterations, so every
direction of the matrix learns at the same pace. Each attention head's block is orthogonalised by itself: it is its own linear map, and
the small products make the iterations four times cheaper. Steps have a root mean square (Liu et al. 2025, "Muon is scalable")
relative to that of the matrix, so one learning rate suits every shape and scale.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
SMALLEST = 0.01  # a matrix smaller than this (root mean square) takes steps as if it were this large


@torch.no_grad()
def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """The (approximately) nearest semi-orthogonal matrices to a stack (N, rows, columns), in float32."""
    a, b, c = NEWTON_SCHULZ
    tall = matrices.shape[-2] > matrices.shape[-1]
    x: Tensor = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + torch.baddbmm(b * gram, gram, gram, alpha=c) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum. `lr` is the size of a step relative to the matrix: root mean square over root mean square.

    A relative step keeps what is written into small weights (an induction head's queries and keys) as safe as the rest; with one absolute
    step for all matrices, noise had overwritten it within 1,000 steps.

    Args:
        params: dictionaries `{"params": [matrices], "blocks": n, "dim": 0 or 1}`; each matrix is split into `n` blocks along `dim`.
    """

    def __init__(self, params: Iterable[dict[str, Any]], lr: float = 4e-3, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "blocks": 1, "dim": 0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step; matrices of equal block shape go through Newton-Schulz together."""
        stacks: dict[tuple[int, ...], list[tuple[Tensor, int, int, float, tuple[Tensor, ...]]]] = defaultdict(list)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                momentum = state["momentum"].lerp_(p.grad, 1 - group["momentum"])
                update = p.grad.lerp(momentum, group["momentum"])
                pieces = update.chunk(group["blocks"], dim=group["dim"])
                stacks[tuple(pieces[0].shape)].append((p, group["dim"], group["blocks"], group["lr"], pieces))
        for (rows, columns), entries in stacks.items():
            flat = orthogonalise(torch.stack([piece for entry in entries for piece in entry[4]]))
            scale = math.sqrt(
                max(rows, columns)
            )  # a semi-orthogonal matrix has entries of root mean square 1 / sqrt(longer side)
            start = 0
            for p, dim, blocks, lr, _ in entries:
                update = torch.cat(list(flat[start : start + blocks]), dim=dim)
                size = max(float(p.square().mean().sqrt()), SMALLEST)
                p.add_(update, alpha=-lr * size * scale)
                start += blocks


class Optimizers:
    """Muon and Adam over one model, stepped together.

    Args:
        model: a T5 whose parameters are trained in place.
        matrix_lr: relative size of a Muon step (or Adam's learning rate for the matrices, if `muon` is false).
        vector_lr: Adam's learning rate for embeddings, norms and position biases.
    """

    def __init__(self, model: nn.Module, matrix_lr: float, vector_lr: float, muon: bool = True) -> None:
        heads = int(model.config.num_heads)  # type: ignore[union-attr,arg-type]
        matrices: dict[tuple[int, int], list[nn.Parameter]] = defaultdict(list)
        vectors: list[nn.Parameter] = []
        for name, p in model.named_parameters():
            if p.ndim < 2 or "shared" in name or "relative_attention_bias" in name:
                vectors.append(p)
            elif "Attention" in name:
                matrices[(heads, 1 if name.endswith(".o.weight") else 0)].append(p)
            else:
                matrices[(1, 0)].append(p)
        self.parts: list[torch.optim.Optimizer] = []
        rest: list[dict[str, Any]] = [{"params": vectors, "lr": vector_lr}]
        if muon:
            groups = [{"params": ps, "blocks": blocks, "dim": dim} for (blocks, dim), ps in matrices.items()]
            self.parts.append(Muon(groups, lr=matrix_lr))
        else:
            rest.append({"params": [p for ps in matrices.values() for p in ps], "lr": matrix_lr})
        self.parts.append(torch.optim.Adam(rest, betas=(0.9, 0.98), eps=1e-10, foreach=True))
        self.parameters = list(model.parameters())
        self.peaks = [[g["lr"] for g in part.param_groups] for part in self.parts]

    def step(self, factor: float) -> float:
        """Clip the gradient to norm 1, step at `factor` of the peak rates, clear the gradients; returns the gradient's norm."""
        norm = nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for part, peaks in zip(self.parts, self.peaks, strict=True):
            for group, peak in zip(part.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
            part.step()
            part.zero_grad(set_to_none=True)
        return float(norm)

    def state_dict(self) -> list[dict[str, Any]]:
        """States of both optimisers."""
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Restore `state_dict`; learning rates stay those given to the constructor."""
        for part, state, peaks in zip(self.parts, states, self.peaks, strict=True):
            part.load_state_dict(state)
            for group, peak in zip(part.param_groups, peaks, strict=True):
                group["lr"] = peak


def schedule(tokens: int, *, warmup: int, total: int, decay: int) -> float:
    """Warm-up, stable, decay (WSD): linear up over `warmup` tokens, 1, then linear down to 0 over the last `decay` of `total`."""
    up = min(1.0, (tokens + 1) / max(1, warmup))
    down = min(1.0, (total - tokens) / decay) if decay else 1.0
    return max(0.0, min(up, down))
