"""JSON of speech recognisers, with and without speakers."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diasum.errors import DiasumError
from tests.dialogue.formats.reading import read, turns

WHISPER = {
    "seek": 0,
    "tokens": [1, 2],
    "temperature": 0.0,
    "avg_logprob": -0.2,
    "compression_ratio": 1.1,
    "no_speech_prob": 0.0,
}


def segments(*parts: tuple[float, float, str], **more: Any) -> list[dict[str, Any]]:
    return [{"id": i, "start": start, "end": end, "text": text, **more} for i, (start, end, text) in enumerate(parts)]


def as_json(tree: Any) -> bytes:
    return json.dumps(tree).encode()


TWO = [(0.0, 2.5, " Did you call them?"), (2.6, 4.0, " Not yet.")]
SPOKEN = ["Did you call them?", "Not yet."]
WORDS = [
    {
        "text": text,
        "punctuated_word": text,
        "word": text.strip("?.").lower(),
        "start": start,
        "end": end,
        "confidence": 0.9,
    }
    for text, start, end in [
        ("Did", 0.0, 0.2),
        ("you", 0.2, 0.4),
        ("call", 0.4, 0.8),
        ("them?", 0.8, 2.5),
        ("Not", 2.6, 3.0),
        ("yet.", 3.0, 4.0),
    ]
]


def told_apart(words: list[dict[str, Any]], names: list[Any], times: float = 1) -> list[dict[str, Any]]:
    return [
        word | {"speaker": names[i > 3], "start": word["start"] * times, "end": word["end"] * times}
        for i, word in enumerate(words)
    ]


def assembly(**more: Any) -> dict[str, Any]:
    return {
        "id": "x",
        "audio_url": "https://example.org/a.mp3",
        "status": "completed",
        "text": " ".join(SPOKEN),
        **more,
    }


def deepgram(alternative: dict[str, Any], **more: Any) -> dict[str, Any]:
    channel = {"alternatives": [{"transcript": " ".join(SPOKEN), "confidence": 0.9, **alternative}]}
    return {"metadata": {"request_id": "x", "channels": 1}, "results": {"channels": [channel], **more}}


UTTERANCES = [
    {"speaker": "A", "text": "Did you call them?", "start": 0, "end": 2500, "confidence": 0.9},
    {"speaker": "B", "text": "Not yet.", "start": 2600, "end": 4000, "confidence": 0.9},
]
CPP = {"systeminfo": "AVX2 = 1", "model": {"type": "base"}, "params": {"language": "en"}, "result": {"language": "en"}}


def cpp(*parts: dict[str, Any]) -> dict[str, Any]:
    times = [(0, 2500), (2600, 4000)]
    return CPP | {
        "transcription": [
            {
                "timestamps": {"from": "00:00:00,000", "to": "00:00:02,500"},
                "offsets": {"from": start, "to": end},
                **part,
            }
            for (start, end), part in zip(times, parts, strict=True)
        ]
    }


@pytest.mark.parametrize(
    ("tree", "format_", "reason", "speakers"),
    [
        ({"text": "...", "segments": segments(*TWO, **WHISPER), "language": "en"}, "whisper", "Whisper JSON", ["", ""]),
        (
            {"task": "transcribe", "duration": 4, "text": "", "segments": segments(*TWO)},
            "whisper",
            "Whisper JSON",
            ["", ""],
        ),
        (
            {
                "segments": [s | {"words": [], "speaker": f"SPEAKER_0{i}"} for i, s in enumerate(segments(*TWO))],
                "word_segments": [],
            },
            "whisper",
            "WhisperX JSON",
            ["SPEAKER_00", "SPEAKER_01"],
        ),
        (
            {"segments": [s | {"words": []} for s in segments(*TWO)], "word_segments": []},
            "whisper",
            "WhisperX JSON",
            ["", ""],
        ),
        (cpp({"text": " Did you call them?"}, {"text": " Not yet."}), "whisper", "whisper.cpp JSON", ["", ""]),
        (
            cpp({"text": " Did you call them?", "speaker": "0"}, {"text": " Not yet.", "speaker": "1"}),
            "whisper",
            "whisper.cpp JSON",
            ["Speaker 0", "Speaker 1"],
        ),
        (
            cpp({"text": "(speaker 0) Did you call them?"}, {"text": "(speaker ?) Not yet."}),
            "whisper",
            "whisper.cpp JSON",
            ["Speaker 0", ""],
        ),
        (segments(*TWO, **WHISPER), "whisper", "faster-whisper JSON", ["", ""]),
        (
            [[i, 0, start, end, text, [1, 2], -0.2, 1.1, 0.0, None] for i, (start, end, text) in enumerate(TWO, 1)],
            "whisper",
            "faster-whisper JSON",
            ["", ""],
        ),
        (
            {"text": "", "chunks": [{"timestamp": [start, end], "text": text} for start, end, text in TWO]},
            "whisper",
            "JSON of transformers' speech recognition",
            ["", ""],
        ),
        (assembly(utterances=UTTERANCES), "assemblyai", "AssemblyAI transcript", ["Speaker A", "Speaker B"]),
        ({"utterances": UTTERANCES}, "assemblyai", "AssemblyAI transcript", ["Speaker A", "Speaker B"]),
        (
            assembly(utterances=None, words=told_apart(WORDS, [None, None], 1000)),
            "assemblyai",
            "AssemblyAI transcript",
            ["", ""],
        ),
        (
            assembly(words=told_apart(WORDS, ["A", "B"], 1000)),
            "assemblyai",
            "AssemblyAI transcript",
            ["Speaker A", "Speaker B"],
        ),
        (deepgram({"words": WORDS}), "deepgram", "Deepgram transcript", ["", ""]),
        (deepgram({"words": told_apart(WORDS, [0, 1])}), "deepgram", "Deepgram transcript", ["Speaker 0", "Speaker 1"]),
        (
            deepgram(
                {
                    "paragraphs": {
                        "paragraphs": [
                            {"sentences": [{"text": SPOKEN[0]}], "speaker": 0, "start": 0, "end": 2.5},
                            {"sentences": [{"text": SPOKEN[1]}], "speaker": 1, "start": 2.6, "end": 4},
                        ]
                    }
                }
            ),
            "deepgram",
            "Deepgram transcript",
            ["Speaker 0", "Speaker 1"],
        ),
        (
            deepgram(
                {},
                utterances=[
                    {"start": 0, "end": 2.5, "channel": 0, "transcript": SPOKEN[0], "speaker": 0},
                    {"start": 2.6, "end": 4, "channel": 0, "transcript": SPOKEN[1], "speaker": 1},
                ],
            ),
            "deepgram",
            "Deepgram transcript",
            ["Speaker 0", "Speaker 1"],
        ),
    ],
)
def test_variants(tree: Any, format_: str, reason: str, speakers: list[str]) -> None:
    one = read(as_json(tree))
    assert turns(one) == list(zip(speakers, SPOKEN, strict=True))
    assert one.format == format_
    assert one.reason == f"{reason} {'with' if any(speakers) else 'without'} speakers"
    assert [(turn.start, turn.end) for turn in one.dialogue.turns] == [(0, 2.5), (2.6, 4)]
    assert bool(one.notes) is not any(speakers)  # where no speaker is found, it is said


def test_one_segment_without_speaker_is_read_beside_others() -> None:
    parts = [s | {"words": [], "speaker": "SPEAKER_00"} for s in segments(*TWO, (5, 6, " Bye."))]
    del parts[1]["speaker"]
    one = read(as_json({"segments": parts, "word_segments": []}))
    assert turns(one) == [("SPEAKER_00", "Did you call them?"), ("", "Not yet."), ("SPEAKER_00", "Bye.")]
    parts[1]["words"] = [{"word": "Not", "speaker": "SPEAKER_01"}, {"word": "yet."}]
    assert read(as_json({"segments": parts, "word_segments": []})).dialogue.speakers == ("SPEAKER_00", "SPEAKER_01")


def test_channels_of_deepgram_are_speakers() -> None:
    tree = deepgram({"words": WORDS[4:]})
    tree["results"]["channels"].append({"alternatives": [{"transcript": SPOKEN[0], "words": WORDS[:4]}]})
    assert turns(read(as_json(tree))) == [("Channel 1", SPOKEN[0]), ("Channel 0", SPOKEN[1])]


def test_segments_that_break_a_sentence_are_one_turn_and_sounds_are_left_out() -> None:
    one = read(
        as_json(
            {"text": "", "segments": segments((0, 1, " I think"), (1, 2, " we go."), (2, 3, " [Music]"), **WHISPER)}
        )
    )
    assert turns(one) == [("", "I think we go.")]
    assert one.left_out == {"sound": 1}


def test_a_transcript_longer_than_the_beginning_that_is_looked_at() -> None:
    text = "We talk and talk. " * 5000
    one = read(as_json({"text": text, "segments": segments(*TWO, **WHISPER)}))
    assert [words for _, words in turns(one)] == SPOKEN


@pytest.mark.parametrize(
    ("tree", "complaint"),
    [
        (assembly(status="error", error="Download failed", text=None), "status `error`, Download failed"),
        (assembly(status="processing", text=None), "status `processing`"),
        (assembly(text=None), "no transcript was found"),
        ({"metadata": {}, "results": {"channels": []}}, "no transcript was found"),
    ],
)
def test_what_holds_no_transcript_is_refused(tree: dict[str, Any], complaint: str) -> None:
    with pytest.raises(DiasumError, match=complaint):
        read(as_json(tree))


def test_a_transcript_that_is_cut_off_is_refused() -> None:
    with pytest.raises(DiasumError, match="not valid JSON"):
        read(as_json({"text": "...", "segments": segments(*TWO, **WHISPER)})[:-20])


_KEYS = ["text", "start", "end", "speaker", "words", "timestamp", "offsets", "sentences"]
_ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    odd=st.dictionaries(
        st.sampled_from(["text", "start", "end", "speaker", "words", "timestamp", "offsets", "sentences"]), _ODD
    ),
    format_=st.sampled_from(["whisper", "assemblyai", "deepgram"]),
)
def test_odd_values_are_read_or_refused(odd: dict[str, Any], format_: str) -> None:
    items = [odd, 5, None]
    tree = {
        "segments": items,
        "transcription": items,
        "chunks": items,
        "utterances": items,
        "words": items,
        "results": {
            "utterances": items,
            "channels": [{"alternatives": [{"words": items, "paragraphs": {"paragraphs": items}}]}],
        },
    }
    with contextlib.suppress(DiasumError):
        read(as_json(tree), format=format_)


@settings(max_examples=100, deadline=None)
@given(
    talk=st.lists(
        st.tuples(
            st.sampled_from(["SPEAKER_00", "SPEAKER_01", "Ana"]),
            st.from_regex(r"[A-ZÄ]\w[\w ,:?!]{0,40}\.", fullmatch=True),
        ),
        min_size=1,
        max_size=9,
    )
)
def test_what_is_written_is_read_back(talk: list[tuple[str, str]]) -> None:
    parts = [
        {"start": float(i), "end": i + 0.5, "text": f" {text}", "speaker": name} for i, (name, text) in enumerate(talk)
    ]
    expected = [(name, " ".join(text.split())) for name, text in talk]
    assert turns(read(as_json({"segments": parts, "word_segments": []}))) == expected


def test_marks_of_whisper_cpp_where_somebody_else_goes_on_are_no_words() -> None:
    one = read(json.dumps(cpp({"text": " Did you? [SPEAKER_TURN]"}, {"text": " Not yet."})).encode())
    assert [text for _, text in turns(one)] == ["Did you?", "Not yet."]
