"""Conversations in whatever form, summaries in the order asked."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import diasum
from diasum.config import GenerateSettings
from diasum.data import PairEncoder
from diasum.data.summary import Summary
from diasum.dialogue import parse_dialogue
from diasum.errors import DiasumError
from diasum.summarization import Summarizer
from diasum.summarization.summarizer import settings_of_call

TEXT = "Anna: Could you send me the report?\nBen: Sure, before lunch."


@pytest.fixture(scope="module")
def summarizer(base: str) -> Summarizer:
    return diasum.load(base)


def test_forms_of_one_conversation_agree(summarizer: Summarizer) -> None:
    forms: list[Any] = [
        TEXT,
        parse_dialogue(TEXT),
        [
            {"speaker": "Anna", "text": "Could you send me the report?"},
            {"role": "Ben", "content": "Sure, before lunch."},
        ],
        [("Anna", "Could you send me the report?"), ("Ben", "Sure, before lunch.")],
    ]
    summaries = summarizer.summarize(forms, max_new_tokens=8, num_beams=1)
    assert len(set(summaries)) == 1
    assert summarizer.summarize(TEXT, max_new_tokens=8, num_beams=1) == summaries[0]


ONE: dict[str, Any] = {
    "pairs": [("Anna", "Could you send me the report?"), ("Ben", "Sure, before lunch.")],
    "objects": [
        {"speaker": "Anna", "text": "Could you send me the report?"},
        {"speaker": "Ben", "text": "Sure, before lunch."},
    ],
    "a text in an object": {"id": 3, "dialogue": TEXT},
    "turns in an object": {"turns": [("Anna", "Could you send me the report?"), ("Ben", "Sure, before lunch.")]},
    "columns": {"speaker": ["Anna", "Ben"], "text": ["Could you send me the report?", "Sure, before lunch."]},
    "a transcript": {"transcript": TEXT, "source": "web"},
}


@pytest.mark.parametrize("form", ONE)
def test_one_conversation_gives_one_summary(form: str, summarizer: Summarizer) -> None:
    small: Any = {"max_new_tokens": 8, "num_beams": 1}
    expected = summarizer.summarize(TEXT, **small)
    assert summarizer.summarize(ONE[form], **small) == expected
    assert summarizer.summarize([ONE[form], TEXT], **small) == [expected, expected]


def test_many_conversations_give_a_list(summarizer: Summarizer) -> None:
    import pandas

    small: Any = {"max_new_tokens": 8, "num_beams": 1}
    expected = summarizer.summarize(TEXT, **small)
    table = pandas.DataFrame({"dialogue": [TEXT, TEXT]})
    for many in ([TEXT, TEXT], (TEXT, TEXT), (text for text in (TEXT, TEXT)), table["dialogue"]):
        assert summarizer.summarize(many, **small) == [expected, expected]
    assert summarizer.summarize([], **small) == []
    with pytest.raises(DiasumError, match="Expected a conversation, found DataFrame"):
        summarizer.summarize(table)


@pytest.mark.parametrize("thing", [None, 3, b"Anna: Hi.", {"speech": "Hi."}, {}, [3], [{"who": 1}]])
def test_what_is_no_conversation(thing: Any, summarizer: Summarizer) -> None:
    with pytest.raises(DiasumError) as caught:
        summarizer.summarize(thing)
    assert "xpected" in str(caught.value.hint)


def test_files_are_read_and_their_names_are_not_summarised(
    summarizer: Summarizer, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("chat.txt").write_text(TEXT)
    other = "Anna: And Monday?\nBen: At nine."
    Path("many.jsonl").write_text("\n".join(json.dumps({"dialogue": text}) for text in (TEXT, "", other)))
    small: Any = {"max_new_tokens": 8, "num_beams": 1}
    one, two = summarizer.summarize([TEXT, other], **small)
    assert one != two
    for file in ("chat.txt", Path("chat.txt"), str(tmp_path / "chat.txt")):
        assert summarizer.summarize(file, **small) == one
        assert diasum.summarize(file, run=base, **small) == one
    for file in ("many.jsonl", Path("many.jsonl")):
        assert summarizer.summarize(file, **small) == [one, "", two]
    assert summarizer.summarize(["chat.txt", other, Path("many.jsonl")], **small) == [one, two, one, "", two]
    assert summarizer.summarize({"dialogue": "chat.txt"}, **small) != one, "a text within an object is a text"
    with pytest.raises(DiasumError, match=r"No file at chats.txt.\nDid you mean `chat.txt`\?"):
        summarizer.summarize(Path("chats.txt"))
    with pytest.raises(DiasumError, match=r"No file at chats.txt.\nDid you mean `chat.txt`\?"):
        summarizer.summarize("chats.txt")
    assert summarizer.summarize(str(tmp_path), **small) == [one, one, "", two], "a folder is its files"


LONG = "\n".join(f"Anna: This is turn number {i} of a long talk." for i in range(200))


def test_long_conversations_are_cut_on_request_and_said_so(summarizer: Summarizer) -> None:
    short, cut = summarizer.summarize_all([TEXT, LONG], max_new_tokens=4, long="cut")
    assert short.turns_cut == 0
    assert cut.turns_cut is not None
    assert cut.turns_cut > 100
    assert (cut.passes, cut.read_in_windows, cut.cut) == (1, None, True)


def test_long_conversations_are_read_in_windows(summarizer: Summarizer) -> None:
    small: Any = {"max_new_tokens": 12, "num_beams": 1}
    done: list[int] = []
    long = "\n".join(LONG.splitlines()[:60])
    other = long.replace("Anna", "Ben")
    first, short, second = summarizer.summarize_all([long, TEXT, other], progress=done.append, **small)
    assert sum(done) == 3
    assert len(done) == 3, "told while windows are read, not only at the end"
    for summary, text in ((first, long), (short, TEXT), (second, other)):
        (alone,) = summarizer.summarize_all([text], **small)
        same = summary.text == alone.text
        assert same, "alone as among others"
        assert summary.windows == alone.windows
    assert short.text == summarizer.summarize(TEXT, long="cut", **small)
    assert (short.passes, short.read_in_windows) == (1, None)
    assert first.windows is not None
    assert first.passes is not None
    assert first.tokens_read is not None
    assert first.passes >= len(first.windows) > 2
    assert first.reading is not None
    assert first.reading.whole
    assert (first.windows[0].first, first.windows[-1].last) == (0, 59)
    assert all(after.first <= before.last + 1 for before, after in pairwise(first.windows))
    assert str(first.read_in_windows).startswith(f"read in {len(first.windows)} windows ({first.passes} passes, ")
    assert first.tokens_read > 60 * 8
    for sentence in first.sentences:
        assert sentence.turns
        assert set(sentence.turns) <= set(range(60))
    assert Summary.from_record(first.to_record()) == first


def test_a_base_asked_for_briefs_writes_one_for_a_long_conversation(summarizer: Summarizer) -> None:
    trained = replace(summarizer.trained)
    trained.encoder = PairEncoder(
        trained.base.tokenizer, trained.encoder.settings.model_copy(update={"length": "brief"})
    )
    (summary,) = trained.summarize([parse_dialogue(LONG)], settings=GenerateSettings(max_new_tokens=4, num_beams=1))
    assert summary.windows is not None
    assert summary.passes is not None
    assert summary.passes > len(summary.windows)


def test_who_names_the_part_to_keep_gets_that_part(base: str) -> None:
    trained = diasum.load(base).trained
    trained.encoder = PairEncoder(trained.base.tokenizer, trained.encoder.settings.model_copy(update={"keep": "end"}))
    small: Any = {"max_new_tokens": 4, "num_beams": 1}
    dialogue = parse_dialogue(LONG)
    (kept,) = trained.summarize([dialogue], settings=GenerateSettings(**small))
    assert kept.reading is not None
    assert kept.reading.spans[0][0] > 1
    (whole,) = trained.summarize([dialogue], settings=GenerateSettings(**small, long="windows"))
    assert whole.reading is not None
    assert whole.reading.whole


@pytest.mark.parametrize("empty", ["", "  \n ", []])
def test_empty_conversation(summarizer: Summarizer, empty: Any) -> None:
    with pytest.raises(DiasumError, match="Conversation 2 is empty"):
        summarizer.summarize([TEXT, empty])


def test_unknown_generation_setting(summarizer: Summarizer) -> None:
    with pytest.raises(DiasumError, match=r"takes no argument `num_beam`.\nDid you mean `num_beams`\?"):
        summarizer.summarize(TEXT, num_beam=2)


def test_a_model_has_no_use_for_another_base(base: str, bart: str) -> None:
    with pytest.raises(DiasumError, match="is a whole model, not an adapter"):
        diasum.load(base, base=bart)


def test_a_generation_setting_may_be_taken_back(summarizer: Summarizer) -> None:
    own = summarizer.trained.generate.model_copy(update={"closing": "Still open:"})
    assert settings_of_call(own, {"num_beams": 2}).closing == "Still open:"
    assert settings_of_call(own, {"num_beams": 2, "closing": None}).closing is None
    with pytest.raises(DiasumError, match=r"generate\.num_beams: Input should be greater than or equal to 1"):
        summarizer.summarize(TEXT, num_beams=0)


def test_a_file_is_not_a_model(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"x")
    with pytest.raises(DiasumError, match="is a file"):
        diasum.load(file)


def test_threads_may_load_at_once(base: str) -> None:
    """As the threads of a server do."""
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            made = list(pool.map(lambda _: diasum.summarize(TEXT, run=base, max_new_tokens=4), range(4)))
            assert len(set(made)) == 1


def test_letters_that_the_tokenizer_lacks_are_told(summarizer: Summarizer) -> None:
    small: Any = {"max_new_tokens": 4, "num_beams": 1}
    arabic = "آنا: هل يمكنك إرسال التقرير؟\nبن: نعم قبل الغداء."
    with pytest.warns(UserWarning, match=r"lacks 100% of the letters of this conversation \(Arabic\)"):
        summarizer.summarize(arabic, **small)
    with pytest.warns(UserWarning, match="of a conversation"):
        summarizer.summarize([TEXT, arabic], **small)
    plain, lost = summarizer.summarize_all([TEXT, arabic], **small)  # warns of nothing: it tells in what it gives
    assert (plain.lost.share, lost.lost.share) == (0, 1)
    assert lost.to_record()["letters_lost"] == 1
