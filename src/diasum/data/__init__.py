"""Corpora, prompt, encoding and batching: from files to what a model takes.

`import diasum.data` stays light: names are looked up in their modules when first used, so that torch is loaded with batching only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diasum.data.batching import LengthBatches, Seq2SeqCollator
    from diasum.data.encoding import EncodedSource, EncodingReport, PairEncoder
    from diasum.data.pairs import Corpus, Pair, pairs_hash
    from diasum.data.prompt import Prompt, choose_separator, lost_characters

_MODULES = {
    "batching": ("LengthBatches", "Seq2SeqCollator"),
    "encoding": ("EncodedSource", "EncodingReport", "PairEncoder"),
    "pairs": ("Corpus", "Pair", "pairs_hash"),
    "prompt": ("Prompt", "choose_separator", "lost_characters"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Corpus",
    "EncodedSource",
    "EncodingReport",
    "LengthBatches",
    "Pair",
    "PairEncoder",
    "Prompt",
    "Seq2SeqCollator",
    "choose_separator",
    "lost_characters",
    "pairs_hash",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
