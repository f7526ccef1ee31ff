"""All figures of one split in one place: `score_systems` runs every part of this folder that works on texts alone.

In: pairs and each system's predictions. Out: an `Evaluation`, from which the report is drawn and metrics.json is written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diasum.claims.language import OTHER_SCRIPT, other_scripts
from diasum.data import Pair, pairs_hash
from diasum.errors import DiasumError
from diasum.evaluation.baselines import is_baseline
from diasum.evaluation.measures import describe
from diasum.evaluation.predictions import Prediction, match_predictions
from diasum.evaluation.repeats import Repeated, repeated
from diasum.evaluation.rouge.language import language_note
from diasum.evaluation.rouge.protocols import ALIASES, AUTO, PROTOCOLS, Choice, Protocol, Scores, choose_protocol
from diasum.evaluation.statistics.bootstrap import Difference, Interval, intervals, paired_difference
from diasum.evaluation.statistics.compare import DifferenceRow, compare
from diasum.evaluation.statistics.slices import Bin, slice_scores
from diasum.files import write_text
from diasum.wording import counted

Progress = Callable[[str, int, int], None]  # system, dialogues done, dialogues in all


@dataclass(frozen=True)
class Shuffled:
    """A system's predictions against *other* dialogues' references: a model that reads its input loses a lot.

    Attributes:
        metric: the protocol's first one, ROUGE-1.
        matched: mean against the own references.
        shuffled: mean against another dialogue's.
        drop: the paired difference.
    """

    metric: str
    matched: float
    shuffled: float
    drop: Difference

    def to_json(self) -> dict[str, Any]:
        """As metrics.json has it."""
        return {
            "metric": self.metric,
            "matched": self.matched,
            "shuffled": self.shuffled,
            "drop": self.drop.to_json(),
        }


@dataclass
class Evaluation:
    """Everything known of some systems on one split.

    Attributes:
        protocol_reason: why this protocol: set by the user, or by the script of the references.
        pairs: the split's pairs.
        predictions: system to predictions in the pairs' order.
        scores: system to metric to one value a pair, 0 to 100.
        measures: system to measure (see `measures.MEASURES`) to one value a pair, NaN where undefined.
        systems: system to metric to mean and interval.
        differences: to `reference_system`; empty when there is one system only.
        slices: property to bins.
        notes: what a reader must know, each a sentence or two.
        shuffled: system to the check that it reads its input; baselines are left out.
        repeated: system to the sentences that stand in its summaries of many dialogues; baselines, which quote, are left out.
        other_protocols: the other protocols to system to metric to mean and interval: the same summaries, measured otherwise; where the
            references are in other letters than Latin ones, those that can count them only.
    """

    protocol: Protocol
    protocol_reason: str
    split: str
    resamples: int
    seed: int
    data_hash: str
    reference_system: str | None
    pairs: Sequence[Pair]
    predictions: dict[str, list[Prediction]]
    scores: dict[str, Scores]
    measures: dict[str, dict[str, NDArray[np.float64]]]
    systems: dict[str, dict[str, Interval]]
    differences: list[DifferenceRow]
    slices: dict[str, list[Bin]]
    shuffled: dict[str, Shuffled]
    repeated: dict[str, list[Repeated]]
    other_protocols: dict[str, dict[str, dict[str, Interval]]]
    notes: list[str] = field(default_factory=list)

    @property
    def n(self) -> int:
        """How many dialogues were scored."""
        return len(self.pairs)

    @property
    def references(self) -> int | str:
        """References per dialogue: a number, or ``1 to 3`` where it varies."""
        numbers = {len(pair.references) for pair in self.pairs} or {0}
        return min(numbers) if len(numbers) == 1 else f"{min(numbers)} to {max(numbers)}"

    def mean_measures(self, system: str) -> dict[str, float | None]:
        """Each measure's mean over the summaries for which it is defined; None where there are none."""
        defined = {name: values[np.isfinite(values)] for name, values in self.measures[system].items()}
        return {name: float(values.mean()) if len(values) else None for name, values in defined.items()}

    def ranked(self, system: str, metric: str) -> list[int]:
        """Positions of the pairs from the worst score to the best."""
        return [int(i) for i in np.argsort(self.scores[system][metric], kind="stable")]

    def to_json(self, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The content of metrics.json.

        Args:
            extra: further top-level keys (versions, hardware, faithfulness); they may not replace the scores' own.
        """
        systems: dict[str, Any] = {
            name: _bands(metrics) | {"measures": self.mean_measures(name)} for name, metrics in self.systems.items()
        }
        tree = {
            **(extra or {}),
            "protocol": self.protocol.to_json() | {"choice": self.protocol_reason},
            "split": self.split,
            "n": self.n,
            "references": self.references,
            "seed": self.seed,
            "resamples": self.resamples,
            "data_hash": self.data_hash,
            "reference_system": self.reference_system,
            "systems": systems,
            "differences": [row.to_json() for row in self.differences],
            "slices": {name: [b.to_json() for b in bins] for name, bins in self.slices.items()},
            "shuffled": {name: check.to_json() for name, check in self.shuffled.items()},
            "repeated": {name: [one.to_json() for one in repeats] for name, repeats in self.repeated.items()},
            "other_protocols": {
                name: PROTOCOLS[name].to_json() | {"systems": {s: _bands(metrics) for s, metrics in table.items()}}
                for name, table in self.other_protocols.items()
            },
            "notes": list(self.notes),
        }
        rounded: dict[str, Any] = _rounded(tree)
        return rounded

    def write(self, path: Path | str, extra: Mapping[str, Any] | None = None) -> None:
        """Write metrics.json, whole or not at all.

        Args:
            path: where to.
            extra: as `to_json`.
        """
        write_text(Path(path), json.dumps(self.to_json(extra), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def score_systems(
    pairs: Sequence[Pair],
    predictions: Mapping[str, Sequence[Prediction]],
    *,
    protocol: str = AUTO,
    resamples: int = 10_000,
    seed: int = 0,
    reference_system: str | None = None,
    split: str = "test",
    progress: Progress | None = None,
) -> Evaluation:
    """Score systems on the same pairs under one protocol.

    Args:
        pairs: dialogues with their references.
        predictions: system to predictions, in any order; a name of a baseline (``lead3``) marks a baseline.
        protocol: a key of `PROTOCOLS`, or ``auto`` for the one that fits the references' script.
        resamples: number of resamples for intervals and tests.
        seed: of the resamples and the shuffling.
        reference_system: differences are taken to it; the first system when not given.
        split: its name, for the record.
        progress: called as ``progress("scoring (SYSTEM)", done, total)``.

    Raises:
        DiasumError: no pairs or systems, an unknown protocol or reference system, or predictions that do not match the pairs.
    """
    references = [pair.references for pair in pairs]
    choice = choose_protocol(protocol, references)
    method = choice.protocol
    _check_not_empty(pairs, predictions, split)
    matched = {name: match_predictions(name, summaries, pairs) for name, summaries in predictions.items()}
    texts = {name: [p.text for p in summaries] for name, summaries in matched.items()}
    scores = {
        name: method.score(summaries, references, progress=_named(progress, name)) for name, summaries in texts.items()
    }
    measures = {
        name: describe(pairs, summaries, [p.summary_cut for p in matched[name]]) for name, summaries in texts.items()
    }
    reference_system = reference_system or next(iter(matched))
    table = compare(scores, reference_system, resamples=resamples, seed=seed)
    models = [name for name in matched if not is_baseline(name)]
    return Evaluation(
        protocol=method,
        protocol_reason=choice.reason,
        split=split,
        resamples=resamples,
        seed=seed,
        data_hash=pairs_hash(pairs),
        reference_system=reference_system if len(matched) > 1 else None,
        pairs=pairs,
        predictions=matched,
        scores=scores,
        measures=measures,
        systems={row.name: row.metrics for row in table.rows},
        differences=table.differences,
        slices=slice_scores(pairs, scores, resamples=resamples, seed=seed),
        shuffled=_shuffled(method, texts, references, scores, models, resamples, seed),
        repeated={name: repeated(pairs, texts[name]) for name in models},
        other_protocols=_other_protocols(method, texts, references, resamples, seed, progress),
        notes=_notes(choice, pairs, matched),
    )


def _check_not_empty(pairs: Sequence[Pair], predictions: Mapping[str, Sequence[Prediction]], split: str) -> None:
    if not pairs:
        raise DiasumError(
            f"The split `{split}` has no pairs to score.", hint="Check --data, --split and --max-examples."
        )
    if not predictions:
        raise DiasumError("There are no predictions to score.", hint="Give at least one system.")


def derangement(n: int, seed: int) -> NDArray[np.int64]:
    """A seeded permutation of ``range(n)`` that leaves nothing in its place (one cycle through all); n is at least 2."""
    order = np.random.default_rng([seed, 3]).permutation(n)
    moved = np.empty(n, dtype=np.int64)
    moved[order] = np.roll(order, -1)
    return moved


def _shuffled(
    method: Protocol,
    texts: Mapping[str, Sequence[str]],
    references: Sequence[Sequence[str]],
    scores: Mapping[str, Scores],
    systems: Sequence[str],
    resamples: int,
    seed: int,
) -> dict[str, Shuffled]:
    if len(references) < 2:
        return {}
    others = [references[i] for i in derangement(len(references), seed)]
    metric = method.metrics[0]
    checks = {}
    for name in systems:
        own, wrong = scores[name][metric], method.score(texts[name], others)[metric]
        drop = paired_difference(own, wrong, resamples=resamples, seed=seed)
        checks[name] = Shuffled(metric, float(own.mean()), float(wrong.mean()), drop)
    return checks


def _other_protocols(
    method: Protocol,
    texts: Mapping[str, Sequence[str]],
    references: Sequence[Sequence[str]],
    resamples: int,
    seed: int,
    progress: Progress | None,
) -> dict[str, dict[str, dict[str, Interval]]]:
    """All protocols except the chosen one and those that only rename it."""
    others = [
        p for p in PROTOCOLS.values() if p.name not in ALIASES and ALIASES.get(method.name, method.name) != p.name
    ]
    if other_scripts(text for texts in references for text in texts)[0] >= OTHER_SCRIPT:
        others = [p for p in others if p.any_script]
    if not others:
        return {}
    scores: dict[str, dict[str, Scores]] = {}
    if progress:
        progress("scoring (other protocols)", 0, len(others))
    for number, p in enumerate(others, 1):
        scores[p.name] = {system: p.score(summaries, references) for system, summaries in texts.items()}
        if progress:
            progress("scoring (other protocols)", number, len(others))
    keys = [(name, s, m) for name, systems in scores.items() for s, metrics in systems.items() for m in metrics]
    columns = np.stack([scores[name][s][m] for name, s, m in keys], axis=1)
    bands: dict[str, dict[str, dict[str, Interval]]] = {p.name: {system: {} for system in texts} for p in others}
    for (name, s, m), band in zip(keys, intervals(columns, resamples=resamples, seed=seed), strict=True):
        bands[name][s][m] = band
    return bands


def _bands(metrics: Mapping[str, Interval]) -> dict[str, Any]:
    return {metric: {"mean": i.mean, "low": i.low, "high": i.high} for metric, i in metrics.items()}


def _notes(choice: Choice, pairs: Sequence[Pair], predictions: Mapping[str, Sequence[Prediction]]) -> list[str]:
    notes: list[str] = []
    cut_before: list[tuple[str, str]] = []
    long_before: list[str] = []
    for name, summaries in predictions.items():
        empty = [p.id for p in summaries if not p.text.strip()]
        cut = sum(p.summary_cut for p in summaries)
        partly = [(p.id, p.read) for p in summaries if p.read]
        if empty:
            notes.append(
                f"{name}: {len(empty)} of {len(summaries)} summaries are empty and score 0 ({', '.join(empty[:5])})."
            )
        if cut:
            notes.append(
                f"{name}: {cut} of {len(summaries)} summaries {'was' if cut == 1 else 'were'} cut by the length limit."
            )
        if partly and partly != cut_before:
            cut_before = partly  # the base reads what its adapter reads
            identifier, read = partly[0]
            notes.append(
                f"{name}: {len(partly)} of {len(summaries)} dialogues did not fit the model's input (such as {identifier}: {read})."
            )
        long = [(p.id, p.summary.read_in_windows) for p in summaries if p.summary.read_in_windows]
        if long and [identifier for identifier, _ in long] != long_before:
            long_before = [identifier for identifier, _ in long]
            identifier, read = long[0]
            notes.append(
                f"{name}: {len(long)} of {len(summaries)} dialogues are longer than the model's input (such as {identifier}: {read})."
            )
    if choice.noteworthy:
        notes.append(f"Protocol `{choice.protocol.name}` ({choice.reason}).")
    foreign = language_note([text for pair in pairs for text in pair.references], choice.protocol)
    if foreign:
        notes.append(foreign)
    if len(pairs) < 30:
        notes.append(
            f"With {counted(len(pairs), 'dialogue')}, intervals are rough: bootstrap intervals are too narrow for small samples."
        )
    return notes


def _named(progress: Progress | None, name: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(f"scoring ({name})", done, total)


def _rounded(tree: Any) -> Any:
    """Floats rounded to six digits; what JSON cannot represent becomes null."""
    if isinstance(tree, float):
        return round(tree, 6) if math.isfinite(tree) else None
    if isinstance(tree, dict):
        return {key: _rounded(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_rounded(value) for value in tree]
    return tree
