"""Tables whose rows are the turns of one conversation, and tables that are known without the name of a file: by their content."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.tables import load
from tests.dialogue.formats.message_tables import EXPECTED, KINDS, ZENDESK, Rows, write
from tests.dialogue.formats.reading import read, read_all, turns


@pytest.mark.parametrize("kind", KINDS)
def test_the_turns_of_one_conversation(tmp_path: Path, kind: str) -> None:
    rows: Rows = [
        {"time": "2024-05-12T10:00:00Z", "speaker": "Ana", "text": "Hi: all"},
        {"time": "2024-05-12T10:00:05Z", "speaker": "Ben", "text": "Ho"},
    ]
    file = write(tmp_path, kind, rows)
    one = read(file)
    assert turns(one) == [("Ana", "Hi: all"), ("Ben", "Ho")]
    if kind != "json":
        assert one.dialogue.turns[1].start == 5
        assert one.notes == (
            f"{file}: its 2 rows are read as the turns of one conversation, as no column tells several apart.",
        )
    (pair,) = load(file, need_summaries=False).split("all")
    assert turns(pair) == turns(one)


@pytest.mark.parametrize(
    ("name", "content", "starts"),
    [
        ("whisper.tsv", "start\tend\ttext\n0\t1500\tHi.\n1500\t4000\tHo, there.\n", [0, 1.5]),
        ("cpp.csv", 'start,end,text\n0,1500," Hi."\n1500,4000," Ho, there."\n', [0, 1.5]),
        ("faster.jsonl", '{"start": 0.0, "end": 1.5, "text": " Hi."}\n{"start": 1.5, "end": 4.0, "text": " Ho, there."}\n', [0, 1.5]),
        ("clock.csv", 'Start,End,Text\n00:00:01,00:00:02,Hi.\n00:01:00,00:01:02,"Ho, there."\n', [1, 60]),
    ],
)  # fmt: skip
def test_tables_of_speech_recognisers(tmp_path: Path, name: str, content: str, starts: list[float]) -> None:
    (tmp_path / name).write_text(content)
    one = read(tmp_path / name)
    assert turns(one) == [("", "Hi."), ("", "Ho, there.")]
    assert [turn.start for turn in one.dialogue.turns] == starts


def test_starts_and_ends_that_are_no_places_in_a_recording(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("start,end,text\nnan,1,Hi.\n2,inf,Ho.\n-3,4,Yes.\n5,6,No.\n")
    found = [(turn.start, turn.end) for turn in read(tmp_path / "a.csv").dialogue.turns]
    assert found == [(None, None), (2, None), (None, None), (5, 6)]


@pytest.mark.parametrize(
    "content",
    [
        "text\nOne call about a device.\nAnother call.\n",
        "id,author,dialogue\n1,Ana,Ana: Hi\n2,Ben,Ben: Ho\n",
        "call_id,author,text\n1,Ana,A call\n2,Ben,Another\n",
        "author,text,summary\nAna,A call,x\nBen,Another,y\n",
        "author,text\nAna,Ana: Hi\nBen,Ben: Ho\n",
        "author,text\n" + "".join(f"Person {i},What I think of {i}.\n" for i in range(12)),
        "author,text\n" + f"Ana,{'word ' * 150}\nAna,{'word ' * 150}\n",
    ],
)
def test_rows_that_are_conversations_of_their_own(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    assert len(read_all(tmp_path / "a.csv")) == content.count("\n") - 1


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_a_table_is_known_by_its_content(tmp_path: Path, kind: str) -> None:
    content = KINDS[kind](ZENDESK)
    assert [(one.id, turns(one)) for one in read_all(content)] == EXPECTED, "piped in"
    (tmp_path / "tickets.txt").write_bytes(content)
    assert [(one.id, turns(one)) for one in read_all(tmp_path / "tickets.txt")] == EXPECTED
    whole = 'id;dialogue;summary\n1;"Ana: Hi\nBen: Ho";x\n2;Ana: Yes;y\n'
    assert [turns(one) for one in read_all(whole)] == [[("Ana", "Hi"), ("Ben", "Ho")], [("Ana", "Yes")]]


@pytest.mark.parametrize(
    "text",
    [
        "Text, author and time:\nAna: Hi, Ben\n",
        "Hi, message me\nLater, gator\n",
        "author,text\nAna said, and then, that it rains\n",
        "author,text\n",
    ],
)
def test_text_with_commas_is_text(text: str) -> None:
    assert read(text).format == "plain"


def test_what_discordchatexporter_writes_as_csv(tmp_path: Path) -> None:
    (tmp_path / "general.csv").write_text(
        "AuthorID,Author,Date,Content,Attachments,Reactions\n1,ana,2024-05-12T10:00:00.0000000+00:00,Hi: all,,\n"
        '2,ben,2024-05-12T10:00:05.0000000+00:00,"Ho\nho",,\n'
    )
    one = read(tmp_path / "general.csv")
    assert turns(one) == [("ana", "Hi: all"), ("ben", "Ho ho")]
    assert one.dialogue.turns[1].start == 5
