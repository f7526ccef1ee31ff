"""Predictions in and out of files: any system's summaries, matched to the pairs they belong to.

Read are text files with one summary a line, in the order of the pairs, and JSON lines with an id each. Written is one JSON object a
pair, which can be read back, and which holds all that is needed to look at an example by itself.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from diasum.data import Pair
from diasum.errors import DiasumError
from diasum.evaluation.baselines import is_baseline
from diasum.files import write_text

PREDICTION_KEYS = ("prediction", "summary", "generated_summary", "generated", "output", "hypothesis", "text")
ID_KEYS = ("id", "fname", "dialogue_id", "example_id")


@dataclass(frozen=True)
class Prediction:
    """A system's summary of one dialogue.

    Attributes:
        id: the pair's.
        text: the summary; may be empty.
        cut: whether generation stopped at the length limit.
    """

    id: str
    text: str
    cut: bool = False


def read_predictions(path: Path | str, pairs: Sequence[Pair]) -> list[Prediction]:
    """Read a system's outputs for these pairs.

    Args:
        path: ``.txt`` with one summary a line in the pairs' order (an empty line is an empty summary), or ``.jsonl`` with objects
            that hold a summary and, unless they are in order, an id.
        pairs: the split they were made for.

    Returns:
        One prediction a pair, in the pairs' order.

    Raises:
        DiasumError: the file cannot be read, a row has no summary, or rows and pairs do not match; the message names the ids.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DiasumError(f"No predictions file at {path}.", hint="Check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DiasumError(f"{path} cannot be read as UTF-8 text: {error}") from None
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[-1] == "":
        lines.pop()
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json") or text.lstrip().startswith('{"'):
        return _from_rows(path, _json_rows(path, text, lines), pairs)
    while len(lines) > len(pairs) and not lines[-1].strip():
        lines.pop()
    _check_number(path, "lines", len(lines), pairs)
    return [Prediction(pair.id, line.strip()) for pair, line in zip(pairs, lines, strict=True)]


def read_systems(paths: Sequence[Path | str], pairs: Sequence[Pair]) -> dict[str, list[Prediction]]:
    """Several systems' outputs, each named by its file, with as many folders before the name as it takes to tell them apart.

    Raises:
        DiasumError: as `read_predictions`, or a file is given twice.
    """
    files = [Path(path) for path in paths]
    for depth in range(1, 1 + max((len(file.resolve().parts) for file in files), default=0)):
        names = ["/".join(file.resolve().with_suffix("").parts[-depth:]) for file in files]
        if len(set(names)) == len(names):
            break
    else:
        names = [file.name for file in files]  # a.txt and a.jsonl
    if len(set(names)) < len(names):
        raise DiasumError(
            f"The same file is given twice: {_some([str(file) for file in files])}.", hint="Name each file once."
        )
    names = [file.name if is_baseline(name) else name for name, file in zip(names, files, strict=True)]
    return {name: read_predictions(file, pairs) for name, file in zip(names, files, strict=True)}


def write_predictions(
    path: Path | str,
    pairs: Sequence[Pair],
    predictions: Sequence[Prediction],
    scores: Mapping[str, ArrayLike] | None = None,
) -> None:
    """Write one JSON object a pair: id, prediction, references, dialogue, topic, cut and per-example scores.

    Args:
        path: where to; the file appears complete or not at all.
        pairs: in the order of `predictions`.
        predictions: one a pair.
        scores: metric name to one value a pair, as `Protocol.score` gives them.
    """
    import numpy as np

    columns = {name: np.asarray(values, dtype=np.float64) for name, values in (scores or {}).items()}
    rows = []
    for i, (pair, prediction) in enumerate(zip(pairs, predictions, strict=True)):
        row: dict[str, Any] = {
            "id": pair.id,
            "prediction": prediction.text,
            "references": list(pair.references),
            "dialogue": pair.dialogue.text,
            "topic": pair.topic,
            "cut": prediction.cut,
        }
        for name, values in columns.items():
            value = float(values[i])
            row[name] = round(value, 4) if math.isfinite(value) else None
        rows.append(json.dumps(row, ensure_ascii=False))
    write_text(Path(path), "".join(f"{row}\n" for row in rows))


def match_predictions(source: str, predictions: Iterable[Prediction], pairs: Sequence[Pair]) -> list[Prediction]:
    """Put predictions in the order of the pairs.

    Args:
        source: what to call them in errors: a file or a system's name.
        predictions: in any order, each with the id of its pair.
        pairs: the split they should cover, each once.

    Raises:
        DiasumError: ids are repeated, unknown or missing.
    """
    given = list(predictions)
    repeated = [i for i, n in Counter(p.id for p in given).items() if n > 1]
    if repeated:
        raise DiasumError(
            f"{source}: {_some(repeated)} {'appears' if len(repeated) == 1 else 'appear'} more than once.",
            hint="Each dialogue needs exactly one prediction; where a data set has one row a reference, predict each dialogue once.",
        )
    by_id = {p.id: p for p in given}
    wanted = {pair.id for pair in pairs}
    unknown = [i for i in by_id if i not in wanted]
    if unknown and len(unknown) == len(by_id):
        raise DiasumError(
            f"{source}: none of its {len(by_id)} ids ({_some(unknown)}) is in this split, "
            f"whose ids look like {_some([p.id for p in pairs])}.",
            hint="It was probably made for another split or another corpus: check --split and --data.",
        )
    if unknown:
        raise DiasumError(
            f"{source}: {len(unknown)} of its ids are not in this split: {_some(unknown)}.",
            hint="Remove those rows, or choose the split that has them with --split.",
        )
    missing = [pair.id for pair in pairs if pair.id not in by_id]
    if missing:
        raise DiasumError(
            f"{source}: {len(missing)} of {len(pairs)} dialogues have no prediction: {_some(missing)}.",
            hint="Add a row for each; a summary may be empty, it then scores 0.",
        )
    return [by_id[pair.id] for pair in pairs]


def _json_rows(path: Path, text: str, lines: list[str]) -> list[tuple[int, Any]]:
    """Rows with their line numbers; a JSON array counts its elements instead."""
    if text.lstrip().startswith("["):
        try:
            return list(enumerate(json.loads(text), 1))
        except ValueError as error:
            raise DiasumError(f"{path} is not valid JSON: {error}") from None
    rows = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                rows.append((number, json.loads(line)))
            except ValueError as error:
                raise DiasumError(
                    f"{path}, line {number}: not a JSON object ({error}).",
                    hint="Expected one object a line, or a .txt file with one summary a line.",
                ) from None
    return rows


def _from_rows(path: Path, rows: list[tuple[int, Any]], pairs: Sequence[Pair]) -> list[Prediction]:
    found: list[tuple[str | None, str, bool]] = []
    for number, row in rows:
        if isinstance(row, str):
            row = {"prediction": row}
        if not isinstance(row, dict):
            raise DiasumError(f"{path}, row {number}: expected an object, found a {type(row).__name__}.")
        key = next((key for key in PREDICTION_KEYS if key in row), None)
        if key is None or not isinstance(row[key], str):
            problem = "no prediction" if key is None else f"`{key}` holds a {type(row[key]).__name__}, not text"
            raise DiasumError(
                f"{path}, row {number}: {problem}; it has {', '.join(map(str, row)) or 'nothing'}.",
                hint=f"Expected text under one of: {', '.join(PREDICTION_KEYS)}.",
            )
        name = next((row[key] for key in ID_KEYS if row.get(key) is not None), None)
        found.append((None if name is None else str(name), row[key].strip(), bool(row.get("cut", False))))
    unnamed = [number for (number, _), (name, _, _) in zip(rows, found, strict=True) if name is None]
    if unnamed and len(unnamed) < len(found):
        raise DiasumError(
            f"{path}: some rows have an id and {len(unnamed)} have none (row {', '.join(map(str, unnamed[:5]))}).",
            hint="Give every row its id, or none: rows without ids are taken in the order of the pairs.",
        )
    if unnamed or not found:
        _check_number(path, "rows", len(found), pairs)
        return [Prediction(pair.id, text, cut) for pair, (_, text, cut) in zip(pairs, found, strict=True)]
    return match_predictions(str(path), [Prediction(name or "", text, cut) for name, text, cut in found], pairs)


def _check_number(path: Path, unit: str, found: int, pairs: Sequence[Pair]) -> None:
    if found == len(pairs):
        return
    if found < len(pairs):
        raise DiasumError(
            f"{path} has {found} {unit}, but the split has {len(pairs)} dialogues: {_some([p.id for p in pairs[found:]])} "
            f"{'has' if len(pairs) - found == 1 else 'have'} no prediction.",
            hint="One summary a line, in the split's order; keep empty lines for empty summaries, or use jsonl with ids.",
        )
    hint = "One summary a line, in the split's order: a summary must not contain line breaks."
    if found == sum(len(pair.references) for pair in pairs):
        hint = "That is one for each reference. Predict each dialogue once: it is scored against all of its references."
    raise DiasumError(
        f"{path} has {found} {unit}, but the split has only {len(pairs)} dialogues"
        f"{f' (the last one is {pairs[-1].id})' if pairs else ''}.",
        hint=hint,
    )


def _some(ids: Sequence[str], shown: int = 5) -> str:
    more = f" and {len(ids) - shown} more" if len(ids) > shown else ""
    return ", ".join(ids[:shown]) + more
