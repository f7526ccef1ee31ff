"""What is written in a format is read back turn for turn, whatever is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diasum.dialogue.formats.whatsapp_texts import classified, notice_of
from diasum.dialogue.text import one_line
from tests.dialogue.formats.reading import read, turns

Talk = list[tuple[str, str]]
NAMES = ("Ana", "Ben Roth", "Cy", "Dr. Osei", "Łukasz", "小明", "دنا", "Zoë M", "Ben 🎉")
BEGAN = datetime(2024, 5, 13, 22, 30)

# Letters, digits, punctuation, symbols and spaces of all scripts
words = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40).filter(one_line)
words = words.filter(
    lambda text: (
        notice_of(f"Ana: {text}", named=True) is None and classified(text, frozenset(), marked=False)[1:] == (None, ())
    )
)
lines = st.lists(words, min_size=1, max_size=3).map("\n".join)


NAMED = st.sampled_from(NAMES)


def talks(texts: st.SearchStrategy[str], names: st.SearchStrategy[str] = NAMED) -> st.SearchStrategy[Talk]:
    return st.lists(st.tuples(names, texts), min_size=1, max_size=8)


def times(talk: Talk) -> list[datetime]:
    return [BEGAN + timedelta(minutes=17 * i) for i in range(len(talk))]


def android(talk: Talk) -> str:
    return "".join(
        f"{time:%d/%m/%y, %H:%M} - {name}: {text}\n" for time, (name, text) in zip(times(talk), talk, strict=True)
    )


def iphone(talk: Talk) -> str:
    stamps = (f"{time:%d.%m.%y, %I:%M:%S}\u202f{'PM' if time.hour > 11 else 'AM'}" for time in times(talk))
    return "".join(f"[{stamp}] {name}: {text}\r\n" for stamp, (name, text) in zip(stamps, talk, strict=True))


def arabic(talk: Talk) -> str:
    digits = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    stamps = (f"{time:%d/%m/%Y، %H:%M}".translate(digits) for time in times(talk))
    return "".join(f"\u200f{stamp} - {name}: {text}\n" for stamp, (name, text) in zip(stamps, talk, strict=True))


def slack(talk: Talk) -> str:
    escaped = [text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for _, text in talk]
    records = [
        {
            "type": "message",
            "user": name,
            "user_profile": {"real_name": name},
            "text": text,
            "ts": f"{1715500000 + i}.000{i}00",
        }
        for i, ((name, _), text) in enumerate(zip(talk, escaped, strict=True))
    ]
    return json.dumps(records) + "\n"


def telegram(talk: Talk) -> str:
    messages = [
        {
            "id": i, "type": "message", "date": time.isoformat(), "from": name, "from_id": "u",
            "text": [text[: i % 5], {"type": "bold", "text": text[i % 5 :]}],
        }
        for i, (time, (name, text)) in enumerate(zip(times(talk), talk, strict=True))
    ]  # fmt: skip
    return json.dumps({"name": "x", "type": "private_group", "id": 1, "messages": messages}, indent=1) + "\n"


def discord(talk: Talk) -> str:
    messages = [
        {
            "id": str(i),
            "type": "Default",
            "timestamp": time.isoformat(),
            "content": text,
            "author": {"id": "1", "name": "x", "nickname": name},
        }
        for i, (time, (name, text)) in enumerate(zip(times(talk), talk, strict=True))
    ]
    return json.dumps({"guild": {}, "channel": {"name": "x"}, "messages": messages}) + "\n"


def znc(talk: Talk) -> str:
    return "".join(f"[{time:%H:%M:%S}] <{name}> {text}\n" for time, (name, text) in zip(times(talk), talk, strict=True))


def weechat(talk: Talk) -> str:
    return "".join(f"{time}\t@{name}\t{text}\n" for time, (name, text) in zip(times(talk), talk, strict=True))


def line(talk: Talk) -> str:
    rendered = "[LINE] Chat history with Ana\nSaved on: 2024/05/14 12:00\n"
    day = ""
    for time, (name, text) in zip(times(talk), talk, strict=True):
        if day != f"{time:%Y/%m/%d(%a)}":
            day = f"{time:%Y/%m/%d(%a)}"
            rendered += f"\n{day}\n"
        quoted = '"' + text.replace('"', '""') + '"' if "\n" in text else text
        rendered += f"{time:%H:%M}\t{name}\t{quoted}\n"
    return rendered


def plain(talk: Talk) -> str:
    return "".join(f"{name}: {text}\n" for name, text in talk) + "\n"


LINED: list[tuple[str, Callable[[Talk], str]]] = [
    *(("whatsapp", android), ("whatsapp", iphone), ("whatsapp", arabic), ("slack", slack), ("telegram", telegram)),
    *(("discord", discord), ("line", line)),
]
nicks = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)


def check(format_: str, render: Callable[[Talk], str], talk: Talk) -> None:
    one = read(render(talk), format=format_)
    assert turns(one) == [(name, one_line(text)) for name, text in talk]
    assert not one.left_out or (format_ == "line" and one.left_out == {"notice": 2}), "its title and when it was saved"
    assert not one.notes
    if one.dialogue.turns[-1].start is not None and format_ != "slack":
        assert one.dialogue.turns[-1].start == 17 * 60 * (len(talk) - 1)


@pytest.mark.parametrize(("format_", "render"), LINED, ids=lambda value: getattr(value, "__name__", value))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_messages_of_several_lines_come_back(format_: str, render: Callable[[Talk], str], data: st.DataObject) -> None:
    check(format_, render, data.draw(talks(lines)))


@pytest.mark.parametrize("render", [znc, weechat])
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_lines_of_logs_come_back(render: Callable[[Talk], str], data: st.DataObject) -> None:
    check("irc", render, data.draw(talks(words, nicks)))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(talk=talks(st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=1, max_size=30)))
def test_plain_lines_come_back(talk: Talk) -> None:
    check("plain", plain, talk)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(talk=st.lists(st.tuples(st.sampled_from(NAMES), lines), min_size=3, max_size=8))
def test_the_content_shows_its_format(talk: Talk) -> None:
    for format_, render in LINED:
        assert read(render(talk)).format == format_


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(talk=talks(lines), encoding=st.sampled_from(["utf-8-sig", "utf-16"]))
def test_any_encoding_comes_back(talk: Talk, encoding: str) -> None:
    assert turns(read(android(talk).encode(encoding))) == [(name, one_line(text)) for name, text in talk]
