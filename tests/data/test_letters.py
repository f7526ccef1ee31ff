"""Scripts are told apart, and letters that a tokenizer lacks are counted."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import ByT5Tokenizer, PreTrainedTokenizerFast

from diasum.claims.language import other_scripts
from diasum.data.letters import TokenizerLetters, latin_only_note
from tests.tokenizers import tiny_bart_tokenizer, tiny_t5_tokenizer


@pytest.mark.parametrize(
    ("texts", "share", "scripts"),
    [
        (["Tom fragt Änne nach dem Bericht ..."], 0, []),
        (["9:30 !"], 0, []),
        ([], 0, []),
        (["Врач"], 1, ["Cyrillic"]),
        (["abc", "医生"], 0.4, ["Chinese"]),
        (["医者は"], 1, ["Japanese"]),
        (["ＡＢ"], 1, ["Fullwidth"]),  # which a-z does not hold either
        (["दर्द"], 1, ["Hindi"]),
    ],
)
def test_scripts(texts: list[str], share: float, scripts: list[str]) -> None:
    assert other_scripts(texts) == (pytest.approx(share), scripts)


def test_a_tokenizer_that_lacks_letters() -> None:
    letters = TokenizerLetters(tiny_t5_tokenizer())
    assert letters.lost(["Anna asks Ben for the report. 👍 {}"]).share == 0  # a brace and a smiley are no letters
    arabic = letters.lost(["مرحبا"])
    assert (arabic.share, arabic.scripts, arabic.matters) == (1, ("Arabic",), True)
    assert "lacks 100% of the letters of this conversation (Arabic)" in arabic.note("this conversation")
    mixed = letters.lost(["abcd", "жж"])
    assert mixed.share == pytest.approx(1 / 3)
    assert not letters.lost(["a" * 99 + "ж"]).matters
    assert letters.lost([""]).share == 0


def test_letters_that_are_spelt_in_single_bytes() -> None:
    """As `mini` does, whose vocabulary of bytes has been merged on English only."""
    letters = TokenizerLetters(tiny_bart_tokenizer())
    arabic = letters.lost(["مرحبا"])
    assert (arabic.share, arabic.dropped, arabic.matters) == (1, 0, True)
    assert "spells them in single bytes" in arabic.note("this conversation")
    assert letters.lost(["Anna asks Ben."]).share == 0
    assert not letters.lost(["They meet in a café near the old town hall."]).matters


def test_letters_with_tokens_of_their_own_are_kept() -> None:
    """Byte-level merges of whole letters, and a vocabulary of decomposed letters."""
    learnt = Tokenizer(models.BPE())
    learnt.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learnt.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=900, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    learnt.train_from_iterator(["в р а ч the patient"] * 9, trainer)
    assert TokenizerLetters(PreTrainedTokenizerFast(tokenizer_object=learnt)).lost(["врач"]).share == 0
    pieces = [("<unk>", 0.0), *((piece, -1.0) for piece in ("▁", "▁a", "▁the", "e", "\u0301", "\u0e4d", "า"))]
    parted = Tokenizer(models.Unigram(pieces, unk_id=0))
    parted.normalizer = normalizers.NFKD()
    parted.pre_tokenizer = pre_tokenizers.Metaspace()
    parted.decoder = decoders.Metaspace()
    letters = TokenizerLetters(PreTrainedTokenizerFast(tokenizer_object=parted, unk_token="<unk>"))
    assert letters.lost(["é"]).share == 0
    assert letters.lost(["\u0e33"]).share == 0


def test_a_model_of_bytes_knows_them() -> None:
    assert TokenizerLetters(ByT5Tokenizer()).lost(["مرحبا", "หมอ", "医生", "डॉक्टर"]).share == 0


def test_protocols_that_count_latin_letters_only() -> None:
    assert latin_only_note("auto", ["Врач"]) is None
    assert latin_only_note("unicode", ["Врач"]) is None
    assert latin_only_note("dialogsum-paper", ["A doctor"]) is None
    assert "100% of the references' letters are not Latin (Cyrillic)" in str(latin_only_note("rouge-score", ["Врач"]))
