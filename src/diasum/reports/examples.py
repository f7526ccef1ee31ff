"""The report's examples as data for its page: dialogues, references, summaries, what is unsupported and which turns support what.

Offsets into texts are in UTF-16 units, as browsers count them; a text with an emoji would otherwise be marked one place off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diasum.claims.support import Unsupported, support
from diasum.dialogue import Dialogue
from diasum.evaluation.baselines import is_baseline
from diasum.reports.content import Report


def examples(report: Report) -> dict[str, Any]:
    """What the page's script draws its list of examples from.

    Returns:
        ``metrics`` (their shown names), ``main`` (index of the one sorted by), ``systems``, ``rival`` (index or None),
        ``folded`` (indices of systems that are shown on demand) and ``items``, one
        a dialogue in the corpus's order. Supporting turns are looked up for models and references; a baseline quotes turns anyway.
    """
    evaluation = report.evaluation
    systems = report.systems
    traced = [name for name in systems if name == report.system or not is_baseline(name)]
    rival = systems.index(report.rival) if report.rival else None
    items = []
    for i, pair in enumerate(evaluation.pairs):
        speakers = list(pair.dialogue.speakers)
        outputs = []
        for name in systems:
            prediction = evaluation.predictions[name][i]
            outputs.append(
                _text(prediction.text, pair.dialogue, report.facts_of(name)[i], trace=name in traced)
                | {
                    "scores": [round(float(evaluation.scores[name][metric][i]), 2) for metric in report.metrics],
                    "cut": prediction.summary_cut,
                    "read": prediction.read,
                }
            )
        items.append(
            {
                "id": pair.id,
                "topic": pair.topic,
                "speakers": speakers,
                "turns": [
                    [speakers.index(turn.speaker) if turn.speaker else -1, turn.text] for turn in pair.dialogue.turns
                ],
                "references": [
                    _text(text, pair.dialogue, report.reference_facts[i][j], trace=True)
                    for j, text in enumerate(pair.references)
                ],
                "outputs": outputs,
            }
        )
    return {
        "metrics": [report.metric_name(metric) for metric in report.metrics],
        "main": report.metrics.index(report.metric),
        "systems": systems,
        "rival": rival,
        "folded": [i for i, name in enumerate(systems) if name not in traced and i != rival],
        "items": items,
    }


def _text(text: str, dialogue: Dialogue, unsupported: Sequence[Unsupported], *, trace: bool) -> dict[str, Any]:
    at = _utf16(text)
    return {
        "text": text,
        "unsupported": [[at(claim.start), at(claim.end), claim.kind, claim.reason] for claim in unsupported],
        "support": [[at(start), at(end), turn] for start, end, turn in _phrases(text, dialogue)] if trace else [],
    }


def _phrases(text: str, dialogue: Dialogue) -> list[tuple[int, int, int]]:
    """Neighbouring words with one supporting turn as one phrase, within a sentence: fewer stops for a keyboard."""
    phrases: list[tuple[int, int, int]] = []
    for start, end, turn in support(text, dialogue):
        if phrases and phrases[-1][2] == turn and not any(c in ".!?\n" for c in text[phrases[-1][1] : start]):
            phrases[-1] = (phrases[-1][0], max(end, phrases[-1][1]), turn)
        else:
            phrases.append((start, end, turn))
    return phrases


def _utf16(text: str) -> Any:
    """From an offset in characters to one in UTF-16 units."""
    if all(ord(c) < 0x10000 for c in text):
        return lambda offset: offset
    places = [0]
    for c in text:
        places.append(places[-1] + (1 if ord(c) < 0x10000 else 2))
    return lambda offset: places[offset]
