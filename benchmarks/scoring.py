"""How long scoring takes: 10,000 summaries with one and with three references under every protocol, and 10,000 bootstrap resamples.

Texts are composed from a seeded vocabulary with the word frequencies and lengths of short summaries, so that the benchmark runs
anywhere; all texts differ, so nothing is saved by repetition within a protocol. Run: ``python benchmarks/scoring.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import time
from pathlib import Path
from typing import Any

import numpy as np

from diasum.evaluation.rouge.protocols import PROTOCOLS
from diasum.evaluation.statistics.bootstrap import intervals, paired_differences
from diasum.files import write_text
from diasum.versions import versions

RESULTS = Path(__file__).parent / "results" / "scoring.json"
SUMMARIES, REFERENCES, EXAMPLES, COLUMNS, RESAMPLES = 10_000, 3, 1500, 16, 10_000
_ENDINGS = ("", "", "", "s", "ed", "ing", "ly", "ation", "ment", "ness", "ational", "izing")


def make_texts(number: int, seed: int) -> list[str]:
    """Texts of 1 to 4 sentences and 8 to 50 words, whose words are distributed by Zipf's law."""
    rng = random.Random(0)  # one vocabulary for predictions and references, so that they share words
    words = [
        "".join(rng.choices("abcdefghijklmnoprstuvwy", k=rng.randint(2, 7))) + rng.choice(_ENDINGS)
        for _ in range(12000)
    ]
    rng = random.Random(seed)
    weights = [1 / (rank + 3) for rank in range(len(words))]
    cumulative = list(np.cumsum(weights))
    texts = []
    for _ in range(number):
        sentences = [
            " ".join(rng.choices(words, cum_weights=cumulative, k=rng.randint(6, 14))).capitalize() + "."
            for _ in range(rng.choice((1, 2, 2, 3, 4)))
        ]
        texts.append(" ".join(sentences))
    return texts


def time_protocols(references_each: int, seed: int) -> dict[str, Any]:
    """Seconds each protocol takes, in the order of `PROTOCOLS`; later ones reuse what earlier ones counted.

    Wall time depends on what else the machine does; processor time hardly does.
    """
    predictions = make_texts(SUMMARIES, seed)
    texts = make_texts(SUMMARIES * references_each, seed + 1)
    references = [texts[i : i + references_each] for i in range(0, len(texts), references_each)]
    wall, processor = {}, {}
    for name, protocol in PROTOCOLS.items():
        start, busy = time.perf_counter(), time.process_time()
        protocol.score(predictions, references)
        wall[name] = round(time.perf_counter() - start, 3)
        processor[name] = round(time.process_time() - busy, 3)
    return {
        "references": references_each,
        "seconds": round(sum(wall.values()), 2),
        "processor_seconds": round(sum(processor.values()), 2),
        "seconds_by_protocol": wall,
    }


def time_bootstrap() -> dict[str, float]:
    """Seconds for intervals and for paired tests of all columns together."""
    values = np.random.default_rng(0).normal(30, 12, (EXAMPLES, COLUMNS))
    start = time.perf_counter()
    intervals(values, resamples=RESAMPLES)
    middle = time.perf_counter()
    paired_differences(values - values[:, ::-1], resamples=RESAMPLES)
    end = time.perf_counter()
    return {"intervals": round(middle - start, 3), "paired_differences": round(end - middle, 3)}


def time_plain(number: int = 300) -> float:
    """Seconds that `rouge_score.RougeScorer` takes for one protocol: a few summaries with three references, scaled up."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=True)
    predictions, references = make_texts(number, 3), make_texts(number * REFERENCES, 4)
    start = time.perf_counter()
    for i, reference in enumerate(references):
        scorer.score(reference, predictions[i // REFERENCES])
    return round((time.perf_counter() - start) * SUMMARIES / number, 1)


def conditions() -> dict[str, Any]:
    """What the figures depend on."""
    cpu = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    return {
        "cpu": cpu or platform.processor(),
        "cores": os.cpu_count(),
        "load_average": [round(x, 2) for x in os.getloadavg()],
        "python": platform.python_version(),
        "versions": versions(["numpy", "nltk", "rouge-score"]),
        "summaries": SUMMARIES,
        "bootstrap_examples": EXAMPLES,
        "bootstrap_columns": COLUMNS,
        "resamples": RESAMPLES,
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes")
    output = parser.parse_args().output
    environment = conditions()
    result = {
        "conditions": environment,
        "all_protocols": [time_protocols(1, seed=10), time_protocols(REFERENCES, seed=20)],
        "rouge_score_package_alone_seconds": time_plain(),
        "bootstrap_seconds": time_bootstrap(),
    }
    write_text(output, json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
