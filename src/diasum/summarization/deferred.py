"""What transformers and peft load only when it is asked for, where a summary can be made without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from diasum.config import PromptSettings
from diasum.errors import DiasumError
from diasum.model.light.model import LOAD_AGAIN, LightModel
from diasum.model.loading import ONE_AT_A_TIME, Base
from diasum.model.quantized import Quantization


@dataclass(slots=True)
class DeferredBase:
    """A `Base` whose model and tokenizer are loaded when one of them is asked for; its other attributes are there at once.

    Attributes:
        light: what is known without them.
        load: loads the whole.
    """

    id: str
    model_type: str
    weights_sha256: str
    light: LightModel
    load: Callable[[], Base]
    revision: None = None
    quantization: Quantization = "none"
    _whole: Base | None = field(default=None, init=False, repr=False)

    @property
    def model(self) -> Any:
        """As `Base.model`."""
        return self._loaded().model

    @property
    def tokenizer(self) -> Any:
        """As `Base.tokenizer`."""
        return self._loaded().tokenizer

    def prompt(self, settings: PromptSettings) -> PromptSettings:
        """As `Base.prompt`."""
        return settings.for_base(self.light.config, self.light.position_limits)

    def _loaded(self) -> Base:
        with ONE_AT_A_TIME:
            if self._whole is None:
                whole = self.load()
                if whole.weights_sha256 != self.weights_sha256:
                    raise DiasumError(f"The weights of {self.id} have changed since they were read.", hint=LOAD_AGAIN)
                self._whole = whole
            return self._whole


@dataclass(slots=True)
class DeferredModel:
    """A model that is loaded when it is asked for.

    Attributes:
        light: what summarises until then.
        load: gives base or `peft.PeftModel`, ready to generate.
    """

    light: LightModel
    load: Callable[[], Any]
