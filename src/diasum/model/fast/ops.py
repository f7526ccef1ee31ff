"""The pieces of a transformer block with frozen weights, each one autograd step that keeps little and makes few passes.

In: rows of tokens (N, features). A frozen weight needs no gradient, so a linear layer keeps nothing for it; an adapter keeps its input
and its rank-r product. What is computed here, and by what, is `Kernels`' and `FrozenWeight`'s; this is what autograd sees of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diasum.model.fast.frozen import FrozenWeight, Products
from diasum.model.fast.kernels import Dropout, Kernels

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
class Backend:
    """How a fast model computes.

    Attributes:
        dtype: of its rows and frozen weights.
        products: with these (`FrozenWeight`).
        kernels: what does the rest.
    """

    dtype: torch.dtype
    products: Products = "torch"
    kernels: Kernels = field(default_factory=Kernels)


class Linear:
    """One or several linear layers that read the same rows, as one product, with their adapters.

    The frozen weights are put side by side once, in the compute type; the model's own parameters become views of them, so that they
    exist once (packed, three times) and the plain model goes on working.
    """

    def __init__(self, modules: Sequence[Any], backend: Backend) -> None:
        bases = [getattr(module, "base_layer", module) for module in modules]
        weight = _side_by_side([base.weight for base in bases], backend.dtype)
        bias = None if bases[0].bias is None else _side_by_side([base.bias for base in bases], backend.dtype)
        self.frozen = FrozenWeight(weight, bias, by=backend.products)
        self.kernels = backend.kernels
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
        return run(_LoraLinear, x, self.frozen, residual, plans, self.kernels, *factors)


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
        kernels: Kernels,
        *factors: Tensor,
    ) -> Tensor:
        out = frozen.forward(x, residual)
        inners, dropouts = [], []
        for (columns, scale, p), a, b in zip(plans, factors[::2], factors[1::2], strict=True):
            dropout = Dropout.draw(p)
            inners.append(kernels.lora(out[:, columns], x, a, b, scale / (1 - p), dropout))
            dropouts.append(dropout)
        ctx.save_for_backward(x if plans else None, *factors, *inners)
        ctx.frozen, ctx.plans, ctx.dropouts, ctx.kernels = frozen, plans, dropouts, kernels
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        x, *saved = ctx.saved_tensors
        grad, n, kernels = grads[0], 2 * len(ctx.plans), ctx.kernels
        grad_x = ctx.frozen.backward(grad) if ctx.needs_input_grad[0] else None
        lora_grads: list[Tensor] = []
        for (columns, scale, p), dropout, a, b, inner in zip(
            ctx.plans, ctx.dropouts, saved[:n:2], saved[1:n:2], saved[n:], strict=True
        ):
            part = grad[:, columns]
            grad_a, grad_b = kernels.lora_backward(part, x, inner, a, b, scale / (1 - p), dropout, grad_x)
            lora_grads += [grad_a.to(a.dtype), grad_b.to(b.dtype)]
        return grad_x, None, grad if ctx.needs_input_grad[2] else None, None, None, *lora_grads


# ---- norms and gates -------------------------------------------------------------------------------------------------------------


def rms_norm(x: Tensor, weight: Tensor, eps: float, kernels: Kernels) -> Tensor:
    """T5's norm: no mean, no bias; `weight` (features,), frozen."""
    if x.device.type == "cuda":
        return F.rms_norm(x, weight.shape, weight.to(x.dtype), eps)
    return run(_RmsNorm, x, weight, eps, kernels)


class _RmsNorm(torch.autograd.Function):
    """Keeps its input and one number a row (on a CPU torch's own keeps products of the input's size)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float, kernels: Kernels) -> Tensor:
        out, scale = kernels.rms_norm(x, weight, eps)
        ctx.save_for_backward(x, weight, scale)
        ctx.kernels = kernels
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        return ctx.kernels.rms_norm_backward(grads[0], *ctx.saved_tensors), None, None, None


def activated(x: Tensor, activation: str, kernels: Kernels) -> Tensor:
    """activation(x), of (N, F)."""
    if activation == "gelu":
        return run(_OfInput, x, kernels.gelu, kernels.gelu_backward)
    return ACTIVATIONS[activation](x)


def gated(x: Tensor, activation: str, kernels: Kernels) -> Tensor:
    """(N, 2 F) with gate and value side by side to activation(gate) * value, (N, F)."""
    if activation in ("gelu_new", "gelu_pytorch_tanh"):
        return run(_OfInput, x, kernels.gated_gelu, kernels.gated_gelu_backward)
    gate, value = x.chunk(2, dim=-1)
    return activated(gate, activation, kernels) * value


class _OfInput(torch.autograd.Function):
    """Keeps its input only, from which the backward pass computes the rest again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, forward: Callable[[Tensor], Tensor], backward: Callable[..., Tensor]) -> Tensor:
        ctx.save_for_backward(x)
        ctx.gradient = backward
        return forward(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return ctx.gradient(grads[0], *ctx.saved_tensors), None, None


# ---- the loss --------------------------------------------------------------------------------------------------------------------


def cross_entropy_sum(
    states: Tensor,
    weight: FrozenWeight,
    bias: Tensor | None,
    labels: Tensor,
    *,
    smoothing: float = 0.0,
    kernels: Kernels | None = None,
) -> Tensor:
    """Cross-entropy summed over tokens, without ever holding the logits of all of them.

    Args:
        states: (T, d_model); the output layer's input.
        weight: the output layer (vocabulary, d_model), without bias.
        bias: (vocabulary,) added to the logits in fp32, frozen.
        labels: (T,) int64.
        smoothing: label smoothing, as in `torch.nn.functional.cross_entropy`.
        kernels: what computes the loss of a chunk; torch when not given.

    Returns:
        A scalar in fp32.
    """
    return run(_CrossEntropy, states, weight, bias, labels, smoothing, kernels or Kernels())


class _CrossEntropy(torch.autograd.Function):
    """The gradient of the states is made with the loss, chunk by chunk; it is as large as the states."""

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: FrozenWeight,
        bias: Tensor | None,
        labels: Tensor,
        smoothing: float,
        kernels: Kernels,
    ) -> Tensor:
        total = torch.zeros((), dtype=torch.float32, device=states.device)
        grad = torch.empty_like(states) if ctx.needs_input_grad[0] else None
        for begin in range(0, len(states), LOSS_CHUNK):
            rows = slice(begin, begin + LOSS_CHUNK)
            loss, grad_logits = kernels.cross_entropy(weight.forward(states[rows]), bias, labels[rows], smoothing)
            total += loss
            if grad is not None:
                grad[rows] = weight.backward(grad_logits)
        ctx.save_for_backward(grad)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.saved_tensors[0] * grads[0].to(ctx.saved_tensors[0].dtype), None, None, None, None, None
