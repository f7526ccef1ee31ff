"""What an evaluation leaves on disk: predictions, metrics.json, and the report as HTML and Markdown.

In: a `Report`. Out: a folder. Everything is made in memory first and then written file by file, each whole or not at all, with
metrics.json last: where it is, the evaluation is complete. A second evaluation into the same folder replaces the first.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from diasum.evaluation.evaluate import Evaluated
from diasum.evaluation.predictions import write_predictions
from diasum.files import disk_errors, write_text
from diasum.reports.card import write_card
from diasum.reports.content import Report
from diasum.reports.examples import examples
from diasum.reports.parts import contrast_rows, method, plots, tiles
from diasum.reports.rendering import render

METRICS, PREDICTIONS, HTML, MARKDOWN = "metrics.json", "predictions.jsonl", "report.html", "report.md"


def write_evaluation(folder: Path, report: Report, *, card: bool = True) -> None:
    """Write predictions, metrics and reports; sets `folder` of what was evaluated.

    Args:
        folder: where to; files of an older evaluation in it are replaced, others are left alone.
        report: what `build_report` made.
        card: write the run's model card anew, too, when the split is the one that its settings name.

    Raises:
        DiasumError: the folder cannot be written, or the disk is full.
    """
    evaluated, run = report.evaluated, report.run
    html = render(
        "report.html",
        report=report,
        tiles=tiles(report),
        plots=plots(report),
        contrast_rows=contrast_rows(report),
        method=method(report),
        examples=examples(report),
    )
    markdown = render("report.md", report=report, contrast_rows=contrast_rows(report), method=method(report))
    names = prediction_files(evaluated)
    older = _older_files(folder)
    with disk_errors(folder):
        (folder / METRICS).unlink(missing_ok=True)
        for system, name in names.items():
            write_predictions(
                folder / name, evaluated.pairs, evaluated.evaluation.predictions[system], _columns(report, system)
            )
        write_text(folder / HTML, html)
        write_text(folder / MARKDOWN, markdown)
        for name in older - set(names.values()):
            (folder / name).unlink(missing_ok=True)
        evaluated.evaluation.write(folder / METRICS, evaluated.record | {"files": sorted(names.values())})
    evaluated.folder = folder
    if (
        card
        and run is not None
        and run.state == "complete"
        and evaluated.evaluation.split == run.settings().evaluate.split
    ):
        write_card(run, evaluated, corpus=report.corpus)


def prediction_files(evaluated: Evaluated) -> dict[str, str]:
    """System to file name: ``predictions.jsonl`` for the one evaluated, ``predictions.SYSTEM.jsonl`` for the others."""
    names: dict[str, str] = {}
    for system in evaluated.evaluation.predictions:
        name = f"predictions.{re.sub(r'[^a-zA-Z0-9_-]+', '_', system)}.jsonl"
        while name in names.values():
            name = name.replace(".jsonl", "_.jsonl")
        names[system] = PREDICTIONS if system == evaluated.system else name
    return names


def _columns(report: Report, system: str) -> dict[str, Any]:
    """Per-example values next to each prediction: its scores, and how many facts in it are unsupported."""
    unsupported = report.facts_of(system)
    return {**report.evaluation.scores[system], "unsupported": [len(claims) for claims in unsupported]}


def _older_files(folder: Path) -> set[str]:
    """Prediction files that an older evaluation in this folder says it wrote; nothing else is ever deleted."""
    try:
        listed = json.loads((folder / METRICS).read_text(encoding="utf-8")).get("files", [])
    except (OSError, ValueError, AttributeError):
        return set()
    return {name for name in listed if isinstance(name, str) and re.fullmatch(r"predictions(\.[\w-]+)?\.jsonl", name)}
