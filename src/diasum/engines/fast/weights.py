"""The weights that the fast decode computes with: adapters merged into copies, products arranged for the processor once.

In: a model's weights by the paths of its modules. Out: `Product`s. The model's own weights are only read.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from diasum.engines.fast.adapters import LowRank, add_to, kept_apart, side_by_side
from diasum.model.fast.frozen import has_onednn_products, onednn_product

_ROWS = 64  # the number of rows that a weight's layout is chosen for; others work too

Linear = tuple[Tensor, Tensor | None]
"""Weight (out, in) and bias (out,) of a linear layer."""


class Weights(Protocol):
    """A model's weights as they compute now, by the names that transformers gives to its modules.

    Attributes:
        config: the model's configuration.
        device: where the weights are.
    """

    @property
    def config(self) -> Any: ...
    @property
    def device(self) -> torch.device: ...

    def layers(self, path: str) -> int:
        """How many layers a list of them has."""

    def linear(self, path: str) -> Linear:
        """A linear layer, its adapters merged."""

    def kept_apart(self, path: str) -> Mapping[str, Any]:
        """What adapters that are not merged add to a linear layer, a `LowRank` each, by their names."""

    def tensor(self, name: str) -> Tensor | None:
        """Any other parameter, by its name; None where the model has none of this name."""


class ModelWeights:
    """Those of a transformers model, its layers adapted by peft or not; see `Weights`."""

    def __init__(self, model: Any) -> None:
        self._model, self.config, self.device = model, model.config, model.device

    def layers(self, path: str) -> int:
        return len(self._model.get_submodule(path))

    def linear(self, path: str) -> Linear:
        return merged(self._model.get_submodule(path))

    def kept_apart(self, path: str) -> dict[str, LowRank]:
        return kept_apart(self._model.get_submodule(path))

    def tensor(self, name: str) -> Tensor | None:
        path, _, last = name.rpartition(".")
        try:
            module = self._model.get_submodule(path)
        except AttributeError:
            return None
        found = getattr(active(module), last, None)
        return found.detach() if isinstance(found, Tensor) else None


class Product:
    """One or several linear layers that read the same rows, as one product.

    Arranged once for oneDNN, products of 4 to 160 rows took a third to a half of the time of plain ones in fp32, and a fifth to a
    half in bf16 (one core with AVX-512).

    Args:
        parts: the layers.
        apart: what adapters that are not merged add to each of them.
        dtype: to compute in.
    """

    def __init__(self, parts: Sequence[Linear], apart: Sequence[Mapping[str, LowRank]], dtype: torch.dtype) -> None:
        weight = torch.cat([weight.to(dtype) for weight, _ in parts]) if len(parts) > 1 else parts[0][0].to(dtype)
        biases = [bias.to(dtype) for _, bias in parts if bias is not None]
        self._bias = torch.cat(biases) if biases else None
        self._added = side_by_side(apart, [len(weight) for weight, _ in parts], dtype)
        self._packed = has_onednn_products(weight.device.type, dtype)
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS) if self._packed else weight

    def __call__(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """x W' + bias + residual, and what the adapters add that are kept apart; x (N, in), residual (N, out)."""
        out = self._of_all(x, residual)
        return add_to(out, x, self._added) if self._added else out

    def _of_all(self, x: Tensor, residual: Tensor | None) -> Tensor:
        if self._packed:
            return onednn_product(x, self._weight, self._bias, residual)
        out = F.linear(x, self._weight, self._bias)
        return out if residual is None else out.add_(residual)


def merged(module: Any) -> Linear:
    """Weight and bias of a linear layer as it computes now: with its active adapters, which are merged in fp32 into a copy."""
    module = active(module)
    if type(module) is not torch.nn.Linear:  # it is adapted
        if not module.disable_adapters and not module.merged:
            module = copy.deepcopy(module).to(torch.float32)
            module.merge()
        module = module.get_base_layer()
    bias = getattr(module, "bias", None)
    return module.weight.detach(), None if bias is None else bias.detach()


def active(module: Any) -> Any:
    """What computes in place of a module that peft keeps a trained copy of (`modules_to_save`)."""
    if not hasattr(module, "modules_to_save"):
        return module
    if module.disable_adapters or not module.active_adapters:
        return module.original_module
    return module.modules_to_save[module.active_adapters[0]]
