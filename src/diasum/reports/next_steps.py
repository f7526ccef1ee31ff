"""What to try next where an adapter is not shown to beat its base and the baselines; each suggestion rests on a figure, and says which."""

from __future__ import annotations

from collections.abc import Iterator

from diasum.evaluation.baselines import sees_references
from diasum.evaluation.evaluate import ADAPTER, BASE
from diasum.evaluation.metrics import Evaluation
from diasum.evaluation.statistics.compare import DifferenceRow
from diasum.training import Run
from diasum.wording import counted

FEW_DIALOGUES = 300  # on fewer, differences of a point or two are hardly told from chance
FEW_PAIRS = 1000  # to train on
SMALL_RANK = 8


def next_steps(evaluation: Evaluation, run: Run | None) -> str | None:
    """One sentence; None where the adapter is established above all others but bounds, or where there is no adapter.

    Args:
        evaluation: with the adapter as its reference system.
        run: where its settings and its training's figures are, if it has one.
    """
    if evaluation.reference_system != ADAPTER:
        return None
    metric = "rougeL" if "rougeL" in evaluation.protocol.metrics else evaluation.protocol.metrics[-1]
    rows = [row for row in evaluation.differences if row.metric == metric and not sees_references(row.system)]
    open_rows = [row for row in rows if not (row.established and row.difference.mean < 0)]
    if not open_rows:
        return None
    ideas = [*_of_the_evaluation(evaluation, metric, open_rows), *(_of_the_run(run, open_rows) if run else ())]
    verdict = f"adapter is not shown to be above {', '.join(row.system for row in open_rows)}."
    return f"{verdict} To try next: {'; '.join(ideas)}." if ideas else verdict


def _of_the_evaluation(evaluation: Evaluation, metric: str, rows: list[DifferenceRow]) -> Iterator[str]:
    if evaluation.n < FEW_DIALOGUES and all(row.difference.mean < 0 for row in rows):
        yield f"evaluate more dialogues (it is ahead, but {counted(evaluation.n, 'dialogue')} cannot tell that from chance)"
    means = {
        name: of[metric].mean
        for name, of in evaluation.systems.items()
        if name != ADAPTER and not sees_references(name)
    }
    best = max(means, key=lambda name: means[name])
    if BASE in means and best != BASE:
        yield f"a stronger base (this one by itself scores {means[BASE]:.1f}, {best} {means[best]:.1f})"


def _of_the_run(run: Run, rows: list[DifferenceRow]) -> Iterator[str]:
    manifest, settings = run.manifest(), run.settings()
    scored = [event for event in run.events() if "eval_loss" in event]
    best = manifest.get("best") or {}
    if scored and "step" in best:
        if best["step"] >= scored[-1]["step"]:
            when = f"validation was best after the last one, {best['epoch']:.3g}" if len(scored) > 1 else "it had one"
            yield f"more epochs (train.epochs; {when})"
        else:
            yield (
                f"a lower train.learning_rate rather than more epochs (validation was best after epoch {best['epoch']:.3g}, "
                f"not after {scored[-1]['epoch']:.3g})"
            )
    pairs = manifest.get("data", {}).get("splits", {}).get("train", {}).get("n")
    if pairs is not None and pairs < FEW_PAIRS:
        yield f"more pairs (it was trained on {pairs:,})"
    against_base = next((row for row in rows if row.system == BASE), None)
    if against_base is None:
        return
    if settings.lora.r <= SMALL_RANK:
        yield f"a larger rank (lora.r is {settings.lora.r})"
    if settings.lora.target_modules != "all-linear":
        yield "more adapted modules (lora.target_modules=all-linear)"
    if against_base.established:
        yield f"a look at the data, as training made the base worse (diasum data check {settings.data.path})"
