"""The pieces of a transformer block with frozen weights, each one autograd step that keeps little and makes few passes.

In: rows of tokens (N, features). A frozen weight needs no gradient, so a linear layer keeps nothing for it; an adapter keeps its input
and its rank-r product. Sums in norms and losses are in fp32, whatever the rows' type.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diasum.model.fast.frozen import FrozenWeight

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "swish": F.silu,
}
LOSS_CHUNK = 256  # target tokens whose logits exist at one time


def run(function: Any, *args: Any) -> Tensor:
    """`torch.autograd.Function.apply`, typed."""
    out: Tensor = function.apply(*args)
    return out


# ---- linear layers with adapters -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Adapter:
    """One peft LoRA layer, read live: its parameters are trained in place.

    Attributes:
        layer: a `peft.tuners.lora.Linear`.
        name: the adapter's name in it.
        columns: which columns of the (fused) output it adds to.
    """

    layer: Any
    name: str
    columns: slice

    @property
    def a(self) -> Tensor:
        """lora_A, (r, in)."""
        weight: Tensor = self.layer.lora_A[self.name].weight
        return weight

    @property
    def b(self) -> Tensor:
        """lora_B, (out, r)."""
        weight: Tensor = self.layer.lora_B[self.name].weight
        return weight

    @property
    def plan(self) -> tuple[slice, float, float]:
        """Columns, scale, and the dropout's probability now (0 in evaluation)."""
        dropout = self.layer.lora_dropout[self.name]
        p = dropout.p if isinstance(dropout, nn.Dropout) and dropout.training else 0.0
        return self.columns, self.layer.scaling[self.name], p


@dataclass(frozen=True)
class Kind:
    """How a fast model computes: the type of its rows and frozen weights, and whether those are packed (`FrozenWeight`)."""

    dtype: torch.dtype
    packed: bool = False


class Linear:
    """One or several linear layers that read the same rows, as one product, with their adapters.

    The frozen weights are put side by side once, in the compute type; the model's own parameters become views of them, so that they
    exist once (packed, three times) and the plain model goes on working.
    """

    def __init__(self, modules: Sequence[Any], kind: Kind) -> None:
        bases = [getattr(module, "base_layer", module) for module in modules]
        weight = _side_by_side([base.weight for base in bases], kind.dtype)
        bias = None if bases[0].bias is None else _side_by_side([base.bias for base in bases], kind.dtype)
        self.frozen = FrozenWeight(weight, bias, packed=kind.packed)
        self.adapters: list[Adapter] = []
        begin = 0
        for module, base in zip(modules, bases, strict=True):
            end = begin + base.out_features
            if base is not module:
                self.adapters.append(Adapter(module, module.active_adapters[0], slice(begin, end)))
            begin = end

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """(N, in) to (N, out); with `residual` (N, out) added within the product."""
        plans = tuple(adapter.plan for adapter in self.adapters)
        factors = [factor for adapter in self.adapters for factor in (adapter.a, adapter.b)]
        return run(_LoraLinear, x, self.frozen, residual, plans, *factors)


def _side_by_side(parameters: Sequence[nn.Parameter], dtype: torch.dtype) -> Tensor:
    if len(parameters) == 1:
        parameters[0].data = parameters[0].data.to(dtype)
        return parameters[0].detach()
    whole = torch.cat([parameter.detach().to(dtype) for parameter in parameters])
    begin = 0
    for parameter in parameters:
        end = begin + len(parameter)
        parameter.data = whole[begin:end]
        begin = end
    return whole


class _LoraLinear(torch.autograd.Function):
    """x W' + bias + residual + scale * dropout(x) A' B' for each adapter (LoRA: Hu et al., 2021); without adapters it keeps nothing."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        frozen: FrozenWeight,
        residual: Tensor | None,
        plans: tuple[tuple[slice, float, float], ...],
        *factors: Tensor,
    ) -> Tensor:
        out = frozen.forward(x, residual)
        kept = []
        for (columns, scale, p), a, b in zip(plans, factors[::2], factors[1::2], strict=True):
            mask = kept_mask(x.shape, p, x.device) if p else None
            inner = _dropped(x, mask) @ a.to(x.dtype).t()
            out[:, columns].addmm_(inner, b.to(x.dtype).t(), alpha=scale / (1 - p))
            kept += [mask, inner]
        ctx.save_for_backward(x if plans else None, *factors, *kept)
        ctx.frozen, ctx.plans = frozen, plans
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        x, *saved = ctx.saved_tensors
        grad, n = grads[0], 2 * len(ctx.plans)
        grad_x = ctx.frozen.backward(grad) if ctx.needs_input_grad[0] else None
        made: list[Tensor] = []
        for i, (columns, scale, p) in enumerate(ctx.plans):
            (a, b), (mask, inner) = saved[2 * i : 2 * i + 2], saved[n + 2 * i : n + 2 * i + 2]
            part, factor = grad[:, columns], scale / (1 - p)
            grad_inner = (part @ b.to(x.dtype)).mul_(factor)
            made += [(grad_inner.t() @ _dropped(x, mask)).to(a.dtype), (part.t() @ inner).to(b.dtype).mul_(factor)]
            if grad_x is not None and mask is None:
                grad_x.addmm_(grad_inner, a.to(x.dtype))
            elif grad_x is not None:
                grad_x.add_((grad_inner @ a.to(x.dtype)).mul_(mask))
        return grad_x, None, grad if ctx.needs_input_grad[2] else None, None, *made


def kept_mask(shape: torch.Size, p: float, device: torch.device) -> Tensor:
    """A boolean tensor, False with probability `p`.

    On a CPU four elements share one 64-bit draw, which is over three times as fast as a draw for each; `p` is then rounded to 1/65536.
    """
    if device.type != "cpu":
        return torch.empty(shape, dtype=torch.bool, device=device).bernoulli_(1 - p)
    count = shape.numel()
    bits = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    return bits.view(torch.int16)[:count].view(shape) >= round(p * 2**16) - 2**15


def _dropped(x: Tensor, mask: Tensor | None) -> Tensor:
    """The scale 1 / (1 - p) of what is kept goes into the rank-r factors."""
    return x if mask is None else x * mask


# ---- norms and gates -------------------------------------------------------------------------------------------------------------


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """T5's norm: no mean, no bias; `weight` (features,) fp32, frozen."""
    if x.device.type == "cuda":
        return F.rms_norm(x, weight.shape, weight.to(x.dtype), eps)
    return run(_RmsNorm, x, weight, eps)


class _RmsNorm(torch.autograd.Function):
    """Keeps its input and one number a row (on a CPU torch's own keeps products of the input's size)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.promote_types(x.dtype, torch.float32))
        scale = length.square_().div_(x.shape[-1]).add_(eps).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        return torch.mul(x, scale).mul_(weight).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        x, weight, scale = ctx.saved_tensors
        grad = grads[0] * weight
        along = (grad * x).sum(-1, keepdim=True).mul_(scale.pow(3)).div_(-x.shape[-1])
        return grad.mul_(scale).addcmul_(x.to(grad.dtype), along).to(x.dtype), None, None


def gated(x: Tensor, activation: str) -> Tensor:
    """(N, 2 F) with gate and value side by side to activation(gate) * value, (N, F)."""
    if activation in ("gelu_new", "gelu_pytorch_tanh"):
        return run(_GatedGelu, x)
    gate, value = x.chunk(2, dim=-1)
    return ACTIVATIONS[activation](gate) * value


class _GatedGelu(torch.autograd.Function):
    """Keeps its input only; the activation is computed again in the backward pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        gate, value = x.chunk(2, dim=-1)
        return F.gelu(gate, approximate="tanh").mul_(value)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        gate, value = x.chunk(2, dim=-1)
        out = torch.empty_like(x)
        to_gate, to_value = out.chunk(2, dim=-1)
        torch.mul(F.gelu(gate, approximate="tanh"), grads[0], out=to_value)
        to_gate.copy_(torch.ops.aten.gelu_backward(grads[0] * value, gate, approximate="tanh"))
        return out


# ---- the loss --------------------------------------------------------------------------------------------------------------------


def cross_entropy_sum(
    states: Tensor, weight: FrozenWeight, bias: Tensor | None, labels: Tensor, *, smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy summed over tokens, without ever holding the logits of all of them.

    Args:
        states: (T, d_model); the output layer's input.
        weight: the output layer (vocabulary, d_model), without bias.
        bias: (vocabulary,) added to the logits in fp32, frozen.
        labels: (T,) int64.
        smoothing: label smoothing, as in `torch.nn.functional.cross_entropy`.

    Returns:
        A scalar in fp32.
    """
    return run(_CrossEntropy, states, weight, bias, labels, smoothing)


class _CrossEntropy(torch.autograd.Function):
    """The gradient of the states is made with the loss, chunk by chunk; it is as large as the states."""

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, weight: FrozenWeight, bias: Tensor | None, labels: Tensor, smoothing: float
    ) -> Tensor:
        total = torch.zeros((), dtype=torch.float32, device=states.device)
        grad = torch.empty_like(states) if ctx.needs_input_grad[0] else None
        uniform = smoothing / len(weight.weight)
        for begin in range(0, len(states), LOSS_CHUNK):
            rows = slice(begin, begin + LOSS_CHUNK)
            logits = weight.forward(states[rows]).float()
            if bias is not None:
                logits += bias
            target = labels[rows, None]
            log_sum = logits.logsumexp(-1, keepdim=True)
            total += (log_sum - (1 - smoothing) * logits.gather(1, target)).sum()
            if smoothing:
                total -= uniform * logits.sum()
            if grad is not None:
                logits.sub_(log_sum).exp_()
                if smoothing:
                    logits -= uniform
                logits.scatter_add_(1, target, logits.new_full(target.shape, smoothing - 1))
                grad[rows] = weight.backward(logits.to(states.dtype))
        ctx.save_for_backward(grad)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        return ctx.saved_tensors[0] * grads[0].to(ctx.saved_tensors[0].dtype), None, None, None, None
