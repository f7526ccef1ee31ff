"""Tables and panels for the terminal; figures come in, nothing is computed here."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from diasum.evaluation.evaluate import Evaluated
    from diasum.evaluation.metrics import Evaluation
    from diasum.evaluation.statistics.compare import Comparison


def console() -> Console:
    """Where people read: standard error, so that standard output holds results only; in a file, lines are not broken at 80.

    What users wrote is printed as it stands: `[...]` in an id or a path is no markup, `:smile:` no picture; style goes in a `Text`.
    """
    redirected = not sys.stderr.isatty() and "COLUMNS" not in os.environ
    return Console(stderr=True, highlight=False, markup=False, emoji=False, width=160 if redirected else None)


def program() -> str:
    """What to type to start this program again: its name, or its path where it is not on the path (as after `make demo`)."""
    if shutil.which("diasum"):
        return "diasum"
    return "python -m diasum" if Path(sys.argv[0]).name == "__main__.py" else sys.argv[0]


def named_value(name: str, value: str) -> Text:
    """A line of a list of names and values."""
    return Text.assemble((f"{name:<20} ", "bold"), value)


def print_json(value: Any) -> None:
    """The figures, and nothing else, on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def scores_table(evaluation: Evaluation) -> Table:
    """Systems by metrics, each mean with its interval; the best mean of a column is bold, that of a bound such as the oracle never."""
    from diasum.evaluation.baselines import sees_references
    from diasum.reports.headline import NAMES

    data = evaluation.to_json()
    systems = data["systems"]
    metrics = [name for name in NAMES if all(name in metrics_of for metrics_of in systems.values())]
    table = Table(
        title=f"{data['n']} dialogues of `{data['split']}`, protocol {data['protocol']['name']}, 95% intervals",
        title_justify="left",
    )
    table.add_column("system")
    for name in metrics:
        table.add_column(NAMES[name], justify="right")
    rivals = [values for system, values in systems.items() if not sees_references(system)]
    best = {name: max((values[name]["mean"] for values in rivals), default=None) for name in metrics}
    for system, values in systems.items():
        cells = []
        for name in metrics:
            cell = values[name]
            leads = cell["mean"] == best[name] and not sees_references(system)
            interval = (f"({cell['low']:.1f}-{cell['high']:.1f})", "dim")
            cells.append(Text.assemble(f"{cell['mean']:.1f} ", interval, style="bold" if leads else ""))
        table.add_row(system, *cells)
    return table


def show_evaluation(out: Console, evaluated: Evaluated) -> None:
    """The table, what a reader must know of it, and where the files are."""
    from diasum.reports.headline import contrast_sentence, sentences

    evaluation = evaluated.evaluation
    out.print(scores_table(evaluation))
    contrasts = (contrast_sentence(system, result) for system, result in evaluated.contrast.items())
    for line in [
        *sentences(evaluation),
        *(line for line in (*contrasts, evaluated.facts, evaluated.next_steps) if line),
    ]:
        out.print(line)
    for note in evaluation.notes:
        out.print(note, style="dim")
    if evaluated.folder is not None:
        out.print(f"Report: {evaluated.folder / 'report.html'}")


def show_examples(out: Console, evaluated: Evaluated, count: int) -> None:
    """Dialogue, human summary and the systems' summaries, one example after the other."""
    for index in range(min(count, len(evaluated.pairs))):
        pair = evaluated.pairs[index]
        out.rule(Text(pair.id, "bold"), align="left")
        turns = pair.dialogue.text.splitlines()
        for line in turns[:8]:
            out.print(f"  {line}", style="dim")
        if len(turns) > 8:
            out.print(f"  ... {len(turns) - 8} more turns", style="dim")
        out.print(Text.assemble(("human   ", "bold green"), pair.references[0]))
        for system, predictions in evaluated.predictions.items():
            if system in ("adapter", "model", "base"):
                out.print(Text.assemble((f"{system:<8}", "bold"), predictions[index].text))


def comparison_table(comparison: Comparison, metric: str) -> Table:
    """Runs by mean and interval, with the paired difference to the first one, its corrected p-value and whether both speak for it."""
    from diasum.reports.headline import NAMES

    table = Table(title=f"{NAMES.get(metric, metric)}, differences from {comparison.reference}", title_justify="left")
    several = any(system.sd for system in comparison.rows)
    headings = ["run", "mean (95%)", "difference (95%)", "p (Holm)", "established"]
    for heading in [*headings[:1], *(("seeds", "sd of seeds") if several else ()), *headings[1:]]:
        table.add_column(heading, justify="left" if heading == "run" else "right")
    for system in comparison.rows:
        interval = system.metrics[metric]
        cells = [system.name]
        if several:
            cells += [str(system.seeds), f"{system.sd[metric]:.2f}" if system.sd else ""]
        cells.append(f"{interval.mean:.1f} ({interval.low:.1f}-{interval.high:.1f})")
        if row := comparison.difference(system.name, metric):
            d = row.difference
            cells += [f"{d.mean:+.1f} ({d.low:+.1f} to {d.high:+.1f})", f"{row.p_holm:.4f}"]
            cells.append("yes" if row.established else "no")
        table.add_row(*cells)
    return table


def stats_table(figures: dict[str, dict[str, Any]]) -> Table:
    """Splits in columns, counts in rows."""
    table = Table()
    table.add_column("")
    for split in figures:
        table.add_column(split, justify="right")
    for name in next(iter(figures.values())):
        table.add_row(name.replace("_", " "), *(_number(figures[split][name]) for split in figures))
    return table


def _number(value: Any) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
