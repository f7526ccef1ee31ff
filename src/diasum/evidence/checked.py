"""A summary with what its dialogue supports of it, sentence by sentence, as its record has it."""

from __future__ import annotations

from dataclasses import replace

from diasum.claims.judgement import Judge
from diasum.claims.sentence_checks import Checker
from diasum.data.summary import Summary
from diasum.dialogue import Dialogue
from diasum.evidence.lexical import with_turns


def with_evidence(summary: Summary, dialogue: Dialogue, judge: Judge | None = None) -> Summary:
    """A summary whose sentences have the turns they rest on and a verdict, and that has a review flag.

    Args:
        summary: as it was made; turns that its sentences have already, as those of their window, are narrowed, and no others support
            them: in a long conversation, nearly every word is said somewhere.
        dialogue: that it is of, whole: a sentence may rest on what the model did not read.
        judge: a model that is asked beside the rules.
    """
    found = Checker(dialogue, judge=judge).check(summary.text, [frozenset(one.turns) for one in summary.sentences])
    traced = with_turns(summary, dialogue)
    sentences = [
        replace(sentence, verdict=check.verdict, reasons=check.reasons)
        for sentence, check in zip(traced.sentences, found.sentences, strict=True)
    ]
    review = None if found.review is None else round(found.review, 4)
    return replace(traced, sentences=tuple(sentences), review=review, not_checked=found.not_checked)
