"""Text to turns and back."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from diasum.dialogue import Turn, parse_dialogue

CORPORA = Path(os.environ.get("DIASUM_DATA", "../shared/data"))


def pairs(text: str) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in parse_dialogue(text).turns]


@pytest.mark.parametrize(
    "label",
    [
        "#Person1#",
        "Dr. Osei",
        "Guest_clinician",
        "Anna (agent)",
        "USER",
        "Speaker 1",
        "Mr. & Mrs. Smith",
        "O'Brien",
        "Zoë",
        "李雷",
    ],
)
def test_labels_in_use_are_recognised(label: str) -> None:
    assert pairs(f"{label}: Good morning.\nBen: Hello: how are you?") == [
        (label, "Good morning."),
        ("Ben", "Hello: how are you?"),
    ]


def test_space_before_the_colon_and_none_after_a_hash_label() -> None:
    assert pairs("Doctor : Come in.\n#Person1#:Andrew.") == [("Doctor", "Come in."), ("#Person1#", "Andrew.")]


def test_times_before_labels_become_starts() -> None:
    dialogue = parse_dialogue("[00:12] Anna: Hi.\n(00:01:15) Ben: Hello.\n00:02:00 - Anna: Bye.")
    assert [(t.speaker, t.text, t.start) for t in dialogue.turns] == [
        ("Anna", "Hi.", 12.0),
        ("Ben", "Hello.", 75.0),
        ("Anna", "Bye.", 120.0),
    ]


def test_times_of_day_are_no_starts() -> None:
    assert [turn.start for turn in parse_dialogue("[10:15] Anna: Hi.\n[10:16] Ben: Hello.").turns] == [None, None]


@pytest.mark.parametrize(
    "line",
    [
        "https://example.org/a: see there",
        "Note: the shop closes early.",
        "We meet at 9:30 then.",
        "and then he said to all of us: run",
        "at noon: lunch",
        "No problem. Anyway. Well: fine.",
    ],
)
def test_colons_in_the_middle_of_talk_are_text(line: str) -> None:
    talk = "Anna: One.\nBen: Two.\nAnna: Three.\nBen: Four.\nAnna: Five.\n"
    dialogue = parse_dialogue(f"{talk}{line}\nBen: Six.")
    assert dialogue.speakers == ("Anna", "Ben")
    assert dialogue.turns[4].text == f"Five. {line}"


def test_a_lower_case_nickname_is_a_speaker_when_it_speaks_again() -> None:
    assert parse_dialogue("anna: a\nben: b\nanna: c\nben: d\nanna: e\nben: f").speakers == ("anna", "ben")


def test_lines_without_a_label_continue_a_turn() -> None:
    assert pairs("Anna:\nGood morning,\n\nall of you.\r\nBen: Hi.") == [
        ("Anna", "Good morning, all of you."),
        ("Ben", "Hi."),
    ]


def test_text_without_labels_is_kept_line_by_line() -> None:
    assert pairs("It rained.\n\nWe stayed in.") == [("", "It rained."), ("", "We stayed in.")]
    assert parse_dialogue(" \n\t\n").turns == ()


def test_text_comes_back() -> None:
    text = "#Person1#: Is it 9:30?\n#Person2#: Yes: it is."
    assert parse_dialogue(text).text == text
    assert str(Turn("", "no label")) == "no label"


def _lines(text: str) -> list[str]:
    return [
        " ".join(line.split()).replace("#:", "#: ").replace("#:  ", "#: ") for line in text.splitlines() if line.strip()
    ]


@pytest.mark.corpora
@pytest.mark.skipif(not (CORPORA / "dialogsum").is_dir(), reason="DIASUM_DATA has no dialogsum folder")
@pytest.mark.parametrize("split", ["dev", "test"])
def test_every_dialogsum_line_comes_back(split: str) -> None:
    with (CORPORA / f"dialogsum/dialogsum.{split}.jsonl").open(encoding="utf-8") as handle:
        texts = [json.loads(line)["dialogue"] for line in handle]
    assert len(texts) == 500
    for text in texts:
        dialogue = parse_dialogue(text)
        assert dialogue.text.split("\n") == _lines(text)
        assert all(speaker.startswith("#Person") for speaker in dialogue.speakers)


@pytest.mark.corpora
@pytest.mark.skipif(not (CORPORA / "mts_dialog").is_dir(), reason="DIASUM_DATA has no mts_dialog folder")
def test_mts_dialog_speakers_are_its_roles() -> None:
    with (CORPORA / "mts_dialog/train.csv").open(encoding="utf-8", newline="") as handle:
        texts = [row["dialogue"] for row in csv.DictReader(handle)]
    speakers = {speaker for text in texts for speaker in parse_dialogue(text).speakers}
    assert all(speaker.split("_")[0] in {"Doctor", "Docotr", "Patient", "Guest", "Gest"} for speaker in speakers), (
        speakers
    )
    assert all(" ".join(parse_dialogue(text).text.split()) == " ".join(text.split()) for text in texts)


@pytest.mark.parametrize(
    ("line", "speaker", "text", "start"),
    [
        ("Ana (10:32): Hi.", "Ana", "Hi.", None),
        ("Ana (00:32): Hi.", "Ana", "Hi.", 32.0),
        ("Ana [10:32 AM]: Hi.", "Ana", "Hi.", None),
        ("[12/05/2024, 10:32:11] Ana: Hi.", "Ana", "Hi.", None),
        ("12/05/24, 10:32\u202fAM - Ana: Hi.", "Ana", "Hi.", None),
        ("2024-05-12T10:32:14Z Ana: Hi.", "Ana", "Hi.", None),
        ("2024-05-12 00:01 Ana: Hi.", "Ana", "Hi.", None),
        ("2024-05-12T10:32:14+02:00 Ana: Hi.", "Ana", "Hi.", None),
        ("2024-05-12T00:01:14.123456-0530 Ana: Hi.", "Ana", "Hi.", None),
        ("[10:32, 12/05/2024] Ana: Hi.", "Ana", "Hi.", None),
        ("[00:01 AM, 5/12/2024] Ana: Hi.", "Ana", "Hi.", None),
        ("12/05/24, 10:32 p.\u00a0m. - Ana: Hi.", "Ana", "Hi.", None),
        ("[Ana Silva, 2024-05-12 10:32]: Hi.", "Ana Silva", "Hi.", None),
        ("[Ana, 00:32]: Hi.", "Ana", "Hi.", 32.0),
        ("12/05/24, 10:33 - \u202a+49 170 1234567\u202c: Hi.", "+49 170 1234567", "Hi.", None),
        ("+1 (555) 123\u20114567: Hi.", "+1 (555) 123\u20114567", "Hi.", None),
        ("12/05/24, 10:33 - ~\u202fMax M.: Hi.", "Max M.", "Hi.", None),
        ("~Max: Hi.", "Max", "Hi.", None),
        ("12/05/24, 10:34 - Ben left", "", "Ben left", None),
        ("[00:34] (laughter)", "", "(laughter)", 34.0),
        ("10:32 PM Ana: Hi.", "Ana", "Hi.", None),
        ("小明：你好", "小明", "你好", None),
        ("\u200fדנה\u200f: שלום", "דנה", "שלום", None),
        ("\ufeffAna: Hi.", "Ana", "Hi.", None),
        ("Ben 🎉: Hi.", "Ben 🎉", "Hi.", None),
        ("Ana: a\x00b\x07", "Ana", "a b", None),
        ("Ana: \ud800!", "Ana", "\ufffd!", None),
        ("<Ana> Hi.", "Ana", "Hi.", None),
        ("[00:32] <@ana_b> Hi.", "ana_b", "Hi.", 32.0),
        ("**Ana**: Hi.", "Ana", "Hi.", None),
        ("**Ana:** Hi.", "Ana", "Hi.", None),
        ("*Dr. Osei*: Hi.", "Dr. Osei", "Hi.", None),
        ("<v Ana Silva>Hi.</v>", "Ana Silva", "Hi.", None),
    ],
)
def test_lines_of_exports_and_odd_characters(line: str, speaker: str, text: str, start: float | None) -> None:
    assert parse_dialogue(line).turns == (Turn(speaker, text, start),)


@pytest.mark.parametrize(
    ("before", "line", "text"),
    [
        ("12/05/24, 10:33 - Ana: Hi.", "12/05/24, 10:34 - Ben left", "Ben left"),
        ("12/05/24, 10:33 - Ana: Hi.", '12/05/24, 10:34 - Ben named it "To: do"', 'Ben named it "To: do"'),
        ("(10:33:00 AM) Ana: Hi.", "(10:34:00 AM) *** Ana left the chat ***", "*** Ana left the chat ***"),
        ("10:33 Ana: Hi.", "10:34 Ben left", "Ben left"),
        ("2024-05-12 10:33 Ana: Hi.", "2024-05-12 10:34 Ben left", "Ben left"),
    ],
)
def test_a_line_with_a_time_as_messages_have_it_continues_none(before: str, line: str, text: str) -> None:
    assert pairs(f"{before}\n{line}\n{before}") == [("Ana", "Hi."), ("", text), ("Ana", "Hi.")]


@pytest.mark.parametrize("before", ["Ana: When?", "12/05/24, 10:33 - Ana: When?"])
@pytest.mark.parametrize(
    "line",
    [
        "10:30: we meet",
        "10:30 is good",
        "10:30 - 11:30 as well",
        "12/05/24, 10:30 would do",
        "12/05/24, 10:30 - 11:30 is free",
        "12/05/24 is good",
        "- 10:30 at the door",
        "+49 170 1234567 is my number",
        "~5 minutes: ok",
    ],
)
def test_times_dates_and_numbers_in_a_message_begin_no_turn(before: str, line: str) -> None:
    assert pairs(f"{before}\n{line}") == [("Ana", f"When? {line}")]


def test_whether_a_number_speaks_depends_on_the_others() -> None:
    stamped = "12/05/24, 10:33 - "
    assert parse_dialogue(f"{stamped}Ana: Call\n+49 30 1234567: front desk").speakers == ("Ana",)
    talk = "Ana: a\nBen: b\n" * 3
    assert parse_dialogue(f"{talk}+49 30 1234567: front desk").speakers == ("Ana", "Ben")
    assert parse_dialogue(f"{talk}+49 30 1234567: Hi.\n+49 30 1234567: You?").speakers[2:] == ("+49 30 1234567",)
    stamped_talk = "".join(f"{stamped}{line}\n" for line in talk.splitlines())
    assert parse_dialogue(f"{stamped_talk}{stamped}+49 30 1234567: Hi.").speakers[2:] == ("+49 30 1234567",)


@pytest.mark.parametrize(
    "line",
    ["<https://x.org> is down", "2 * 3: six", "**Important** we leave", "*: nothing", "</v> <b>Hi</b>", "a **b**: c"],
)
def test_marks_that_name_nobody(line: str) -> None:
    assert parse_dialogue(line).turns == (Turn("", line),)


@pytest.mark.parametrize(
    "text",
    [
        "Ana Silva  10:32 AM\nHi Ben.\nnote: is the room free?\nben  10:33 AM\nYes, from 11:00.\nAna Silva 10:35 AM\nThanks",
        "Ana Silva — 12/05/2024 10:32\nHi Ben.\nnote: is the room free?\n\nben — Today at 10:33\nYes, from 11:00.\n"
        "Ana Silva — 10:35\nThanks",
        "Ana Silva 10:32\nHi Ben.\nnote: is the room free?\nben [10:33]\nYes, from 11:00.\nAna Silva (10:35)\nThanks",
    ],
)
def test_messages_under_a_line_of_name_and_time(text: str) -> None:
    assert parse_dialogue(text).turns == (
        Turn("Ana Silva", "Hi Ben. note: is the room free?"),
        Turn("ben", "Yes, from 11:00."),
        Turn("Ana Silva", "Thanks"),
    )


def test_a_time_right_after_a_word_or_in_it_makes_no_header() -> None:
    text = "ticket12/05/202410:01 PM\n10:00\nAna: Hi, it is 10:30\n"
    assert "ticket" in parse_dialogue(text).text


def test_times_at_the_end_of_lines_are_no_headers() -> None:
    assert parse_dialogue("Ana: lunch is at 12:30\nBen: and dinner 18:30").speakers == ("Ana", "Ben")
    assert parse_dialogue("the bus leaves 10:32\nand the next one 10:52").speakers == ()


@pytest.mark.parametrize(
    "text",
    [
        "WEBVTT - meeting\n\nNOTE made by\na machine\n\nintro\n00:00:01.000 --> 00:00:02.500\n<v Ana>Hi Ben.</v>\n\n"
        "00:03.000 --> 00:04.000 align:start\n<v Ben>Hi.</v>\n<v Ben>At 9:30?</v>\n",
        "1\n00:00:01,000 --> 00:00:02,500\nAna: Hi Ben.\n\n2\n00:00:03,000 --> 00:00:04,000\nBen: Hi.\nBen: At 9:30?\n",
    ],
)
def test_subtitles(text: str) -> None:
    dialogue = parse_dialogue(text)
    assert dialogue.turns == (Turn("Ana", "Hi Ben.", 1, 2.5), Turn("Ben", "Hi.", 3, 4), Turn("Ben", "At 9:30?", 3, 4))
    lines = text.split("\n")
    assert ["Hi" in lines[turn.source - 1] for turn in dialogue.turns if isinstance(turn.source, int)] == [
        True,
        True,
        False,
    ]


def test_captions_that_look_like_notes_or_stand_close_are_kept() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nNOTE to self, said Ana\n00:03.000 --> 00:04.000\nBye.\n"
    assert parse_dialogue(text).text == "NOTE to self, said Ana\nBye."


@pytest.mark.parametrize("speaker", ["דנה", "أحمد", "小明"])
def test_a_name_without_cases_needs_no_second_use(speaker: str) -> None:
    lines = ["Ana: a", "Ben: b"] * 5 + [f"{speaker}: c"]
    assert parse_dialogue("\n".join(lines)).speakers == ("Ana", "Ben", speaker)


def test_a_turn_lasts_until_its_last_caption_ends_also_late_in_a_recording() -> None:
    text = "1\n01:00:01,000 --> 01:00:02,500\nAna: Hi\n\n2\n01:00:03,000 --> 01:00:04,000\nBen.\n"
    assert parse_dialogue(text).turns == (Turn("Ana", "Hi Ben.", 3601, 3604),)


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("\n\nAna: Hi.\nyou\n\nBen: Yo.", [3, 6]),
        ("Ana: a\r\nBen: b\rAna: c\nBen: d", [1, 2, 3, 4]),
        ("Ana: a\u2028Ben: b\nAna: c", [1, 1, 2]),
        ("Ana Silva 10:32\nHi Ben.\n\nben [10:33]\nYes.\nAna Silva (10:35)\nThanks", [1, 4, 6]),
        ("12/05/24, 10:33 - Ana: Hi.\n12/05/24, 10:34 - Ben left\n\n12/05/24, 10:35 - Ana: So?", [1, 2, 4]),
        ("no label\n\nnone here", [1, 3]),
        ("[10:15] Anna: Hi.\n[10:16] Ben: Hello.", [1, 2]),
    ],
)
def test_turns_know_their_lines(text: str, sources: list[int]) -> None:
    assert [turn.source for turn in parse_dialogue(text).turns] == sources


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-12 10:33 Ana: Hi\nline two: more\n2024-05-12 10:35 Ben: ok", ["Hi line two: more", "ok"]),
        ("[10:15] Ana: Hi\nline two: more\n[10:16] Ben: ok", ["Hi line two: more", "ok"]),
        ("2016-06-27, 8:04:08 AM: Neil: Hi", ["Hi"]),
        ("[00:00] Ana: Hi\nBen: Yo\nAna: So?\n[05:00] Ben: Well.", ["Hi", "Yo", "So?", "Well."]),
    ],
)
def test_where_lines_carry_times_one_without_continues_a_turn(text: str, expected: list[str]) -> None:
    assert [turn.text for turn in parse_dialogue(text).turns] == expected
    assert parse_dialogue(text).turns[0].speaker in ("Ana", "Neil")
