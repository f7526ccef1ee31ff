"""Detectors by kinds of case that the labelled items have few of, and on text made to keep them busy."""

from __future__ import annotations

import pytest

from diasum.redaction.check_digits import is_card, luhn
from diasum.redaction.detect import detect
from diasum.redaction.speakers import Speakers, is_name


def found(text: str, *speakers: str, before: str = "", names: bool = True) -> list[tuple[str, str]]:
    """Kind and text of what is found in a turn."""
    spans = detect([before, text], Speakers(speakers), names=names)[1]
    return [(span.kind, text[span.start : span.end]) for span in spans]


def test_luhn() -> None:
    assert luhn("4242424242424242")
    assert not luhn("4242424242424241")
    assert not is_card("0000000000000000")
    assert not is_card("9999999999999995")  # no issuer's numbers begin so


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to a@b.example.org, or a+b@c.de.", [("email", "a@b.example.org"), ("email", "a+b@c.de")]),
        ("Look at example dot com.", []),
        ("It is at example dot com.", []),
        ("Me at home dot dot dot.", []),
        ("IBAN de89370400440532013000!", [("iban", "de89370400440532013000")]),
        ("IBAN DE89370400440532013001", []),
        ("My card is 4000 0566 5566 5556 and the order number 4000 0566 5566 5556.", [("card", "4000 0566 5566 5556")] * 2),
        ("The order number is 4000 0566 5566 5556.", []),
        ("Version 10.0.0.1, server 10.0.0.2", [("ip", "10.0.0.2")]),
        ("std::a::b and fe80::1", [("ip", "fe80::1")]),
        ("Reach me on 555-0142.", [("telephone", "555-0142")]),
        ("From 2019-2024 we sold 1 200 000.", []),
        ("double oh seven, seven double oh, nine hundred, 123", [("telephone", "double oh seven, seven double oh, nine hundred, 123")]),
        ("He was born in 1984 and moved on 3 May 2001.", []),
        ("Born 3 May 1984, moved on 3 May 2001.", [("birth_date", "3 May 1984")]),
        ("https://x.example/commit/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", []),
        ("https://x.example/share/9f86d081884c7d659a2f", [("url", "https://x.example/share/9f86d081884c7d659a2f")]),
        ("http://[2001:db8", []),
    ],
)  # fmt: skip
def test_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text, names=False) == expected


def test_answer_takes_its_name_from_the_question() -> None:
    assert found("4482-99031", before="Your account number?") == [("account", "4482-99031")]
    assert found("4482-99031", before="Your order number?") == []
    assert found("03/12/1984", before="Date of birth?") == [("birth_date", "03/12/1984")]


def of_turns(*texts: str, names: bool = False) -> list[tuple[int, str, str]]:
    """Turn, kind and text of what is found."""
    return [
        (turn, span.kind, text[span.start : span.end])
        for turn, (text, spans) in enumerate(zip(texts, detect(texts, Speakers(()), names=names), strict=True))
        for span in spans
    ]


def test_number_dictated_over_turns() -> None:
    telephone = ("Your mobile?", "It's 07911", "Yes.", "123", "Go on.", "456")
    assert of_turns(*telephone) == [(1, "telephone", "07911"), (3, "telephone", "123"), (5, "telephone", "456")]
    card = ("5555 5555", "Okay.", "and 5555 4444")
    assert of_turns(*card) == [(0, "card", "5555 5555"), (2, "card", "5555 4444")]
    assert of_turns("Your order number?", "07911", "Yes.", "123 456") == []
    assert of_turns("How many?", "1500", "And before?", "2000 4000") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("we're home, just ring, 02079460112", [("telephone", "02079460112")]),
        ("order 02079460112", []),
        ("the part is 00412399871", []),
        ("Dad's on 0161 49 60 445 today", [("telephone", "0161 49 60 445")]),
        ("our help line is 1-800-555-0123", [("telephone", "1-800-555-0123")]),
        ("contact no is 9876501234", [("telephone", "9876501234")]),
        ("My policy number's 55-120-774", [("account", "55-120-774")]),
        ("The ticket number's 55-120-774", []),
        ("routing 011000015 account 445566778", [("account", "011000015"), ("account", "445566778")]),
        ("sort code 30-00-12", [("account", "30-00-12")]),
        ("try 192 dot 0 dot 2 dot 33", [("ip", "192 dot 0 dot 2 dot 33")]),
        ("it says 300 dot 1 dot 2 dot 3", []),
        ("Plot 12, Green Park, Anna Nagar, Chennai - 600040", [("address", "Plot 12, Green Park, Anna Nagar, Chennai - 600040")]),
        ("Im Grund 3b, 20095 Hamburg", [("address", "Im Grund 3b, 20095 Hamburg")]),
        ("im at 5 mill lane, york, yo1 7aa now", [("address", "5 mill lane, york, yo1 7aa")]),
        ("Rose Cottage, 9 Mill Lane, York YO1 7AA", [("address", "Rose Cottage, 9 Mill Lane, York YO1 7AA")]),
    ],
)  # fmt: skip
def test_as_people_write_them(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text, names=False) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tell sophie or marcus about it", ["sophie", "marcus"]),
        ("@martin can you look", ["martin"]),
        ("@team can you look, mail a@martin.example.org", []),
        ("emma won't come", ["emma"]),
        ("ask for grace and hope", []),
        ("tell mark it will do", []),
        ("And then Will said no, I will not.", ["Will"]),
        ("Pradeep and Xiaoming are here.", ["Pradeep", "Xiaoming"]),
        ("Dr. Olumide Bankole will see you.", ["Olumide Bankole"]),
        ("Hat Stefan den Wagen?", ["Stefan"]),
        ("We drove to Victoria or Sydney.", []),
        ("They went to Denny's, then to Thomas Cook.", []),
        ("She is at Elizabeth General, near Henry Street.", []),
        ("We ate at Wendy's, then Wendy's was shut.", []),
        ("Claire's phone is broken, and Carl's coming at ten.", ["Claire", "Carl"]),
        ("My name is Edward Jones.", ["Edward Jones"]),
        ("Paul Smith called about his refund.", ["Paul Smith"]),
        ("Thomas Cook speaking.", ["Thomas Cook"]),
        ("My name is Henry Lake.", ["Henry Lake"]),
        ("Laura Bridge called.", ["Laura Bridge"]),
    ],
)
def test_names_of_others(text: str, expected: list[str]) -> None:
    assert [part for kind, part in found(text) if kind == "name"] == expected


def test_label_as_a_thing() -> None:
    assert found("Is this the rosalind?", "Rosalind", names=False) == []
    assert found("is this rosalind?", "Rosalind", names=False) == [("speaker", "rosalind")]


def test_value_is_hidden_wherever_it_is_said() -> None:
    texts = ["My account number is 4482-99031.", "4482-99031 it is."]
    assert [len(spans) for spans in detect(texts, Speakers(()), names=False)] == [1, 1]


@pytest.mark.parametrize(
    "label", ["Agent", "#Person1#", "Speaker 2", "SPEAKER_00", "B", "Kundin", "Front Desk", "", "?"]
)
def test_labels_that_name_nobody(label: str) -> None:
    assert not is_name(label)


@pytest.mark.parametrize("label", ["Ana", "Dr. Amy Chen", "Jean-Luc", "田中", "+49 171 3920017", "Uncle Pete"])
def test_labels_that_name_somebody(label: str) -> None:
    assert is_name(label)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thx will, I will go", []),
        ("Thanks, Will.", ["Will"]),
        ("Will you come?", []),
        ("Will agrees. Will and Ken go.", ["Will", "Will", "Ken"]),
        ("Kenさん、joao!", ["Ken", "joao"]),
        ("Token and Kenya", []),
        ("Keller called, and so did Maria", ["Keller", "Maria"]),
    ],
)
def test_speakers_named(text: str, expected: list[str]) -> None:
    assert [part for _, part in found(text, "Will", "Ken", "João", "Maria Keller", names=False)] == expected


def test_surname_that_the_label_lacks() -> None:
    assert found("I'm Dana Whitfield.", "Dana", names=False) == [("speaker", "Dana"), ("name", "Whitfield")]


def test_names_of_others_only_if_asked() -> None:
    assert found("My sister Jennifer came.", names=False) == []
    assert found("My sister Jennifer came.") == [("name", "Jennifer")]


@pytest.mark.parametrize(
    "piece", ["a!", "1 ", "a dot ", "A-", "Ab ", "1.", "::", "one ", "double ", "http://", "0-", "a@", "St ", "12 Ab ", "(", "x y "]
)  # fmt: skip
def test_no_text_keeps_it_busy(piece: str) -> None:
    """Of a pattern that can be read in many ways, this would not end."""
    detect([piece * 1000], Speakers(("Ana", "A-B")), names=True)
