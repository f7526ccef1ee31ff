"""Torch operators that have no public name: another version of torch may change or drop them.

Everything else of the fast path goes through torch's public functions. `problem` tries these operators out, once a process, so that the
fast path can step aside with a reason instead of failing, or computing something else, in the middle of a training.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

NAMES = (
    "aten::_scaled_dot_product_flash_attention_for_cpu",
    "aten::_scaled_dot_product_flash_attention_for_cpu_backward",
    "aten::gelu_backward",
)
_FAILURES = (AttributeError, RuntimeError, TypeError, ValueError)  # how a missing or changed operator shows


def attend(
    q: Tensor, k: Tensor, v: Tensor, *, causal: bool, mask: Tensor | None, scale: float
) -> tuple[Tensor, Tensor]:
    """Attention on a CPU, (1, heads, tokens, K) each; the mixed values, and the logarithms of the softmax's sums."""
    operator: Any = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    mixed, log_sum = operator(q, k, v, 0.0, causal, attn_mask=mask, scale=scale)
    return mixed, log_sum


def attend_backward(
    grad: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    out: Tensor,
    log_sum: Tensor,
    *,
    causal: bool,
    mask: Tensor | None,
    scale: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of q, k and v of `attend`, given the gradient of the mixed values `out`."""
    operator: Any = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
    to_q, to_k, to_v = operator(grad, q, k, v, out, log_sum, 0.0, causal, attn_mask=mask, scale=scale)
    return to_q, to_k, to_v


def gelu_backward(grad: Tensor, x: Tensor, *, approximate: str = "none") -> Tensor:
    """The gradient of x of `torch.nn.functional.gelu`."""
    operator: Any = torch.ops.aten.gelu_backward
    out: Tensor = operator(grad, x, approximate=approximate)
    return out


@lru_cache(maxsize=2)
def problem(*, gradients: bool = True) -> str | None:
    """Why these operators cannot be used with the installed torch, as a clause; None where they compute what they should.

    Args:
        gradients: False tries only what summaries need; the first gradient of a process makes torch import sympy, for half a second.
    """
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            differing = None
            if not _attends() or (gradients and not _differentiates_attention()):
                differing = "attention"
            elif gradients and not _differentiates_gelu():
                differing = "the gradient of GELU"
    except _FAILURES as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        return f"torch {torch.__version__} lacks an operator that it uses ({first.rstrip('.')})"
    return differing and f"torch {torch.__version__} computes {differing} otherwise than the one it was written for"


def _attends() -> bool:
    """Whether attention equals that by plain products."""
    q, k, v = (torch.randn(1, 2, 3, 4) for _ in range(3))
    mask = torch.randn(1, 2, 3, 3)
    out, _ = attend(q, k, v, causal=False, mask=mask, scale=0.5)
    return torch.allclose(out, _by_products(q, k, v, mask), atol=1e-4)


def _differentiates_attention() -> bool:
    q, k, v, grad = (torch.randn(1, 2, 3, 4) for _ in range(4))
    mask = torch.randn(1, 2, 3, 3)
    out, log_sum = attend(q, k, v, causal=False, mask=mask, scale=0.5)
    fused = attend_backward(grad, q, k, v, out, log_sum, causal=False, mask=mask, scale=0.5)
    with torch.enable_grad():
        inputs = [part.clone().requires_grad_() for part in (q, k, v)]
        plain = torch.autograd.grad(_by_products(inputs[0], inputs[1], inputs[2], mask), inputs, grad)
    return all(torch.allclose(a, b, atol=1e-4) for a, b in zip(fused, plain, strict=True))


def _by_products(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    return torch.softmax(q @ k.transpose(-1, -2) * 0.5 + mask, dim=-1) @ v


def _differentiates_gelu() -> bool:
    x, grad = torch.randn(8), torch.randn(8)
    for approximate in ("none", "tanh"):
        with torch.enable_grad():
            leaf = x.clone().requires_grad_()
            (plain,) = torch.autograd.grad(torch.nn.functional.gelu(leaf, approximate=approximate), leaf, grad)
        if not torch.allclose(gelu_backward(grad, x, approximate=approximate), plain, atol=1e-4):
            return False
    return True
