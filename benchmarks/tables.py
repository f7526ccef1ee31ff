"""Write the tables of README and docs from saved results: ``python -m benchmarks.tables``; a test holds them equal."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import blind_verdicts
from benchmarks.bulk_table import bulk_table
from benchmarks.evidence import evidence_table
from benchmarks.inference_table import equal_sentence, growth_table, inference_table
from benchmarks.likelihood import likelihood_table, own_sentence
from benchmarks.machine import CLASSES, RESULTS, results_by_class
from benchmarks.redaction_table import independent_table, redaction_table
from benchmarks.reranking import reranking_table
from benchmarks.support_check import errors_table, examples_list, judged_table, support_table
from benchmarks.training_table import kernels_table, memory_table, speed_summary, speed_table, step_table
from benchmarks.windows_table import memory_by_length, windows_table
from diasum.wording import counted

ROOT = Path(__file__).parent.parent
CARD = ROOT / "src" / "diasum" / "assets" / "mini" / "README.md"
METRICS = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L"}
NAMES = {
    "written": "held-out written conversations",
    "short": "held-out short chats",
    "everyday": "everyday conversations",
    "sample": "sample conversations",
    "dialogsum": "DialogSum",
}
LABELS = {"adapter": "mini + adapter", "base": "mini", "lead3": "LEAD-3", "longest": "LONGEST"}


def interval(score: dict[str, Any]) -> str:
    """A mean with its 95% interval."""
    return f"{score['mean']:.1f} ({score['low']:.1f}-{score['high']:.1f})"


def table(results: dict[str, Any]) -> str:
    """Markdown: one row per data set and system, each score with its 95% interval."""
    lines = ["| data (test) | system | ROUGE-1 | ROUGE-2 | ROUGE-L |", "|---|---|---|---|---|"]
    for name, row in results.items():
        for system, scores in row["systems"].items():
            cells = [interval(scores[metric]) for metric in METRICS]
            label = f"**{LABELS[system]}**" if system == "adapter" else LABELS[system]
            lines.append(f"| {NAMES[name]} | {label} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *map(conditions, results, results.values())])


def conditions(name: str, row: dict[str, Any]) -> str:
    """A sentence on what a row of the benchmark of `mini` was measured on."""
    measured = (
        f"{NAMES[name]}: {row['n']} dialogues, references per dialogue: {row['references']}, protocol `{row['protocol']['name']}`, "
        f"bootstrap over dialogues{' and seeds' if len(row['seeds']) > 1 else ''} ({row['resamples']:,} resamples, seed {row['seed']})"
    )
    if not row["recipe"]:
        return f"{measured}; `mini` as `diasum summarize` runs it, without an adapter."
    seeds = ", ".join(map(str, row["seeds"]))
    train = row["data"]["splits"]["train"]["n"]
    return (
        f"{measured}; {'an adapter' if len(row['seeds']) == 1 else counted(len(row['seeds']), 'adapter')} trained on {train} pairs, "
        f"seed{'s' if len(row['seeds']) > 1 else ''} {seeds} (recipe `{row['recipe']}`)."
    )


def short_table(results: dict[str, Any]) -> str:
    """Markdown for the README: ROUGE-L with its interval, one row per data set."""
    lines = [f"| test data | protocol | {' | '.join(LABELS.values())} |", "|---|---|" + "---|" * len(LABELS)]
    for name, row in results.items():
        cells = [interval(row["systems"][system]["rougeL"]) if system in row["systems"] else "" for system in LABELS]
        lines.append(f"| {NAMES[name]}, n={row['n']} | `{row['protocol']['name']}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def form_table(results: dict[str, Any]) -> str:
    """Markdown: how many summaries keep the form of their corpus, and every score without it."""
    lines = [
        "| data (test) | system | summaries in the form | ROUGE-1 without it | ROUGE-2 | ROUGE-L |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in results.items():
        bare = row.get("without_form", {"systems": {}})
        for system, scores in bare["systems"].items():
            shares = bare["share_with_form"][system]
            cells = [f"{sum(shares) / len(shares):.0%}", *(interval(scores[metric]) for metric in METRICS)]
            lines.append(f"| {NAMES[name]} | {LABELS[system]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def others_table(results: dict[str, Any]) -> str:
    """Markdown: the bundled base beside another small model, quality and cost."""
    titles = {"smollm2": "SmolLM2-135M-Instruct", "mini": "mini", "mini-adapter": "mini + adapter"}
    lines = [
        "| data (test) | model | ROUGE-1 | ROUGE-2 | ROUGE-L | seconds a summary | peak memory | on disk |",
        "|---|---|---|---|---|---|---|---|",
    ]
    notes = {}
    machines: dict[str, dict[str, None]] = {}  # to the models that were measured on each, in order
    for data, models in results.items():
        for name in (name for name in titles if name in models):
            row = models[name]
            cells = [interval(row["scores"][metric]) for metric in METRICS]
            cost = [
                f"{row['processor_seconds_per_summary']:.2f}",
                f"{row['peak_memory_bytes'] / 1e6:,.0f} MB",
                f"{row['size_bytes'] / 1e6:.0f} MB",
            ]
            lines.append(f"| {NAMES[data]}, n={row['n']} | {titles[name]} | {' | '.join(cells + cost)} |")
            made_by = " ".join(row["made_by"].replace("{dialogue}", "").split()).rstrip(".")
            notes[name, made_by] = f"{titles[name]} ({row['parameters'] / 1e6:.1f}M parameters): {made_by}."
            machines.setdefault(_machine(row["hardware"]), {})[titles[name]] = None
            protocols = {data: models[name]["protocol"]["name"] for data, models in results.items() if name in models}
    told = "; ".join(
        machine if len(machines) == 1 else f"{', '.join(models)}: {machine}" for machine, models in machines.items()
    )
    conditions = (
        f"Protocols: {', '.join(f'`{protocol}` ({NAMES[data]})' for data, protocol in protocols.items())}. Seconds of processor time, "
        f"one dialogue at a time ({told})."
    )
    return "\n".join([*lines, "", *notes.values(), conditions])


def _machine(hardware: dict[str, Any]) -> str:
    has = "with" if hardware["bf16_cpu"] else "without"
    return f"{hardware['processor']} {has} bf16 instructions, {counted(hardware['threads'], 'thread')}"


def first_summaries(results: dict[str, Any]) -> str:
    """Markdown: what an adapter writes of the first three test dialogues of everyday, or of the sample while that was not measured."""
    row = results.get("everyday", results["sample"])
    return "\n".join(f"- {' '.join(one['summary'].split())}" for one in row["first"][:3])


def examples_table(results: dict[str, Any]) -> str:
    """Markdown: what an adapter writes of the first test dialogues, beside the human reference, of data whose texts may be shown."""
    lines = ["| dialogue | a human | mini + adapter |", "|---|---|---|"]
    for row in results.values():
        for one in row.get("first", []):
            cells = (" ".join(one[key].replace("|", "\\|").split()) for key in ("id", "reference", "summary"))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def card_table(results: dict[str, Any]) -> str:
    """Markdown for the base's model card: the scores, those against other dialogues' references, and the differences to the adapter."""
    lines = [
        f"| tested on | system | {' | '.join(METRICS.values())} | ROUGE-1 against other dialogues' references |",
        "|---|---|---|---|---|---|",
    ]
    notes = []
    for name, row in results.items():
        size = f"{row['n']} x {row['references']}" if name == "dialogsum" else str(row["n"])
        for system, scores in row["systems"].items():
            label = f"**{LABELS[system]}**" if system == "adapter" else LABELS[system]
            cells = [interval(scores[metric]) for metric in METRICS]
            cells.append(f"{row['shuffled'][system]:.1f}" if system in row["shuffled"] else "")
            lines.append(f"| {NAMES[name]} ({size}), {row['protocol']['name']} | {label} | {' | '.join(cells)} |")
        differences = [
            f"{d['system']} {METRICS[d['metric']]} {-d['mean']:+.1f} ({-d['high']:+.1f} to {-d['low']:+.1f})"
            for d in row["differences"]
            if d["reference"] == "adapter" and d["metric"] in METRICS
        ]
        if differences:
            notes += ["", f"Adapter minus the others on {NAMES[name]}: {'; '.join(differences)}."]
    return "\n".join(lines + notes)


def frozen_table(results: dict[str, Any]) -> str:
    """Markdown: what adapting the decoder only saves and costs, one row per data set; what was not measured is not there."""
    lines = [
        "| data | step, times as fast | encoding once, in plain epochs | ROUGE-1 | ROUGE-L |",
        "|---|---|---|---|---|",
    ]
    notes = []
    for name, row in results.items():
        speed = row["speed"]
        low, _, high = speed["quartiles"]
        cells = [f"{speed['ratio']:.1f} (quartiles {low:.1f}-{high:.1f})", f"{speed['encoding_in_plain_epochs']:.2f}"]
        quality = row.get("quality")
        for metric in ("rouge1", "rougeL"):
            cells.append(
                "{:+.1f} ({:+.1f} to {:+.1f})".format(*quality["differences"][metric])
                if quality
                else "not measured yet"
            )
        lines.append(f"| {NAMES[name]}, `mini` | " + " | ".join(cells) + " |")
        path, threads = speed["path"]["decoder"].split(":")[0], speed["hardware"]["threads"]
        note = f"{NAMES[name]}: {speed['steps']} steps of each, in turn, on {counted(threads, 'CPU thread')}, {path}"
        if quality:
            note += (
                f"; differences to adapters everywhere on {quality['n']} test dialogues, protocol `{quality['protocol']['name']}`, 95% "
                f"intervals ({quality['resamples']:,} resamples), recipe `{quality['recipe']}` on {quality['train_pairs']} pairs, seed "
                f"{quality['training_seed']}"
            )
        notes.append(note + ".")
    return "\n".join([*lines, "", *notes])


def exports_table(results: dict[str, Any]) -> str:
    """Memory and time of reading exports, of two sizes each."""
    lines = ["| export | size | dialogues | peak memory of the process | processor time |", "|---|---|---|---|---|"]
    for name, rows in results["formats"].items():
        lines += [
            f"| {name} | {row['megabytes']:,} MB | {row['dialogues']:,} | {row['peak_mb']} MB | {row['processor_seconds']:.0f} s |"
            for row in rows
        ]
    return "\n".join(lines)


def insert(text: str, content: str, name: str = "results") -> str:
    """Put a table between its marks."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    head, rest = text.split(begin)
    return f"{head}{begin}\n{content}\n{end}{rest.split(end)[1]}"


def of_each_class(table: Callable[[dict[str, Any]], str], benchmark: str) -> str:
    """A benchmark's table for each class of processor that it was run on, under headings."""
    made = {name: table(_read(file)) for name, file in results_by_class(benchmark).items()}
    return "\n\n".join(f"### {CLASSES[name]}\n\n{text}" for name, text in made.items() if text) or "Not measured yet."


def _read(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def _of(table: Callable[[dict[str, Any]], str], benchmark: str) -> Callable[[], str]:
    file = RESULTS / f"{benchmark}.json"
    return lambda: table(_read(file)) if file.is_file() else "Not measured yet."


_independent = _of(lambda results: independent_table(results, _read(RESULTS / "redaction-first-run.json")), "redaction")

# Which tables stand on which page, by the name of their marks.
PAGES: dict[Path, dict[str, Callable[[], str]]] = {
    ROOT / "README.md": {
        "results": _of(short_table, "mini"),
        "summaries": _of(first_summaries, "mini"),
        "speed": lambda: speed_summary({name: _read(file) for name, file in results_by_class("training").items()}),
    },
    CARD: {"adapter": _of(card_table, "mini"), "examples": _of(examples_table, "mini")},
    ROOT / "docs" / "quality.md": {
        "results": _of(table, "mini"),
        "form": _of(form_table, "mini"),
        "others": _of(others_table, "other_models"),
        "reading": _of(blind_verdicts.table, "blind_verdicts"),
    },
    ROOT / "docs" / "generation.md": {"reranking": _of(reranking_table, "reranking")},
    ROOT / "docs" / "bulk.md": {"bulk": _of(bulk_table, "bulk")},
    ROOT / "docs" / "redaction.md": {
        "redaction": _of(redaction_table, "redaction"),
        "independent": _independent,
    },
    ROOT / "tests" / "redaction" / "README.md": {"independent": _independent},
    ROOT / "docs" / "faithfulness.md": {
        "support": _of(support_table, "support"),
        "errors": _of(errors_table, "support"),
        "judged": _of(lambda results: judged_table(results, _read(RESULTS / "support.json")), "support-judge"),
        "examples": _of(examples_list, "support"),
        "likelihood": _of(likelihood_table, "likelihood"),
        "own": _of(own_sentence, "likelihood"),
        "evidence": _of(evidence_table, "evidence"),
    },
    ROOT / "docs" / "long-conversations.md": {
        "windows": _of(windows_table, "windows"),
        "memory": _of(memory_by_length, "windows"),
    },
    ROOT / "docs" / "formats.md": {"exports": _of(exports_table, "exports")},
    ROOT / "docs" / "speed.md": {"speed": partial(of_each_class, speed_table, "training")},
    ROOT / "docs" / "inference.md": {
        "equal": _of(equal_sentence, "equal_beams"),
        "inference": partial(of_each_class, inference_table, "inference"),
        "growth": partial(of_each_class, growth_table, "inference"),
    },
    ROOT / "docs" / "fast-path.md": {
        "step": partial(of_each_class, step_table, "step"),
        "kernels": partial(of_each_class, kernels_table, "kernels"),
    },
    ROOT / "docs" / "memory-and-speed.md": {
        "frozen": _of(frozen_table, "frozen_encoder"),
        "memory": _of(memory_table, "memory"),
    },
}


def written(page: Path) -> str:
    """The page with its tables as the saved results have them."""
    text = page.read_text(encoding="utf-8")
    for name, make in PAGES[page].items():
        text = insert(text, make(), name)
    return text


def main() -> None:
    for page in PAGES:
        page.write_text(written(page), encoding="utf-8")


if __name__ == "__main__":
    main()
