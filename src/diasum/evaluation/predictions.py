"""Predictions in and out of files: any system's summaries, matched to the pairs they belong to.

Read are text files with one summary a line, in the order of the pairs, and tables (all that a corpus is read from) with an id a row.
Written is one JSON object per pair, which can be read back, and which holds all that is needed to look at an example by itself.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from diasum.claims.language import is_english
from diasum.data import Pair
from diasum.data.letters import pair_texts
from diasum.data.summary import NO_ENGINE, FinishReason, Summary, finish_reason_of, is_of, is_record
from diasum.dialogue.files.decoding import read_lines
from diasum.dialogue.files.rows import Table, one_line
from diasum.dialogue.files.tables import is_data_file, read_path, read_texts
from diasum.dialogue.names import ID_NAMES, find_name
from diasum.errors import DiasumError, near_path
from diasum.evaluation.baselines import is_baseline
from diasum.files import write_json_lines
from diasum.json_lines import loads
from diasum.wording import counted

# Names that only a system's summaries have. `summary` and `text` count where none of these is there: beside one they are the human
# summary and the dialogue.
OWN_KEYS = (
    *(
        "prediction",
        "predicted_summary",
        "predicted",
        "predict",
        "pred",
        "generated_summary",
        "generated_text",
        "generated",
    ),
    *("model_summary", "model_output", "system_summary", "summary_text", "hypothesis", "output"),
)
SHARED_KEYS = ("summary", "text")
ID_KEYS = (*ID_NAMES, "example_id")
PairOf = Mapping[str, str | None]


@dataclass(frozen=True)
class Prediction:
    """A system's summary of one dialogue.

    Attributes:
        id: the pair's.
        summary: its text, which may be empty, and what is known of how it was made.
    """

    id: str
    summary: Summary

    @classmethod
    def of_text(
        cls,
        id: str,
        text: str,
        *,
        finish_reason: FinishReason | None = None,
        engine: str = NO_ENGINE,
        english: bool | None = None,
    ) -> Prediction:
        """A prediction of which only the text need be known; arguments as `Summary.of_text`."""
        return cls(id, Summary.of_text(text, finish_reason=finish_reason, engine=engine, english=english))

    @property
    def text(self) -> str:
        """The summary's text."""
        return self.summary.text

    @property
    def summary_cut(self) -> bool:
        """Whether generation is known to have stopped at the length limit."""
        return bool(self.summary.summary_cut)

    @property
    def read(self) -> str | None:
        """What the model read of the dialogue, if that was not all of it."""
        reading = self.summary.reading
        return reading.sentence() if reading and not reading.whole else None


def read_predictions(path: Path | str, pairs: Sequence[Pair], pair_of: PairOf | None = None) -> list[Prediction]:
    """Read a system's outputs for these pairs.

    Args:
        path: a table (csv, tsv, json, jsonl, parquet) whose rows hold a summary and, unless they are in the pairs' order, an id; a
            JSON array of texts; or, under any other ending, text with one summary a line in the pairs' order (an empty line is an
            empty summary; `diasum summarize` puts names before them).
        pairs: the split they were made for.
        pair_of: of `Rows`: what was made for each row of the corpus is then matched, too, by the rows' ids or in their order.

    Returns:
        One prediction a pair, in the pairs' order.

    Raises:
        DiasumError: the file cannot be read, a row has no summary, several columns could be the summary, or rows and pairs do not
            match; the message names the ids.
    """
    return _read(Path(path), pairs, pair_of or {})[0]


def read_systems(
    paths: Sequence[Path | str], pairs: Sequence[Pair], pair_of: PairOf | None = None
) -> tuple[dict[str, list[Prediction]], list[str]]:
    """Several systems' outputs, each named by its file, with as many folders before the name as it takes to tell them apart.

    Returns:
        The predictions by system, and what a user should know of how they were read.

    Raises:
        DiasumError: as `read_predictions`, or a file is given twice.
    """
    files = [Path(path) for path in paths]
    names = short_names([Path(os.path.splitext(file)[0]) for file in files])
    if len(set(names)) < len(names):
        names = short_names(files)  # a.txt and a.jsonl
    if len(set(names)) < len(names):
        raise DiasumError(
            f"The same file is given twice: {_some([str(file) for file in files])}.", hint="Name each file once."
        )
    names = [file.name if is_baseline(name) else name for name, file in zip(names, files, strict=True)]
    systems, notes = {}, []
    for name, file in zip(names, files, strict=True):
        systems[name], key = _read(file, pairs, pair_of or {})
        if key is not None:
            notes.append(f"{name}: the summaries are read from `{key}`.")
        if pairs and all(_is_reference(p.text, pair) for p, pair in zip(systems[name], pairs, strict=True)):
            notes.append(f"Warning: each summary of {name} equals a human one: are these really a system's summaries?")
    return systems, notes


def short_names(paths: Sequence[Path], taken: Iterable[str] = ()) -> list[str]:
    """Each path's last part, with as many folders before it as it takes to tell the paths apart.

    Args:
        paths: the same path twice has the same name twice.
        taken: names of others, to keep clear of.
    """
    parts = [Path(os.path.abspath(path)).parts for path in paths]
    taken = set(taken)
    for depth in range(1, 1 + max((len(of_one) for of_one in parts), default=0)):
        names = ["/".join(of_one[-depth:]) for of_one in parts]
        if len(set(names)) == len(names) and taken.isdisjoint(names):
            return names
    return [str(Path(*of_one)) for of_one in parts]


def write_predictions(
    path: Path | str,
    pairs: Sequence[Pair],
    predictions: Sequence[Prediction],
    scores: Mapping[str, ArrayLike] | None = None,
) -> None:
    """Write one JSON object per pair: id, prediction, references, dialogue, topic, the summary's record, and per-example scores.

    The text stands under `prediction`: `summary` would be read as the human one.

    Args:
        path: where to; the file appears complete or not at all.
        pairs: in the order of `predictions`.
        predictions: one per pair.
        scores: metric name to one value a pair, as `Protocol.score` gives them.
    """
    import numpy as np

    columns = {name: np.asarray(values, dtype=np.float64) for name, values in (scores or {}).items()}
    rows = []
    for i, (pair, prediction) in enumerate(zip(pairs, predictions, strict=True)):
        record = prediction.summary.to_record()
        row: dict[str, Any] = {
            "id": pair.id,
            "prediction": record.pop("summary"),
            "references": list(pair.references),
            "dialogue": pair.dialogue.text,
            "topic": pair.topic,
            **record,
        }
        for name, values in columns.items():
            value = float(values[i])
            row[name] = round(value, 4) if math.isfinite(value) else None
        rows.append(row)
    write_json_lines(Path(path), rows)


def match_predictions(
    source: str, predictions: Iterable[Prediction], pairs: Sequence[Pair], pair_of: PairOf | None = None
) -> list[Prediction]:
    """Put predictions in the order of the pairs.

    Args:
        source: what to call them in errors: a file or a system's name.
        predictions: in any order, each with the id of its pair.
        pairs: the split they should cover, each once.
        pair_of: of `Rows`; ids of rows stand for those of their pairs. What was made for a skipped row is left out, and what is the
            same for several rows of a pair counts once.

    Raises:
        DiasumError: ids are repeated, unknown or missing.
    """
    kept = _without_rows(list(predictions), pair_of or {})
    repeated = [i for i, n in Counter(p.id for p in kept).items() if n > 1]
    if repeated:
        raise DiasumError(
            f"{source}: {_some(repeated)} {'appears' if len(repeated) == 1 else 'appear'} more than once.",
            hint="Each dialogue needs exactly one prediction; if the data set has one row per reference, predict each dialogue once.",
        )
    by_id = {p.id: p for p in kept}
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
            hint="Add a row for each; an empty summary is allowed and scores 0.",
        )
    return [by_id[pair.id] for pair in pairs]


def _without_rows(predictions: list[Prediction], pair_of: PairOf) -> list[Prediction]:
    kept: list[Prediction] = []
    seen: set[tuple[str, str]] = set()
    for prediction in predictions:
        name = pair_of.get(prediction.id, prediction.id)
        if name is None or (name != prediction.id and (name, prediction.text) in seen):
            continue
        seen.add((name, prediction.text))
        kept.append(replace(prediction, id=name))
    return kept


def _in_order(
    path: Path, unit: str, predictions: list[Prediction], pairs: Sequence[Pair], pair_of: PairOf
) -> list[Prediction]:
    """Predictions without ids: one per pair, or one per row of the corpus."""
    if len(predictions) == len(pair_of) != len(pairs):
        named = [replace(one, id=row) for one, row in zip(predictions, pair_of, strict=True)]
        return match_predictions(str(path), named, pairs, pair_of)
    _check_number(path, unit, len(predictions), pairs)
    return [replace(one, id=pair.id) for one, pair in zip(predictions, pairs, strict=True)]


def _read(path: Path, pairs: Sequence[Pair], pair_of: PairOf) -> tuple[list[Prediction], str | None]:
    """Predictions, and the key or column that they stood under where there is one."""
    if not os.path.exists(path):
        raise DiasumError(f"No predictions file at {path}.", hint=near_path(path) or "Check the path.")
    if path.is_dir():
        raise DiasumError(
            f"{path} is a folder; expected a file of summaries.", hint="Name the file, such as its predictions.jsonl."
        )
    if not is_data_file(path):
        return _from_lines(path, pairs, pair_of), None
    if (texts := read_texts(path)) is not None:
        return _in_order(path, "items", _of_texts(texts, pairs), pairs, pair_of), None
    tables = read_path(path)
    if len(tables) > 1:
        raise DiasumError(
            f"{path} holds several splits: {', '.join(tables)}.",
            hint="Give one split's summaries per file.",
        )
    return _from_table(path, next(iter(tables.values())), pairs, pair_of)


def _from_lines(path: Path, pairs: Sequence[Pair], pair_of: PairOf) -> list[Prediction]:
    try:
        lines = [line.strip() for _, line in read_lines(path)]
    except OSError as error:
        raise DiasumError(f"{path} cannot be read: {error.strerror}.") from None
    if lines and lines[0].startswith("{") and isinstance(_json(lines[0]), dict):
        raise DiasumError(
            f"{path}: expected one summary per line, found JSON objects.",
            hint="Name it .jsonl: it is then read as a table.",
        )
    while len(lines) > len(pairs) and len(lines) != len(pair_of) and not lines[-1]:
        lines.pop()
    texts = _without_names(lines, pairs, pair_of)
    return _in_order(path, "lines", _of_texts(texts, pairs), pairs, pair_of)


def _of_texts(texts: Iterable[str], pairs: Sequence[Pair]) -> list[Prediction]:
    english = is_english(pair_texts(pairs))
    return [Prediction.of_text("", text.strip(), english=english) for text in texts]


def _without_names(lines: list[str], pairs: Sequence[Pair], pair_of: PairOf) -> list[str]:
    """What stands behind each line's name, where all begin with the ids or the numbers that `diasum summarize` puts there."""
    for names in ([pair.id for pair in pairs], list(pair_of), [str(n) for n in range(1, len(lines) + 1)]):
        if len(names) == len(lines) > 1 and all(
            line.startswith(f"{name}:") for line, name in zip(lines, names, strict=True)
        ):
            return [line[len(name) + 1 :].strip() for line, name in zip(lines, names, strict=True)]
    return lines


def _json(text: str) -> Any:
    try:
        return loads(text)
    except (ValueError, RecursionError):
        return None


def _from_table(path: Path, table: Table, pairs: Sequence[Pair], pair_of: PairOf) -> tuple[list[Prediction], str]:
    columns = table.names
    key, id_key = _prediction_key(columns, path), find_name(columns, ID_KEYS)
    english = is_english(pair_texts(pairs))
    placed: list[tuple[str, Prediction]] = []
    for index, row in enumerate(table.rows):
        text = row.get(key)
        if not isinstance(text, str):
            problem = f"`{key}` holds a {type(text).__name__}, not text" if key in row else f"no `{key}`"
            raise DiasumError(
                f"{table.where(index)}: {problem}; it has {', '.join(map(str, row)) or 'nothing'}.",
                hint="Every row needs its summary as text; it may be empty.",
            )
        name = one_line(row.get(id_key)) if id_key else ""  # as a corpus' ids are read
        placed.append((table.place(index), Prediction(name, _summary(row, text, table.where(index), english))))
    unnamed = [place for place, prediction in placed if not prediction.id]
    if unnamed and len(unnamed) < len(placed):
        raise DiasumError(
            f"{path}: some rows have an id and {len(unnamed)} have none ({', '.join(unnamed[:5])}).",
            hint="Give every row an id, or none: rows without ids are taken in the order of the pairs.",
        )
    predictions = [prediction for _, prediction in placed]
    if not unnamed:
        return match_predictions(str(path), predictions, pairs, pair_of), key
    return _in_order(path, "rows", predictions, pairs, pair_of), key


def _summary(row: Mapping[str, Any], text: str, where: str, english: bool) -> Summary:
    """The record that a row holds; of another system's row, and of a text that was changed after diasum wrote it, what the row says."""
    if is_record(row, where) and is_of(text, row["sentences"]):
        return Summary.from_record({**row, "prediction": text}, where)
    return Summary.of_text(text.strip(), finish_reason=finish_reason_of(row), english=english)


def _prediction_key(columns: Sequence[str], path: Path) -> str:
    own = [name for name in columns if find_name([name], OWN_KEYS)]
    if len(own) > 1:
        raise DiasumError(
            f"{path}: each of {', '.join(f'`{name}`' for name in own)} could be the system's summaries.",
            hint="Rename or remove all but the one to score; `summary` beside it is taken for the human one.",
        )
    key = own[0] if own else find_name(columns, SHARED_KEYS)
    if key is None:
        raise DiasumError(
            f"{path}: none of its columns looks like the system's summaries; it has {', '.join(columns) or 'none'}.",
            hint=f"Expected one of: {', '.join((*OWN_KEYS, *SHARED_KEYS))}.",
        )
    return key


def _is_reference(text: str, pair: Pair) -> bool:
    return text.split() in [reference.split() for reference in pair.references]


def _check_number(path: Path, unit: str, count: int, pairs: Sequence[Pair]) -> None:
    if count == len(pairs):
        return
    if count < len(pairs):
        raise DiasumError(
            f"{path} has {count} {unit}, but the split has {counted(len(pairs), 'dialogue')}: {_some([p.id for p in pairs[count:]])} "
            f"{'has' if len(pairs) - count == 1 else 'have'} no prediction.",
            hint="Expected one summary per line, in the split's order; keep empty lines for empty summaries, or use jsonl with ids.",
        )
    hint = "Expected one summary per line, in the split's order: a summary must not contain line breaks."
    if count == sum(len(pair.references) for pair in pairs):
        hint = "That is one for each reference. Predict each dialogue once: it is scored against all of its references."
    raise DiasumError(
        f"{path} has {count} {unit}, but the split has only {counted(len(pairs), 'dialogue')}"
        f"{f' (the last one is {pairs[-1].id})' if pairs else ''}.",
        hint=hint,
    )


def _some(ids: Sequence[str], shown: int = 5) -> str:
    more = f" and {len(ids) - shown} more" if len(ids) > shown else ""
    return ", ".join(ids[:shown]) + more
