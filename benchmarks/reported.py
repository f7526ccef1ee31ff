"""How near do reports by rule come to written summaries? Against the three longest turns, on the sample's training split.

    python -m benchmarks.reported

Tells whether `pretraining.reported` is worth learning from; nothing here trains. Saves ``benchmarks/results/reported.json``.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from diasum.data import Pair, load_corpus
from diasum.evaluation.baselines import baseline_predictions
from diasum.evaluation.metrics import score_systems
from diasum.evaluation.predictions import Prediction
from diasum.files import write_json
from diasum.resolve import load_settings
from pretraining.names import FEMALE, MALE
from pretraining.reported import report
from pretraining.speakers import Person

RESULTS = Path(__file__).parent / "results" / "reported.json"
MAX_WORDS = 60


def reported(pair: Pair) -> str:
    """The report of a conversation; a speaker's gender is known where the first name is on the lists."""
    people = {turn.speaker: person(turn.speaker) for turn in pair.dialogue.turns}
    spoken = [(people[turn.speaker], turn.text) for turn in pair.dialogue.turns]
    return report(random.Random(0), spoken, MAX_WORDS, house_style=True)


def person(label: str) -> Person:
    first = label.split(" ")[0]
    gender = "f" if first in FEMALE or first in ("Mrs.", "Ms.") else "m" if first in MALE or first == "Mr." else ""
    return Person(label, label, label, gender)


def main() -> None:
    pairs = load_corpus(load_settings(None, {"data.path": "sample"}).data, purpose="train").split("train")
    systems = {
        "reported": [Prediction.of_text(p.id, reported(p)) for p in pairs],
        "longest": [
            Prediction.of_text(p.id, text)
            for p, text in zip(pairs, baseline_predictions("longest", pairs), strict=True)
        ],
    }
    tree = score_systems(pairs, systems, protocol="rouge-score", split="train", reference_system="reported").to_json()
    kept = {key: tree[key] for key in ("protocol", "split", "n", "seed", "resamples", "systems", "differences")}
    write_json(RESULTS, {"max_words": MAX_WORDS, **kept})
    print(json.dumps(kept["systems"], indent=1))


if __name__ == "__main__":
    main()
