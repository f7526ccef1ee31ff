"""Scripts are told apart, and letters that a tokenizer lacks are counted."""

from __future__ import annotations

import pytest

from diasum.data.letters import TokenizerLetters, latin_only_note, other_scripts
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


def test_a_tokenizer_of_bytes_lacks_nothing() -> None:
    assert TokenizerLetters(tiny_bart_tokenizer()).lost(["مرحبا", "หมอ", "医生", "डॉक्टर"]).share == 0


def test_protocols_that_count_latin_letters_only() -> None:
    assert latin_only_note("auto", ["Врач"]) is None
    assert latin_only_note("unicode", ["Врач"]) is None
    assert latin_only_note("dialogsum-paper", ["A doctor"]) is None
    assert "100% of the references' letters are not Latin (Cyrillic)" in str(latin_only_note("rouge-score", ["Врач"]))
