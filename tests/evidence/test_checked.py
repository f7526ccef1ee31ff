"""A summary's record holds what its dialogue supports, and reads back as it was."""

from __future__ import annotations

import json

from diasum.data.summary import Summary
from diasum.dialogue import Dialogue, parse_dialogue
from diasum.evidence import with_evidence

TALK = parse_dialogue("Ana: I lost my umbrella on the bus.\nBen: Ask the driver. I can lend you mine.\nAna: Thank you!")


def test_sentences_have_turns_verdicts_and_reasons() -> None:
    summary = with_evidence(
        Summary.of_text("Ana lost her umbrella on the bus. Ben flies to Madrid with an orchestra."), TALK
    )
    first, second = summary.sentences
    assert (first.verdict, first.turns[0]) == ("supported", 0)
    assert second.verdict == "unsupported"
    assert any("Madrid" in reason for reason in second.reasons)
    assert summary.review is not None
    assert summary.review > 0.5
    assert summary.not_checked == ()
    assert Summary.from_record(json.loads(json.dumps(summary.to_record()))) == summary


def test_what_was_not_checked_is_in_the_record() -> None:
    summary = with_evidence(Summary.of_text("Ana lost her umbrella."), Dialogue(()))
    assert summary.sentences[0].verdict == "not checked"
    record = summary.to_record()
    assert record["review"] is None
    assert record["not_checked"] == ["Not checked: nothing is said in the conversation."]
