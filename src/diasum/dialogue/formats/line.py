"""LINE's exported chats ([LINE] Chat with Ana.txt), of telephones and of the desktop.

    [LINE] Chat history with Ana
    Saved on: 2024/05/12 12:00

    2024/05/12(Sun)  or  Sun, 05/12/2024  or  2024.05.12 Sunday
    10:32<TAB>Ana<TAB>Hi                        columns with tabs; a text of several lines stands in quotes
    10:32 Ana Hi                                the desktop's, with spaces

https://help.line.me/line/?contentId=20007388 (saving a chat history).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from diasum.dialogue.formats.head import Evidence, Head, Strength
from diasum.dialogue.formats.messages import Conversation, Message
from diasum.dialogue.formats.source import Source
from diasum.dialogue.stamps import as_written, plain

_TITLE = re.compile(r"^\[LINE\]")
_SAVED = re.compile(r"^(?:saved on|保存日時|儲存日期|저장한 날짜|บันทึกเมื่อ|tanggal disimpan) ?[:：]", re.I)
_DAY = re.compile(
    r"^(?:[^\W\d]{2,9}[.,]?(?: ,|,)? )?(?P<a>\d{1,4})[/.\-](?P<b>\d{1,2})[/.\-](?P<c>\d{1,4})(?: ?[(（].{1,9}[)）]|,? [^\W\d]{1,12}\.?)?$"
)
_CLOCK = r"(?P<before>(?:[AaPp][Mm]|[^\W\d_a-zA-Z]{2,4}) ?)?(?P<hour>\d{1,2}):(?P<minute>\d{2}) ?(?P<after>[AaPp][Mm])?"
_TABBED = re.compile(rf"^{_CLOCK}\t(?P<rest>.*)$", re.S)
_SPACED = re.compile(rf"^{_CLOCK} (?P<rest>\S.*)$", re.S)
_AFTERNOON = re.compile(r"pm|午後|下午|오후|晚上", re.I)
_MEDIA = re.compile(
    r"\[?(?:photo|photos|video|voice message|file|album|image|写真|動画|ボイスメッセージ|ファイル|アルバム|圖片|照片|影片|語音訊息|檔案|"
    r"사진|동영상|음성메시지|파일|รูป|วิดีโอ|foto)\]?",
    re.I,
)
_STICKER = re.compile(r"\[?(?:sticker|stickers|emoji|スタンプ|貼圖|스티커|สติกเกอร์|stiker)\]?", re.I)
_CALL = re.compile(
    r"(?:☎ ?)?(?:missed call|cancell?ed call|no answer|call time|group call|不在着信|通話時間|応答なし|キャンセル|未接來電|"
    r"부재중 통화|통화 시간).{0,20}",
    re.I,
)
_DELETED = re.compile(
    r".{0,40}(?:unsent a message|メッセージの送信を取り消しました|收回訊息|已收回訊息|메시지를 (?:삭제|취소)했습니다).{0,3}",
    re.I,
)
_JOIN = re.compile(
    r"(?:joined|left|added|invited|removed|参加|退出|退会|招待|追加|削除|加入|離開|邀請|참여|초대|나갔)", re.I
)
_LOCATION = re.compile(r"\[?(?:location|位置情報|位置訊息|위치)\]?", re.I)
_CONTACT = re.compile(r"\[?(?:contact|連絡先|聯絡資訊|연락처)\]?", re.I)


def recognises(head: Head) -> Evidence | None:
    """By the title that LINE writes, or by days above lines with a clock and tabs."""
    if head.members or not head.lines:
        return None
    if _TITLE.match(plain(head.lines[0])):
        return Evidence(Strength.CERTAIN, "LINE export")
    lines = [plain(line) for line in head.text.splitlines()[:200]]
    days = sum(_DAY.match(line.strip()) is not None for line in lines)
    tabbed = sum((match := _TABBED.match(line)) is not None and "\t" in match["rest"] for line in lines)
    return (
        Evidence(Strength.LIKELY, "LINE export")
        if days and tabbed and 2 * tabbed >= sum(map(bool, lines)) - days
        else None
    )


def read(source: Source) -> Iterator[Conversation]:
    """The one chat of the file."""
    yield Conversation(_messages(source, _form(source)), source.where, source.stem)


@dataclass(frozen=True, slots=True)
class _Form:
    """How a file separates its columns, its senders where spaces do, and whether months come before days."""

    tabs: bool
    months_first: bool
    names: frozenset[str]

    def split(self, text: str) -> tuple[str, str]:
        """Sender and words; no sender where there is but one column."""
        if self.tabs:
            name, mark, words = text.partition("\t")
            return (name, words) if mark else ("", text)
        parts = text.split(" ")
        for count in (3, 2, 1):
            if len(parts) > count and " ".join(parts[:count]) in self.names:
                return " ".join(parts[:count]), " ".join(parts[count:])
        return "", text


def _names(beginnings: Counter[str]) -> frozenset[str]:
    """Senders, where only spaces stand between them and their words: what messages begin with again and again, if it is always the same."""
    names = set()
    for beginning in [text for text in beginnings if " " not in text]:
        name = beginning
        while longer := [
            text for text in beginnings if text.startswith(f"{name} ") and text.count(" ") == name.count(" ") + 1
        ]:
            if len(longer) > 1 or beginnings[longer[0]] < max(2, beginnings[name]):
                break
            name = longer[0]
        names.add(name)
    return frozenset(names)


def _form(source: Source) -> _Form:
    tabbed = spaced = 0
    months_first = days_first = False
    beginnings: Counter[str] = Counter()
    for _, line in source.lines():
        text = plain(line)
        tabbed += _TABBED.match(text) is not None
        if match := _SPACED.match(text):
            spaced += 1
            words = match["rest"].split(" ")
            for count in range(1, min(len(words), 4)) if len(beginnings) < 10_000 else ():
                beginnings[" ".join(words[:count])] += 1
        if day := _DAY.match(text.strip()):
            months_first = months_first or (len(day["c"]) == 4 and int(day["b"]) > 12)
            days_first = days_first or (len(day["c"]) == 4 and int(day["a"]) > 12)
    tabs = tabbed > 0 and tabbed >= spaced
    return _Form(tabs, months_first or not days_first, frozenset() if tabs else _names(beginnings))


def _messages(source: Source, form: _Form) -> Iterator[Message]:
    day: date | None = None
    begun: _Begun | None = None
    pattern = _TABBED if form.tabs else _SPACED
    for number, line in source.lines():
        text = plain(line)
        quoted = begun is not None and begun.open
        match = pattern.match(text)
        heading = _DAY.match(text.strip()) if not quoted else None
        if match is None and heading is None:
            if begun is not None:
                begun.go_on(line)
            elif text.strip():
                header = _TITLE.match(text) or _SAVED.match(text.strip())
                yield Message("", line, "notice" if header else None, source=number)
            continue
        if begun is not None:
            yield begun.message(form)
            begun = None
        if heading is not None:
            day = _day_of(heading, form)
        elif match is not None:
            begun = _Begun(_time_of(match, day), [as_written(line, match.start("rest"))], number)
    if begun is not None:
        yield begun.message(form)


@dataclass(slots=True)
class _Begun:
    """A message while its lines are read."""

    time: datetime | None
    lines: list[str]
    number: int

    quotes: int = 0

    def __post_init__(self) -> None:
        words = self.lines[0].partition("\t")[2]
        self.quotes = words.count('"') if words.startswith('"') else 0

    def go_on(self, line: str) -> None:
        """Take another line of the message."""
        self.lines.append(line)
        if self.quotes:
            self.quotes += line.count('"')

    @property
    def open(self) -> bool:
        """Whether it is in quotes that are not closed yet, as texts of several lines are."""
        return self.quotes % 2 == 1

    def message(self, form: _Form) -> Message:
        whole = "\n".join(self.lines).rstrip("\n")
        name, text = form.split(whole)
        if form.tabs and text.startswith('"') and text.rstrip().endswith('"') and "\n" in text:
            text = text.strip()[1:-1].replace('""', '"')
        kind = _kind(text if name else whole, bool(name))
        return Message(name if kind not in ("join", "notice") else "", text, kind, self.time, source=self.number)


def _kind(text: str, named: bool) -> str | None:
    seen = text.strip()
    for pattern, kind in (
        *((_MEDIA, "media"), (_STICKER, "sticker"), (_CALL, "call"), (_DELETED, "deleted")),
        *((_LOCATION, "location"), (_CONTACT, "contact")),
    ):
        if pattern.fullmatch(seen):
            return kind
    if not seen:
        return "empty"
    return None if named else "join" if _JOIN.search(seen) else "notice"


def _day_of(match: re.Match[str], form: _Form) -> date | None:
    a, b, c = (int(match[name]) for name in "abc")
    year, month, day = (a, b, c) if a > 31 else (c, a, b) if form.months_first else (c, b, a)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _time_of(match: re.Match[str], day: date | None) -> datetime | None:
    hour, minute = int(match["hour"]), int(match["minute"])
    period = match["before"] or match["after"]
    if period and hour <= 12:
        hour = hour % 12 + (12 if _AFTERNOON.search(period) else 0)
    if day is None or hour > 23 or minute > 59:
        return None
    return datetime.combine(day, time(hour, minute))
