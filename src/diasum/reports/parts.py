"""Parts of the report that are put together from several figures: its tiles, its plots, and how it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diasum.claims.support import CHECKED
from diasum.reports import plots as draw
from diasum.reports.content import Report, short_name
from diasum.reports.rendering import percent, points, pvalue, signed
from diasum.reports.sentence_checks import LOOKS_AT


@dataclass(frozen=True)
class Tile:
    """One prominent figure, with what a reader needs to judge it."""

    label: str
    figure: str
    unit: str
    more: str


@dataclass(frozen=True)
class ContrastRow:
    """A kind of corruption: how often a system prefers the reference, with its own dialogue and with another one.

    Attributes:
        shown: whether the preference is more than chance and comes from reading, as `ContrastResult.shown`.
    """

    system: str
    kind: str
    n: int
    share: str
    control: str
    gain: str
    shown: bool


def tiles(report: Report) -> list[Tile]:
    """The score, its distance to the rival, unsupported names, numbers and dates, and whether the input is read."""
    evaluation, metric = report.evaluation, report.metric
    name = report.metric_name(metric)
    band = evaluation.systems[report.system][metric]
    shown = [
        Tile(
            f"{name} of {report.system}",
            points(band.mean),
            "",
            f"95% interval {points(band.low)} to {points(band.high)}",
        )
    ]
    row = report.difference(report.rival, metric) if report.rival else None
    if row is not None and row.reference == report.system:
        d = row.difference
        spread = f"95% interval {signed(-d.high)} to {signed(-d.low)}, p {pvalue(row.p_holm)} corrected"
        spread += "" if row.established else ": no difference is established"
        shown.append(Tile(f"Against {report.rival}", signed(-d.mean), name, spread))
    unsupported = report.checks[report.system].bands["any"]
    more = f"of summaries. Checked: {CHECKED}"
    shown.append(Tile("Unsupported names, numbers, dates in", f"{100 * unsupported.mean:.1f}", "%", more))
    tally = report.sentence_checks.systems[report.system]
    if tally.flagged is not None:
        more = f"of the {tally.checked} that were checked, of {tally.n}. Looked at: {LOOKS_AT}, and facts"
        shown.append(Tile("Sentences to look at", f"{100 * tally.flagged.mean:.1f}", "%", more))
    if report.system in evaluation.shuffled:
        check = evaluation.shuffled[report.system]
        more = f"{report.metric_name(check.metric)} {points(check.matched)}, against other dialogues’ references {points(check.shuffled)}"
        shown.append(Tile("Reads its input", "yes" if check.drop.low > 0 else "not shown", "", more))
    return shown


def plots(report: Report) -> list[draw.Plot]:
    """Distributions, score by length, and training curves where there is a run with events."""
    evaluation, metric = report.evaluation, report.metric
    name = report.metric_name(metric)
    scores = {system: evaluation.scores[system][metric] for system in report.systems}
    words = [sum(len(turn.text.split()) for turn in pair.dialogue.turns) for pair in evaluation.pairs]
    drawn = [
        draw.distributions(scores, {system: evaluation.systems[system][metric] for system in report.systems}, name),
        *draw.score_by_length(words, scores, name, seed=evaluation.seed),
    ]
    return drawn + (draw.training_curves(report.run.events()) if report.run else [])


def contrast_rows(report: Report) -> list[ContrastRow]:
    """One row per system and kind of corruption; kinds without a case are left out."""
    rows = []
    for system, result in report.contrast.items():
        for name, kind in result.kinds.items():
            if not kind.n:
                continue
            band, gain = kind.band, result.gains.get(name)
            text = "–"
            if gain:
                d = gain.difference
                spread = f"{signed(100 * d.low, 0)} to {signed(100 * d.high, 0)}"
                text = f"{signed(100 * d.mean, 0)} ({spread}), p {pvalue(gain.p_holm)}" if kind.testable else "too few"
            share = f"{percent(kind.share, 0)} ({points(100 * band.low, 0)} to {points(100 * band.high, 0)})"
            rows.append(
                ContrastRow(system, name, kind.n, share, percent(kind.control_share, 0), text, result.shown(name))
            )
    return rows


def method(report: Report) -> dict[str, dict[str, str]]:
    """Titles to rows of a name and a value: what another person needs to repeat the figures."""
    evaluation = report.evaluation
    data = report.record["data"]
    measured = {
        "Protocol": f"{evaluation.protocol.name}: {evaluation.protocol.description}",
        "Data": f"{data['name']}, split {evaluation.split}, {evaluation.n} dialogues, references per dialogue: {evaluation.references}",
        "Licence of the data": data["license"] or "not known",
        "Data hash (SHA-256)": evaluation.data_hash,
        "Intervals": f"percentile bootstrap over dialogues, {evaluation.resamples} resamples, seed {evaluation.seed}; "
        "of shares (facts, contrast) Wilson's score interval; 95%",
        "Versions": ", ".join(f"{name} {version}" for name, version in report.record["versions"].items()),
        "Machine": machine(report.record["hardware"]),
    }
    if generation := report.record.get("generation"):
        measured["Summaries generated"] = f"on {generation['device']}, in {generation['dtype_reason']}"
    if waiting := report.record["hardware"].get("waiting"):
        measured["Threads"] = waiting
    sections = {"This evaluation": measured}
    if report.record["run"]:
        sections["The run"] = run_in_words(report.record["run"])
    return sections


def run_in_words(record: Mapping[str, Any]) -> dict[str, str]:
    """The run in words; what its manifest does not say is left out."""
    rows: dict[str, str] = {"Name": record["name"]}
    if base := record.get("base"):
        revision = f", revision {base['revision']}" if base.get("revision") else ""
        rows["Base model"] = (
            f"{short_name(base['id'])}{revision} ({base.get('model_type')}, weights {base.get('sha256')})"
        )
    if parameters := record.get("parameters"):
        part = parameters["trainable"] / max(parameters["total"], 1)
        rows["Trained parameters"] = f"{parameters['trainable']:,} of {parameters['total']:,} ({percent(part, 2)})"
    if data := record.get("data"):
        parts = (f"{n['n']} {name} pairs ({n['sha256'][:12]})" for name, n in data.get("splits", {}).items())
        rows["Trained on"] = f"{short_name(data['path'])}: {', '.join(parts)}"
    if (seed := record.get("seed")) is not None:
        rows["Seed"] = str(seed)
    if timings := record.get("timings"):
        seconds = sum(part["seconds"] for part in timings)
        share = sum(part.get("evaluation_seconds", 0) for part in timings) / max(seconds, 1e-9)
        rows["Time"] = f"{duration(seconds)}, {percent(share, 0)} of it evaluation"
    if best := record.get("best"):
        scores = (
            f"{k.removeprefix('eval_')} {v:.3g}" for k, v in best.items() if k.startswith("eval_") and k in _SCORES
        )
        rows["Best adapter"] = f"of step {best.get('step')}: {', '.join(scores)}"
    return rows | {
        f"Choice of {_CHOICES.get(name, name)}": str(reason) for name, reason in record.get("choices", {}).items()
    }


_CHOICES = {"dtype": "dtype in training", "generation": "dtype of summaries during training"}
_SCORES = ("eval_loss", "eval_rouge1", "eval_rouge2", "eval_rougeL")


def machine(hardware: Mapping[str, Any]) -> str:
    """``AMD EPYC, 2 cores, 23 GiB``."""
    parts: Sequence[str | None] = (
        hardware.get("gpu"),
        hardware.get("processor"),
        f"{hardware['cores']} cores" if hardware.get("cores") else None,
        f"{hardware['memory_bytes'] / 2**30:.0f} GiB memory" if hardware.get("memory_bytes") else None,
    )
    return ", ".join(part for part in parts if part)


def duration(seconds: float) -> str:
    """``1 h 12 min``, ``3 min 20 s``, ``8 s``."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
