"""The report on a check of data: one HTML page that needs nothing else, with everything from the data escaped.

In: a `CorpusCheck`. Out: text. Ids are listed up to `SHOWN_IDS` a finding; ``--json`` has them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from diasum.data.checks.findings import SEVERITIES, CorpusCheck, Spread
from diasum.data.checks.languages import language_name
from diasum.errors import DiasumError
from diasum.files import write_text
from diasum.reports.plots import COLOURS, INK, MUTED, Plot, colour, figure, plain
from diasum.reports.rendering import render
from diasum.versions import versions

SHOWN_IDS = 200
_LANGUAGES = 8  # in the plot; more are summed up


def write_check(check: CorpusCheck, file: Path) -> str:
    """Write the page.

    Returns:
        What was written, in a sentence.

    Raises:
        DiasumError: the file is no ``.html``, or cannot be written.
    """
    check_page(file)
    write_text(file, check_page_text(check))
    return f"report written to {file}"


def check_page(file: Path) -> None:
    """Before long work: that a name is one of a page, so that no data is overwritten.

    Raises:
        DiasumError: it is not.
    """
    if file.suffix.lower() not in (".html", ".htm"):
        raise DiasumError(
            f"{file}: expected a name that ends in .html for the report.", hint=f"For example {file.stem}.html."
        )


def check_page_text(check: CorpusCheck) -> str:
    """The page."""
    counts = {severity: sum(one.severity == severity for one in check.findings) for severity in SEVERITIES}
    return render(
        "data_check.html",
        check=check,
        counts=counts,
        plots=_plots(check),
        shown=SHOWN_IDS,
        language_name=language_name,
        version=versions(())["diasum"],
    )


def _plots(check: CorpusCheck) -> list[Plot]:
    plots = []
    if check.lengths:
        base, splits = check.lengths.base, check.lengths.splits
        limits = check.lengths.max_source, check.lengths.max_target
        plots += _histogram(
            "sources", "Lengths of dialogues", f"tokens of {base}", {k: v.sources for k, v in splits.items()}, limits[0]
        )
        plots += _histogram(
            "targets", "Lengths of summaries", f"tokens of {base}", {k: v.targets for k, v in splits.items()}, limits[1]
        )
    if check.languages:
        plots += _languages(check.languages)
    plots += _histogram("talk", "The most talkative speaker", "share of a dialogue's words", check.talk_shares, None)
    return plots


def _histogram(name: str, title: str, label: str, spreads: Mapping[str, Spread], limit: int | None) -> list[Plot]:
    spreads = {split: spread for split, spread in spreads.items() if spread.n}
    if not spreads:
        return []
    with figure(name, height=60 + 80 * len(spreads), rows=len(spreads)) as (rows, drawn):
        for i, (axes, (split, spread)) in enumerate(zip(rows, spreads.items(), strict=True)):
            shares = [100 * count / spread.n for count in spread.counts]
            axes.stairs(shares, spread.edges, color=colour(i), fill=True)
            axes.axvline(spread.median, color=INK, linewidth=1.2)
            if limit is not None:
                axes.axvline(limit, color=colour(COLOURS - 1), linestyle="--", linewidth=1.2)
            axes.set_title(plain(split), loc="left", fontsize=11)
            axes.set_ylim(0, max(shares) * 1.1)
        rows[-1].set(xlabel=plain(label))
        rows[0].set_title("% of the split", loc="right", fontsize=10, color=MUTED)
    shown = ".4g" if limit is not None else ".0%"  # tokens; shares
    medians = ", ".join(f"{split} {spread.median:{shown}}" for split, spread in spreads.items())
    cut = " Dashed: the limit, beyond which text is cut." if limit is not None else ""
    caption = f"Medians (lines): {medians}.{cut} Above the 99th percentile, all in one bin."
    return [Plot(name, title, caption, drawn[0])]


def _languages(languages: Mapping[str, Mapping[str, int]]) -> list[Plot]:
    totals: dict[str, int] = {}
    for counts in languages.values():
        for code, count in counts.items():
            totals[code] = totals.get(code, 0) + count
    ordered = sorted(totals.items(), key=lambda item: -item[1])
    rows = [(language_name(code), count) for code, count in ordered[:_LANGUAGES]]
    if rest := sum(count for _, count in ordered[_LANGUAGES:]):
        rows.append(("others", rest))
    with figure("languages", height=80 + 26 * len(rows)) as (axes, drawn):
        axes.barh([plain(name) for name, _ in rows][::-1], [count for _, count in rows][::-1], color=colour(0))
        axes.set(xlabel="dialogues")
        axes.grid(visible=False, axis="y")
    listed = ", ".join(f"{name} {count}" for name, count in rows)
    return [Plot("languages", "Languages", f"{listed}.", drawn[0])]
