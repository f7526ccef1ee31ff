"""What `diasum data check` costs on 100,000 dialogues: processor seconds and the largest memory, part by part.

    OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1 python -m benchmarks.data_check

The dialogues are made up: turns of the words of the bundled conversations, a tenth of them twice or nearly so, lengths as in DialogSum
(about 130 words). The file is written by one process and checked by another, whose figures are saved in `benchmarks/results`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import results_file
from diasum.versions import versions

DIALOGUES = 100_000
_WORDS = 130  # a dialogue's, about
_NAMES = ("Anna", "Ben", "Carla", "Dinesh", "Emre", "Fay", "Goran", "Hana")


def made_up(number: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Rows with a dialogue and a summary.

    Args:
        number: of rows.
        seed: of everything drawn.
    """
    from diasum.config import DataSettings
    from diasum.data import load_corpus

    corpus = load_corpus(DataSettings(path="everyday"))
    pairs = [pair for split in corpus.splits.values() for pair in split]
    texts = [turn.text for pair in pairs for turn in pair.dialogue.turns]
    words = [word for text in texts for word in text.split()]
    rng = random.Random(seed)
    kept: list[list[str]] = []
    for i in range(number):
        if kept and rng.random() < 0.1:
            turns = list(rng.choice(kept))
            if rng.random() < 0.5:
                turns[-1] += " " + rng.choice(words)
        else:
            first, second = rng.sample(_NAMES, 2)
            turns, length = [], 0
            while length < _WORDS * rng.uniform(0.7, 1.2):
                text = " ".join([*rng.choice(texts).split()[:8], *rng.choices(words, k=6)])
                turns.append(f"{second if len(turns) % 2 else first}: {text}")
                length += text.count(" ") + 2
            if len(kept) < 5_000:
                kept.append(turns)
        yield {"id": f"d{i}", "dialogue": "\n".join(turns), "summary": rng.choice(pairs).references[0]}


def measure(file: Path) -> dict[str, Any]:
    """Check a file in this process.

    Returns:
        Processor seconds of each part and of the whole, and the largest resident memory in bytes.
    """
    began = time.process_time()
    from diasum import api_data

    report = api_data.check_data(str(file))
    return {
        "cpu_seconds": round(time.process_time() - began, 1),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "dialogues": sum(split.pairs for split in report.stats.splits.values()),
        "findings": {finding.kind: finding.count for finding in report.findings},
        "notes": report.notes,
    }


def main() -> None:
    """Write the file, check it in a process of its own, save the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=int, default=DIALOGUES)
    parser.add_argument("--out", type=Path, help="default: this processor's class's in results/")
    parser.add_argument("--measure", type=Path, help="check this file in this process and print the figures")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "made-up.jsonl"
        with file.open("w", encoding="utf-8") as handle:
            handle.writelines(json.dumps(row) + "\n" for row in made_up(arguments.dialogues))
        command = [sys.executable, "-m", "benchmarks.data_check", "--measure", str(file)]
        one_core = os.environ | {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=one_core)
    figures = json.loads(done.stdout.splitlines()[-1])
    figures["conditions"] = {"threads": 1, "load_average_after": os.getloadavg(), "versions": versions()}
    out = arguments.out or results_file("data-check")
    out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
