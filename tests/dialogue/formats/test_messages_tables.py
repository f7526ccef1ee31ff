"""Tables with a message per row, as helpdesks export them: Zendesk, Intercom and alike, in each kind of file."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diasum.dialogue.formats.source import Names
from diasum.errors import DiasumError, MissingExtraError
from tests.data.tables import load
from tests.dialogue.formats.message_tables import (
    EXPECTED,
    KINDS,
    ZENDESK,
    Rows,
    json_lines,
    parquet,
    separated,
    sheet,
    write,
    xlsx,
)
from tests.dialogue.formats.reading import read, read_all, turns


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_joined(tmp_path: Path, kind: str) -> None:
    dialogues = read_all(write(tmp_path, kind, ZENDESK))
    assert [(one.id, turns(one)) for one in dialogues] == EXPECTED
    assert dialogues[0].reason == "a table with a message a row, joined by `ticket_id`"
    assert dialogues[0].notes[0].endswith("its 4 rows are messages of 2 conversations, joined by `ticket_id`.")
    assert not dialogues[1].notes
    assert [turn.start for turn in dialogues[1].dialogue.turns] == [0, 150]
    lines = {"csv": [2, 6], "tsv": [2, 6], "jsonl": [1, 3], "xlsx": [2, 4]}
    if kind in lines:
        assert [turn.source for turn in dialogues[0].dialogue.turns] == lines[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_the_column_may_be_named(tmp_path: Path, kind: str) -> None:
    rows = [{"which": row["ticket_id"], "author": row["author"], "text": row["plain_body"]} for row in ZENDESK]
    dialogues = read_all(write(tmp_path, kind, rows), names=Names(group="Which"))
    assert [(one.id, turns(one)) for one in dialogues] == EXPECTED
    with pytest.raises(DiasumError, match="has no column `ticket`, which --group-by names"):
        read_all(write(tmp_path, kind, rows), names=Names(group="ticket"))


def test_a_table_from_standard_input_needs_but_the_column() -> None:
    dialogues = read_all(separated(ZENDESK), names=Names(group="ticket_id"))
    assert [(one.id, turns(one)) for one in dialogues] == EXPECTED


@pytest.mark.parametrize("kind", ["json", "jsonl", "parquet", "xlsx"])
def test_tables_from_standard_input_are_known_by_their_content(kind: str) -> None:
    assert [(one.id, turns(one)) for one in read_all(KINDS[kind](ZENDESK))] == EXPECTED


def test_what_has_no_columns_cannot_be_joined() -> None:
    text = "[14/10/2021, 3:34:09 PM] Ana: Hi\n[14/10/2021, 3:35:00 PM] Ben: ok\n"
    with pytest.raises(DiasumError, match="which has no columns"):
        read(text, names=Names(group="ticket_id"))


def test_intercom() -> None:
    rows = [
        {
            "conversation_id": "9",
            "part_type": "assignment",
            "author": {"type": "bot", "name": "Operator"},
            "body": None,
            "created_at": 1715500900,
        },
        {
            "conversation_id": "9",
            "part_type": "comment",
            "author": {"type": "admin", "name": "Ben"},
            "body": "<p>Hi Ana &amp; all,</p><p>sure.</p>",
            "created_at": 1715500800,
        },
        {
            "conversation_id": "9",
            "part_type": "open",
            "author": {"type": "user", "name": "", "email": "ana@example.org"},
            "body": "<p>Can you help?<br>Now?</p>",
            "created_at": 1715500700,
        },
    ]
    one = read(json_lines(rows))
    assert turns(one) == [("ana@example.org", "Can you help? Now?"), ("Ben", "Hi Ana & all, sure.")]
    assert one.left_out == {"notice": 1}
    assert one.began == datetime.fromisoformat("2024-05-12T07:58:20+00:00")


def test_rows_without_words_or_id() -> None:
    rows = [*ZENDESK, {**ZENDESK[0], "plain_body": ""}, {**ZENDESK[0], "ticket_id": None, "plain_body": "Alone."}]
    dialogues = read_all(json_lines(rows))
    assert [one.id for one in dialogues] == ["35", "36", "row 6"]
    assert dialogues[0].left_out == {"empty": 1}


@pytest.mark.parametrize(
    "times",
    [
        ["2024-05-12 10:00:00", "2024-05-12 09:00:00"],
        ["2024-05-12T10:00:00+02:00", "2024-05-12T07:30:00Z"],
        [1715500800, 1715500700],
        [1715500800123, 1715500700123],
        ["2024-05-12 10:00:00 UTC", "2024-05-12 09:00:00 UTC"],
    ],
)
def test_messages_stand_in_order_of_time(times: list[Any]) -> None:
    rows = [
        {"thread_id": 1, "sender": name, "body": name, "sent_at": time} for name, time in zip("BA", times, strict=True)
    ]
    assert [speaker for speaker, _ in turns(read(json_lines(rows)))] == ["A", "B"]
    rows[1]["sent_at"] = "yesterday"
    assert [speaker for speaker, _ in turns(read(json_lines(rows)))] == ["B", "A"]


def test_conversations_of_several_lines_are_no_messages(tmp_path: Path) -> None:
    rows = [
        {"call_id": 1, "agent": "x", "text": f"Ana: Hi {i}.\nBen: Ho.", "created_at": "2024-05-12"} for i in range(3)
    ]
    assert [len(one.dialogue) for one in read_all(write(tmp_path, "csv", rows))] == [2, 2, 2]


def test_a_list_of_turns_is_one_conversation_unless_it_numbers_several() -> None:
    rows: Rows = [{"channel": i % 2, "speaker": "AB"[i % 2], "text": f"Turn {i}."} for i in range(4)]
    assert len(read(json.dumps(rows).encode()).dialogue) == 4
    dialogues = read_all(json.dumps([{**row, "chat_id": i // 2} for i, row in enumerate(rows)]).encode())
    assert [(one.id, len(one.dialogue)) for one in dialogues] == [("0", 2), ("1", 2)]


def test_authors_do_not_join(tmp_path: Path) -> None:
    rows = [{"author_id": 7, **row} for row in ZENDESK]
    assert [(one.id, turns(one)) for one in read_all(write(tmp_path, "csv", rows))] == EXPECTED


def test_a_damaged_text_in_parquet_is_refused() -> None:
    content = parquet([{"dialogue": "Ana: Déjà vu."}])
    assert "é".encode() in content
    with pytest.raises(DiasumError, match="not a readable parquet file"):
        read(content.replace("é".encode(), b"\xff\xff"))


@pytest.mark.parametrize("cut", [40, 300])
def test_a_damaged_sheet_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(sheet(ZENDESK)[:cut])
    with pytest.raises(DiasumError, match=r"x\.xlsx"):
        read(path)


def test_several_sheets_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(xlsx([["a"], [1]], [["b"], [2]]))
    with pytest.raises(DiasumError, match="several sheets with rows: Sheet1, Sheet2"):
        read(path)


def test_a_sheet_of_conversations(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    path.write_bytes(xlsx([["id", "dialogue"], [1, "Ana: Hi.\nBen: Ho."]], []))
    one = read(path)
    assert (one.id, turns(one)) == ("1", [("Ana", "Hi."), ("Ben", "Ho.")])


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "xlsx", ZENDESK)
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(MissingExtraError, match=r"spreadsheets \(\.xlsx\)") as error:
        read(path)
    assert "diasum[formats]" in str(error.value.hint)


_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf", "Zs")), min_size=1, max_size=30
)


@settings(max_examples=60, deadline=None)
@given(
    messages=st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from(["Ana", "Ben, B.", "李"]), _TEXT), min_size=1, max_size=9
    ),
    kind=st.sampled_from(["csv", "tsv", "jsonl", "json"]),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[int, str, str]], kind: str
) -> None:
    rows: Rows = [{"ticket_id": number, "author": name, "comment": text} for number, name, text in messages]
    dialogues = read_all(write(tmp_path_factory.mktemp("rows"), kind, rows), names=Names(group="ticket_id"))
    expected: dict[str, list[tuple[str, str]]] = {}
    for number, name, text in messages:
        expected.setdefault(str(number), []).append((name, text))
    assert {one.id: turns(one) for one in dialogues} == expected


DAYS = "ticket_id,author,body,created_at\n"


@pytest.mark.parametrize(
    ("rows", "order", "told"),
    [
        ("1,Ana,a,12/05/2024 10:00\n1,Ben,c,13/05/2024 09:00\n1,Ana,b,12/05/2024 11:00\n", "abc", None),
        ("1,Ana,a,5/12/2024 10:00 AM\n1,Ben,c,5/13/2024 9:00 AM\n1,Ana,b,5/12/2024 1:00 PM\n", "abc", None),
        ("1,Ana,b,01.06.24 10:00\n1,Ben,a,12.05.24 10:00\n2,A,c,12.05.24 09:00\n2,A,d,01.06.24 09:00\n2,A,e,2.6.24 9:00\n", "abcde", None),
        ("1,Ana,b,2 Jun 2024 10:00 PM\n1,Ben,a,2 Jun 2024 11:00 AM\n", "ab", None),
        ("1,Ana,a,05/06/2024 10:00\n1,Ben,b,06/07/2024 10:00\n", "ab", "day first"),
        ("1,Ana,b,05/06/2024 10:00\n1,Ben,a,04/06/2024 10:00\n2,Ana,c,31/05/2024\n2,Ana,d,01/06/2024\n", "abcd", None),
    ],
)  # fmt: skip
def test_the_order_of_day_and_month_is_decided_over_the_table(
    tmp_path: Path, rows: str, order: str, told: str | None
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(DAYS + rows)
    found = read_all(file)
    assert "".join(turn.text for one in found for turn in one.dialogue.turns) == order
    tie = [note for note in found[0].notes if "day or month" in note]
    assert tie == (
        [f"{file}: no date in `created_at` tells whether day or month comes first; read as {told}. The order of messages hangs on it."]
        if told
        else []
    )  # fmt: skip
    corpus = load(file, need_summaries=False)
    assert [pair.dialogue for pair in corpus.split("all")] == [one.dialogue for one in found]
    assert not tie or tie[0] in corpus.notes


def test_times_of_messages_reach_the_corpus(tmp_path: Path) -> None:
    corpus = load(write(tmp_path, "csv", ZENDESK), need_summaries=False)
    first, second = corpus.split("all")
    assert [turn.start for turn in first.dialogue.turns] == [0, 120]
    assert [turn.start for turn in second.dialogue.turns] == [0, 150]
    assert (first.began, second.began) == (
        datetime(2024, 5, 12, 10, tzinfo=UTC),
        datetime(2024, 5, 12, 10, 1, tzinfo=UTC),
    )
