"""How good is the bundled base? Adapters on the sample conversations and on DialogSum, against base and baselines.

    python -m benchmarks.mini [--only sample|dialogsum]

Trains and evaluates with the bundled recipes and saves the figures, with protocol, n, intervals, seed, hashes, versions and hardware, to
``benchmarks/results/mini.json``, from which ``python -m benchmarks.tables`` writes the README's table. DialogSum is taken from
``$DIASUM_DATA/dialogsum`` (its dev split trains, without the dialogues that its test split shares).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import diasum
from diasum.evaluation.evaluate import Evaluated
from diasum.evaluation.metrics import Evaluation, score_systems
from diasum.files import write_json
from diasum.training import Run

RESULTS = Path(__file__).parent / "results" / "mini.json"
RUNS = Path("build/benchmarks/mini")
RECIPES = {"sample": ("sample-mini", "rouge-score"), "dialogsum": ("dialogsum-mini", "dialogsum-paper")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(RECIPES))
    only = parser.parse_args().only
    saved = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    for name in [only] if only else RECIPES:
        saved[name] = measure(name)
        write_json(RESULTS, saved)
        print(json.dumps(saved[name]["systems"], indent=1))


def measure(name: str) -> dict[str, Any]:
    """Train, evaluate and gather one row."""
    from rich.console import Console

    recipe, protocol = RECIPES[name]
    data = str(Path(os.environ.get("DIASUM_DATA", "../shared/data")) / "dialogsum") if name == "dialogsum" else "sample"
    run = RUNS / name
    shutil.rmtree(run, ignore_errors=True)
    begin = time.perf_counter()
    trained = diasum.train(data=data, config=recipe, run=run, console=Console(stderr=True))
    trained_in = time.perf_counter() - begin
    evaluated = diasum.evaluate(run, protocol=protocol, settings={"evaluate.contrast": 0})
    manifest = Run(run).manifest()
    row = figures(evaluated.evaluation)
    other = "rouge-score" if protocol != "rouge-score" else None
    if other:
        again = score_systems(evaluated.pairs, evaluated.predictions, protocol=other, reference_system=evaluated.system)
        row["also"] = figures(again)
    return {
        "recipe": recipe,
        "run": {"seconds": round(trained_in, 1), "best": trained.best, "training_seed": manifest["seed"]},
        "data": {key: manifest["data"][key] for key in ("splits", "notes", "license")},
        "base_sha256": manifest["base"]["sha256"],
        "parameters": manifest["parameters"],
        "versions": manifest["versions"],
        "hardware": manifest["hardware"],
        "first": first_summaries(evaluated) if name == "sample" else [],  # DialogSum's licence keeps its texts out
        **row,
    }


def first_summaries(evaluated: Evaluated, count: int = 3) -> list[dict[str, str]]:
    """The adapter's summaries of the first dialogues of the split, as they come."""
    made = evaluated.predictions[evaluated.system]
    return [{"id": one.id, "summary": one.text} for one in made[:count]]


def figures(evaluation: Evaluation) -> dict[str, Any]:
    """The part of metrics.json that a table needs."""
    tree = evaluation.to_json()
    return {
        key: tree[key]
        for key in (
            "protocol",
            "split",
            "n",
            "references",
            "seed",
            "resamples",
            "data_hash",
            "systems",
            "differences",
            "shuffled",
        )
    }


if __name__ == "__main__":
    main()
