"""Lengths in tokens: by words where that is exact, else by whole texts; what would be cut is told."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import pytest
from transformers import PreTrainedTokenizerFast

from diasum.config import DataSettings, PromptSettings, Settings
from diasum.data import Corpus, PairEncoder, check_corpus, load_corpus
from diasum.data.checks.lengths import WordSums, token_lengths
from diasum.model.loading import load_encoder
from tests.tokenizers import tiny_bart_tokenizer, tiny_t5_tokenizer


@pytest.mark.parametrize("tokenizer", [tiny_t5_tokenizer(), tiny_bart_tokenizer()], ids=["t5", "bart"])
@pytest.mark.parametrize("speakers", ["named", "numbered"])
def test_lengths_are_those_of_the_tokenizer(tokenizer: PreTrainedTokenizerFast, speakers: str) -> None:
    settings = PromptSettings(max_source_tokens=150, max_target_tokens=30, speakers=speakers)  # type: ignore[arg-type]
    encoder = PairEncoder(tokenizer, settings)
    pairs = load_corpus(DataSettings(path="sample")).splits["train"][:40]
    lengths, findings = token_lengths(Corpus("c", {"all": pairs}), encoder, "tiny")
    sources, _ = encoder.encode_dialogues(pair.dialogue for pair in pairs)
    totals = [source.tokens_total for source in sources]
    references = encoder.target_ids([encoder.target(pair.dialogue, text) for pair in pairs for text in pair.references])
    of_split = lengths.splits["all"]
    assert (of_split.sources.most, of_split.targets.most) == (max(totals), max(map(len, references)))
    assert of_split.sources_cut == sum(total > 150 for total in totals) > 0
    assert of_split.targets_cut == sum(len(ids) > 30 for ids in references)
    assert sum(of_split.sources.counts) == len(pairs)
    cut = next(finding for finding in findings if finding.kind == "source_cut")
    assert cut.ids == tuple(pair.id for pair, total in zip(pairs, totals, strict=True) if total > 150)
    assert cut.severity == "warning"
    assert "150 tokens" in cut.message
    long = [pair for pair, total in zip(pairs, totals, strict=True) if total > 150]
    windows = statistics.median(len(encoder.encode_windows(pair.dialogue)) for pair in long)
    assert of_split.windows_median == windows >= 2
    assert f"read in windows, {windows:g} each at the median" in cut.message


@pytest.mark.parametrize("tokenizer", [tiny_t5_tokenizer(), tiny_bart_tokenizer(), None], ids=["t5", "bart", "mini"])
def test_words_add_up_for_the_usual_tokenizers(tokenizer: PreTrainedTokenizerFast | None) -> None:
    encoder = load_encoder(Settings()) if tokenizer is None else PairEncoder(tokenizer, PromptSettings())
    pairs = load_corpus(DataSettings(path="sample")).splits["train"]
    texts = [encoder.source_text(pair.dialogue) for pair in pairs]
    sums = WordSums(lambda some: list(map(len, encoder.source_ids(some))), texts[:20])
    assert sums.additive
    assert list(sums(texts)) == list(map(len, encoder.source_ids(texts)))


def test_where_words_do_not_add_up_whole_texts_are_counted() -> None:
    def count(texts: Sequence[str]) -> list[int]:
        return [1 + len(text) // 5 for text in texts]

    sums = WordSums(count, ["one two", "a b c d e f g", "once upon a time there was"])
    assert not sums.additive
    assert list(sums(["one two three", ""])) == [3, 1]


def test_without_a_base_nothing_is_measured() -> None:
    corpus = load_corpus(DataSettings(path="sample"))
    assert check_corpus(corpus).lengths is None
