"""A tokenizer from its tokenizer.json, by the library that transformers uses for it, too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diasum.model.light.checks import json_object, of_types

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Those of transformers that take a tokenizer.json as it is; others build parts of it anew.
_CLASSES = ("TokenizersBackend", "PreTrainedTokenizerFast")
_NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
# What a tokenizer_config.json may say besides: it does not change what a text is encoded to, as nothing is padded or cut here.
_WITHOUT_EFFECT: dict[str, tuple[type, ...]] = {
    "backend": (str,),
    "is_local": (bool,),
    "local_files_only": (bool,),
    "max_length": (int, type(None)),
    "model_max_length": (int, float),
    "pad_to_multiple_of": (int, type(None)),
    "pad_token_type_id": (int,),
    "padding_side": (str,),
    "stride": (int,),
    "tokenizer_class": (str,),
    "truncation_side": (str,),
    "truncation_strategy": (str,),
}
_LEGACY = ("special_tokens_map.json", "added_tokens.json")
_PATCHED = 100_000  # tokens; transformers looks whether larger vocabularies are of a family that needs mending


class LightTokenizer:
    """See `diasum.data.tokenizer.Tokenizer`.

    Args:
        backend: it neither pads nor cuts.
        named: special tokens by their names, such as ``eos_token``.
        extra: other special tokens.
    """

    def __init__(self, backend: Tokenizer, named: dict[str, str], extra: Sequence[str]) -> None:
        self._backend, self._named = backend, named
        self.all_special_tokens = list(dict.fromkeys([*(named[name] for name in _NAMED if name in named), *extra]))

    @property
    def pad_token_id(self) -> int | None:
        return self._id("pad_token")

    @property
    def eos_token_id(self) -> int | None:
        return self._id("eos_token")

    @property
    def unk_token_id(self) -> int | None:
        return self._id("unk_token")

    def __len__(self) -> int:
        return self._backend.get_vocab_size()

    def __call__(
        self,
        text: str | list[str] | None = None,
        *,
        text_target: str | list[str] | None = None,
        add_special_tokens: bool = True,
        **_: Any,
    ) -> dict[str, Any]:
        texts = text if text is not None else text_target
        if isinstance(texts, str):
            return {"input_ids": self._backend.encode(texts, add_special_tokens=add_special_tokens).ids}
        encoded = self._backend.encode_batch(texts or [], add_special_tokens=add_special_tokens)
        return {"input_ids": [one.ids for one in encoded]}

    def decode(self, token_ids: Sequence[int], skip_special_tokens: bool = False, **_: Any) -> str:
        return self._backend.decode(list(token_ids), skip_special_tokens=skip_special_tokens)

    def convert_ids_to_tokens(self, ids: Sequence[int]) -> list[str | None]:
        return [self._backend.id_to_token(one) for one in ids]

    def _id(self, name: str) -> int | None:
        return self._backend.token_to_id(self._named[name]) if name in self._named else None


def read_tokenizer(folder: Path) -> LightTokenizer | None:
    """The tokenizer of a folder; None where transformers would make something else of its files."""
    config, content = json_object(folder / "tokenizer_config.json"), json_object(folder / "tokenizer.json")
    if config is None or content is None or any((folder / name).exists() for name in _LEGACY):
        return None
    named = {name: token for name in _NAMED if (token := config.pop(name, None)) is not None}
    extra = config.pop("extra_special_tokens", None) or []
    if config.get("tokenizer_class") not in _CLASSES or config.pop("clean_up_tokenization_spaces", False) is not False:
        return None
    if not of_types(config, _WITHOUT_EFFECT) or not isinstance(extra, list):
        return None
    try:
        special = {one["content"] for one in content["added_tokens"] if one["special"] and not one["normalized"]}
        if not special.issuperset([*named.values(), *extra]):
            return None  # they would be added
        from tokenizers import Tokenizer

        backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception:  # whatever it is, transformers meets it as well
        return None
    if backend.get_vocab_size() > _PATCHED:
        return None
    backend.no_truncation()
    backend.no_padding()
    return LightTokenizer(backend, named, extra)
