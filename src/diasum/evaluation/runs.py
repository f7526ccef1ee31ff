"""Compare runs by what their evaluations left on disk: per-example scores in `predictions.jsonl`, the protocol in `metrics.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diasum.errors import DiasumError
from diasum.evaluation.compare import Comparison, compare
from diasum.training import Run


def compare_runs(runs: Sequence[str], *, split: str, resamples: int = 10_000, seed: int = 0) -> Comparison:
    """Compare evaluated runs on one split; differences are taken to the first.

    Args:
        runs: run directories; ``NAME=RUN`` names a system, and several runs of one name are its seeds.
        split: the split that all were evaluated on.
        resamples: of intervals and tests.
        seed: of the resamples.

    Raises:
        DiasumError: fewer than two systems, a run not evaluated on the split, other protocols or other dialogues.
    """
    folders: dict[str, list[Path]] = {}
    for item in runs:
        name, sign, path = item.partition("=")
        folder = Path(path if sign else item)
        folders.setdefault(name if sign else folder.name, []).append(folder)
    if len(folders) < 2:
        raise DiasumError(
            f"Expected two or more systems to compare, found {len(folders)}.", hint="Name at least two runs."
        )
    evaluations = {name: [_read(folder, split) for folder in found] for name, found in folders.items()}
    first_name, (first, *_) = next(iter(evaluations.items()))
    for name, found in evaluations.items():
        for one in found:
            _check_same(first_name, first, name, one)
    systems = {
        name: {metric: np.array([one["scores"][metric] for one in found]) for metric in first["scores"]}
        for name, found in evaluations.items()
    }
    return compare(systems, first_name, resamples=resamples, seed=seed)


def _read(folder: Path, split: str) -> dict[str, Any]:
    evaluation = Run(folder).evaluation(split)
    try:
        metrics = json.loads((evaluation / "metrics.json").read_text(encoding="utf-8"))
        lines = (evaluation / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
    except FileNotFoundError:
        raise DiasumError(
            f"{folder} has no evaluation of the split `{split}`.",
            hint=f"Make one: diasum evaluate {folder} --split {split}",
        ) from None
    except ValueError as error:
        raise DiasumError(
            f"The evaluation in {evaluation} is damaged: {error}", hint="Evaluate the run again."
        ) from None
    names = [name for name in metrics["protocol"]["metrics"] if all(row.get(name) is not None for row in rows)]
    return {
        "ids": [row["id"] for row in rows],
        "data_hash": metrics["data_hash"],
        "protocol": metrics["protocol"]["name"],
        "scores": {name: [row[name] for row in rows] for name in names},
    }


def _check_same(name: str, one: dict[str, Any], other_name: str, other: dict[str, Any]) -> None:
    if one["protocol"] != other["protocol"]:
        raise DiasumError(
            f"{name} was scored under `{one['protocol']}`, {other_name} under `{other['protocol']}`.",
            hint="Evaluate both under one protocol (--protocol).",
        )
    if one["ids"] != other["ids"] or one["data_hash"] != other["data_hash"]:
        raise DiasumError(
            f"{name} and {other_name} were evaluated on different dialogues.", hint="Evaluate both on the same data."
        )
