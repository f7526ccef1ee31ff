"""JSON that others wrote: values by line, and mistakes told with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diasum.dialogue.files.conversations import read_conversations
from diasum.dialogue.files.decoding import read_lines
from diasum.dialogue.files.tables import read_path
from diasum.errors import DiasumError
from diasum.json_lines import is_json_lines, json_lines
from diasum.training import Run


def test_values_with_their_lines() -> None:
    text = '{"a": "x\u2028y"}\n\n[1, 2]\n"\\ud83d"\n'
    assert list(json_lines(enumerate(text.split("\n"), 1), "f")) == [(1, {"a": "x\u2028y"}), (3, [1, 2]), (4, "?")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [('{"a": 1,}', "character 9"), ("[" * 100_000, "nested too deeply"), ("x" * 99, "x" * 57 + "...")],
)
def test_every_reader_of_json_lines_complains_alike(line: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "talks.jsonl"
    file.write_text(json.dumps({"dialogue": "Ana: Hi."}) + "\n" + line + "\n")
    for read in (
        read_path,
        lambda file: read_conversations([file]),
        lambda file: list(json_lines(read_lines(file), str(file))),
    ):
        with pytest.raises(DiasumError, match=r"talks.jsonl, line 2: not valid JSON \(") as caught:
            read(file)
        assert problem in caught.value.message
        assert caught.value.hint == "Expected one JSON value a line; mend or remove this line."


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ('{"a": 1}\n{"a": 2}', True),
        ("\n[1]\n{oops", True),
        ('{"a": 1}\n', False),
        ('{"a":\n1}', False),
        ("[10:32] Ana: Hi.\n[10:33] Ben: Yo.", False),
    ],
)
def test_what_has_one_value_a_line(text: str, is_so: bool) -> None:
    assert is_json_lines(text) is is_so


@pytest.mark.parametrize("content", ['[\n{"dialogue": "Ana: Hi."},\n{"dialogue" "Ben: Ho."}]', '{\n"a": 1,\n\n\n'])
def test_a_file_named_json_that_is_none_is_no_text(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    for read in (read_path, lambda file: read_conversations([file])):
        with pytest.raises(DiasumError, match=r"a.json, line [35]: not valid JSON"):
            read(tmp_path / "a.json")
    (tmp_path / "a.txt").write_text(content)
    assert read_conversations([tmp_path / "a.txt"]), "text is read, whatever it begins with"


def test_events_end_where_a_kill_cut_them(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"step": 1, "note": "x\x85y"}\n{"step": 2}\n{"ste')
    assert [event["step"] for event in Run(tmp_path).events()] == [1, 2]
