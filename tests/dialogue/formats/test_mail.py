"""E-mail threads: mbox and eml, quotes, signatures, HTML, encodings, attachments."""

from __future__ import annotations

import sys
import zipfile
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diasum.dialogue.formats.mail_text import parts_of
from diasum.errors import MissingExtraError
from tests.dialogue.formats.reading import read, read_all, turns

AT = datetime(2024, 5, 12, 10, tzinfo=timezone(timedelta(hours=2)))
PEOPLE = {"ana": "Ana Li <ana@example.org>", "ben": "Ben Ode <ben@example.org>"}


def mail(
    who: str, text: str, number: int = 1, *, subject: str = "Order 4711", answers: int | None = None
) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = PEOPLE[who], PEOPLE["ben" if who == "ana" else "ana"]
    message["Subject"], message["Date"] = subject, format_datetime(AT + timedelta(minutes=number))
    message["Message-ID"] = f"<{number}@example.org>"
    if answers:
        message["In-Reply-To"] = f"<{answers}@example.org>"
    message.set_content(text)
    return message


def mbox(*messages: EmailMessage) -> bytes:
    parts = []
    for message in messages:
        lines = message.as_bytes().split(b"\n")
        body = b"\n".join(b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines)
        parts.append(b"From ana@example.org Sun May 12 10:00:00 2024\n" + body + b"\n")
    return b"\n".join(parts)


QUOTED = "On Sun, May 12, 2024 at 10:01 AM Ana Li <ana@example.org> wrote:\n> My order is late.\n> \n> -- \n> Ana\n"
SIGNED = "Best regards\nBen Ode\nSupport\n"


def test_a_thread_without_headers_quotes_and_signatures() -> None:
    one = read(
        mbox(
            mail("ana", "Hello,\n\nmy order is late.\nFrom what I see: it was sent.\n"),
            mail(
                "ben",
                f"We look into it.\nThanks, I call you. Is Monday fine?\n\n{SIGNED}\n{QUOTED}",
                2,
                subject="Re: Order 4711",
                answers=1,
            ),
        )
    )
    assert turns(one) == [
        ("Ana Li", "Hello, my order is late. From what I see: it was sent."),
        ("Ben Ode", "We look into it. Thanks, I call you. Is Monday fine?"),
    ]
    assert one.left_out == {"quote": 1, "signature": 1}
    assert one.reason == "e-mail thread of 2 messages"
    assert one.began == AT + timedelta(minutes=1)
    assert [turn.start for turn in one.dialogue.turns] == [0, 60]
    assert [turn.source for turn in one.dialogue.turns] == ["message 1", "message 2"]


def test_threads_are_conversations_in_the_order_of_time() -> None:
    dialogues = read_all(
        mbox(
            mail("ben", "Second.", 2, subject="Re: Order 4711", answers=1),
            mail("ana", "Other.", 5, subject="Lunch"),
            mail("ana", "First.", 1),
            mail("ben", "Third, by its subject.", 3, subject="AW: Re: Order 4711"),
            mail("ben", "Another of the same name.", 9, subject="Lunch"),
        )
    )
    assert [(one.id, [text for _, text in turns(one)]) for one in dialogues] == [
        ("Order 4711", ["First.", "Second.", "Third, by its subject."]),
        ("Lunch", ["Other."]),
        ("Lunch", ["Another of the same name."]),
    ]


def test_the_last_message_alone_holds_the_thread_in_its_quotes() -> None:
    one = read(mail("ben", f"Sent today.\n\n{QUOTED}", 2, subject="Re: Order 4711", answers=1).as_bytes())
    assert turns(one) == [("Ana Li", "My order is late."), ("Ben Ode", "Sent today.")]
    assert one.left_out == {"signature": 1}
    assert "1 earlier message taken from what the e-mail quotes" in one.notes[0]


def test_html_other_letters_and_what_is_attached() -> None:
    message = EmailMessage()
    message["From"] = "=?utf-8?q?Ad=C3=A9la_=C3=87elik?= <ada@example.org>"
    message["Subject"], message["To"] = "Grüße", "ben@example.org"
    message.set_content(
        "<html><head><style>p {}</style></head><p>Bonjour,<br>ça va&nbsp;?</p><blockquote>Old</blockquote></html>",
        subtype="html",
        charset="latin-1",
    )
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="bill.pdf")
    message.add_attachment(b"x", maintype="image", subtype="png", filename="x.png")
    one = read(message.as_bytes())
    assert turns(one) == [("Adéla Çelik", "Bonjour, ça va ?")]
    assert one.left_out == {"quote": 1, "file": 1, "media": 1}


def test_plain_text_is_preferred_to_html() -> None:
    message = mail("ana", "Plain.")
    message.add_alternative("<p>Rich.</p>", subtype="html")
    assert turns(read(message.as_bytes())) == [("Ana Li", "Plain.")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Yes.\n\n{QUOTED}", ["Yes.", "My order is late."]),
        ("Yes.\n\nFrom: Ana Li <ana@example.org>\nSent: Sunday\nTo: Ben\nSubject: RE: x\n\nWhen?\n", ["Yes.", "When?"]),
        ("Ja.\n\nAm 12.05.2024 um 10:00 schrieb Ana Li <ana@example.org>:\n> Wann?\n", ["Ja.", "Wann?"]),
        ("Oui.\n\nLe dim. 12 mai 2024 à 10:00, Ana Li <ana@example.org> a écrit :\n> Quand ?\n", ["Oui.", "Quand ?"]),
        (
            "Yes.\n-----Original Message-----\nFrom: Ana Li [mailto:ana@example.org]\nSent: Sunday\nTo: Ben\nSubject: y\n\nWhen?\n",
            ["Yes.", "When?"],
        ),
        (
            "Yes.\n\nSent from my iPhone\n\n> On 12 May 2024, at 10:00, Ana Li <ana@example.org> wrote:\n> \n> When?\n",
            ["Yes.", "When?"],
        ),
    ],
)
def test_how_programs_quote(text: str, expected: list[str]) -> None:
    parts = parts_of(text)
    assert [part.text for part in parts] == expected
    assert (parts[1].speaker, parts[1].address) == ("Ana Li", "ana@example.org")


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, that works. See you on Monday.\nAnd bring the plan.",
        "Hello\nThanks, I will.\n- one\n- two\nBest, if you ask me, is the first.",
        "Warning: the mail server is down. Call me.",
        "Regards to all. I mean it!\nWhat now?",
    ],
)
def test_sentences_are_no_signatures(text: str) -> None:
    (part,) = parts_of(text)
    assert (part.text, part.signature) == (text, "")


def test_a_text_of_nothing_but_fields_is_kept() -> None:
    text = "From: Monday it went on\nTo: the end\nSubject: to change"
    (part,) = parts_of(text)
    assert part.text == text


def test_answers_between_quoted_lines() -> None:
    (part,) = parts_of("> Does Monday work?\nYes.\n\n> And Tuesday?\n> Or Friday?\nNo:\n- busy")
    assert part.text.split("\n") == ["Yes.", "", "No:", "- busy"]
    assert part.quotes == ("Does Monday work?", "And Tuesday?\nOr Friday?")


def test_a_text_with_fields_above_is_an_email_and_others_are_not() -> None:
    text = "From: Ana Li <ana@example.org>\nTo: Ben\nSubject: Courier\n\nCheck with the courier.\n"
    assert turns(read(text)) == [("Ana Li", "Check with the courier.")]
    assert read("From: x\nBen: y\n\nz\n").format == "plain"
    assert read("Ana: From here?\nBen: To there. Subject: to change.\n").format == "plain"


@pytest.mark.parametrize(
    "content",
    [
        b"From - Sun May 12 10:00:00 2024\nFrom: \nTo: x\nSubject: y\n\n\n",
        b"From: =?nope?q?x?= <a@x>\nTo: b\nDate: never\nSubject: =?utf-8?b?%%%?=\nContent-Type: text/plain; charset=nope\n\nHi \xff.\n",
        b"From: a@x\nTo: b\nSubject: y\nContent-Type: multipart/mixed; boundary=z\n\n--z\n\nHi.\n",
        b"From: a@x\nTo: b\nSubject: y\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n%%%%\n",
    ],
)
def test_odd_messages_are_read(content: bytes) -> None:
    assert len(read_all(content)) == 1


def test_long_lines_take_no_time_and_lose_nothing() -> None:
    text = "On " * 20_000 + "we go.\nAna"
    (part,) = parts_of(text)
    assert part.text.split() == text.split()


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mailparser_reply", None)
    with pytest.raises(MissingExtraError, match="e-mail") as error:
        read(mbox(mail("ana", "Hi.")))
    assert "diasum[formats]" in str(error.value.hint)


_SPEECH = st.from_regex(r"[A-Z][a-z ,;()0-9]{0,40}\.", fullmatch=True).map(lambda text: " ".join(text.split()))


@settings(max_examples=60, deadline=None)
@given(talk=st.lists(st.tuples(st.sampled_from(["ana", "ben"]), _SPEECH), min_size=1, max_size=6))
def test_what_is_written_is_read_back(talk: list[tuple[str, str]]) -> None:
    names = {"ana": "Ana Li", "ben": "Ben Ode"}
    messages, before = [], ""
    for number, (who, text) in enumerate(talk, 1):
        quoted = "".join(f"> {line}\n" for line in before.splitlines())
        header = f"\nOn Sun, May 12, 2024 at 10:01 AM {PEOPLE[talk[number - 2][0]]} wrote:\n" if before else ""
        before = f"{text}\n{header}{quoted}"
        messages.append(
            mail(who, before, number, subject="Re: Plan" if number > 1 else "Plan", answers=number - 1 or None)
        )
    expected = [(names[who], text) for who, text in talk]
    assert turns(read(mbox(*messages))) == expected
    assert turns(read(messages[-1].as_bytes())) == expected  # the last one alone, by its quotes


def test_a_folder_and_an_archive_of_messages_are_threads(tmp_path: Path) -> None:
    first, answer = mail("ana", "Lunch?\n"), mail("ben", "Yes.\n", 2, answers=1)
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "b.eml").write_bytes(first.as_bytes())
    (tmp_path / "mails" / "a.eml").write_bytes(answer.as_bytes())
    with zipfile.ZipFile(tmp_path / "mails.zip", "w") as archive:
        archive.write(tmp_path / "mails" / "a.eml", "mails/a.eml")
        archive.write(tmp_path / "mails" / "b.eml", "mails/b.eml")
    for source in (tmp_path / "mails", tmp_path / "mails.zip"):
        one = read(source)
        assert [text for _, text in turns(one)] == ["Lunch?", "Yes."]
        assert (one.id, one.reason) == ("mails", "e-mail thread of 2 messages")


def test_an_email_with_nothing_but_a_file_is_no_turn() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ana <ana@x.org>", "ben@x.org", "Photo"
    message.add_attachment(b"x", maintype="image", subtype="png", filename="a.png")
    one = read(message.as_bytes())
    assert (turns(one), one.left_out) == ([], {"media": 1})
