"""Conversations to summarise, from files and streams of every form."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from diasum.dialogue.files.conversations import read_conversations
from diasum.dialogue.formats import Names
from diasum.dialogue.read import ReadDialogue, Reading
from diasum.errors import DiasumError

TEXT = "Anna: Lunch?\nBen: At nine."
TURNS = [{"speaker": "Anna", "text": "Lunch?"}, {"speaker": "Ben", "text": "At nine."}]
RECORDS = [{"id": "a", "dialogue": TEXT}, {"id": "b", "turns": TURNS}]


def piped(content: str | bytes) -> list[ReadDialogue]:
    return read_conversations([], io.BytesIO(content.encode() if isinstance(content, str) else content))


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (TEXT, [None]),
        ("\ufeff" + TEXT.replace("\n", "\r\n"), [None]),
        (json.dumps(TURNS), [None]),
        (json.dumps(TURNS, indent=1), [None]),
        (json.dumps([["Anna", "Lunch?"], ["Ben", "At nine."]], indent=1), [None]),
        (json.dumps([TURNS, TURNS]), [None, None]),
        (json.dumps([[["Anna", "Lunch?"], ["Ben", "At nine."]]] * 2), [None, None]),
        (json.dumps([{"text": TEXT}, {"text": TEXT, "id": "b"}]), ["conversation-1", "b"]),
        (json.dumps(TEXT.split("\n")), [None]),
        (json.dumps({"speaker": ["Anna", "Ben"], "text": ["Lunch?", "At nine."]}), [None]),
        (json.dumps({"id": " a", "Transcript": TEXT}, indent=1), ["a"]),
        (json.dumps({"id": "a", "text": TEXT, "source": "web"}), ["a"]),
        ("\n".join(map(json.dumps, [RECORDS[0], RECORDS[0], {"turns": TURNS}])), ["a", "a-2", "conversation-3"]),
        (json.dumps(RECORDS), ["a", "b"]),
        (json.dumps(RECORDS, indent=1), ["a", "b"]),
        ("\n".join(map(json.dumps, RECORDS)) + "\n", ["a", "b"]),
        ("\n\n" + json.dumps(TURNS) + "\n\n" + json.dumps(TURNS), [None, None]),
        ("[00:12] Anna: Lunch?\n[00:14] Ben: At nine.", [None]),
    ],
)
def test_forms_on_standard_input(content: str, ids: list[str | None]) -> None:
    found = piped(content)
    assert [named.id for named in found] == ids
    assert {named.dialogue.text for named in found} == {TEXT}


@pytest.mark.parametrize("ending", ["csv", "tsv", "csv.gz", "parquet", "json", "jsonl", "jsonl.gz", "json.gz"])
def test_tables_as_files(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"talks.{ending}"
    rows = [{"id": "a", "dialogue": TEXT}, {"id": "b", "dialogue": TEXT}]
    text = io.StringIO()
    if ending == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), file)
    else:
        if ending.startswith(("csv", "tsv")):
            writer = csv.DictWriter(text, ["id", "dialogue"], delimiter="," if ending.startswith("csv") else "\t")
            writer.writeheader()
            writer.writerows(rows)
        else:
            text.write(
                json.dumps(rows) if ending.startswith("json.") or ending == "json" else "\n".join(map(json.dumps, rows))
            )
        content = text.getvalue().encode()
        file.write_bytes(gzip.compress(content) if ending.endswith(".gz") else content)
    found = read_conversations([file], io.BytesIO())
    assert [named.id for named in found] == ["a", "b"]
    assert {named.dialogue.text for named in found} == {TEXT}


def test_a_line_separator_inside_a_string_does_not_end_the_line() -> None:
    (named,) = piped(json.dumps({"dialogue": "Anna: a\u2028b"}, ensure_ascii=False) + "\n")
    assert named.dialogue.speakers == ("Anna",)


def test_half_a_surrogate_pair_can_be_printed() -> None:
    (named,) = piped('{"id": "x\\ud800", "dialogue": "Anna: \\ud83d."}')
    (str(named.id) + named.dialogue.text).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "standard input is empty"),
        (b"A: Hi.\n\x00caf\xe9", "expected text, found bytes that are not text (line 2)"),
        ('{"id": 1, "dialogue": "Anna: Hi."}\n{"id": 2, broken', "standard input, line 2: not valid JSON"),
        ('{"dialogue": "Anna: Hi."}\n{"dialogue": ' + "[" * 100_000, "standard input, line 2: not valid JSON"),
        ('{"dialogue": " "}', "standard input is empty"),
        ('{"dialogue": "Anna: Hi."}\n7', "line 2: expected an object, a text or a list of turns, found 7"),
        ('{"dialogue": 7}', "standard input cannot be read: expected text or a list of turns, found int"),
        ('{"dialogue": [{"who": "Anna"}]}', "turn 1 has no text"),
        ('{"speech": "Anna: Hi."}', "none of its keys names a conversation: speech"),
        ("{}", "none of its keys names a conversation: it has none"),
        ("\x00\x01", "standard input is empty"),
    ],
)
def test_complaints_name_the_place(content: Any, message: str) -> None:
    with pytest.raises(DiasumError) as caught:
        piped(content)
    assert message in str(caught.value)


def test_a_cut_gzip_file(tmp_path: Path) -> None:
    file = tmp_path / "talks.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps(RECORDS[0]).encode())[:-9])
    with pytest.raises(DiasumError, match="not a readable gzip file"):
        read_conversations([file], io.BytesIO())


def test_ids_of_files_are_their_names_and_unique(tmp_path: Path) -> None:
    """Of text files cut at the last dot only; rows without ids are named by their file, where there are several files."""
    for name in ("visit.2024-01-03.txt", "visit.2024-01-04.txt", "other/visit.2024-01-04.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TEXT)
    (tmp_path / "mon.jsonl.gz").write_bytes(gzip.compress("\n".join([json.dumps({"dialogue": TEXT})] * 2).encode()))
    (tmp_path / "tue.csv").write_text('dialogue\n"Anna: Hi."\n"Ben: Ho."\n')
    (tmp_path / "one.json").write_text(json.dumps({"turns": TURNS}))
    files = [*sorted(tmp_path.glob("*.*")), tmp_path / "other" / "visit.2024-01-04.txt"]
    assert [named.id for named in read_conversations(files, io.BytesIO())] == [
        *("mon-1", "mon-2", "one", "tue-1", "tue-2"),
        *("visit.2024-01-03", "visit.2024-01-04", "visit.2024-01-04-2"),
    ]
    assert [named.id for named in read_conversations([tmp_path / "tue.csv"], io.BytesIO())] == [None, None]


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (TEXT.encode("utf-16"), "it is UTF-16 text"),
        (f"{TEXT} Café?".encode("cp1252"), "byte 0xe9 in line 2 is no UTF-8: read as cp1252"),
        (f"{TEXT} Café?".encode(), None),
    ],
)
def test_an_encoding_is_found_said_and_read(content: bytes, note: str | None, tmp_path: Path) -> None:
    file = tmp_path / "chat.txt"
    file.write_bytes(content)
    (one,) = read_conversations([file])
    assert one.dialogue.text.removesuffix(" Café?") == TEXT
    assert one.notes == ((f"{file}: {note}.",) if note else ())


def test_a_text_as_an_argument(tmp_path: Path) -> None:
    for text in ("Anna: Lunch?", TEXT * 20, "x" * 300, "Anna: Hi.\0"):
        with pytest.raises(DiasumError, match="No file at") as caught:
            read_conversations([Path(text)], io.BytesIO())
        assert "pipe it in" in str(caught.value)
        assert len(caught.value.message) < 90


@pytest.mark.parametrize("name", ["chat.txt", "chats.jsonl"])
def test_no_permission(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).write_text(TEXT)
    monkeypatch.setattr(Path, "stat", lambda self, **_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(DiasumError, match="cannot be read: permission denied"):
        read_conversations([tmp_path / name], io.BytesIO())


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text(TEXT)
    with pytest.raises(DiasumError, match=r"Did you mean `.*/chat\.txt`\?"):
        read_conversations([tmp_path / "chats.txt"], io.BytesIO())
    with pytest.raises(DiasumError, match="No file at"):
        read_conversations([tmp_path / "nowhere" / "chats.txt"], io.BytesIO())


def test_empty_conversations_keep_their_place_among_others(tmp_path: Path) -> None:
    file = tmp_path / "talks.jsonl"
    file.write_text(json.dumps({"id": 1, "turns": []}) + "\n\n" + json.dumps({"id": 2, "turns": TURNS}))
    (tmp_path / "none.txt").write_text(" \n")
    (tmp_path / "talks.csv").write_text('dialogue,id\n"Anna: Hi.",a\n,b\n"Ben:",c\n')
    files = [file, tmp_path / "none.txt", tmp_path / "talks.csv"]
    found = read_conversations(files, io.BytesIO())
    assert [(named.id, named.dialogue.is_empty) for named in found] == [
        *(("1", True), ("2", False), ("none", True)),
        *(("a", False), ("b", True), ("c", True)),
    ]
    assert found[0].where == f"{file}, line 1"
    assert found[4].where == f"{tmp_path / 'talks.csv'}, line 3"


def test_nothing_but_empty_conversations(tmp_path: Path) -> None:
    file = tmp_path / "talks.jsonl"
    file.write_text(json.dumps({"id": 1, "turns": []}) + "\n" + json.dumps({"id": 2, "dialogue": None}))
    with pytest.raises(DiasumError, match=r"All conversations are empty, starting with .*talks.jsonl, line 1"):
        read_conversations([file], io.BytesIO())
    file.write_text("")
    with pytest.raises(DiasumError, match=r"talks.jsonl is empty"):
        read_conversations([file], io.BytesIO())


def test_one_turn_a_row(tmp_path: Path) -> None:
    file = tmp_path / "turns.csv"
    file.write_text("ticket,sender,message\n1,Ana,Hi.\n1,Ben,Ho.\n")
    (one,) = read_conversations([file], io.BytesIO())
    assert (one.id, one.dialogue.text) == ("1", "Ana: Hi.\nBen: Ho.")
    with pytest.raises(DiasumError, match=r"turns.csv has one message per row: `sender` says who speaks"):
        read_conversations([file], io.BytesIO(), Reading(names=Names("message")))
    with pytest.raises(DiasumError, match="has no `mesage`, which --dialogue-column names"):
        read_conversations([file], io.BytesIO(), Reading(names=Names("mesage")))
    with pytest.raises(DiasumError, match="--dialogue-column names `message` as a whole conversation"):
        read_conversations([file], io.BytesIO(), Reading(names=Names("message", group="ticket")))
    (one,) = piped(
        '{"conversation_id": 1, "speaker": "Ana", "text": "Hi."}\n{"conversation_id": 1, "speaker": "Ben", "text": "Ho."}'
    )
    assert (one.id, one.dialogue.text) == ("1", "Ana: Hi.\nBen: Ho.")
    file.write_text("ticket,who,what\n1,Ana,Hi.\n1,Ben,Ho.\n")
    with pytest.raises(
        DiasumError, match=r"turns.csv, line 2 cannot be read: none of its keys names a conversation: ticket, who, what"
    ) as caught:
        read_conversations([file], io.BytesIO())
    assert "A whole conversation is expected under one of: dialogue, dialog," in str(caught.value)


def test_columns_that_the_user_names(tmp_path: Path) -> None:
    file = tmp_path / "tickets.csv"
    file.write_text('Ticket ID,Description,Comments\n7,Lunch,"Anna: Lunch?\nBen: At nine."\n8,Other,Anna: Hi.\n')
    found = read_conversations([file], io.BytesIO(), Reading(names=Names("comments", "ticket_id")))
    assert [(named.id, named.dialogue.turns[0].text) for named in found] == [("7", "Lunch?"), ("8", "Hi.")]
    for names, message in (
        (Names("comment", "Ticket ID"), r"line 2 has no `comment`, which --dialogue-column names.\n.*`Comments`"),
        (Names("Comments", "ticket"), r"line 2 has no `ticket`, which --id-column names"),
    ):
        with pytest.raises(DiasumError, match=message):
            read_conversations([file], io.BytesIO(), Reading(names=names))


@pytest.mark.parametrize("key", ["data", "Conversations", "dialogues"])
def test_conversations_within_an_object(key: str) -> None:
    assert [named.id for named in piped(json.dumps({"version": 1, key: RECORDS}, indent=1))] == ["a", "b"]
    found = piped(json.dumps({"conversations": TURNS}))
    assert [named.dialogue.text for named in found] == [TEXT], "one conversation under a name of many"


def test_ids_are_read_as_a_corpus_reads_them(tmp_path: Path) -> None:
    rows = [{"id": 7, "dialogue": TEXT}, {"id": float("nan"), "dialogue": TEXT}, {"id": ["x", "y"], "dialogue": TEXT}]
    found = piped("\n".join(map(json.dumps, rows)))
    assert [named.id for named in found] == ["7", "conversation-2", "x y"]


def test_turns_know_their_lines_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text("\ufeff\n" + TEXT.replace("\n", "\r\n\r\n"))
    (named,) = read_conversations([tmp_path / "chat.txt"], io.BytesIO())
    assert [(turn.id, turn.source) for turn in named.dialogue.turns] == [(0, 2), (1, 4)]


def test_a_pipe_is_read_once_and_as_a_whole(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=("Ana: Lunch?\nBen: At one.\n",))
    writer.start()
    (one,) = read_conversations([tmp_path / "pipe"])
    writer.join()
    assert one.dialogue.text == "Ana: Lunch?\nBen: At one."


def test_a_pipe_that_nobody_writes_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diasum.dialogue.formats.source.PATIENCE", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DiasumError, match="pipe is a named pipe that nobody writes to"):
        read_conversations([tmp_path / "pipe"])


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    for name in ("loop", "gone"):
        with pytest.raises(DiasumError, match=f"{name} is a symbolic link that leads to no file"):
            read_conversations([tmp_path / name])


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<!DOCTYPE html>\n<html><body>Ana: Hi</body></html>", "a web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><smses/>", "an XML file"),
        (b"{\\rtf1\\ansi Ana: Hi\\par}", "a text with its formatting"),
    ],
)
def test_markup_is_not_read_as_what_somebody_says(tmp_path: Path, content: bytes, found: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DiasumError, match=f"a.txt: expected text, found {found}"):
        read_conversations([tmp_path / "a.txt"])


def test_a_file_cut_in_the_middle_of_a_letter_is_still_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Zoë: Grüße.\nBen: Schö".encode()[:-1])
    (one,) = read_conversations([tmp_path / "a.txt"])
    assert one.dialogue.text == "Zoë: Grüße.\nBen: Sch\ufffd"
    assert one.notes == (f"{tmp_path / 'a.txt'}: it ends in the middle of a letter.",)
