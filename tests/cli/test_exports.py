"""Exports from the command line, end to end: summaries of them, and how they are read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.dialogue.formats import test_discord, test_irc_and_line, test_telegram, test_whatsapp
from tests.dialogue.formats.test_archives import CHAT, archive
from tests.dialogue.formats.test_slack import export, zipped


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Terminal:
    monkeypatch.chdir(tmp_path)
    return Terminal(monkeypatch, capsys)


def test_each_format_is_summarized(terminal: Terminal, base: str, tmp_path: Path) -> None:
    zipped(export(tmp_path / "Team"))
    archive(tmp_path / "Ana.zip", **{"_chat.txt": CHAT})
    files = {
        "chat.txt": test_whatsapp.ANDROID.format(**test_whatsapp.LANGUAGES["Turkish"]),
        "result.json": json.dumps(test_telegram.CHAT),
        "general.json": json.dumps(test_discord.EXPORT),
        "tea.log": test_irc_and_line.IRSSI,
        "line.txt": test_irc_and_line.LINE,
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    names = ["Team", "Team.zip", "Ana.zip", *files]
    code, out, err = terminal(
        "summarize", *names, "--run", base, "--num-beams", "1", "--max-new-tokens", "4", "--jsonl"
    )
    assert code == 0, err
    ids = [
        "Ana, Ben Roth",
        "general",
        "Ana, Ben Roth-2",
        "general-2",
        "Ana",
        "chat",
        "Trip",
        "general-3",
        "tea",
        "line",
    ]
    assert [json.loads(line)["id"] for line in out.splitlines()] == ids
    for reason in (
        "Slack export of a workspace; left out: 2 media",
        "WhatsApp export (iPhone), dates day first",
        "WhatsApp export (Android), dates day first; left out: 2 media, 1 deleted message, 1 edit mark, 1 notice, 1 join or leave, 1 call",
        *(
            "Telegram export of a chat; left out: 2 media",
            "Discord export (DiscordChatExporter); left out",
            "IRC log",
            "LINE export",
        ),
    ):
        assert f"read as: {reason}" in err


def test_show_tells_how_a_file_is_read(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text(
        test_whatsapp.ANDROID.format(**test_whatsapp.LANGUAGES["German"]), encoding="utf-8"
    )
    code, out, err = terminal("data", "show", "chat.txt", "--turns", "1")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "chat  (chat.txt)",
        "  read as: WhatsApp export (Android), dates day first",
        "  3 turns; speakers: Ana (2), Ben (1)",
        "  began: 2024-05-12 10:33",
        "  left out: 2 media, 1 deleted message, 1 edit mark, 1 notice, 1 join or leave, 1 call",
        "    2: Ana: Hi",
        "    ... 1 turn ...",
        "    7: Ana: See you",
    ]
    code, out, _ = terminal("data", "show", "chat.txt", "--json", "--alias", "Ana=Anna")
    (one,) = json.loads(out)
    assert (one["speakers"], one["left_out"]["media"], one["format"]) == (["Anna", "Ben"], 2, "whatsapp")
    code, _, err = terminal("data", "show", "chat.txt", "--format", "slak")
    assert (code, "Did you mean `slack`?" in err) == (2, True)


def test_a_tie_names_both_formats(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from diasum.dialogue.formats import Evidence, Strength, slack, telegram

    (tmp_path / "a.txt").write_text("Ana: Hi.\nBen: Ho.\n")
    for module in (slack, telegram):
        monkeypatch.setattr(module, "recognises", lambda head: Evidence(Strength.LIKELY, "an export"))
    for command in (["summarize", "a.txt"], ["data", "show", "a.txt"], ["data", "stats", "a.txt"]):
        code, _, err = terminal(*command)
        assert code == 2
        assert "a.txt can be read as slack (an export) or as telegram (an export)." in err
        assert "Say which: --format slack or --format telegram." in err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.zip", b"PK\x03\x04 cut off", "a damaged or incomplete zip archive"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\xff", "expected text, found"),
        ("a.txt", b"", "is empty"),
        (
            "result.json",
            b'{"name": "x", "type": "private_group", "id": 1, "messages": [{"type": "message", "date": "',
            "not valid JSON",
        ),
    ],
)
def test_bad_input_ends_with_place_and_remedy(
    terminal: Terminal, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    for command in (
        ["summarize", name],
        ["data", "show", name],
        ["data", "stats", name],
        ["data", "convert", name, "out.jsonl"],
    ):
        code, out, err = terminal(*command)
        assert (code, out) == (2, ""), command
        assert name in err
        assert "Traceback" not in err
        if command[:2] != ["data", "stats"]:
            assert message in err or command[1] == "convert"
    assert not (tmp_path / "out.jsonl").exists()
