"""Redaction where data are read, prompted, written and restored."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any, Literal

import pytest

import diasum
from diasum.config import PromptSettings
from diasum.data import Pair, PairEncoder
from diasum.data.prompt import choose_placeholders
from diasum.data.summary import Summary
from diasum.dialogue import parse_dialogue
from diasum.errors import DiasumError
from tests.tokenizers import tiny_bart_tokenizer, tiny_t5_tokenizer

CHAT = parse_dialogue(
    "Agent: Your number?\nDana: 202-555-0143.\nAgent: Thanks, Dana. And an e-mail?\nDana: d.w@gmail.com"
)
SUMMARY = "Dana gives the agent 202-555-0143 and d.w@gmail.com."


@pytest.mark.parametrize(
    ("speakers", "source", "target"),
    [
        ("named", "#Person1#: (Email1)", "#Person1# gives the agent (Phone1) and (Email1)."),
        ("numbered", "#Person2#: (Email1)", "#Person2# gives #Person1# (Phone1) and (Email1)."),
    ],
)
def test_model_reads_and_writes_placeholders(speakers: Literal["named", "numbered"], source: str, target: str) -> None:
    tokenizer = tiny_bart_tokenizer()
    encoder = PairEncoder(tokenizer, PromptSettings(speakers=speakers, redact="on"))
    (feature,), _ = encoder.encode([Pair("1", CHAT, (SUMMARY,))])
    read, written = (tokenizer.decode(feature[key], skip_special_tokens=True) for key in ("input_ids", "labels"))
    assert source in read
    assert written == target
    for private in ("555", "gmail", "Dana"):
        assert private not in read + written
    assert encoder.finish(CHAT, target).replace("Agent", "agent") == SUMMARY
    assert encoder.finish(CHAT, "#Person9# calls (Phone9).") == "Someone calls a telephone number."
    assert "hidden" in encoder.redaction_reason


def test_nothing_is_hidden_unless_asked() -> None:
    encoder = PairEncoder(tiny_bart_tokenizer(), PromptSettings())
    assert encoder.redacted(CHAT) is None
    assert encoder.finish(CHAT, "Call (Phone1).") == "Call (Phone1)."


@pytest.mark.parametrize("build", [tiny_t5_tokenizer, tiny_bart_tokenizer])
def test_form_survives_the_tokenizer(build: Any) -> None:
    tokenizer = build()
    form, reason = choose_placeholders(tokenizer)
    text = f"call {form.write('telephone', 1)}, or {form.write('email', 12)}"
    back = tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"], clean_up_tokenization_spaces=False)
    assert back == text, reason


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_corpus_is_redacted_with_its_summaries(tmp_path: Path) -> None:
    source, out, mapping = tmp_path / "talks.jsonl", tmp_path / "out.jsonl", tmp_path / "mapping.json"
    talks = [
        {"id": "a", "dialogue": CHAT.text, "summary": SUMMARY},
        {"id": "b", "dialogue": "Ben: Call 617-555-0111.\nAna: Will do, Ben.", "summary": "Ana calls 617-555-0111."},
    ]
    source.write_text("".join(json.dumps(row) + "\n" for row in talks))
    lines = diasum.redact_data(str(source), out, mapping=mapping)
    assert lines[0] == "hidden: 1 e-mail address, 2 telephone numbers and 3 speakers"
    first, second = rows(out)
    assert first["summaries"] == ["#Person1# gives the agent (Phone1) and (Email1)."]
    assert second["turns"][1] == {"speaker": "#Person2#", "text": "Will do, #Person1#."}
    assert second["summaries"] == ["#Person2# calls (Phone1)."]
    assert stat.S_IMODE(mapping.stat().st_mode) == 0o600

    summaries = tmp_path / "summaries.jsonl"
    record = {"id": "b", **Summary.of_text("#Person2# calls (Phone1). Then #Person1#.").to_record()}
    summaries.write_text(json.dumps(record) + "\n" + '{"id": "a", "prediction": "(Phone1)", "n": [1, "(Email1)"]}\n')
    diasum.restore_data(summaries, tmp_path / "restored.jsonl", mapping=mapping)
    restored, other = rows(tmp_path / "restored.jsonl")
    assert restored["summary"] == "Ana calls 617-555-0111. Then Ben."
    assert [one.text for one in Summary.from_record(restored).sentences] == ["Ana calls 617-555-0111.", "Then Ben."]
    assert other == {"id": "a", "prediction": "202-555-0143", "n": [1, "d.w@gmail.com"]}


def test_chat_is_redacted_and_a_text_restored(tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text(CHAT.text)
    diasum.redact_data(str(tmp_path / "chat.txt"), tmp_path / "out.jsonl", mapping=tmp_path / "mapping.json")
    assert rows(tmp_path / "out.jsonl")[0]["id"] == "chat"
    (tmp_path / "summary.txt").write_text("Call (Phone1).\n#Person1# waits.\n")
    diasum.restore_data(tmp_path / "summary.txt", tmp_path / "restored.txt", mapping=tmp_path / "mapping.json")
    assert (tmp_path / "restored.txt").read_text() == "Call 202-555-0143.\nDana waits.\n"


def test_nothing_is_written_over_or_half(tmp_path: Path) -> None:
    chat, mapping = tmp_path / "chat.txt", tmp_path / "mapping.json"
    chat.write_text(CHAT.text)
    mapping.write_text("precious")
    with pytest.raises(DiasumError, match="exists already"):
        diasum.redact_data(str(chat), tmp_path / "out.jsonl", mapping=mapping)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["chat.txt", "mapping.json"]
    with pytest.raises(DiasumError, match="exists already"):
        diasum.restore_data(chat, chat, mapping=mapping)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.jsonl", '{"id": "x", "summary": "(Phone1)"}\n', "no conversation `x`"),
        ("s.jsonl", '{"summary": "(Phone1)"}\n', "expected an object with an id"),
        ("s.txt", "Call (Phone1).\n", "does not say which one"),
        ("s.jsonl", "{\n", "not valid JSON"),
    ],
)
def test_what_cannot_be_restored_is_told(tmp_path: Path, name: str, content: str, message: str) -> None:
    talks = [{"id": i, "dialogue": f"Ben: Call 617-555-0111, {i}.", "summary": "x"} for i in ("a", "b")]
    (tmp_path / "talks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in talks))
    diasum.redact_data(str(tmp_path / "talks.jsonl"), tmp_path / "out.jsonl", mapping=tmp_path / "mapping.json")
    (tmp_path / name).write_text(content)
    with pytest.raises(DiasumError, match=message):
        diasum.restore_data(tmp_path / name, tmp_path / "restored", mapping=tmp_path / "mapping.json")
    assert not (tmp_path / "restored").exists()
