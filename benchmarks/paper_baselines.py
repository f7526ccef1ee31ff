"""Which reading of LEAD-3 and LONGEST, and of py-rouge's settings, comes nearest to the rows that the DialogSum paper prints?

Needs the test split with its three references (`dialogsum/dialogsum.test.jsonl` under DIASUM_DATA, default ../shared/data). Writes
``benchmarks/results/paper_baselines.json`` and prints the tables of `docs/protocols.md`. Run: ``python -m benchmarks.paper_baselines``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.corpora import dialogsum
from diasum.claims.sentences import split_sentences
from diasum.data import Pair, pairs_hash
from diasum.dialogue import Turn
from diasum.evaluation.rouge import protocols
from diasum.evaluation.rouge.protocols import PROTOCOLS, Protocol
from diasum.files import write_json

RESULTS = Path(__file__).parent / "results" / "paper_baselines.json"
PAPER = {"LEAD-3": (27.5, 6.8, 27.3), "LONGEST": (24.2, 6.3, 22.7)}  # as usually quoted from Chen et al. 2021
METRICS = ("rouge1", "rouge2", "rougeL")
Reading = Callable[[Sequence[Turn]], Sequence[str]]


def lead_turns(turns: Sequence[Turn], *, label: bool) -> list[str]:
    return [str(turn) if label else turn.text for turn in turns[:3]]


def lead_sentences(turns: Sequence[Turn], *, label: str) -> list[str]:
    sentences = []
    for turn in turns:
        for i, sentence in enumerate(split_sentences(turn.text) or [""]):
            labelled = label == "each" or (label == "turn" and i == 0)
            sentences.append(f"{turn.speaker}: {sentence}" if labelled else sentence)
    return sentences[:3]


def longest_turns(turns: Sequence[Turn], *, k: int, label: bool, by_length: bool) -> list[str]:
    order = sorted(range(len(turns)), key=lambda i: -len(turns[i].text.split()))[:k]
    return [str(turns[i]) if label else turns[i].text for i in (order if by_length else sorted(order))]


def longest_sentences(turns: Sequence[Turn], *, k: int) -> list[str]:
    units = [f"{turn.speaker}: {sentence}" for turn in turns for sentence in split_sentences(turn.text)]
    order = sorted(range(len(units)), key=lambda i: -len(units[i].split()))[:k]
    return [units[i] for i in sorted(order)]


READINGS: dict[str, dict[str, Reading]] = {
    "LEAD-3": {
        "3 sentences, label where a turn begins": partial(lead_sentences, label="turn"),
        "3 sentences, label on each": partial(lead_sentences, label="each"),
        "3 sentences, no labels": partial(lead_sentences, label="none"),
        "3 turns with labels": partial(lead_turns, label=True),
        "3 turns, no labels": partial(lead_turns, label=False),
    },
    "LONGEST": {
        "3 turns with labels, in the dialogue's order": partial(longest_turns, k=3, label=True, by_length=False),
        "3 turns with labels, longest first": partial(longest_turns, k=3, label=True, by_length=True),
        "2 turns with labels, in the dialogue's order": partial(longest_turns, k=2, label=True, by_length=False),
        "1 turn with its label": partial(longest_turns, k=1, label=True, by_length=False),
        "1 turn, no label": partial(longest_turns, k=1, label=False, by_length=False),
        "3 turns, no labels": partial(longest_turns, k=3, label=False, by_length=False),
        "3 sentences with labels": partial(longest_sentences, k=3),
    },
}


def settings() -> dict[str, Protocol]:
    """py-rouge's settings that the paper leaves open."""
    paper = PROTOCOLS["dialogsum-paper"]
    return {
        "100 words, weight 1.2, mean (`dialogsum-paper`)": paper,
        "100 words, weight 1.2, counts pooled": PROTOCOLS["dialogsum-paper-pooled"],
        "100 words, weight 1.2, best": PROTOCOLS["dialogsum-paper-best"],
        "100 words, weight 1.2, first reference": replace(paper, join="first"),
        "nothing cut, weight 1.2, mean": replace(paper, counts=protocols.py_rouge_pair),
        "nothing cut, weight 1.0, mean (`py-rouge`)": PROTOCOLS["py-rouge"],
        "rouge-score, mean (`rouge-score`)": PROTOCOLS["rouge-score"],
    }


def measure(pairs: Sequence[Pair], row: str, reading: str, protocol: Protocol, joined_by: str = " ") -> dict[str, Any]:
    texts = [joined_by.join(READINGS[row][reading](pair.dialogue.turns)) for pair in pairs]
    scores = protocol.score(texts, [pair.references for pair in pairs])
    means = [round(float(scores[metric].mean()), 2) for metric in METRICS]
    return {"row": row, "reading": reading, "f1": means, "off": round(_off(means, PAPER[row]), 2)}


def _off(means: Sequence[float], wanted: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(means, wanted, strict=True))


def table(rows: Sequence[dict[str, Any]], key: str) -> str:
    lines = [f"| | {key} | R-1 | R-2 | R-L | farthest from the paper |", "|---|---|---|---|---|---|"]
    for name, figures in PAPER.items():
        lines.append(f"| **{name}** | **the paper** | " + " | ".join(f"**{x}**" for x in figures) + " | |")
        lines += [
            f"| {name} | {row[key]} | " + " | ".join(f"{x:.2f}" for x in row["f1"]) + f" | {row['off']:.2f} |"
            for row in rows
            if row["row"] == name
        ]
    return "\n".join(lines)


def main() -> None:
    pairs = list(dialogsum("test"))
    paper = PROTOCOLS["dialogsum-paper"]
    readings = [measure(pairs, row, reading, paper) for row, readings_of in READINGS.items() for reading in readings_of]
    readings += [
        measure(pairs, row, next(iter(READINGS[row])), paper, "\n") | {"reading": "the first of these, units on lines"}
        for row in PAPER
    ]
    by_settings = [
        measure(pairs, row, next(iter(READINGS[row])), protocol) | {"settings": name}
        for row in PAPER
        for name, protocol in settings().items()
    ]
    result = {"data_hash": pairs_hash(pairs), "n": len(pairs), "readings": readings, "settings": by_settings}
    write_json(RESULTS, result)
    print(table(readings, "reading"), table(by_settings, "settings"), sep="\n\n")


if __name__ == "__main__":
    main()
