"""A model whose configuration, tokenizer and tensors are read from its files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diasum.errors import DiasumError
from diasum.libraries import load_torch
from diasum.model.light.adapter import factors, read_scales
from diasum.model.light.configuration import T5, read_configuration
from diasum.model.light.tensors import HEAD, HEAD_BIAS, TensorFile, fits, linear_shapes, shapes_of, shared_table
from diasum.model.light.tokenizer import LightTokenizer, read_tokenizer
from diasum.model.weights import check_finite

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WEIGHTS = "model.safetensors"
LOAD_AGAIN = "Load the model again."
# What makes transformers read other files than those that are read here, or more.
_ASIDE = ("adapter_config.json", f"{WEIGHTS}.index.json")


class LightModel:
    """What engines ask of a model; nothing else (its `Weights` are those of `diasum.engines.fast.weights`).

    Args:
        name: of the base, for errors.
        folder: of the base; None where there are no weights.
        config: with the names and values of transformers' own.
        generation_config: the same for generation; only the ids of special tokens.
        tokenizer: its own.
        scales: of an adapter's updates by the paths of the layers.
        adapter: folder of the adapter.

    Attributes:
        dtype: name of the torch type that the weights are held in, as `Hardware` has it; the adapter is merged in fp32 all the same.
        unchanged: whether the files are those that were looked at; asked before the weights are read.
    """

    def __init__(
        self,
        name: str,
        folder: Path | None,
        config: Any,
        generation_config: Any,
        tokenizer: LightTokenizer,
        scales: dict[str, float],
        adapter: Path | None,
    ) -> None:
        self.config, self.generation_config, self.tokenizer = config, generation_config, tokenizer
        self.dtype = "float32"
        self.unchanged: Callable[[], bool] = lambda: True
        self._name, self._folder, self._scales, self._adapter = name, folder, scales, adapter
        self._lock = threading.Lock()
        self._read: tuple[Mapping[str, Tensor], Mapping[str, Tensor]] | None = None
        self._shared: Tensor | None = None

    @property
    def model_type(self) -> str:
        """The family, as its configuration names it."""
        return str(self.config.model_type)

    @property
    def has_weights(self) -> bool:
        """Whether there are weights to compute with."""
        return self._folder is not None

    @property
    def device(self) -> torch.device:
        """The CPU."""
        import torch

        return torch.device("cpu")

    @property
    def position_limits(self) -> tuple[int | None, int | None]:
        """As `diasum.model.position_limits`."""
        longest = None if self.config.model_type == T5 else self.config.max_position_embeddings
        return longest, longest

    def read(self) -> None:
        """Look through the tensors now, instead of when the first is asked for; each is read again when it is.

        Raises:
            DiasumError: some of the base's hold NaN or infinite numbers, or the files have changed.
        """
        with self._lock:
            if self._read is None:
                assert self._folder is not None, "there are no weights"
                if not self.unchanged():
                    raise DiasumError(
                        f"The weights of {self._name} have changed since they were looked at.", hint=LOAD_AGAIN
                    )
                load_torch()
                tensors = TensorFile(self._folder / WEIGHTS)
                check_finite(self._name, tensors)
                adapter = TensorFile(self._adapter / "adapter_model.safetensors") if self._adapter else {}
                self._read = tensors, adapter

    def forget(self) -> None:
        """Keep no tensor that was asked for: whoever did has it."""
        self._shared = None

    def release(self) -> None:
        """Let go of the files, too; they are opened again if a tensor is asked for."""
        self._read = self._shared = None

    def layers(self, path: str) -> int:
        """As `Weights.layers`."""
        stack = "encoder" if "encoder" in path else "decoder"
        names = (
            {"encoder": "num_layers", "decoder": "num_decoder_layers"}
            if self.config.model_type == T5
            else {"encoder": "encoder_layers", "decoder": "decoder_layers"}
        )
        return int(getattr(self.config, names[stack]))

    def linear(self, path: str) -> tuple[Tensor, Tensor | None]:
        """As `Weights.linear`: W, or W + scale B A in fp32, of factors that were held in `dtype`."""
        weight = self.tensor(f"{path}.weight")
        assert weight is not None, path
        if (scale := self._scales.get(path)) is not None:
            a, b = (self._held(factor).float() for factor in factors(self._tensors[1], path))
            weight = weight.float() + b @ a * scale
        return weight, self.tensor(f"{path}.bias")

    def kept_apart(self, path: str) -> dict[str, Any]:
        """As `Weights.kept_apart`: nothing is."""
        return {}

    def tensor(self, name: str) -> Tensor | None:
        """As `Weights.tensor`."""
        tensors, shared = self._tensors[0], shared_table(self.config)
        if name not in tensors and name.endswith((f"{HEAD}.weight", "embed_tokens.weight")):
            name = shared
        if name == shared:  # which encoder, decoder and mostly the head have in common
            if self._shared is None:
                self._shared = self._held(tensors[name])
            return self._shared
        if name not in tensors and name == HEAD_BIAS and self.config.model_type != T5:
            import torch

            return torch.zeros(1, self.config.vocab_size, dtype=getattr(torch, self.dtype))
        return self._held(tensors[name]) if name in tensors else None

    @property
    def _tensors(self) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
        while (tensors := self._read) is None:
            self.read()
        return tensors

    def _held(self, tensor: Tensor) -> Tensor:
        """Rounded to `dtype`, from fp32, to which transformers and peft convert what they read; as it is where nothing is rounded."""
        import torch

        return tensor if self.dtype == "float32" else tensor.float().to(getattr(torch, self.dtype))


def read_light(name: str, folder: Path, adapter: Path | None = None, *, weights: bool = True) -> LightModel | None:
    """A model, with a LoRA adapter where one is given; its tensors are not read yet.

    Args:
        name: of the base, for errors.
        folder: of the base.
        adapter: folder of the adapter.
        weights: False for a folder that has only the rest.

    Returns:
        None for what only transformers and peft can load, or refuse.
    """
    configurations = read_configuration(folder)
    if configurations is None or any((folder / file).exists() for file in _ASIDE):
        return None
    config, generation_config = configurations
    if weights and (
        [file.name for file in folder.glob("*.safetensors")] != [WEIGHTS] or not fits(config, folder / WEIGHTS)
    ):
        return None
    scales: dict[str, float] | None = {}
    if adapter is not None:
        modules = {path for tensor in shapes_of(config) for path in accumulate(tensor.split(".")[:-1], "{}.{}".format)}
        scales = read_scales(adapter, linear_shapes(config), modules)
    tokenizer = read_tokenizer(folder) if scales is not None else None
    if scales is None or tokenizer is None:
        return None
    return LightModel(name, folder if weights else None, config, generation_config, tokenizer, scales, adapter)
