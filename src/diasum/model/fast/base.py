"""What all fast models share: the loss over packed pairs, from an encoder and a decoder that a family defines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from diasum.model.fast.frozen import FrozenWeight
from diasum.model.fast.ops import Backend, cross_entropy_sum
from diasum.model.fast.packed import Packed


class FastModel(ABC):
    """A lean forward pass over the weights of a `peft.PeftModel`, in place.

    Gradients land in the peft parameters; the frozen weights are those of the model, brought to the compute type. Dropout in the base
    is left out; that of the adapters follows the model's training mode.

    Args:
        model: the base model inside (a transformers model with LoRA layers of peft).
        backend: compute type, how frozen weights are kept, and what does the work between their products.
        recompute: recompute each block's activations in the backward pass: less memory, about a third slower.
    """

    def __init__(self, model: Any, backend: Backend, *, recompute: bool = False) -> None:
        self.model = model
        self.backend = backend
        self.dtype = backend.dtype
        self.recompute = recompute

    @abstractmethod
    def encode(self, packed: Packed) -> Tensor:
        """Encoder states (S, d_model) of the sources."""

    @abstractmethod
    def decode(self, packed: Packed, memory: Tensor) -> Tensor:
        """The output layer's input (T, d_model), given the encoder states (S, d_model)."""

    def _convert_frozen(self) -> None:
        """What is not converted yet (embeddings, norms, head), so that the plain model has one type and generates in it."""
        for parameter in self.model.parameters():
            if not parameter.requires_grad:
                parameter.data = parameter.data.to(self.dtype)
        self._head = FrozenWeight(self.model.lm_head.weight.detach(), None, by=self.backend.products)

    @property
    def head_bias(self) -> Tensor | None:
        """Added to the logits (vocabulary,)."""
        return None

    def loss_sum(self, packed: Packed, *, label_smoothing: float = 0.0, encoder_states: Tensor | None = None) -> Tensor:
        """Cross-entropy summed over the target tokens, a scalar in fp32.

        Args:
            packed: the pairs.
            label_smoothing: of the targets.
            encoder_states: (S, d_model) states of the sources computed before, by a frozen encoder.
        """
        with torch.autocast(packed.source.device.type, enabled=False):
            states = self._states(packed, encoder_states)
            return self._loss_of(states, packed.labels, label_smoothing)

    @torch.no_grad()
    def pair_losses(self, packed: Packed, *, encoder_states: Tensor | None = None) -> Tensor:
        """The same by pair, without smoothing: summed over the target tokens of each, (pairs,) in fp32."""
        with torch.autocast(packed.source.device.type, enabled=False):
            states = self._states(packed, encoder_states)
            lengths = list(packed.target_lengths)
            pairs = zip(torch.split(states, lengths), torch.split(packed.labels, lengths), strict=True)
            return torch.stack([self._loss_of(*pair) for pair in pairs])

    def _states(self, packed: Packed, encoder_states: Tensor | None) -> Tensor:
        memory = self.encode(packed) if encoder_states is None else encoder_states.to(self.dtype)
        return self.decode(packed, memory)

    def _loss_of(self, states: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
        return cross_entropy_sum(
            states, self._head, self.head_bias, labels, smoothing=smoothing, kernels=self.backend.kernels
        )

    def _block(self, block: Callable[..., Tensor], *args: Any) -> Tensor:
        if self.recompute and torch.is_grad_enabled():
            output: Tensor = checkpoint(block, *args, use_reentrant=False)
            return output
        return block(*args)
