"""Folders and zip archives: every file in its own format, bounded and checked."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest

from diasum.dialogue.files.conversations import read_conversations
from diasum.errors import DiasumError
from tests.dialogue.formats.reading import read, read_all, turns

CHAT = "[14/10/2021, 15:34:09] Ana: Hi\n[14/10/2021, 15:35:00] Ben: ok\n"


def archive(file: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return file


def test_a_chat_beside_its_media(tmp_path: Path) -> None:
    members: dict[str, str | bytes] = {
        "_chat.txt": CHAT,
        "00000001-PHOTO.jpg": b"\xff\xd8\xff",
        "a/b.opus": b"x",
        "__MACOSX/._chat.txt": b"\0",
    }
    file = archive(tmp_path / "Ana.zip", **members)
    one = read(file)
    assert turns(one) == [("Ana", "Hi"), ("Ben", "ok")]
    assert (one.id, one.format, one.where) == ("Ana", "whatsapp", f"{file}: _chat.txt")
    assert one.notes[-1] == f"{file}: 2 files (.jpg, .opus) not read."
    assert turns(read(file.read_bytes())) == turns(one), "piped in"
    with zipfile.ZipFile(file) as packed:
        packed.extractall(tmp_path / "unpacked")
    assert turns(read(tmp_path / "unpacked")) == turns(one)


def test_files_of_several_formats(tmp_path: Path) -> None:
    (tmp_path / "talks" / "deep").mkdir(parents=True)
    (tmp_path / "talks" / "a.txt").write_text("Ana: Lunch?\nBen: At nine.")
    (tmp_path / "talks" / "deep" / "b.txt").write_text(CHAT)
    (tmp_path / "talks" / "c.jsonl").write_text('{"id": "x", "dialogue": "Ana: Hm."}\n')
    (tmp_path / "talks" / "noise").write_bytes(b"\0\1\2\xff")
    (tmp_path / "talks" / ".hidden.txt").write_text("Zoe: no")
    found = read_conversations([tmp_path / "talks"])
    assert [(one.id, one.format) for one in found] == [("a", "plain"), ("x", "table"), ("b", "whatsapp")]


def test_links_that_lead_out_of_a_folder_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("Zoe: secret")
    (tmp_path / "talks").mkdir()
    (tmp_path / "talks" / "a.txt").write_text("Ana: Lunch?")
    (tmp_path / "talks" / "b.txt").symlink_to(tmp_path / "secret.txt")
    assert [turns(one) for one in read_all(tmp_path / "talks")] == [[("Ana", "Lunch?")]]


def test_an_archive_that_is_cut_off(tmp_path: Path) -> None:
    file = archive(tmp_path / "a.zip", **{"_chat.txt": CHAT * 200})
    file.write_bytes(file.read_bytes()[:-60])
    with pytest.raises(DiasumError, match=r"a\.zip is a damaged or incomplete zip archive"):
        read(file)


def test_a_member_that_is_damaged(tmp_path: Path) -> None:
    file = archive(tmp_path / "a.zip", **{"_chat.txt": random.Random(0).randbytes(5000).hex()})
    content = bytearray(file.read_bytes())
    content[200:220] = bytes(20)
    file.write_bytes(bytes(content))
    with pytest.raises(DiasumError, match=r"a\.zip: _chat\.txt is (damaged|a damaged or incomplete zip archive)"):
        read(file)


def test_a_zip_bomb(tmp_path: Path) -> None:
    file = archive(tmp_path / "a.zip", **{"_chat.txt": bytes(64 << 20)})
    with pytest.raises(DiasumError, match=r"_chat.txt would unpack from \d+ kB to 67 MB, as no export does") as error:
        read(file)
    assert "zip bomb" in str(error.value.hint)


@pytest.mark.parametrize("name", ["../chat.txt", "/etc/chat.txt", "a/../../chat.txt", "..\\chat.txt", "C:\\chat.txt"])
def test_paths_that_leave_the_folder(name: str, tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(zipfile.ZipInfo(name), CHAT)
    with pytest.raises(DiasumError, match="leads out of the archive"):
        read(file)


def test_an_encrypted_archive(tmp_path: Path) -> None:
    file = archive(tmp_path / "a.zip", **{"_chat.txt": CHAT})
    content = bytearray(file.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    file.write_bytes(bytes(content))
    with pytest.raises(DiasumError, match="is encrypted"):
        read(file)


def test_nothing_to_read(tmp_path: Path) -> None:
    file = archive(tmp_path / "a.zip", **{"x.jpg": b"\xff", "y.zip": b"PK"})
    with pytest.raises(DiasumError, match=r"has no file that conversations could be read from; found 2 files"):
        read(file)
    for empty in (archive(tmp_path / "b.zip"), tmp_path / "folder"):
        empty.mkdir() if empty.suffix == "" else None
        with pytest.raises(DiasumError, match="is empty"):
            read(empty)


def test_a_format_asked_for_holds_for_the_files_inside(tmp_path: Path) -> None:
    file = archive(tmp_path / "a.zip", **{"_chat.txt": CHAT})
    assert read(file, format="plain").format == "plain"


def test_a_large_stream_is_kept_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    from diasum.dialogue.formats import source

    monkeypatch.setattr(source, "MOST_IN_MEMORY", 10)
    assert turns(read(io.BytesIO(CHAT.encode()))) == [("Ana", "Hi"), ("Ben", "ok")]  # type: ignore[arg-type]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as packing:
        packing.writestr("_chat.txt", CHAT)
    packed.seek(0)
    assert turns(read(packed)) == [("Ana", "Hi"), ("Ben", "ok")]  # type: ignore[arg-type]
