"""Compare runs from the files of their evaluations: `predictions.jsonl` holds per-example scores and the texts to score anew under
another protocol, `metrics.json` the protocol and the data's hash. Folders written by `diasum score --out` count, too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from diasum.dialogue.files.decoding import read_lines
from diasum.errors import DiasumError, near_path
from diasum.evaluation.predictions import short_names
from diasum.evaluation.rouge.language import language_note
from diasum.evaluation.rouge.protocols import PROTOCOLS, check_protocol, choose_protocol, get_protocol
from diasum.evaluation.statistics.compare import Comparison, compare
from diasum.json_lines import json_lines
from diasum.model import BUNDLED
from diasum.training import Run

_EVALUATE_AGAIN = "Evaluate the run again."


def compare_runs(
    runs: Sequence[str], *, split: str, protocol: str | None = None, resamples: int = 10_000, seed: int = 0
) -> Comparison:
    """Compare evaluated runs on one split; differences are taken to the first.

    Args:
        runs: run directories, or folders that hold an evaluation themselves, each named by its folder, with as many folders before
            the name as it takes to tell them apart; ``NAME=RUN`` names a system, and several runs of one name are its seeds. A
            folder of that whole name takes precedence over ``NAME=RUN``.
        split: the split that all were evaluated on.
        protocol: score the stored summaries anew under this one (``auto``: by the references' script); that of the evaluations when
            not given.
        resamples: number of resamples for intervals and tests.
        seed: seed of the resamples.

    Raises:
        DiasumError: fewer than two systems, a run given twice, an unknown protocol, a run not evaluated on the split, other
            protocols or other dialogues.
    """
    if protocol is not None:
        check_protocol(protocol)
    folders = _folders(runs)
    if len(folders) < 2:
        raise DiasumError(
            f"Expected two or more systems to compare, found {len(folders)}.",
            hint="Name at least two runs; those with the same NAME= are seeds of one system.",
        )
    evaluations = {name: [_read(folder, split, protocol) for folder in seeds] for name, seeds in folders.items()}
    first_name, (first, *_) = next(iter(evaluations.items()))
    for name, seeds in evaluations.items():
        for one in seeds:
            _check_same(first_name, first, name, one)
    systems = {
        name: {metric: np.array([one["scores"][metric] for one in seeds]) for metric in first["scores"]}
        for name, seeds in evaluations.items()
    }
    table = compare(systems, first_name, resamples=resamples, seed=seed)
    return replace(table, notes=[first["note"]] if first["note"] else [])


def no_run(path: Path) -> DiasumError:
    """The complaint about a run that is not there."""
    return DiasumError(
        f"There is no run at {path}.", hint=near_path(path) or "Expected a folder that `diasum train` wrote."
    )


def check_there(source: str) -> None:
    """Refuse a source that neither exists here nor can be the bundled model or a hub id.

    Raises:
        DiasumError: `source` is not an existing path and cannot be a bundled name or hub id.
    """
    path = Path(source).expanduser()
    maybe_remote = source == BUNDLED or (source.count("/") == 1 and not path.parent.is_dir())
    if not maybe_remote and not path.exists():
        raise no_run(path)


def _folders(runs: Sequence[str]) -> dict[str, list[Path]]:
    """Folders by system, in the order given; only runs that are given the same name share a system."""
    named: list[tuple[str | None, Path]] = []
    for item in runs:
        name, sign, path = item.partition("=")
        if not sign or os.path.exists(item):
            named.append((None, Path(item)))
        elif name and os.path.exists(path):
            named.append((name, Path(path)))
        else:
            raise DiasumError(
                f"Expected a run, or NAME=RUN with an existing run, found `{item}`.",
                hint=near_path(Path(path)) or "Check the path after `=`.",
            )
    real = [os.path.realpath(folder) for _, folder in named]
    if repeated := next((folder for i, (_, folder) in enumerate(named) if real[i] in real[:i]), None):
        raise DiasumError(
            f"{repeated} is given twice.",
            hint="Name each run once; a run is neither another system nor another seed of itself.",
        )
    taken = {own for own, _ in named if own is not None}
    names = iter(short_names([folder for own, folder in named if own is None], taken))
    folders: dict[str, list[Path]] = {}
    for own, folder in named:
        folders.setdefault(next(names) if own is None else own, []).append(folder)
    return folders


def _read(folder: Path, split: str, protocol: str | None) -> dict[str, Any]:
    """An evaluation's ids, data hash, protocol and per-example scores."""
    own = (folder / "metrics.json").is_file()
    evaluation = folder if own else Run(folder).evaluation(split)
    try:
        metrics = json.loads((evaluation / "metrics.json").read_text(encoding="utf-8"))
        rows = _rows(evaluation / "predictions.jsonl")
        evaluated = {"ids": [row["id"] for row in rows], "data_hash": metrics["data_hash"], "split": metrics["split"]}
        references = [row["references"] for row in rows]
        if protocol is not None:
            protocol = choose_protocol(protocol, references).protocol.name
        if protocol is None or protocol == metrics["protocol"]["name"]:
            names = [name for name in metrics["protocol"]["metrics"] if all(row.get(name) is not None for row in rows)]
            scores: Any = {name: [row[name] for row in rows] for name in names}
        else:
            scores = PROTOCOLS[protocol].score([row["prediction"] for row in rows], references)
        evaluated |= {"protocol": protocol or metrics["protocol"]["name"], "scores": scores}
        evaluated["note"] = language_note(
            [text for texts in references for text in texts], get_protocol(evaluated["protocol"])
        )
    except (FileNotFoundError, NotADirectoryError):
        if not folder.is_dir():
            raise no_run(folder) from None
        raise DiasumError(
            f"{folder} has no evaluation of the split `{split}`.",
            hint=f"Make one: diasum evaluate {folder} --split {split}",
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DiasumError(f"The evaluation in {evaluation} is damaged: {error!r}", hint=_EVALUATE_AGAIN) from None
    if own and evaluated["split"] != split:
        raise DiasumError(
            f"{folder} holds an evaluation of the split `{evaluated['split']}`, not `{split}`.",
            hint=f"Ask for that one: --split {evaluated['split']}",
        )
    return evaluated


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        return [row for _, row in json_lines(read_lines(file), str(file))]
    except DiasumError as error:
        raise DiasumError(f"The evaluation is damaged: {error.message}", hint=_EVALUATE_AGAIN) from None


def _check_same(name: str, one: dict[str, Any], other_name: str, other: dict[str, Any]) -> None:
    if one["protocol"] != other["protocol"]:
        raise DiasumError(
            f"{name} was scored under `{one['protocol']}`, {other_name} under `{other['protocol']}`.",
            hint="Name one to score the stored summaries of both under: --protocol rouge-score.",
        )
    if one["ids"] != other["ids"] or one["data_hash"] != other["data_hash"]:
        raise DiasumError(
            f"{name} and {other_name} were evaluated on different dialogues.", hint="Evaluate both on the same data."
        )
