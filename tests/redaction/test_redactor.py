"""Conversations lose private values and summaries get them back."""

from __future__ import annotations

import json
import random
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from diasum.data.speakers import NumberedSpeakers
from diasum.dialogue import Dialogue, Turn, parse_dialogue
from diasum.errors import DiasumError, MissingExtraError
from diasum.redaction import redactor as redactor_module
from diasum.redaction.placeholders import FORMS, WORDS, Form, choose_form, form_named
from diasum.redaction.redactor import Redactor, in_words
from diasum.redaction.vault import Vault, read_mapping, write_mapping

CHAT = """Agent: Your number, please?
Dana: 202-555-0143, or (202) 555-0143 after five. I'm Dana.
Agent: Thank you, dana. I'll write to d.w@gmail.com.
Dana: To d.w@gmail.com, yes. My sister Jennifer reads it, too."""


def test_same_value_same_placeholder() -> None:
    redacted = Redactor(names=True).redact(parse_dialogue(CHAT))
    assert redacted.dialogue.text.splitlines() == [
        "Agent: Your number, please?",
        "#Person1#: (Phone1), or (Phone1) after five. I'm #Person1#.",
        "Agent: Thank you, #Person1#. I'll write to (Email1).",
        "#Person1#: To (Email1), yes. My sister (Name1) reads it, too.",
    ]
    assert redacted.counts == {"email": 1, "telephone": 1, "speaker": 1, "name": 1}


def test_summary_is_hidden_and_restored_likewise() -> None:
    redacted = Redactor(names=True).redact(parse_dialogue(CHAT))
    summary = "Dana gives 202-555-0143 and d.w@gmail.com. Jennifer reads it. Call 617-555-0111."
    hidden = redacted.hide(summary)
    assert hidden == "#Person1# gives (Phone1) and (Email1). (Name1) reads it. Call (Phone2)."
    assert redacted.restore(hidden) == summary


def test_turns_keep_ids_times_and_sources() -> None:
    dialogue = Dialogue((Turn("Dana", "Call 202-555-0143.", 1.0, 2.0, id=7, source=3),))
    (turn,) = Redactor().redact(dialogue).dialogue.turns
    assert (turn.start, turn.end, turn.id, turn.source) == (1.0, 2.0, 7, 3)


def test_numbered_speakers_stay_as_they_are() -> None:
    dialogue = parse_dialogue("Dana: Hi, lou!\nLou: Hi Dana, call 202-555-0143.")
    numbered = NumberedSpeakers(dialogue)
    redacted = Redactor().redact(numbered.dialogue, numbered.numbers)
    assert redacted.dialogue.text.splitlines()[1] == "#Person2#: Hi #Person1#, call (Phone1)."
    assert redacted.vault.values == {"(Phone1)": "202-555-0143"}
    assert redacted.counts == {"telephone": 1, "speaker": 2}


def test_own_words_like_placeholders_are_kept_clear_of() -> None:
    redacted = Redactor().redact(parse_dialogue("#Person1#: Take phone 1.\nDana: No, 202-555-0143. (Phone3)!"))
    assert redacted.dialogue.text == "#Person1#: Take phone 1.\n#Person2#: No, (Phone2). (Phone3)!"
    assert redacted.restore("#Person1# takes phone 1, (Phone2) and (Phone3).") == (
        "#Person1# takes phone 1, 202-555-0143 and (Phone3)."
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Call (Phone1)", "Call 202-555-0143"),
        ("Call (phone1).", "Call 202-555-0143."),
        ("Call (Phone 1).", "Call 202-555-0143."),
        ("Call Phone1.", "Call 202-555-0143."),
        ("Call ( Phone1 ).", "Call 202-555-0143."),
        ("Call (Phone1", "Call 202-555-0143"),
        ("Call (Phon", "Call"),
        ("Call (Phone4).", "Call a telephone number."),
        ("(Email4) is hers.", "An e-mail address is hers."),
        ("Call (Phone12).", "Call a telephone number."),
        ("Phones 1 and 2; iPhone1.", "Phones 1 and 2; iPhone1."),
    ],
)
def test_restored_as_models_write_it(written: str, shown: str) -> None:
    vault = Vault()
    vault.placeholder("telephone", "202-555-0143")
    assert vault.restore(written) == shown


def test_round_trip_of_random_values() -> None:
    draw = random.Random(0)
    for _ in range(200):
        kinds = [draw.choice([*WORDS]) for _ in range(draw.randint(1, 12))]
        vault = Vault(draw.choice(FORMS))
        values = [f"{kind} {draw.randint(0, 5)} \\1 #{draw.choice('äß漢')}" for kind in kinds]
        text = " and ".join(vault.placeholder(kind, value) for kind, value in zip(kinds, values, strict=True))
        assert vault.restore(text) == " and ".join(values)


def test_form_is_chosen_by_round_trip() -> None:
    def without(signs: str, texts: Sequence[str]) -> Sequence[str]:
        return ["".join(c for c in text if c not in signs) for text in texts]

    assert choose_form(lambda texts: texts)[0] == FORMS[0]
    assert choose_form(lambda texts: without("()", texts))[0] == FORMS[1]
    assert choose_form(lambda texts: without("#", texts))[0] == FORMS[-1]
    form, reason = choose_form(lambda texts: without("#[]()@_", texts))
    assert form == FORMS[0]
    assert "no form survives" in reason
    assert all(form_named(form.name) == form for form in FORMS)
    assert form_named("?") is None


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_back(form: Form) -> None:
    vault = Vault(form)
    placeholders = [vault.placeholder(kind, f"the {kind}") for kind in WORDS for _ in range(1)]
    assert vault.restore(", ".join(placeholders)) == ", ".join(f"the {kind}" for kind in WORDS)


def test_mapping_is_private_and_read_back(tmp_path: Path) -> None:
    redacted = Redactor().redact(parse_dialogue(CHAT))
    file = tmp_path / "mapping.json"
    write_mapping(file, {"all": {"chat": redacted.vault}})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["mapping.json"]
    assert read_mapping(file)["all"]["chat"].restore("(Phone1)") == "202-555-0143"
    with pytest.raises(DiasumError, match="exists already"):
        write_mapping(file, {})


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[1]",
        "{",
        '{"version": 2, "form": "(Phone1)", "conversations": {}}',
        '{"version": 1, "form": "(Phone1)", "conversations": {"all": {"a": {"(Phone1)": 1}}}}',
        '{"version": 1, "form": "?", "conversations": {}}',
    ],
)
def test_no_mapping_is_in_words(tmp_path: Path, content: str) -> None:
    file = tmp_path / "mapping.json"
    file.write_text(content)
    with pytest.raises(DiasumError, match=r"mapping\.json"):
        read_mapping(file)


def test_missing_mapping_and_binary_are_in_words(tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match="cannot be read"):
        read_mapping(tmp_path / "nothing.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DiasumError, match="not UTF-8"):
        read_mapping(tmp_path / "binary.json")


def test_absent_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redactor_module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"diasum\[redact\]"):
        Redactor()


def test_counts_in_words() -> None:
    assert in_words({}) == "nothing"
    assert in_words({"email": 2}) == "2 e-mail addresses"
    assert in_words({"ip": 1, "birth_date": 2, "account": 2}) == (
        "1 IP address, 2 dates of birth and 2 account or identity numbers"
    )


def test_values_are_json(tmp_path: Path) -> None:
    redacted = Redactor().redact(parse_dialogue("Zoë: Mail zoë@bücher.de!"))
    write_mapping(tmp_path / "m.json", {"all": {"1": redacted.vault}})
    assert (
        "zoë@bücher.de"
        in json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))["conversations"]["all"]["1"].values()
    )
