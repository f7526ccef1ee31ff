"""Logs of IRC and exports of LINE, as text."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.dialogue.formats.reading import read, turns

TALK = [("ana", "hi: all"), ("ben", "yo")]
IRSSI = """--- Log opened Sun May 12 23:59:00 2024
23:59 -!- ben [~ben@host] has joined #tea
23:59 <@ana> hi: all
--- Day changed Mon May 13 2024
00:01 < ben> yo
00:02 -!- ben [~ben@host] has quit [Quit: bye]
00:03 -!- mode/#tea [+o ana] by ChanServ
"""
WEECHAT = """2024-05-12 23:59:00\t-->\tben (~ben@host) has joined #tea
2024-05-12 23:59:01\t@ana\thi: all
2024-05-13 00:01:00\tben\tyo
2024-05-13 00:02:00\t<--\tben (~ben@host) has quit (bye)
2024-05-13 00:03:00\t--\tMode #tea [+o ana] by ChanServ
"""
HEXCHAT = """**** BEGIN LOGGING AT Sun May 12 23:59:00 2024

May 12 23:59:00 *\tben (~ben@host) has joined
May 12 23:59:01 <ana>\thi: all
May 13 00:01:00 <ben>\tyo
May 13 00:02:00 *\tben has quit (Quit: bye)
"""
ZNC = """[23:59:00] *** Joins: ben (~ben@host)
[23:59:01] <ana> hi: all
[00:01:00] <ben> yo
[00:02:00] *** Quits: ben (~ben@host) (bye)
[00:03:00] *** ChanServ sets mode: +o ana
"""


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        (IRSSI, {"join": 2, "notice": 3}),
        (WEECHAT, {"join": 2, "notice": 1}),
        (HEXCHAT, {"join": 2, "notice": 1}),
        (ZNC, {"join": 2, "notice": 1}),
        ("<ana> hi: all\n<ben> yo\n", {}),
    ],
)
def test_logs_of_irc(text: str, left_out: dict[str, int]) -> None:
    one = read(text)
    assert turns(one) == TALK
    assert one.left_out == left_out
    assert one.format == "irc"
    if "23:59" in text:
        assert one.dialogue.turns[1].start in (119, 120)


@pytest.mark.parametrize("day", ["", "May 12 "])
def test_a_log_without_a_year_began_on_no_day(day: str) -> None:
    one = read(f"{day}12:01:00 <ana> hi\n{day}12:03:00 <ben> ho\n")
    assert one.format == "irc"
    assert one.began is None, "no day is made up"
    assert [turn.start for turn in one.dialogue.turns] == [0, 120], "pauses count all the same"


@pytest.mark.parametrize(
    "mark", ["--- Log opened Sun May 12 12:00:00 2024", "**** BEGIN LOGGING AT Sun May 12 12:00:00 2024"]
)
def test_lines_that_name_the_day_are_seen(mark: str) -> None:
    one = read(f"{mark}\n12:01 < ana> hi\n--- Day changed Tue May 14 2024\n12:01 <@ben> ho\n")
    assert one.began == datetime(2024, 5, 12, 12, 1)
    assert [turn.start for turn in one.dialogue.turns] == [0, 48 * 3600]


def test_a_day_that_is_named_late_is_not_that_of_before() -> None:
    one = read("12:01 < ana> hi\n12:02 <@ben> ho\n--- Day changed Tue May 14 2024\n00:01 < ana> hm\n")
    assert one.began is None
    assert [turn.start for turn in one.dialogue.turns] == [0, 60, None]


def test_actions_are_speech() -> None:
    text = "12:01 <ana> tea?\n12:02  * ben nods\n12:03 * ana is now known as ana2\n12:04 <ben> yes\n"
    one = read(text)
    assert turns(one) == [("ana", "tea?"), ("ben", "nods"), ("ben", "yes")]
    assert one.left_out == {"notice": 1}
    assert turns(read("2024-05-12 12:00:00\tana\ttea?\n2024-05-12 12:00:01\t *\tben nods\n"))[1] == ("ben", "nods")


def test_text_with_brackets_is_no_log() -> None:
    assert read("Ana: use <b> here\nBen: <c> too\nAna: ok\n").format == "plain"


LINE = """[LINE] Chat history with Ana Li
Saved on: 2024/05/13 12:00

2024/05/12(Sun)
22:59\tAna Li\tHi: all
22:59\tBen\t"Two
lines"
23:00\tBen\t[Sticker]
23:00\tBen\t[Photo]
23:01\tAna Li joined the group.
23:02\tAna Li\t☎ Missed call

2024/05/13(Mon)
00:01\tAna Li\tBye
00:02\tBen unsent a message
"""
PHONE = """[LINE] Anaとのトーク履歴
保存日時：2024/05/13 12:00

2024/05/12(日)
午後10:59\tAna\tHi: all
午後11:00\tBen\t[スタンプ]
"""
MONTHS = """[LINE] Chat history with Ana
Saved on: 5/13/2024, 12:00

Sun, 05/12/2024
10:59 PM\tAna\tHi: all
11:00PM\tBen\tYo
"""
DESKTOP = """[LINE] Ana Li
Saved on : 2024.05.13 12:00

2024.05.12 Sunday
22:59 Ana Li Hi: all
23:00 Ben Yo there
23:01 Ana Li Fine
and so on
"""


def test_exports_of_line() -> None:
    one = read(LINE)
    assert turns(one) == [("Ana Li", "Hi: all"), ("Ben", "Two lines"), ("Ana Li", "Bye")]
    assert one.left_out == {"notice": 2, "sticker": 1, "media": 1, "join": 1, "call": 1, "deleted": 1}
    assert (one.began, one.reason) == (datetime(2024, 5, 12, 22, 59), "LINE export")
    assert one.dialogue.turns[-1].start == 62 * 60
    assert read(LINE.split("\n", 3)[3]).format == "line", "without its title"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (PHONE, [("Ana", "Hi: all")]),
        (MONTHS, [("Ana", "Hi: all"), ("Ben", "Yo")]),
        (DESKTOP, [("Ana Li", "Hi: all"), ("Ben", "Yo there"), ("Ana Li", "Fine and so on")]),
    ],
)
def test_other_forms_of_line(text: str, expected: list[tuple[str, str]]) -> None:
    one = read(text)
    assert (turns(one), one.began) == (expected, datetime(2024, 5, 12, 22, 59))


def test_a_quote_that_is_never_closed_swallows_nothing_and_takes_no_time() -> None:
    head = "[LINE] Chat history with Ana\nSaved on: 2024/05/13 12:00\n\n2024/05/12(Sun)\n"
    lines = '10:00\tAna\t"so\n' + "x\n" * 200_000 + "10:01\tBen\tHi\n"
    one = read(head + lines)
    assert [speaker for speaker, _ in turns(one)] == ["Ana", "Ben"]


def test_actions_of_hexchat_are_told_from_its_events_by_their_nicks() -> None:
    one = read(
        "**** BEGIN LOGGING AT Sun May 12 10:00:00 2024\n\nMay 12 10:00:01 *\tNow talking on #x\nMay 12 10:00:05 <ana>\thi\n"
        "May 12 10:00:10 *\tana waves\nMay 12 10:00:11 *\tana has quit (Bye)\nMay 12 10:00:12 *\tcy (~c@h) has joined\n"
    )
    assert turns(one) == [("ana", "hi"), ("ana", "waves")]
    assert one.left_out == {"notice": 2, "join": 2}
