"""What --check prints: verdict, reasons, and the turns, which count from 1."""

from __future__ import annotations

from diasum.cli.checking import check_lines
from diasum.data.summary import Summary
from diasum.dialogue import Dialogue, Turn, parse_dialogue
from diasum.evidence import with_evidence

TALK = parse_dialogue("Ana: I lost my umbrella on the bus.\nBen: Ask the driver. I can lend you mine.")


def lines(text: str, dialogue: Dialogue = TALK) -> list[str]:
    return list(check_lines(with_evidence(Summary.of_text(text), dialogue), dialogue))


def test_each_sentence_has_its_verdict_reasons_and_turns() -> None:
    whole, first, *rest = lines("Ana lost her umbrella on the bus. Ben flies to Madrid with an orchestra.")
    assert whole.startswith("Review flag ")
    assert "1 of 2 checked sentences should be looked at" in whole
    assert first == "[supported] Ana lost her umbrella on the bus."
    assert rest[0] == "    turn 1: Ana: I lost my umbrella on the bus."
    assert "[unsupported] Ben flies to Madrid with an orchestra." in rest
    assert "    “Madrid” is neither a speaker nor mentioned in the conversation." in rest


def test_what_was_not_checked_is_said() -> None:
    assert lines("") == ["Nothing to check: the summary is empty."]
    assert lines("Ana lost it.", Dialogue(()))[0] == "Not checked: nothing is said in the conversation."
    unnamed = Dialogue((Turn("", "I lost my umbrella on the bus."),))
    assert "the conversation names no speakers" in lines("Someone lost an umbrella on the bus.", unnamed)[0]


def test_a_long_turn_is_cut() -> None:
    talk = Dialogue((Turn("Ana", "umbrella " * 100),))
    assert len(lines("Ana has an umbrella.", talk)[-1]) < 230
