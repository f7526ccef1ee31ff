"""Corpora, prompt, encoding and batching: from files to what a model takes.

`import diasum.data` stays light: names are looked up in their modules when first used, so torch is loaded with training's batches only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from diasum.data.batching import Seq2SeqCollator
    from diasum.data.buckets import LengthBatches
    from diasum.data.checks.corpus import check_corpus
    from diasum.data.checks.duplicates import overlap
    from diasum.data.checks.findings import CorpusCheck, Finding
    from diasum.data.checks.statistics import CorpusStats, SplitStats, corpus_stats
    from diasum.data.corpora import load_corpus
    from diasum.data.encoded import EncodedSource, EncodingReport
    from diasum.data.encoding import PairEncoder
    from diasum.data.packing import PackedBatches
    from diasum.data.pairs import Corpus, Pair, one_reference_each, pairs_hash
    from diasum.data.prompt import Prompt, choose_separator, lost_characters
    from diasum.dialogue.files.splits import canonical_split

_MODULES = {
    "batching": ("Seq2SeqCollator",),
    "buckets": ("LengthBatches",),
    "checks.corpus": ("check_corpus",),
    "checks.duplicates": ("overlap",),
    "checks.findings": ("CorpusCheck", "Finding"),
    "checks.statistics": ("CorpusStats", "SplitStats", "corpus_stats"),
    "corpora": ("load_corpus",),
    "encoded": ("EncodedSource", "EncodingReport"),
    "encoding": ("PairEncoder",),
    "packing": ("PackedBatches",),
    "pairs": ("Corpus", "Pair", "canonical_split", "one_reference_each", "pairs_hash"),
    "prompt": ("Prompt", "choose_separator", "lost_characters"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Corpus",
    "CorpusCheck",
    "CorpusStats",
    "EncodedSource",
    "EncodingReport",
    "Finding",
    "LengthBatches",
    "PackedBatches",
    "Pair",
    "PairEncoder",
    "Prompt",
    "Seq2SeqCollator",
    "SplitStats",
    "canonical_split",
    "check_corpus",
    "choose_separator",
    "corpus_stats",
    "load_corpus",
    "lost_characters",
    "one_reference_each",
    "overlap",
    "pairs_hash",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
