"""WebVTT, SubRip and SBV: voices, labels, rolling captions, sounds, and what is neither."""

from __future__ import annotations

import io

import pytest
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from diasum.dialogue import parse_dialogue
from tests.dialogue.formats.reading import FIXTURES, read, turns

HEAD = "WEBVTT\n\n"


def test_teams_keeps_voices_over_lines_and_resolves_entities() -> None:
    one = read("subtitles/teams.vtt")
    assert turns(one) == [
        ("Ana Li", "Good morning, can everybody hear me?"),
        ("Ben O'Dell (Guest)", "Yes. Q&A first?"),
        ("Ana Li", "I would rather start with the budget because it is the longest."),
        ("Ben O'Dell (Guest)", "10:30 Meeting: is on."),
        ("Ana Li", "Good."),
    ]
    assert one.reason == "WebVTT subtitles with voices"
    assert [(turn.start, turn.end) for turn in one.dialogue.turns][1:3] == [(6, 7.2), (7.9, 11)]
    lines = (FIXTURES / "subtitles/teams.vtt").read_text(encoding="utf-8").split("\n")
    assert [lines[int(str(turn.source)) - 1][-6:] for turn in one.dialogue.turns] == [
        "rybody",
        "t?</v>",
        "it</v>",
        "n.</v>",
        "d.</v>",
    ]


def test_zoom_writes_names_before_what_is_said() -> None:
    one = read("subtitles/zoom.vtt")
    assert turns(one) == [
        ("Ana Li", "Hello, this is the weekly call."),
        ("Ben Ode", "Hi Ana. One note: I must leave at 10:30. The slides are in the folder."),
        ("Ana Li", "Thanks."),
    ]
    assert one.reason == "WebVTT subtitles with names"


def test_what_youtube_shows_twice_is_said_once() -> None:
    one = read("subtitles/youtube.vtt")
    assert turns(one) == [("", "hello and welcome to the show"), ("", "no no")]
    assert one.left_out == {"sound": 1}
    assert one.reason == "WebVTT subtitles that roll, each line once"
    assert "No speaker was found" in one.notes[0]
    assert [text for _, text in turns(read("subtitles/youtube.srt"))] == [
        "Hello and welcome.",
        "Today we bake.",
        "Take two eggs.",
        "No. No.",
        "Three eggs & milk.",
    ]


def test_captions_that_do_not_roll_may_say_a_thing_twice() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nNo.\n\n2\n00:00:02,000 --> 00:00:03,000\nNo.\n"
    assert turns(read(text)) == [("", "No."), ("", "No.")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "meet_chat.sbv",
            [
                ("Ana Li", "Here is the link: https://example.org/plan"),
                ("Ben Ode", "Thanks!"),
                ("Ana Li", "10:30 works"),
            ],
        ),
        ("whisperx.srt", [("SPEAKER_00", "Did you call them?"), ("SPEAKER_01", "Not yet.")]),
        (
            "broadcast.srt",
            [
                ("ANA", "Where were you? And who is he?"),
                ("BEN", "I <3 trains, Ana."),
                ("ANA", "Wait."),
                ("BEN", "Bye."),
            ],
        ),
        (
            "dashes.srt",
            [("", "Where were you?"), ("", "At the station, waiting."), ("", "And nobody came?")],
        ),
    ],
)
def test_other_writers(name: str, expected: list[tuple[str, str]]) -> None:
    one = read(f"subtitles/{name}")
    assert turns(one) == expected
    assert one.format == "subtitles"


@pytest.mark.parametrize(
    ("cue", "expected"),
    [
        ("<v John>Hello.\nHow are you?</v>", [("John", "Hello. How are you?")]),
        ("<v.loud.first Ana\tLi>Tom &amp; I &lt;3 it&nbsp;all.", [("Ana Li", "Tom & I <3 it all.")]),
        ("<v Ana>Hi.</v>\n<v Ben>Ho.</v>", [("Ana", "Hi."), ("Ben", "Ho.")]),
        ("<v Ana>Hi.</v> <v Ben>Ho.</v>", [("Ana", "Hi."), ("Ben", "Ho.")]),
        ("<v Ana\nLi>Hi.", [("Ana Li", "Hi.")]),
        ("10:30 Meeting: is on", [("", "10:30 Meeting: is on")]),
        ("The thing is: we are late", [("", "The thing is: we are late")]),
        ("<c.yellow><i>Hello</i></c> <00:00:01.500>there", [("", "Hello there")]),
        ("if a < b then b > a", [("", "if a < b then b > a")]),
        ("NOTE to self", [("", "NOTE to self")]),
    ],
)
def test_cue_texts(cue: str, expected: list[tuple[str, str]]) -> None:
    text = f"{HEAD}1\n00:01.000 --> 00:02.000\n{cue}\n"
    assert turns(read(text)) == expected
    assert [(turn.speaker, turn.text) for turn in parse_dialogue(text).turns] == expected  # as in a table's cell


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}00:01.000 --> 00:02.000\nHi.\n\nStill the same caption.\n",  # a blank line inside a caption
        f"{HEAD}00:01.000-->00:02.000\nHi.\n00:02.000 --> 00:03.000\nStill the same caption.\n",
        "1\n00:00:01,000 --> 00:00:02,000\nHi.\n2\n00:00:02,000 --> 00:00:03,000\nStill the same caption.\n",
        "\ufeffWEBVTT\r\n\r\n00:01.000 --> 00:02.000 line:0\r\nHi.\r\n \r\n2\r\n00:02.000 --> 00:03.000\r\nStill the same caption.\r\n",
    ],
)
def test_nothing_that_is_said_is_lost_where_the_file_is_odd(text: str) -> None:
    assert " ".join(words for _, words in turns(read(text))) == "Hi. Still the same caption."


def test_headers_notes_and_styles_are_no_speech() -> None:
    text = (
        "WEBVTT - Weekly\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:fred\n\n"
        "NOTE\nconfidence: 0.8\n\nintro\n00:01.000 --> 00:02.000\nHi.\n\nNOTE the end\n"
    )
    assert turns(read(text)) == [("", "Hi.")]


def test_words_above_the_first_caption_are_kept() -> None:
    assert turns(read("Weekly call\n\n00:01.000 --> 00:02.000\nHi.\n")) == [("", "Weekly call"), ("", "Hi.")]


def test_sounds_are_kept_on_request() -> None:
    one = read("subtitles/broadcast.srt", keep_nonspeech=True)
    assert ("", "(DOOR SLAMS)") in turns(one) or ("BEN", "(DOOR SLAMS)") in turns(one)


@pytest.mark.parametrize("name", ["teams.vtt", "zoom.vtt", "broadcast.srt", "whisperx.srt", "meet_chat.sbv"])
def test_times_and_words_are_those_of_another_reader(name: str) -> None:
    text = (FIXTURES / "subtitles" / name).read_text(encoding="utf-8")
    captions = webvtt.from_buffer(io.StringIO(text), format=name.rpartition(".")[2])
    one = read(f"subtitles/{name}", keep_nonspeech=True)
    starts = {caption.start_time.in_milliseconds() / 1000 for caption in captions}
    assert {turn.start for turn in one.dialogue.turns} <= starts
    words = " ".join(turn.text for turn in one.dialogue.turns)
    for caption in captions:
        last = caption.text.replace("&amp;", "&").split("\n")[-1]
        assert last.rpartition(": ")[2] in words


_NAMES = st.lists(
    st.sampled_from(["Ana", "Ben Ode", "Dr. Çelik", "李明", "Ólafur-Jón", "Speaker 3"]), min_size=1, max_size=12
)
_SPEECH = st.from_regex(r"[A-ZÄЖ][\w ,<>&'\"?!-]{0,60}\.", fullmatch=True).map(lambda text: " ".join(text.split()))


@settings(max_examples=150, deadline=None)
@given(names=_NAMES, texts=st.lists(_SPEECH, min_size=12, max_size=12))
def test_what_is_written_with_voices_is_read_back(names: list[str], texts: list[str]) -> None:
    expected = list(zip(names, texts, strict=False))
    cues = [
        f"{i}\n00:{i:02}:01.000 --> 00:{i:02}:03.250\n<v {name}>{_escaped(text)}</v>\n"
        for i, (name, text) in enumerate(expected)
    ]
    one = read(HEAD + "\n".join(cues))
    assert turns(one) == expected
    assert [(turn.start, turn.end) for turn in one.dialogue.turns] == [
        (60 * i + 1, 60 * i + 3.25) for i in range(len(expected))
    ]


@settings(max_examples=150, deadline=None)
@given(names=_NAMES, texts=st.lists(_SPEECH, min_size=12, max_size=12))
def test_what_is_written_with_names_is_read_back(names: list[str], texts: list[str]) -> None:
    expected = list(zip(names, texts, strict=False))
    cues = [
        f"{i}\n00:{i:02}:01,000 --> 00:{i:02}:03,250\n{name}: {_escaped(text)}\n"
        for i, (name, text) in enumerate(expected, 1)
    ]
    assert turns(read("\n".join(cues))) == expected


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_words_in_the_line_of_the_times_are_kept_and_settings_are_not() -> None:
    text = (
        "WEBVTT\n\n00:01.000 --> 00:02.000 Ana: Hello there\n\n00:02.000 --> 00:03.000 Ben: Hi\nall\n\n"
        "00:03.000 --> 00:04.000 align:start position:0%,line-left\nAna: Ho\n"
    )
    assert turns(read(text)) == [("Ana", "Hello there"), ("Ben", "Hi all"), ("Ana", "Ho")]
