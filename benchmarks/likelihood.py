"""What the bundled base tells of the checks: would its likelihood add to the rules, and how often do they flag what it writes?

Three questions. Does a wrong sentence lose less likelihood than a reference does, per token, when the dialogue is taken away? By kind of
error (`benchmarks.support_errors`), the chance that a wrong sentence is ranked above a reference (AUC; 50% is chance), for the drop, for
the likelihood itself and for the rules. And does leaving out a turn find the turns that a sentence rests on: recall of the first two by
the drop, on the references whose turns are marked. And how often are its own summaries flagged, beside the references of the same
dialogues. Writes ``benchmarks/results/likelihood.json``. Run: ``python -m benchmarks.likelihood``
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.corpora import DATA, ROOT, dialogsum
from benchmarks.evidence import FIRST, Marked, band, percent, recall, references
from benchmarks.support_check import area, rate
from benchmarks.support_errors import KINDS
from benchmarks.support_weights import Told, wrong_sentences
from diasum.claims.sentence_checks import Checker
from diasum.claims.sentences import split_sentences
from diasum.data import Pair
from diasum.dialogue import Dialogue, Turn
from diasum.evaluation.contrast import log_likelihoods
from diasum.evidence import rank_turns
from diasum.files import write_json
from diasum.summarization.loading import load_trained
from diasum.summarization.trained import Trained

RESULT = ROOT / "benchmarks" / "results" / "likelihood.json"
SEED = 0
DIALOGUES, REFERENCES, OWN = 200, 60, 120
_LOWEST = -10.0  # score of a sentence that the rules do not check


def drops(trained: Trained, told: Sequence[Told]) -> dict[str, dict[str, float]]:
    """Kind of error to the AUC of each signal, and the number of wrong sentences."""
    drawn = list(wrong_sentences(told, random.Random(SEED)))
    texts = [[text for _, text in of_one] for _, of_one in drawn]
    dialogues = [one.dialogue for one, _ in drawn]
    without = [Dialogue((Turn(dialogue.turns[0].speaker, "..."),)) for dialogue in dialogues]
    given, alone = log_likelihoods(trained, dialogues, texts), log_likelihoods(trained, without, texts)
    values: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for (one, of_one), likely, fluent in zip(drawn, given, alone, strict=True):
        checker = Checker(one.dialogue)
        for (kind, text), here, there in zip(of_one, likely, fluent, strict=True):
            scores = [check.score for check in checker.check(text).sentences if check.score is not None]
            values[kind].append((there - here, -here, max(scores, default=_LOWEST)))
    right = np.array(values["reference"])
    result = {}
    for kind in KINDS:
        if wrong := values.get(kind):
            areas = [area(np.array(wrong)[:, i].tolist(), right[:, i].tolist()) for i in range(3)]
            result[kind] = dict(zip(("drop", "likelihood", "rules"), areas, strict=True)) | {"n": len(wrong)}
    return result


def left_out(trained: Trained, marked: Sequence[Marked]) -> dict[str, Any]:
    """Recall of the first two turns by the likelihood that a sentence loses without each, and by words, on the same sentences."""
    by_drop, by_words = [], []
    for one in marked:
        turns = one.dialogue.turns
        variants = [one.dialogue, *(Dialogue(turns[:i] + turns[i + 1 :]) for i in range(len(turns)))]
        whole, *less = log_likelihoods(trained, variants, [one.sentences] * len(variants))
        ranked = rank_turns(one.sentences, one.dialogue)
        for s, wanted in enumerate(one.turns):
            if not wanted:
                continue
            order = sorted(range(len(turns)), key=lambda i: (less[i][s] - whole[s], i))
            by_drop.append(recall(order[:FIRST], wanted))
            by_words.append(recall((turn.id for turn in ranked[s]), wanted))
    return {
        "sentences": len(by_drop),
        "likelihood": band(np.array(by_drop), SEED),
        "words": band(np.array(by_words), SEED),
    }


def own_summaries(trained: Trained, pairs: Sequence[Pair]) -> dict[str, Any]:
    """How many sentences of the base's summaries, and of first references, are flagged."""
    written = trained.summarize([pair.dialogue for pair in pairs])
    texts = {"base": [one.text for one in written], "references": [pair.references[0] for pair in pairs]}
    flagged = {
        name: [
            one.flagged
            for pair, text in zip(pairs, of_system, strict=True)
            for one in Checker(pair.dialogue).check(text).sentences
            if one.verdict != "not checked"
        ]
        for name, of_system in texts.items()
    }
    return {"dialogues": len(pairs)} | {name: rate(values) for name, values in flagged.items()}


def own_sentence(results: dict[str, Any]) -> str:
    """How often the base's summaries are flagged, as a sentence."""
    found = results["own_summaries"]
    shares = {name: f"{100 * found[name]['share']:.1f}% of {found[name]['n']}" for name in ("base", "references")}
    return (
        f"Of the sentences that the bundled base, without an adapter, writes about {found['dialogues']} dialogues of DialogSum dev, "
        f"{shares['base']} are flagged; of those of the references, {shares['references']}."
    )


def likelihood_table(results: dict[str, Any]) -> str:
    """Markdown: AUC by kind, and recall of turns."""
    lines = ["| kind of error | n | drop without the dialogue | likelihood | rules |", "|---|---|---|---|---|"]
    for kind, row in results["auc"].items():
        lines.append(
            f"| {kind} | {row['n']} | {' | '.join(f'{100 * row[name]:.0f}%' for name in ('drop', 'likelihood', 'rules'))} |"
        )
    found = results["left_out"]
    return "\n".join(
        [
            *lines,
            "",
            f"Recall of the first two turns, {found['sentences']} marked sentences: "
            f"by leaving out each turn {percent(found['likelihood'])}, by words {percent(found['words'])}.",
        ]
    )


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"No corpora at {DATA}: set DIASUM_DATA.")
    trained = load_trained("mini")
    pairs = list(dialogsum("dev"))[:DIALOGUES]
    told = [Told(one.id, one.dialogue, one.references[0], tuple(split_sentences(one.references[0]))) for one in pairs]
    write_json(
        RESULT,
        {
            "model": "mini",
            "corpus": "dialogsum dev",
            "dialogues": len(told),
            "seed": SEED,
            "auc": drops(trained, told),
            "own_summaries": own_summaries(trained, pairs[:OWN]),
            "left_out": left_out(trained, references()[:REFERENCES]),
        },
    )


if __name__ == "__main__":
    main()
