"""Exports as a corpus: check, stats, convert and training take what `summarize` takes, and tell how it was read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import diasum
from diasum.errors import DiasumError
from tests.dialogue.formats.test_archives import CHAT, archive
from tests.dialogue.formats.test_slack import export

LONG = "".join(
    f"{day:02}/05/24, {hour}:00 - {name}: {day} {hour}\n"
    for day in (1, 2, 13)
    for hour, name in ((10, "Ana P."), (11, "Ben"))
)


def test_a_chat_is_a_split_of_one_dialogue(tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text(LONG)
    figures = diasum.data_stats(str(tmp_path / "chat.txt"))
    assert figures.notes == ["read as: WhatsApp export (Android), dates day first"]
    settings = {"data.split_pause": "12h", "data.aliases": "Ana P.=Ana"}
    out = tmp_path / "talks.jsonl"
    told = diasum.convert_data(str(tmp_path / "chat.txt"), out, settings=settings)
    assert told == [
        f"3 dialogues written to {out}",
        "note: read as: WhatsApp export (Android), dates day first; cut into 3 conversations at pauses",
    ]
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["id"] for row in rows] == ["chat-1", "chat-2", "chat-3"]
    assert [turn["speaker"] for turn in rows[0]["turns"]] == ["Ana", "Ben"]
    assert diasum.data_stats(str(out)).splits == diasum.data_stats(str(tmp_path / "chat.txt"), settings=settings).splits


def test_a_folder_and_an_archive(tmp_path: Path) -> None:
    workspace = export(tmp_path / "Export")
    assert diasum.data_stats(str(workspace)).splits["all"].pairs == 2
    packed = archive(tmp_path / "Ana.zip", **{"_chat.txt": CHAT, "a.jpg": b"x"})
    figures = diasum.data_stats(str(packed))
    assert figures.splits["all"].pairs == 1
    assert figures.notes[-1] == f"{packed}: 1 file (.jpg) not read."
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks" / "a.txt").write_text("Ana: Hi.\nBen: Ho.")
    (tmp_path / "talks" / "b.txt").write_text(CHAT)
    assert diasum.data_stats(str(tmp_path / "talks")).splits["all"].pairs == 2


def test_a_folder_of_tables_stays_one(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"dialogue": "Ana: Hi.", "summary": "Hi."}) + "\n")
    (tmp_path / "README.md").write_text("About: these")
    assert set(diasum.data_stats(str(tmp_path)).splits) == {"train", "test"}


def test_what_cannot_be_honoured_is_refused_or_told(tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text(LONG)
    with pytest.raises(DiasumError, match=r"No speaker has the label `Ana`, for which an alias is given") as error:
        diasum.data_stats(str(tmp_path / "chat.txt"), settings={"data.aliases": ["Ana=A"]})
    assert "Did you mean `Ana P.`?" in str(error.value.hint)
    (tmp_path / "plain.txt").write_text("Ana: Hi.\nBen: Ho.")
    told = diasum.data_stats(str(tmp_path / "plain.txt"), settings={"data.split_pause": "1h"}).notes
    assert "Conversations whose messages have no dates and times were not cut at pauses." in told
    with pytest.raises(DiasumError, match="no line begins with a date and a time"):
        diasum.data_stats(str(tmp_path / "plain.txt"), settings={"data.format": "whatsapp"})


def test_an_export_in_which_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text("12/05/24, 10:00 - Ana: <Media omitted>\n12/05/24, 10:01 - Ben left\n")
    with pytest.raises(DiasumError, match=r"is empty\. Nothing in it is speech: 1 media, 1 join or leave left out\."):
        diasum.show_data(tmp_path / "chat.txt")
    with pytest.raises(DiasumError, match="Nothing in it is speech: 1 media, 1 join or leave left out"):
        diasum.data_stats(str(tmp_path / "chat.txt"))


@pytest.mark.parametrize(
    "content",
    [
        "ticket_id,author,body\n7,Ana,Hi\n7,Ben,Ho\n8,Cem,Yes\n",
        "ticket_id\tauthor\tbody\n7\tAna\tHi\n7\tBen\tHo\n8\tCem\tYes\n",
        'id;dialogue;summary\n7;"Ana: Hi\nBen: Ho";x\n8;Cem: Yes;y\n',
        '{"id": "7", "dialogue": "Ana: Hi\\nBen: Ho"}\n{"id": "8", "dialogue": "Cem: Yes"}\n',
        '[{"id": "7", "dialogue": "Ana: Hi\\nBen: Ho"}, {"id": "8", "dialogue": "Cem: Yes"}]',
    ],
)
@pytest.mark.parametrize("name", ["tickets.txt", "tickets.dat", "tickets"])
def test_a_table_by_any_name_is_read_as_summarize_reads_it(content: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    diasum.convert_data(str(tmp_path / name), tmp_path / "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    said = [(row["id"], [(turn["speaker"], turn["text"]) for turn in row["turns"]]) for row in rows]
    assert said == [("7", [("Ana", "Hi"), ("Ben", "Ho")]), ("8", [("Cem", "Yes")])]
    read = [
        (one.id, [(turn.speaker, turn.text) for turn in one.dialogue.turns])
        for one in diasum.iter_dialogues(tmp_path / name)
    ]
    assert read == said
    if "summary" in content:
        assert [row["summaries"] for row in rows] == [["x"], ["y"]], "a table of pairs keeps its references"


def test_a_json_list_of_lines_is_one_conversation_as_for_summarize(tmp_path: Path) -> None:
    (tmp_path / "chat.json").write_text('["Ana: Hi", "Ben: Ho"]')
    diasum.convert_data(str(tmp_path / "chat.json"), tmp_path / "out.jsonl")
    (row,) = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert row["turns"] == [{"speaker": "Ana", "text": "Hi"}, {"speaker": "Ben", "text": "Ho"}]
