"""What diasum asks of a tokenizer: a small part of what those of transformers can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Tokenizer(Protocol):
    """Those of transformers are such, and so is `diasum.model.light.LightTokenizer`, which does without it."""

    @property
    def pad_token_id(self) -> int | None: ...
    @property
    def eos_token_id(self) -> int | None: ...
    @property
    def unk_token_id(self) -> int | None: ...
    @property
    def all_special_tokens(self) -> list[str]: ...

    def __len__(self) -> int: ...

    def __call__(
        self, text: Any = None, *, text_target: Any = None, add_special_tokens: bool = True, **options: Any
    ) -> Mapping[str, Any]:
        """Token ids of a text, or of a list of them, as ``input_ids``."""

    def decode(self, token_ids: Any, skip_special_tokens: bool = False, **options: Any) -> Any:
        """The text of token ids."""

    def convert_ids_to_tokens(self, ids: Any) -> Any:
        """What stands in the vocabulary for each of these ids."""
