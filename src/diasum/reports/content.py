"""What the report says: everything that its templates draw, computed once.

In: an `Evaluated`, its corpus and its run. Out: a `Report`; `Report.record` is what metrics.json holds beyond the scores.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from diasum.claims.judgement import Judge
from diasum.claims.support import CHECKED, KINDS, Unsupported, faithfulness
from diasum.data import Corpus
from diasum.evaluation.baselines import is_baseline, parse_baseline, sees_references
from diasum.evaluation.contrast import ContrastResult
from diasum.evaluation.evaluate import BASE, Evaluated
from diasum.evaluation.measures import FURTHER, MEASURES, describe
from diasum.evaluation.metrics import Evaluation
from diasum.evaluation.rouge.protocols import PROTOCOLS
from diasum.evaluation.statistics.bootstrap import Interval, share_interval
from diasum.evaluation.statistics.compare import DifferenceRow
from diasum.evaluation.statistics.slices import Bin
from diasum.model import describe_machine
from diasum.reports.headline import NAMES, contrast_sentence, facts_sentence, sentences
from diasum.reports.rendering import points
from diasum.reports.sentence_checks import SentenceChecks, check_sentences
from diasum.training import Run
from diasum.versions import versions

SHOWN_EXAMPLES = 5


@dataclass
class FactCheck:
    """Unsupported facts in some texts.

    Attributes:
        unsupported: what `faithfulness` found, one list a text.
        counts: kind to the number of such facts.
        bands: kind (and ``any``) to the share of texts with such a fact, 0 to 1, with its interval.
    """

    unsupported: list[list[Unsupported]]
    counts: dict[str, int]
    bands: dict[str, Interval]

    def to_json(self) -> dict[str, Any]:
        """As metrics.json has it."""
        shares = {kind: {"mean": i.mean, "low": i.low, "high": i.high} for kind, i in self.bands.items()}
        return {"n": len(self.unsupported), "counts": self.counts, "shares": shares}


@dataclass
class Report:
    """All that a report draws.

    Attributes:
        evaluated: what was evaluated.
        corpus: where the pairs came from.
        run: the run evaluated, if it was one.
        checks: system to its unsupported facts.
        human: the same of each pair's first reference. No yardstick: references hold facts that their dialogues leave out, and the
            rules see few of a model's errors, so a lower share than theirs says nothing.
        reference_facts: pair to reference to what the checks find in it.
        sentence_checks: which sentences of all systems, and of the first references, their dialogues support.
    """

    evaluated: Evaluated
    corpus: Corpus
    run: Run | None
    checks: dict[str, FactCheck]
    human: FactCheck
    reference_facts: list[list[list[Unsupported]]]
    sentence_checks: SentenceChecks

    @property
    def record(self) -> Mapping[str, Any]:
        """What metrics.json holds beyond the scores."""
        return self.evaluated.record

    @property
    def contrast(self) -> Mapping[str, ContrastResult]:
        """System to its contrast, where it was measured."""
        return self.evaluated.contrast

    @property
    def evaluation(self) -> Evaluation:
        """Every score."""
        return self.evaluated.evaluation

    @property
    def system(self) -> str:
        """The system that the report is about."""
        return self.evaluated.system

    @property
    def systems(self) -> list[str]:
        """All systems, the one evaluated first."""
        others = [name for name in self.evaluation.systems if name != self.system]
        return [self.system, *others]

    @property
    def rival(self) -> str | None:
        """The system that examples are compared with: the base model, otherwise the first that sees no references."""
        others = [name for name in self.systems[1:] if not sees_references(name)]
        return BASE if BASE in others else next(iter(others), None)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The protocol's metrics."""
        return self.evaluation.protocol.metrics

    @property
    def metric(self) -> str:
        """The metric of sentences, slices and examples: ROUGE-L, where the protocol has it."""
        return "rougeL" if "rougeL" in self.metrics else self.metrics[-1]

    @property
    def sentences(self) -> list[str]:
        """What the evaluation says."""
        contrasts = (contrast_sentence(system, result) for system, result in self.contrast.items())
        further = (*contrasts, self.facts_sentence, self.evaluated.next_steps)
        return [*sentences(self.evaluation, self.metric), *(line for line in further if line)]

    @property
    def facts_sentence(self) -> str:
        """What the checks found in the system evaluated, and what they look at."""
        facts = facts_sentence(self.system, self.checks[self.system].bands["any"].mean)
        return f"{facts} {self.sentence_checks.sentence(self.system)}"

    @property
    def alarms_on_references(self) -> float:
        """The share of human summaries that the rules flag, 0 to 1."""
        return self.human.bands["any"].mean

    @property
    def name(self) -> str:
        """What the report calls its subject: the run's name, or the system's."""
        return self.run.path.resolve().name if self.run else self.system

    @property
    def data_name(self) -> str:
        """The corpus, without the folders that contain it."""
        return short_name(self.corpus.name)

    def metric_name(self, metric: str) -> str:
        """``ROUGE-L`` for ``rougeL``."""
        return NAMES.get(metric, metric)

    def describe_system(self, system: str) -> str:
        """One line on what a system is, for tables; empty where the name says it."""
        if system == BASE:
            return "the base model without the adapter"
        if system == "adapter":
            return "the base model with the adapter"
        if is_baseline(system):
            method, k = parse_baseline(system)
            return f"{method.description}" + ("" if method.needs_references else f"; {k} of them")
        return ""

    def describe_protocol(self, name: str) -> str:
        """What sets a protocol apart: whose figures, and how references are joined."""
        protocol = PROTOCOLS[name]
        stems = "" if protocol.stemmed else ", not stemmed"
        return f"{protocol.library.split(' (')[0]}{stems}; {protocol.joining}"

    def triple(self, bands: Mapping[str, Interval]) -> str:
        """``27.3 / 6.5 / 21.3``: the three figures that papers give."""
        return " / ".join(points(bands[metric].mean) for metric in ("rouge1", "rouge2", "rougeL"))

    def difference(self, system: str, metric: str) -> DifferenceRow | None:
        """How a system differs from the reference system."""
        rows = (row for row in self.evaluation.differences if row.system == system and row.metric == metric)
        return next(rows, None)

    def best(self, metric: str) -> set[str]:
        """Systems with the highest mean; those that see the references do not count."""
        means = {s: self.evaluation.systems[s][metric].mean for s in self.systems if not sees_references(s)}
        return {system for system, mean in means.items() if mean == max(means.values())}

    @cached_property
    def measures(self) -> list[tuple[str | None, dict[str, float | None]]]:
        """System and its mean measures; the first references, under None, come first."""
        pairs = self.evaluated.pairs
        values = describe(pairs, [pair.references[0] for pair in pairs], [False] * len(pairs))
        human = {name: _mean(column) for name, column in values.items()} | {
            "cut": None,
            "bertscore": None,
            "nli_consistency": None,
        }
        return [(None, human), *((system, self.evaluation.mean_measures(system)) for system in self.systems)]

    @property
    def measure_names(self) -> dict[str, str]:
        """Measure to what it is."""
        present = self.evaluation.measures[self.system]
        return MEASURES | {name: what for name, what in FURTHER.items() if name in present}

    def measure_label(self, measure: str) -> str:
        """A measure as a column's head."""
        return {
            "novelty1": "New words",
            "novelty2": "New pairs",
            "bertscore": "BERTScore",
            "nli_consistency": "NLI",
        }.get(measure, measure.capitalize())

    def is_share(self, measure: str) -> bool:
        """Whether a measure is a share, 0 to 1."""
        return self.measure_names[measure].startswith("share")

    def is_weak(self, part: Bin) -> bool:
        """Whether the system evaluated does clearly worse in a bin: its interval there lies below the mean over all dialogues.

        Bins of few dialogues are not judged: their intervals are too narrow.
        """
        return (
            part.judged
            and part.scores[self.system][self.metric].high < self.evaluation.systems[self.system][self.metric].mean
        )

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of facts checked."""
        return KINDS

    def facts_of(self, system: str) -> list[list[Unsupported]]:
        """A system's unsupported facts, one list per dialogue."""
        return self.checks[system].unsupported

    @property
    def sample(self) -> list[int]:
        """A few pairs, drawn by the evaluation's seed, not picked."""
        n = self.evaluation.n
        return sorted(random.Random(self.evaluation.seed).sample(range(n), min(SHOWN_EXAMPLES, n)))


def build_report(evaluated: Evaluated, corpus: Corpus, run: Run | None, judge: Judge | None = None) -> Report:
    """Check facts and sentences, gather provenance, and put all that a report draws in one place.

    It sets `evaluated.facts` and `evaluated.record`.

    Args:
        evaluated: scored.
        corpus: that it was evaluated on.
        run: that it is of, if it is of one.
        judge: a model that is asked beside the rules.
    """
    evaluation = evaluated.evaluation
    texts = {name: [p.text for p in predictions] for name, predictions in evaluation.predictions.items()}
    references, checks = _check(texts, evaluation)
    human = _count([claims[0] for claims in references])
    report = Report(evaluated, corpus, run, checks, human, references, check_sentences(texts, evaluation, judge))
    evaluated.facts = report.facts_sentence
    evaluated.record = {
        "system": evaluated.system,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": {"name": report.data_name, "license": corpus.license},
        "run": run_record(run) if run else None,
        "versions": versions(),
        "hardware": describe_machine(),
        "generation": evaluated.generation or None,
        "faithfulness": {
            "checked": CHECKED,
            "systems": {name: check.to_json() for name, check in checks.items()},
            "references": human.to_json(),
            "sentences": report.sentence_checks.to_json(),
        },
    }
    if report.contrast:
        evaluated.record["contrast"] = {name: result.to_json() for name, result in report.contrast.items()}
    return report


def run_record(run: Run) -> dict[str, Any]:
    """The run's entry in metrics.json: its name and the manifest's base, data, parameters, seed and times; no local folders."""
    manifest = run.manifest()
    keys = ("base", "parameters", "seed", "data", "encoding", "choices", "timings", "best", "status", "versions")
    record = {"name": run.path.resolve().name} | {key: manifest[key] for key in keys if key in manifest}
    for part, key in (("base", "id"), ("data", "path")):
        if key in record.get(part, {}):
            record[part] = record[part] | {key: short_name(record[part][key])}
    return record


def short_name(name: str) -> str:
    """A local path without its folders, which are private; a hub id or bundled name as it is."""
    path = Path(name)
    local = path.is_absolute() or name.startswith(("~", ".")) or name.count("/") > 1 or path.exists()
    return path.resolve().name if local else name


def _check(
    texts: Mapping[str, Sequence[str]], evaluation: Evaluation
) -> tuple[list[list[list[Unsupported]]], dict[str, FactCheck]]:
    """Check the references and every system; all texts of a dialogue in a row, since it is then read once."""
    rows = [
        (*pair.references, *(summaries[i] for summaries in texts.values())) for i, pair in enumerate(evaluation.pairs)
    ]
    dialogues = [pair.dialogue for pair, row in zip(evaluation.pairs, rows, strict=True) for _ in row]
    unsupported = iter(faithfulness([text for row in rows for text in row], dialogues).unsupported)
    by_pair = [[next(unsupported) for _ in row] for row in rows]
    references = [claims[: len(claims) - len(texts)] for claims in by_pair]
    systems = {name: _count([claims[k - len(texts)] for claims in by_pair]) for k, name in enumerate(texts)}
    return references, systems


def _count(by_text: list[list[Unsupported]]) -> FactCheck:
    columns = [[float(any(claim.kind == kind for claim in claims)) for claims in by_text] for kind in KINDS]
    columns.append([float(bool(claims)) for claims in by_text])
    bands = [share_interval(column) for column in columns]
    counts = {kind: sum(claim.kind == kind for claims in by_text for claim in claims) for kind in KINDS}
    return FactCheck(by_text, counts, dict(zip((*KINDS, "any"), bands, strict=True)))


def _mean(values: Any) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
