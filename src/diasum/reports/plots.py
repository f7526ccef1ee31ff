"""The report's plots as inline SVG that follows the page: its fonts, its width, its light and dark colours.

In: numbers. Out: `Plot`s. Colours are drawn as marker values and then replaced by the page's CSS variables; text stays text. Nothing of
matplotlib's global state is used: no pyplot, and its settings hold only while a figure is written.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from diasum.evaluation.statistics.bootstrap import Interval, intervals
from diasum.evaluation.statistics.slices import quantile_bins
from diasum.reports.headline import NAMES

Floats = NDArray[np.float64]

COLOURS = 6
INK, MUTED, _GRID = "#000001", "#000002", "#000003"
_VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", _GRID: "var(--line)"} | {
    f"#00001{i}": f"var(--s{i})" for i in range(COLOURS)
}
_SETTINGS = {
    "svg.fonttype": "none",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": _GRID,
    "xtick.color": _GRID,
    "ytick.color": _GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": _GRID,
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 1.8,
}
_WIDTH, _POINTS, _SHOWN_POINTS = 390, 72, 600


@dataclass(frozen=True)
class Plot:
    """One figure.

    Attributes:
        name: for ids in the page.
        title: what is drawn.
        caption: how to read it; also what those hear who cannot see it.
        svg: the drawing.
    """

    name: str
    title: str
    caption: str
    svg: Markup


def training_curves(events: Sequence[Mapping[str, Any]]) -> list[Plot]:
    """Loss, and the scores of summaries generated during training, by step; nothing where too little was logged."""
    plots = []
    trained = _series(events, "loss")
    validated = _series(events, "eval_loss")
    if len(trained) + len(validated) > 1:
        with figure("loss") as (axes, drawn):
            if trained:
                axes.plot(*zip(*trained, strict=True), color=colour(0), alpha=0.75, label="training")
            if validated:
                axes.plot(*zip(*validated, strict=True), color=colour(1), marker="o", markersize=4, label="validation")
            axes.set(xlabel="step", ylabel="loss (nats per token)")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.legend()
        plots.append(Plot("loss", "Loss during training", _ends("Loss", trained, validated), drawn[0]))
    scores = {name: series for name in NAMES if (series := _series(events, f"eval_{name}"))}
    if any(len(series) > 1 for series in scores.values()):
        with figure("generated") as (axes, drawn):
            for i, (name, series) in enumerate(scores.items()):
                axes.plot(*zip(*series, strict=True), color=colour(i), marker="o", markersize=4, label=NAMES[name])
            axes.set(xlabel="step", ylabel="ROUGE F1")
            axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.legend()
        caption = "Summaries of a part of the validation dialogues, generated at each evaluation."
        plots.append(Plot("generated", "ROUGE of generated summaries during training", caption, drawn[0]))
    return plots


def distributions(scores: Mapping[str, Floats], bands: Mapping[str, Interval], metric: str) -> Plot:
    """Histograms of the dialogues' scores with the mean and its interval, one row a system."""
    names = list(scores)
    edges = np.linspace(0, 100, 41)
    heights = {name: np.histogram(values, edges)[0] for name, values in scores.items()}
    tallest = max(1, *(int(h.max()) for h in heights.values()))
    with figure("distributions", height=max(280, 60 + 46 * len(names))) as (axes, drawn):
        for i, name in enumerate(names):
            top = i - 0.75 * heights[name] / tallest
            axes.fill_between(edges, i, np.append(top, top[-1]), step="post", color=colour(i), alpha=0.3, linewidth=0)
            axes.step(edges, np.append(top, top[-1]), where="post", color=colour(i), linewidth=1)
            band = bands[name]
            axes.plot([band.low, band.high], [i, i], color=colour(i), linewidth=5, solid_capstyle="butt", zorder=3)
            axes.plot([band.mean], [i], color=INK, marker="|", markersize=9, markeredgewidth=1.8, zorder=4)
        _rows(axes, names, above=0.9)
        axes.set(xlabel=metric, xlim=(0, 100))
    caption = "How the scores of dialogues are distributed; the vertical mark is the mean, the bar through it the 95% interval."
    return Plot("distributions", f"{metric} per dialogue", caption, drawn[0])


def score_by_length(words: Sequence[int], scores: Mapping[str, Floats], metric: str, *, seed: int = 0) -> list[Plot]:
    """Means over dialogues of about one length, and the first system's single dialogues as dots; nothing for a few dialogues."""
    lengths = np.asarray(words, dtype=np.float64)
    names = list(scores)
    groups = [np.array(members) for _, members in quantile_bins(words, 8)]
    if len(groups) < 2:
        return []
    places = [float(np.median(lengths[members])) for members in groups]
    shown = np.sort(np.random.default_rng(seed).permutation(len(lengths))[:_SHOWN_POINTS])
    with figure("length", height=290) as (axes, drawn):
        axes.plot(
            lengths[shown], scores[names[0]][shown], ".", color=colour(0), alpha=0.22, markersize=4, markeredgewidth=0
        )
        for i, name in enumerate(names):
            bands = [intervals(scores[name][members][:, None], resamples=1000, seed=seed)[0] for members in groups]
            if i == 0:
                axes.fill_between(
                    places, [b.low for b in bands], [b.high for b in bands], color=colour(0), alpha=0.18, linewidth=0
                )
            axes.plot(places, [b.mean for b in bands], color=colour(i), marker="o", markersize=3.5, label=_label(name))
        axes.set(xlabel="words of the dialogue", ylabel=metric, ylim=(0, None))
        axes.set_xlim(0, float(np.quantile(lengths, 0.99)) * 1.05)
        axes.legend(loc="upper right", ncols=2 if len(names) > 3 else 1)
    caption = f"Means over dialogues of similar length; dots and the shaded 95% interval are {names[0]}'s."
    return [Plot("length", f"{metric} by length of the dialogue", caption, drawn[0])]


def _label(name: str) -> str:
    return plain(name if len(name) < 18 else f"{name[:16]}…")


def plain(text: str) -> str:
    """Text as it is: matplotlib would read dollars as mathematics, and hide what begins with an underscore."""
    return ("\u200b" + text if text.startswith("_") else text).replace("$", r"\$")


def colour(index: int) -> str:
    """The marker of a colour that the page has, by its number."""
    return f"#00001{index % COLOURS}"


def _series(events: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    points = [(event.get("step"), event.get(key)) for event in events]
    return [
        (float(step), float(value))
        for step, value in points
        if isinstance(step, int | float) and isinstance(value, int | float) and np.isfinite(value)
    ]


def _ends(what: str, trained: Sequence[tuple[float, float]], validated: Sequence[tuple[float, float]]) -> str:
    parts = [
        f"on {name} pairs from {series[0][1]:.2f} to {series[-1][1]:.2f}"
        for name, series in (("training", trained), ("validation", validated))
        if len(series) > 1
    ]
    return f"{what} {', '.join(parts)}." if parts else f"{what} by step."


def _rows(axes: Any, names: Sequence[str], above: float = 0.5) -> None:
    """Systems from top to bottom, named at the left."""
    axes.set_yticks(range(len(names)), [_label(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -above)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.spines["left"].set_visible(False)


@contextmanager
def figure(name: str, height: int = 260, rows: int | None = None) -> Iterator[tuple[Any, list[Markup]]]:
    """Axes to draw on, or an array of so many below each other with one scale; the list holds the SVG afterwards."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    drawn: list[Markup] = []
    with matplotlib.rc_context(_SETTINGS | {"svg.hashsalt": name}):
        canvas = Figure(figsize=(_WIDTH / _POINTS, height / _POINTS), layout="constrained")
        FigureCanvasSVG(canvas)
        yield (canvas.subplots() if rows is None else canvas.subplots(rows, sharex=True, squeeze=False)[:, 0]), drawn
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    drawn.append(_inline(buffer.getvalue(), name))


def _inline(svg: str, name: str) -> Markup:
    """Only the element itself, with the page's colours, without fixed size, metadata and ids that other figures have, too."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->\s*|<style.*?</style>", "", svg, flags=re.S)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: inherit", svg)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r' (?:xmlns(?::\w+)?|version)="[^"]*"', "", svg)
    svg = svg.replace("xlink:href", "href")
    for size in ("width", "height"):
        svg = re.sub(rf'(<svg[^>]*?) {size}="[^"]*"', r"\1", svg, count=1)
    for marker, variable in _VARIABLES.items():
        svg = svg.replace(marker, variable)
    return Markup(
        svg.replace("<svg", f'<svg class="plot" role="img" aria-labelledby="plot-{name}" focusable="false"', 1)
    )
