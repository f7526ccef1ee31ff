"""Which turns a sentence rests on: recall of the first two that `diasum.evidence` gives, against BM25 and chance.

QMSum marks the turns that answer each specific query; the sentences of the answer are looked for in the whole meeting. Of 60 references
of the bundled sample, the turns of each sentence were marked by hand. Of a sentence with `k` marked turns, recall is the share of
`min(2, k)` that the first two hold. Reads the corpora in ``DIASUM_DATA``, writes ``benchmarks/results/evidence.json``. Run:
``python -m benchmarks.evidence`` (``benchmarks/faithfulness.py`` runs it, too).
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpora import DATA, ROOT
from benchmarks.support import evidence
from diasum.claims.sentences import split_sentences
from diasum.data.turns_read import words_of
from diasum.dialogue import Dialogue, Turn
from diasum.evaluation.statistics.bootstrap import interval
from diasum.evidence import rank_turns
from diasum.files import write_json

RESULT = ROOT / "benchmarks" / "results" / "evidence.json"
SEED = 0
FIRST = 2
_K1, _B = 1.5, 0.75  # of BM25, as Robertson and Zaragoza (2009) give them


@dataclass(frozen=True)
class Marked:
    """A dialogue, sentences about it, and for each the ids of the turns that it rests on."""

    dialogue: Dialogue
    sentences: tuple[str, ...]
    turns: tuple[frozenset[int], ...]


def qmsum(data: Path, split: str) -> list[Marked]:
    """Meetings with the sentences of the answers to their specific queries."""
    marked = []
    with gzip.open(data / "qmsum" / f"{split}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for meeting in map(json.loads, lines):
            dialogue = Dialogue(
                tuple(Turn(turn["speaker"], turn["content"]) for turn in meeting["meeting_transcripts"])
            )
            sentences, turns = [], []
            for query in meeting["specific_query_list"]:
                spans = [(int(first), int(last)) for first, last in query["relevant_text_span"]]
                there = frozenset(turn for first, last in spans for turn in range(first, last + 1))
                answer = split_sentences(query["answer"])
                sentences += answer
                turns += [there] * len(answer)
            marked.append(Marked(dialogue, tuple(sentences), tuple(turns)))
    return marked


def references() -> list[Marked]:
    """The 60 references whose turns were marked by hand before the rules were there (`benchmarks.support`)."""
    return [Marked(one.dialogue, one.sentences, tuple(map(frozenset, one.turns))) for one in evidence()]


def measure(marked: Sequence[Marked], *, seed: int) -> dict[str, Any]:
    """Recall of the first two turns by each method, with 95% bootstrap intervals over sentences, and the paired gain over BM25."""
    values = {name: np.array(list(_recalls(method, marked))) for name, method in _METHODS.items()}
    # What two turns drawn at random hold, on average.
    values["random"] = np.array(
        [
            len(turns) / len(one.dialogue) * FIRST / min(FIRST, len(turns))
            for one in marked
            for turns in one.turns
            if turns
        ]
    )
    return {
        "dialogues": len(marked),
        "sentences": len(values["diasum"]),
        "turns_per_dialogue": round(float(np.mean([len(one.dialogue) for one in marked])), 1),
        "recall": {name: band(one, seed) for name, one in values.items()},
        "gain_over_bm25": band(values["diasum"] - values["bm25"], seed),
    }


def band(values: np.ndarray, seed: int) -> dict[str, float]:
    """A mean with its 95% bootstrap interval over sentences."""
    found = interval(values, resamples=2000, seed=seed)
    return {"mean": round(found.mean, 4), "low": round(found.low, 4), "high": round(found.high, 4)}


def recall(found: Iterable[int], turns: frozenset[int]) -> float:
    """The share of as many of a sentence's turns as there can be among the first two that these hold."""
    return len(turns.intersection(found)) / min(FIRST, len(turns))


def _recalls(method: Callable[[Marked], list[list[int]]], marked: Iterable[Marked]) -> Iterable[float]:
    for one in marked:
        for found, turns in zip(method(one), one.turns, strict=True):
            if turns:
                yield recall(found, turns)


def _lexical(one: Marked) -> list[list[int]]:
    return [[turn.id for turn in turns] for turns in rank_turns(one.sentences, one.dialogue)]


def _bm25(one: Marked) -> list[list[int]]:
    """BM25 over words in lower case, speakers' labels included."""
    documents = [Counter(words_of(str(turn).lower())) for turn in one.dialogue.turns]
    lengths = [document.total() for document in documents]
    mean = max(sum(lengths) / len(lengths), 1)
    n = len(documents)
    frequency = Counter(word for document in documents for word in document)

    def score(words: Collection[str], i: int) -> float:
        total = 0.0
        for word in words:
            if count := documents[i].get(word, 0):
                rarity = math.log(1 + (n - frequency[word] + 0.5) / (frequency[word] + 0.5))
                total += rarity * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * lengths[i] / mean))
        return total

    results = []
    for sentence in one.sentences:
        words = words_of(sentence.lower())
        results.append(sorted(range(n), key=lambda i: (-score(words, i), i))[:FIRST])
    return results


_METHODS: dict[str, Callable[[Marked], list[list[int]]]] = {"diasum": _lexical, "bm25": _bm25}


def evidence_table(results: dict[str, Any]) -> str:
    """Markdown: recall of the first two turns on each corpus."""
    lines = [
        "| corpus | sentences | turns a dialogue | diasum | BM25 | random | gain over BM25 |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in results["corpora"].items():
        cells = [percent(row["recall"][method]) for method in ("diasum", "bm25", "random")]
        gain = row["gain_over_bm25"]
        points = f"{100 * gain['mean']:+.1f} ({100 * gain['low']:+.1f} to {100 * gain['high']:+.1f})"
        label = f"{name} (tuned on)" if row["tuned_on"] else name
        lines.append(
            f"| {label} | {row['sentences']} | {row['turns_per_dialogue']:.0f} | {' | '.join(cells)} | {points} |"
        )
    return "\n".join(lines)


def percent(shown: dict[str, float]) -> str:
    """As a table has it."""
    return f"{100 * shown['mean']:.1f}% ({100 * shown['low']:.1f} to {100 * shown['high']:.1f})"


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"No corpora at {DATA}: set DIASUM_DATA.")
    corpora: dict[str, Any] = {
        f"qmsum {split}": measure(qmsum(DATA, split), seed=SEED) | {"tuned_on": split == "val"}
        for split in ("val", "test")
    }
    corpora["bundled sample, test"] = measure(references(), seed=SEED) | {"tuned_on": False}
    write_json(RESULT, {"seed": SEED, "corpora": corpora})


if __name__ == "__main__":
    main()
