"""Which format a file is read as, and what all formats share: pauses, aliases, what is left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

import diasum
from diasum.dialogue import formats
from diasum.dialogue.formats import FORMATS, Aside, Conversation, Evidence, Head, Message, Source, Strength
from diasum.dialogue.formats.head import json_prefix
from diasum.dialogue.nonspeech import KINDS, left_out_in_words
from diasum.dialogue.read import ReadDialogue, iter_dialogues, pause_of, reading_of, readings
from diasum.errors import DiasumError
from tests.dialogue.formats.reading import read, turns


@pytest.fixture
def forged(monkeypatch: pytest.MonkeyPatch) -> dict[str, SimpleNamespace]:
    """Formats made up for a test, beside plain text."""
    modules: dict[str, SimpleNamespace] = {}
    real = formats.format_named
    monkeypatch.setattr(formats, "FORMATS", {"plain": "plain text", "one": "one", "two": "two"})
    monkeypatch.setattr(formats, "format_named", lambda name: modules.get(name) or real(name))
    monkeypatch.setattr("diasum.dialogue.read.format_named", lambda name: modules.get(name) or real(name))

    def add(name: str, evidence: Evidence | None, *messages: Message) -> None:
        def read_(source: Source) -> Iterator[Conversation]:
            yield Conversation(iter(messages), source.where, "talk")

        modules[name] = SimpleNamespace(recognises=lambda head: evidence, read=read_)

    add("one", None)
    add("two", None)
    modules["add"] = SimpleNamespace(call=add)
    return modules


def test_the_strongest_evidence_wins_and_a_tie_is_the_users(forged: dict[str, SimpleNamespace]) -> None:
    add = forged["add"].call
    add("one", Evidence(Strength.LIKELY, "an export of One"), Message("Ana", "Hi."))
    assert read("Ana: Hi.\n").reason == "an export of One"
    add("two", Evidence(Strength.LIKELY, "an export of Two"))
    with pytest.raises(
        DiasumError, match=r"can be read as one \(an export of One\) or as two \(an export of Two\)"
    ) as error:
        read("Ana: Hi.\n")
    assert error.value.hint == "Say which: --format one or --format two."
    assert read("Ana: Hi.\n", format="one").reason == "one, as asked for"
    add("two", Evidence(Strength.CERTAIN, "an export of Two"), Message("Ben", "Ho."))
    assert turns(read("Ana: Hi.\n")) == [("Ben", "Ho.")]


def test_pauses_cut_and_times_count_from_the_first_turn(forged: dict[str, SimpleNamespace]) -> None:
    at = datetime(2024, 5, 1, 9)
    hours = [0, 1, 10, 10.5]
    messages = [Message("Ana", str(i), time=at + timedelta(hours=h), source=i + 1) for i, h in enumerate(hours)]
    forged["add"].call("one", Evidence(Strength.CERTAIN, "an export"), *messages)
    assert [turn.start for turn in read("x\n").dialogue.turns] == [0, 3600, 36000, 37800]
    parts = list(iter_dialogues("x\n", split_pause="8h"))
    assert [(one.id, one.began, len(one.dialogue)) for one in parts] == [
        ("talk-1", at, 2),
        ("talk-2", at + timedelta(hours=10), 2),
    ]
    assert [turn.start for turn in parts[1].dialogue.turns] == [0, 1800]
    assert parts[1].where == "the text, from line 3"


def test_what_is_no_speech_is_counted_or_kept(forged: dict[str, SimpleNamespace]) -> None:
    forged["add"].call(
        "one",
        Evidence(Strength.CERTAIN, "an export"),
        Message("", "Ana joined", "join"),
        Message("Ana P.", "Look", asides=(Aside("media", "<attached: x.jpg>"), Aside("reaction", "+1"))),
        Message("Ben", "This message was deleted", "deleted"),
    )
    one = read("x\n", aliases={"Ana P.": "Ana"})
    assert turns(one) == [("Ana", "Look")]
    assert one.left_out == {"join": 1, "media": 1, "reaction": 1, "deleted": 1}
    assert list(readings([one])) == [
        "read as: an export; left out: 1 media, 1 deleted message, 1 join or leave, 1 reaction"
    ]
    kept = read("x\n", keep_nonspeech=True)
    assert turns(kept) == [
        ("", "Ana joined"),
        ("Ana P.", "Look"),
        ("Ana P.", "<attached: x.jpg>"),
        ("Ana P.", "+1"),
        ("Ben", "This message was deleted"),
    ]
    assert not kept.left_out


def test_where_no_speaker_is_found_it_is_said() -> None:
    assert "No speaker was found in the text" in read("It rained.\nWe stayed in.").notes[0]
    assert not read("Ana: Hi.\nBen: Ho.").notes


def test_every_format_has_its_module_and_says_what_it_is() -> None:
    for name in FORMATS:
        module = formats.format_named(name)
        assert module.__doc__
        assert module.recognises(Head("", b"Ana: Hi.\n", "Ana: Hi.\n")) is None or name == "plain"
    with pytest.raises(DiasumError, match="There is no format `whatsap`") as error:
        reading_of("whatsap")
    assert "Did you mean `whatsapp`?" in str(error.value.hint)


def test_counts_in_words() -> None:
    assert left_out_in_words({"deleted": 3, "media": 42, "file": 0}) == "42 media, 3 deleted messages"
    assert left_out_in_words({}) == ""
    assert all(one and many for one, many in KINDS.values())


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("8h", timedelta(hours=8)),
        ("30m", timedelta(minutes=30)),
        ("2 days", timedelta(days=2)),
        ("1.5h", timedelta(minutes=90)),
    ],
)
def test_pauses(text: str, pause: timedelta) -> None:
    assert pause_of(text) == pause


@pytest.mark.parametrize("text", ["", "8", "h", "-2h", "0h", "8 parsecs", "nan h"])
def test_what_is_no_pause(text: str) -> None:
    with pytest.raises(DiasumError, match=r"data\.split_pause: expected a length of time"):
        pause_of(text)


def test_aliases_need_both_names() -> None:
    assert reading_of(aliases=["Ana P. = Ana"]).aliases == {"Ana P.": "Ana"}
    with pytest.raises(DiasumError, match="--alias expects LABEL=NAME, found `Ana`"):
        reading_of(aliases=["Ana"])


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('{"a": [1, {"b": "x"}, {"c": "un', {"a": [1, {"b": "x"}, {}]}),
        ('[{"a": 1}, {"a"', [{"a": 1}, {}]),
        ('\ufeff {"a": 1} trailing', {"a": 1}),
        ('{"a": "tr', {}),
        ("[10:32] Ana: Hi.", None),
        ("Ana: Hi.", None),
        ("[1, }", None),
    ],
)
def test_json_that_is_cut(text: str, tree: object) -> None:
    assert json_prefix(text) == tree


def test_public_names() -> None:
    assert diasum.iter_dialogues is iter_dialogues
    assert diasum.ReadDialogue is ReadDialogue
