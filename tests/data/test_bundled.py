"""The conversations that the package brings: their splits, the house form of their notes, and the recipes that train on them."""

from __future__ import annotations

import re

import pytest

from diasum.config import DataSettings
from diasum.data import check_corpus, load_corpus
from diasum.data.corpora import BUNDLED
from diasum.resolve import load_settings

SIZES = {
    "everyday": {"train": 405, "validation": 40, "test": 80},
    "sample": {"train": 160, "validation": 20, "test": 60},
}


@pytest.mark.parametrize("name", SIZES)
def test_bundled_conversations_are_found_by_their_names(name: str) -> None:
    corpus = load_corpus(DataSettings(path=name))
    assert {split: len(pairs) for split, pairs in corpus.splits.items()} == SIZES[name]
    assert check_corpus(corpus).clean
    assert BUNDLED.keys() == SIZES.keys()


def test_every_note_of_everyday_has_the_house_form() -> None:
    form = re.compile(r"Gist: \S.*\. Outcome: \S.*\. Next: \S.*\.")
    for pairs in load_corpus(DataSettings(path="everyday")).splits.values():
        assert not [pair.id for pair in pairs if not form.fullmatch(pair.references[0])]


def test_each_has_a_recipe() -> None:
    paths = {name: load_settings(name).data.path for name in ("demo", "sample-mini")}
    assert paths == {"demo": "everyday", "sample-mini": "sample"}
