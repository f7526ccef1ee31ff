"""Corpora, prompt, encoding and batching: from files to what a model takes."""

from diasum.data.pairs import Corpus, Pair, pairs_hash

__all__ = ["Corpus", "Pair", "pairs_hash"]
