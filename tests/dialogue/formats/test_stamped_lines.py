"""Plain text whose lines carry times in the usual places: one turn a line, the time in none of them."""

from __future__ import annotations

import pytest

from tests.dialogue.formats.reading import read, turns

LINES = [
    "Ana, 10:32 AM: {}",
    "Ana [00:12]: {}",
    "[00:00:03.120 --> 00:00:05.000] Ana: {}",
    "00:00:03 --> 00:00:05 Ana: {}",
    "May 12, 2024 10:32 AM - Ana: {}",
    "12 May 2024, 10:32 - Ana: {}",
    "Mon 12 May 2024 10:32 Ana: {}",
    "[Sun, May 12, 2024 10:32] Ana: {}",
    "10:32 AM | Ana: {}",
    "10:32:05 Ana | {}",
    "2024-05-12 10:32 | Ana | {}",
    "10h32 Ana : {}",
    "[Ana] (10:32): {}",
    "[Ana]: {}",
    "**Ana** (10:32): {}",
]


@pytest.mark.parametrize("line", LINES)
def test_times_in_the_usual_places(line: str) -> None:
    text = f"{line.format('Hi: all')}\n{line.replace('Ana', 'Ben').format('ok')}\n"
    assert turns(read(text)) == [("Ana", "Hi: all"), ("Ben", "ok")]


def test_numbered_speakers_without_a_colon() -> None:
    assert turns(read("[SPEAKER_00] Hi all.\n[SPEAKER_01] Ho.\n[laughter] Ha.\n")) == [
        ("SPEAKER_00", "Hi all."),
        ("SPEAKER_01", "Ho. [laughter] Ha."),
    ]


def test_what_whisper_prints() -> None:
    one = read("[00:00:03.120 --> 00:00:05.000]  Hi there.\n[00:00:05.000 --> 00:00:07.000]  ok then.\n")
    assert turns(one) == [("", "Hi there."), ("", "ok then.")]
    assert [turn.start for turn in one.dialogue.turns] == [3.12, 5.0]


@pytest.mark.parametrize(
    "text", ["Ana: We meet, 10:30: sharp.\nBen: ok\n", "Ana: a | b\nBen: ok | so\n", "Ana: [x] y\nBen: ok\n"]
)
def test_what_only_looks_like_a_time_or_a_label_stays(text: str) -> None:
    assert "\n".join(f"{speaker}: {words}" for speaker, words in turns(read(text))) == text.strip()


def test_times_above_names() -> None:
    assert turns(read("10:32:05 Ana\nHi there\n\n10:33:11 Ben\nok: fine\n")) == [
        ("Ana", "Hi there"),
        ("Ben", "ok: fine"),
    ]
    assert turns(read("[5/12/24 10:32 AM] Ana Li\nHi\n[5/12/24 10:33 AM] Ben Oz\nHo\n")) == [
        ("Ana Li", "Hi"),
        ("Ben Oz", "Ho"),
    ]


def test_what_discordchatexporter_writes_as_text() -> None:
    rule = "=" * 62
    one = read(
        f"{rule}\nGuild: G\nChannel: general\n{rule}\n\n[12-May-24 10:00 AM] ana\nHi: all\n\n[12-May-24 10:01 AM] ben\nHo\n\n"
        f"{{Attachments}}\nhttps://cdn.discordapp.com/x.png\n\n{rule}\nExported 2 message(s)\n{rule}\n"
    )
    assert turns(one) == [("ana", "Hi: all"), ("ben", "Ho")]
    assert one.left_out == {"notice": 8, "media": 1}
