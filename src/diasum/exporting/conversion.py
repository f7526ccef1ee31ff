"""A model's weights as CTranslate2 has them, by its own converter, where that reads transformers' configurations as they now are.

In: a model in memory and its description in a folder. Out: ``model.bin``, ``config.json`` and the vocabulary.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from diasum.engines.ct2 import STORED
from diasum.errors import DiasumError
from diasum.model.loading import ONE_AT_A_TIME, quiet_transformers

FAMILIES = ("bart", "m2m_100", "marian", "mbart", "mt5", "pegasus", "t5", "umt5")  # of those that turn text into text


def check_family(model_type: str) -> None:
    """Refuse a family that CTranslate2 does not convert.

    Raises:
        DiasumError: those that it does are named.
    """
    if model_type not in FAMILIES:
        raise DiasumError(
            f"CTranslate2 does not convert {model_type} models.",
            hint=f"It converts {', '.join(FAMILIES)}. Any family can be exported with --to merged.",
        )


def convert(model: Any, description: Path, folder: Path, quantization: str) -> None:
    """Write a model's weights for CTranslate2.

    Args:
        model: in fp32, without an adapter; of no use afterwards: CTranslate2 quantises its weights where they are.
        description: a folder with its configuration and tokenizer.
        folder: where they go.
        quantization: ``int8``, ``int8_bf16``, ``bf16`` or ``fp32``.

    Raises:
        DiasumError: CTranslate2 cannot represent this model.
    """
    from ctranslate2.converters import TransformersConverter

    class Converter(TransformersConverter):  # type: ignore[misc]
        """Takes the model in memory."""

        def load_model(self, model_class: Any, model_name_or_path: str, **kwargs: Any) -> Any:
            if model.config.model_type == "bart":  # transformers dropped what every BART has
                model.config.normalize_before, model.config.normalize_embedding = False, True
            return model

        def load_tokenizer(self, tokenizer_class: Any, model_name_or_path: str, **kwargs: Any) -> Any:
            tokenizer = super().load_tokenizer(tokenizer_class, model_name_or_path, **kwargs)
            return _Names(tokenizer, model.get_input_embeddings().weight.shape[0])

        def _load(self) -> Any:
            spec = super()._load()
            _mend(spec, model)
            return spec

    made = folder / "converted"  # the converter wants a folder of its own
    try:
        with ONE_AT_A_TIME, quiet_transformers(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Converter(str(description)).convert(str(made), quantization=STORED[quantization])
    except (ValueError, RuntimeError, NotImplementedError, AttributeError, KeyError, TypeError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise DiasumError(
            f"CTranslate2 cannot represent this {model.config.model_type} model: {first}",
            hint="Export it with --to merged.",
        ) from None
    for file in made.iterdir():
        file.rename(folder / file.name)
    made.rmdir()


class _Names:
    """A tokenizer that names every row of the embeddings: those without a token would be missing in the vocabulary."""

    def __init__(self, tokenizer: Any, rows: int) -> None:
        self._tokenizer, self._rows = tokenizer, rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def get_vocab(self) -> dict[str, int]:
        """Tokens with their ids."""
        known = {i: token for token, i in self._tokenizer.get_vocab().items()}
        return {known.get(i, f"<unused_{i}>"): i for i in range(self._rows)}


def _mend(spec: Any, model: Any) -> None:
    """The converter scales the outputs of every T5 whose configuration calls its weights tied, which transformers 5 does of all; those of
    FLAN-T5 and T5 1.1 are not to be scaled."""
    from ctranslate2.specs.model_spec import OPTIONAL

    if model.config.model_type in ("t5", "mt5"):
        scaled = getattr(model.config, "scale_decoder_outputs", False)
        spec.decoder.scale_outputs = model.config.d_model**-0.5 if scaled else OPTIONAL
