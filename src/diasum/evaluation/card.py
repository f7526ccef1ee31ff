"""The model card of an adapter: ``adapter/README.md``, with the metadata that the Hub reads."""

from __future__ import annotations

from diasum.data import Corpus
from diasum.evaluation.evaluate import Evaluated
from diasum.training import Run


def write_card(run: Run, evaluated: Evaluated | None = None, *, corpus: Corpus | None = None) -> None:
    """Write ``adapter/README.md``; not yet there is nothing to write."""
