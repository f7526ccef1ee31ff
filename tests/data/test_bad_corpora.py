"""A clear error for everything that can be wrong with a file, or a count of what was skipped."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from diasum.data import pairs_hash
from diasum.dialogue.files.decoding import decode
from diasum.dialogue.files.tables import read_path
from diasum.dialogue.read import iter_dialogues
from tests.data.tables import fail, load, rows, write_csv, write_jsonl


def test_empty_rows_are_counted_and_skipped_or_refused(tmp_path: Path) -> None:
    table = [*rows(4), {"id": "e1", "dialogue": " ", "summary": "x"}, {"id": "e2", "dialogue": "A: x", "summary": None}]
    write_jsonl(tmp_path / "a.jsonl", table)
    corpus = load(tmp_path / "a.jsonl")
    assert len(corpus.split("all")) == 4
    assert "2 of 6 rows" in corpus.notes[0]
    assert "(e1 in line 5, e2 in line 6)" in corpus.notes[0]
    assert "in 2 of 6 rows of `all` the dialogue or summary is empty (e1 in line 5, e2 in line 6)" in fail(
        tmp_path / "a.jsonl", on_empty="refuse"
    )
    write_jsonl(tmp_path / "a.jsonl", table[4:])
    assert "none of the 2 rows" in fail(tmp_path / "a.jsonl")


def test_repeated_ids_are_made_unique(tmp_path: Path) -> None:
    write_jsonl(
        tmp_path / "a.jsonl", [{**row, "id": name} for row, name in zip(rows(4), ["x", "x", "x-2", "x"], strict=True)]
    )
    corpus = load(tmp_path / "a.jsonl")
    assert [pair.id for pair in corpus.split("all")] == ["x", "x-3", "x-2", "x-4"]
    assert "2 repeated ids of `all` made unique" in corpus.notes[0]


GOOD = b'{"dialogue": "A: x", "summary": "y"}\n'
BROKEN: dict[str, tuple[str, bytes, list[str]]] = {
    "jsonl": ("a.jsonl", GOOD + b"\n" + b'{"dialogue": "A: x", \n' + GOOD, ["a.jsonl, line 3", "not valid JSON"]),
    "jsonl array": ("a.jsonl", GOOD + b"[1]\n", ["a.jsonl, line 2", "expected a JSON object", "an array"]),
    "json": ("a.json", b'[\n{"dialogue": "A: x",\n "summary" "y"}]', ["a.json, line 3", "not valid JSON"]),
    "json scalar": ("a.json", b"3", ["expected an array of objects", "a number"]),
    "json items": ("a.json", b'[{"dialogue": "A: x", "summary": "y"}, 3]', ["item 2", "a number"]),
    "csv columns": ("a.csv", b'dialogue,summary\n"A: x\nB: y",z\nA: x, and more,y\n', ["a.csv, line 4", "expected 2 columns", "found 3"]),
    "csv quote": ("a.csv", b'dialogue,summary\nA: x,y\n"A: x,y\n', ["a.csv, line 3", "not readable as csv"]),
    "empty": ("a.jsonl", b"", ["a.jsonl is empty"]),
    "only a header": ("a.csv", b"dialogue,summary\n", ["a.csv has no rows"]),
    "blank": ("a.jsonl", b"\n\n", ["a.jsonl has no rows"]),
    "pdf": ("a.csv", b"%PDF-1.7\n%\xe2\xe3\n", ["expected text, found a PDF file", "Export it as text"]),
    "xlsx": ("a.csv", b"PK\x03\x04\x14\x00\x06\x00\xb5\n", ["found a zip archive, as xlsx and docx", "as csv or jsonl"]),
    "gzip": ("a.csv", gzip.compress(GOOD), ["found a gzip file, whose name must end in .gz"]),
    "zeros": ("a.jsonl", GOOD + b"\x00\x01\xff\n", ["a.jsonl: expected text", "bytes that are not text (line 2)"]),
    "a return": ("a.csv", b"dialogue,summary\nA: x\rB: y,z\n", ["a.csv, line 2", "unquoted field.", "must be quoted"]),
    "returns": ("a.csv", b'dialogue,summary\r"A: x\nB: y",z\rA: x\r', ["a.csv, line 4", "expected 2 columns", "found 1"]),
    "no gzip": ("a.jsonl.gz", GOOD, ["not a readable gzip file"]),
    "half a gzip": ("a.jsonl.gz", gzip.compress(GOOD * 2000)[:-20], ["not a readable gzip file", "incomplete"]),
    "parquet": ("a.parquet", b"PAR1 no", ["not a readable parquet file"]),
    "ending": ("a.xls", b"\xd0\xcf\x11\xe0\xa1", ["a.xls: expected text", "found an old Office file"]),
    "only zeros": ("a.txt", b"\0" * 4096, ["a.txt: expected text", "found zeros"]),
    "turns": ("a.jsonl", GOOD + b'{"dialogue": [{"who": "A"}], "summary": "y"}\n', ["a.jsonl, line 2", "turn 1 has no text", "found who"]),
    "deep": ("a.jsonl", b'{"dialogue": ' + b"[" * 100_000 + b"\n", ["a.jsonl, line 1"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files_are_named_with_the_line(tmp_path: Path, case: str) -> None:
    name, data, expected = BROKEN[case]
    (tmp_path / name).write_bytes(data)
    message = fail(tmp_path / name)
    for words in expected:
        assert words in message


def test_a_line_without_end_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diasum.dialogue.files.decoding.LONGEST_LINE", 1024 * 1024)
    (tmp_path / "a.jsonl").write_bytes(GOOD + b'{"dialogue": "' + b"x" * 1024 * 1024)
    assert "a.jsonl, line 2: longer than 1 MiB" in fail(tmp_path / "a.jsonl")


def test_a_byte_order_mark_and_half_a_surrogate_pair_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffdialogue,summary\nA: x,y\n".encode())
    assert len(load(tmp_path / "a.csv").split("all")) == 1
    (tmp_path / "a.jsonl").write_bytes(b'{"dialogue": "A: \\ud83d and \\ud83d\\ude00", "summary": "y"}\n')
    (pair,) = load(tmp_path / "a.jsonl").split("all")
    assert pair.dialogue.turns[0].text == "? and 😀"
    assert pairs_hash([pair])


def test_missing_files_have_near_misses(folder: Path) -> None:
    assert f"Did you mean `{folder / 'train.csv'}`?" in fail(folder / "trian.csv")
    assert "Did you mean `sample`?" in fail("sampel")


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "loop is a symbolic link that leads to no file." in fail(tmp_path / "loop")


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "pipe is a pipe, which can be read only once." in fail(tmp_path / "pipe")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "has no data files" in fail(tmp_path)


def test_without_network_the_hub_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    message = fail("somebody/dialogues")
    assert "no local file or folder somebody/dialogues" in message
    assert "the hub cannot be reached" in message
    assert "hf download --repo-type dataset somebody/dialogues" in message
    assert "HF_HOME" in message


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("dialogue,dialogue,summary\nA: x,A: y,z\n")
    assert "line 1: two columns are named `dialogue`" in fail(tmp_path / "a.csv")


def test_a_misspelt_column_is_found_near(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("dialogue,sumary,other\nA: x,y,z\n")
    assert "Did you mean `sumary`? Then: --set data.summary_columns=[sumary]" in fail(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("transformers_version,summary\nA: x,y\n")
    assert "Did you mean" not in fail(tmp_path / "b.csv")


MESSAGES = [
    {
        "ticket_id": f"T{i // 3}",
        "sender": "Ana" if i % 2 else "Ben",
        "message": f"Message {i}.",
        "summary": "They talk.",
    }
    for i in range(12)
]


def test_one_message_a_row_is_joined(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", MESSAGES)
    corpus = load(tmp_path / "a.jsonl")
    pairs = corpus.split("all")
    assert [(pair.id, pair.references, len(pair.dialogue)) for pair in pairs] == [
        (f"T{i}", ("They talk.",), 3) for i in range(4)
    ]
    assert pairs[0].dialogue.text == "Ben: Message 0.\nAna: Message 1.\nBen: Message 2."
    assert any("its 12 rows are messages of 4 conversations, joined by `ticket_id`" in note for note in corpus.notes)
    write_jsonl(tmp_path / "a.jsonl", [{**row, "text": row["message"]} for row in MESSAGES])  # `text` is found by name
    assert len(load(tmp_path / "a.jsonl").split("all")) == 4
    write_jsonl(tmp_path / "b.jsonl", [{**row, "who": row["sender"], "sender": "x"} for row in MESSAGES])
    assert len(load(tmp_path / "b.jsonl", group_by="who").split("all")) == 2
    assert "has no column `whom`, which --group-by names" in fail(tmp_path / "b.jsonl", group_by="whom")


def test_one_message_a_row_is_refused_where_it_is_unclear_what_is_meant(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", MESSAGES)
    message = fail(tmp_path / "a.jsonl", dialogue_column="message")
    assert "one message per row: `sender` says who speaks, and 3 rows have the `ticket_id` T0" in message
    assert "Each row must be a whole conversation" in message
    assert "Did you mean" not in message
    write_jsonl(tmp_path / "a.jsonl", [{**row, "summary": f"They talk {i}."} for i, row in enumerate(MESSAGES)])
    assert "one message per row" in fail(tmp_path / "a.jsonl")
    assert "Did you mean `message`?" in fail(tmp_path / "a.jsonl", dialogue_column="mesage")
    rows = [{"ticket_id": 1, "text": "Hi.", "summary": "a"}, {"ticket_id": 1, "text": "Ho.", "summary": "b"}]
    write_jsonl(tmp_path / "a.jsonl", rows)  # no column says who speaks
    assert "one message per row: 2 rows have the `ticket_id` 1" in fail(tmp_path / "a.jsonl", group_by="ticket_id")
    both = fail(tmp_path / "a.jsonl", group_by="ticket_id", dialogue_column="text")
    assert "--dialogue-column names `text` as a whole conversation" in both


@pytest.mark.parametrize(
    "changes",
    [
        lambda i: {"ticket_id": i},
        lambda i: {"message": f"Ana: Number {i}?\nBen: Yes."},
        lambda i: {"message": f"Number {i // 3}, a conversation of three summaries."},
    ],
    ids=["ids of their own", "conversations", "several summaries"],
)
def test_whole_conversations_beside_a_name_are_read(
    changes: Callable[[int], dict[str, object]], tmp_path: Path
) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{**row, **changes(i)} for i, row in enumerate(MESSAGES)])
    assert load(tmp_path / "a.jsonl", dialogue_column="message").split("all")


@pytest.mark.parametrize(
    ("separator", "before"), [("\t", ""), ("|", ""), (";", "sep=;\r\n"), (",", '"sep=,"\r\n'), ("|", "sep=|\n")]
)
def test_separators_of_spreadsheets(separator: str, before: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    write_csv(file, rows(3), separator)
    file.write_bytes(before.encode() + file.read_bytes())
    assert [pair.id for pair in load(file).split("all")] == ["d0", "d1", "d2"]
    with file.open("a", encoding="utf-8") as handle:
        handle.write("d3\r\n")
    assert f"line {9 if before else 8}: expected 4 columns" in fail(file)


@pytest.mark.parametrize("end", ["\r", "\r\n", "\r\r\n", "\n"])
def test_lines_may_end_in_returns(end: str, tmp_path: Path) -> None:
    lines = ["sep=;", "id;dialogue;summary", 'a;"A: x\nB: y";"a\rb"', "", 'b;"A: z";c', ""]
    (tmp_path / "a.csv").write_bytes(end.join(lines).encode())
    table = read_path(tmp_path / "a.csv")[""]
    assert [[cell.split() for cell in row.values()] for row in table.rows] == [
        [["a"], ["A:", "x", "B:", "y"], ["a", "b"]],
        [["b"], ["A:", "z"], ["c"]],
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.json"])
@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("latin-1", "byte 0xe9 in line {line} is no UTF-8: read as cp1252."),
        ("utf-16", "it is UTF-16 text."),
        ("utf-16-le", "it is UTF-16LE text."),
        ("utf-16-be", "it is UTF-16BE text."),
    ],
)
def test_other_encodings_are_found_said_and_read(tmp_path: Path, name: str, encoding: str, said: str) -> None:
    file = tmp_path / name
    texts = {
        "a.csv": "dialogue,summary\nA: x,y\nA: café,z\n",
        "a.jsonl": '{"dialogue": "A: x", "summary": "y"}\n{"dialogue": "A: café", "summary": "z"}\n',
        "a.json": '[{"dialogue": "A: x", "summary": "y"},\n{"dialogue": "A: café", "summary": "z"}]',
    }
    content = texts[name.removesuffix(".gz")].encode(encoding)
    file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    corpus = load(file)
    assert [pair.dialogue.text for pair in corpus.split("all")] == ["A: x", "A: café"]
    assert f"{file}: {said.format(line=3 if 'csv' in name else 2)}" in corpus.notes
    assert [one.dialogue.text for one in iter_dialogues(file)] == ["A: x", "A: café"], "as summarize reads it"


def test_a_zero_in_a_text_is_no_other_encoding() -> None:
    assert decode(b"Ana: a\x00b, \x00c", "standard input", "FILE") == "Ana: a\x00b, \x00c"


def test_an_empty_cell_of_a_single_column_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'summary\r\n"A\r\n\r\nb"\r\n""\r\n\r\nC\r\n')
    table = read_path(tmp_path / "a.csv")[""]
    assert [row["summary"].split() for row in table.rows] == [["A", "b"], [], ["C"]]
    assert table.lines == [2, 5, 7]
    (tmp_path / "b.csv").write_bytes(b'dialogue,summary\n""\nA: x,y\n')
    assert len(read_path(tmp_path / "b.csv")[""].rows) == 1, "a blank line of a spreadsheet"
