"""Transcripts and chats copied from a window, and saved as Word documents."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st

from diasum.errors import DiasumError, MissingExtraError
from tests.dialogue.formats.reading import FIXTURES, read, read_all, turns

WINDOW = "transcript or chat copied from a window, names and times above the words"


@pytest.mark.parametrize(
    ("name", "expected", "left_out", "starts"),
    [
        (
            "teams.txt",
            [
                ("Ana Li", "Hello. See you at 10:30"),
                ("Ben Ode", "Hi Ana. Note: the room is booked."),
                ("Ana Li", "Right."),
            ],
            {"notice": 5},
            [3, 9, 3723],
        ),
        ("teams_web.txt", [("Ana Li", "Hello"), ("Ben Ode", "Hi there")], {"notice": 2}, [3, 69]),
        (
            "teams_chat.txt",
            [("Ana Li", "Hello there how are you"), ("Ben Ode", "Fine, until 12:30"), ("Ana Li", "Good")],
            {"edit": 1, "reaction": 1},
            [None, None, None],
        ),
        (
            "meet.txt",
            [("Ana Li", "Hello."), ("Ben Ode", "Hi. And thanks."), ("Ben Ode", "Still here: on mute.")],
            {"notice": 6},
            [0, None, 300],
        ),
        ("zoom_captions.txt", [("Ana Li", "Hello there."), ("Ben Ode", "Hi.")], {}, [None, None]),
        ("otter.txt", [("Ana Li", "Hello there."), ("Unknown Speaker", "Hi.")], {"notice": 1}, [3, 9]),
    ],
)
def test_windows(
    name: str, expected: list[tuple[str, str]], left_out: dict[str, int], starts: list[float | None]
) -> None:
    one = read(f"transcript/{name}")
    assert turns(one) == expected
    assert dict(one.left_out) == left_out
    assert [turn.start for turn in one.dialogue.turns] == starts
    assert one.reason == ("transcript of Google Meet" if name == "meet.txt" else WINDOW)
    lines = (FIXTURES / "transcript" / name).read_text(encoding="utf-8").split("\n")
    assert all(
        turn.text.startswith(lines[int(str(turn.source)) - 1].rpartition(": ")[2][:5]) or turn.source
        for turn in one.dialogue.turns
    )


@pytest.mark.parametrize(
    "text",
    [
        "Ana Li   0:03\nHello\n",
        "Ana Li\t0:03\nHello\n",
        "Ana Li  00:00:03\nHello\n",
        "[Ana Li] 00:00:03\nHello\n",
        "Ana Li (00:03):\nHello\n",
        "[00:03] Ana Li\nHello\n",
        "Ana Li 0 minutes 3 seconds\nHello\n",
        "Ana Li\n0:03\nHello\n",
        "Ana Li\n0 Minuten 3 Sekunden\nHello\n",
        "\ufeffAna Li \u00a0 0:03\r\n\r\nHello\r\n",
    ],
)
def test_one_turn_is_enough(text: str) -> None:
    one = read(text)
    assert turns(one) == [("Ana Li", "Hello")]
    assert [turn.start for turn in one.dialogue.turns] == [3]


@pytest.mark.parametrize(
    "text",
    [
        "Ana Li 10:32 AM\nHi.\nBen Ode 10:33 AM\nHo.\n",
        "Ana Li — Today at 10:32\nHi.\nBen Ode — 05/12/2024 10:33\nHo.\n",
        "Ana Li  [10:32 AM]\nHi.\nBen Ode  [10:33 AM]\nHo.\n",
        "Ana Li, [12.05.24 10:32]\nHi.\n\nBen Ode, [12.05.24 10:33]\nHo.\n",
        "[5/12/2024 10:32 AM] Ana Li:\nHi.\n[5/12/2024 10:33 AM] Ben Ode:\nHo.\n",
        "Ana Li\nMay 12, 2024 at 10:32 AM\nHi.\nBen Ode\nMay 12, 2024 at 10:33 AM\nHo.\n",
    ],
)
def test_chats(text: str) -> None:
    one = read(text)
    assert turns(one) == [("Ana Li", "Hi."), ("Ben Ode", "Ho.")]
    assert one.format == ("whatsapp" if text.startswith("[5/12") else "transcript")


@pytest.mark.parametrize(
    "text",
    [
        "Shopping\nMilk 2:30\nEggs 3:10\nBread 4:00\n",
        "the bus leaves 10:32\nand the next one 10:52\n",
        "Ana: At what time?\nBen: Hm\n12:30\nAna: ok\n",
        "Ana: lunch at 12:30\nBen: Dinner 18:30\nAna: ok\nBen: Bye 19:00\n",
    ],
)
def test_times_in_what_is_said_are_no_headers(text: str) -> None:
    one = read(text)
    assert one.format == "plain"
    assert "".join(f"{turn}" for turn in one.dialogue.turns).replace(" ", "") == "".join(text.split())


def test_teams_names_with_commas_and_brackets() -> None:
    text = "Li, Ana   0:03\nHello\nOde, Ben (External)   0:09\nHi\n"
    assert turns(read(text)) == [("Li, Ana", "Hello"), ("Ode, Ben (External)", "Hi")]


def test_messages_without_words_are_counted() -> None:
    one = read("Ana Li\n10:32 AM\nLook\nBen Ode\n10:33 AM\nCy\n10:34 AM\nNice\n")
    assert turns(one) == [("Ana Li", "Look"), ("Cy", "Nice")]
    assert one.left_out == {"empty": 1}


def test_notices_are_kept_on_request() -> None:
    one = read("transcript/teams.txt", keep_nonspeech=True)
    assert ("", "Ana Li started transcription") in turns(one)
    assert not one.left_out


_NAMES = st.lists(
    st.sampled_from(["Ana Li", "Ben Ode (Guest)", "Çelik, Ada", "李 明", "Unknown Speaker"]), min_size=2, max_size=9
)
_SPEECH = st.from_regex(r"[A-ZÄЖ][\w ,<>&'\"?!-]{0,60}[.!?]", fullmatch=True).map(lambda text: " ".join(text.split()))
_FORMS = st.sampled_from(
    ["{0}   {1}\n{2}\n", "{0}   {1}\n{2}\n\n", "[{0}] {1}\n{2}\n", "{0}\n{1}\n{2}\n", "{0} ({1})\n{2}\n"]
)


@settings(max_examples=200, deadline=None)
@given(names=_NAMES, texts=st.lists(_SPEECH, min_size=9, max_size=9), form=_FORMS)
def test_what_is_written_under_headers_is_read_back(names: list[str], texts: list[str], form: str) -> None:
    expected = list(zip(names, texts, strict=False))
    text = "".join(form.format(name, f"{i}:{i:02}", words) for i, (name, words) in enumerate(expected))
    one = read(text, format="transcript")
    assert turns(one) == expected
    assert [turn.start for turn in one.dialogue.turns] == [61 * i for i in range(len(expected))]


@settings(max_examples=100, deadline=None)
@given(names=_NAMES, texts=st.lists(_SPEECH, min_size=9, max_size=9))
def test_what_is_written_under_times_is_read_back(names: list[str], texts: list[str]) -> None:
    expected = [(name.replace(",", ""), words) for name, words in zip(names, texts, strict=False)]
    lines = [
        f"00:{5 * (i // 2):02}:00\n{name}: {words}" if i % 2 == 0 else f"{name}: {words}"
        for i, (name, words) in enumerate(expected)
    ]
    assert turns(read("Call – Transcript\n" + "\n".join(lines), format="transcript")) == expected


# Word documents


def document(path: Path, *paragraphs: str, rows: list[list[str]] | None = None) -> Path:
    """A document with paragraphs and, below them, a table."""
    written = Document()
    for text in paragraphs:
        written.add_paragraph(text)
    if rows:
        table = written.add_table(rows=0, cols=len(rows[0]))
        for row in rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    written.save(str(path))
    return path


@pytest.mark.parametrize(
    ("paragraphs", "reason"),
    [
        (["Weekly", "May 12, 2024, 10:00AM", "Ana Li   0:03\nHello.", "Ben Ode   0:09\nHi."], WINDOW),
        (["Ana Li   0:03", "Hello.", "Ben Ode   0:09", "Hi."], WINDOW),
        (["00:00:00", "Ana Li: Hello.", "Ben Ode: Hi."], "transcript of Google Meet"),
        (
            [
                "0:0:3.0 --> 0:0:8.380\nAna Li\nHello.",
                "0:0:9.0 --> 0:0:10.0\nBen Ode\nHi.",
                "0:0:11.0 --> 0:0:12.0\nAna Li\nBye.",
            ],
            "SubRip subtitles with names",
        ),
        (["Ana Li: Hello.", "Ben Ode: Hi."], "plain text"),
    ],
)
def test_word_documents(tmp_path: Path, paragraphs: list[str], reason: str) -> None:
    one = read(document(tmp_path / "sync.docx", *paragraphs))
    assert turns(one)[:2] == [("Ana Li", "Hello."), ("Ben Ode", "Hi.")]
    assert (one.id, one.format, one.reason) == ("sync", "docx", f"Word document: {reason}")


@pytest.mark.parametrize(
    "rows", [[["Ana Li", "Hello."], ["Ben Ode", "Hi."]], [["0:03", "Ana Li", "Hello."], ["0:09", "Ben Ode", "Hi."]]]
)
def test_tables_in_word_documents(tmp_path: Path, rows: list[list[str]]) -> None:
    assert turns(read(document(tmp_path / "sync.docx", rows=rows))) == [("Ana Li", "Hello."), ("Ben Ode", "Hi.")]


def test_a_document_from_standard_input(tmp_path: Path) -> None:
    assert turns(read(document(tmp_path / "x.docx", "Ana: Hi.").read_bytes())) == [("Ana", "Hi.")]


@pytest.mark.parametrize("cut", [100, 2000, -100])
def test_a_damaged_document_is_refused(tmp_path: Path, cut: int) -> None:
    whole = document(tmp_path / "whole.docx", "Ana: Hi.").read_bytes()
    path = tmp_path / "cut.docx"
    path.write_bytes(whole[:cut])
    with pytest.raises(DiasumError, match=r"cut\.docx"):
        read(path)


def test_an_archive_that_is_no_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<not")
        archive.writestr("word/document.xml", "<not")
    with pytest.raises(DiasumError, match="not a readable Word document"):
        read(path)


def test_a_document_that_unpacks_to_far_more_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diasum.dialogue.formats.docx.MOST_BYTES", 10_000)
    path = document(tmp_path / "x.docx", "Ana: Hi. " * 10_000)
    with pytest.raises(DiasumError, match="when unpacked"):
        read(path)


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = document(tmp_path / "x.docx", "Ana: Hi.")
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(MissingExtraError, match=r"Word documents \(\.docx\)") as error:
        read(path)
    assert "diasum[formats]" in str(error.value.hint)


def test_documents_in_an_archive_are_members_of_it(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.docx", "b.docx"):
            archive.write(document(tmp_path / name, f"Ana: I am in {name}."), f"word/{name}")
        archive.writestr("c.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ana>I am in c.vtt.</v>\n")
    dialogues = read_all(path)
    assert [turns(one) for one in dialogues] == [
        [("Ana", f"I am in {name}.")] for name in ("c.vtt", "a.docx", "b.docx")
    ]
    assert [one.format for one in dialogues] == ["subtitles", "docx", "docx"]
