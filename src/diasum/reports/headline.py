"""What an evaluation says, in sentences: the first thing a reader of terminal, report or model card sees."""

from __future__ import annotations

from diasum.claims.support import CHECKED
from diasum.evaluation.contrast import ContrastResult
from diasum.evaluation.metrics import Evaluation
from diasum.evaluation.statistics.compare import DifferenceRow
from diasum.reports.rendering import pvalue

_SHOWN = 3  # repeated sentences in a line
NAMES = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "rougeLsum": "ROUGE-Lsum"}


def sentences(evaluation: Evaluation, metric: str = "rougeL") -> list[str]:
    """Differences between the system evaluated and each other one, whether its summaries depend on their dialogues, and what they repeat.

    A difference is stated as one only when it is `established`: by its interval and by its corrected p-value.
    """
    metric = metric if metric in evaluation.protocol.metrics else evaluation.protocol.metrics[-1]
    name = NAMES.get(metric, metric)
    lines = []
    for row in evaluation.differences:
        if row.metric != metric:
            continue
        # The table holds `system - reference`; a reader asks how the evaluated system (the reference) stands to the other.
        low, mean, high = (0.0 - x for x in (row.difference.high, row.difference.mean, row.difference.low))
        lines.append(
            f"{verdict(row)}: {mean:+.1f} {name} (95% interval {low:+.1f} to {high:+.1f}, p {pvalue(row.p_holm)} corrected)"
        )
    for system, check in evaluation.shuffled.items():
        reads = "it reads its input"
        if check.drop.low <= 0:
            reads = "nothing shows that it reads its input, or that these summaries are of these dialogues and in their order"
        lines.append(
            f"{system} against other dialogues' references: {NAMES.get(check.metric, check.metric)} goes from {check.matched:.1f} "
            f"to {check.shuffled:.1f} ({reads})"
        )
    for system, repeats in evaluation.repeated.items():
        shown = "; ".join(map(str, repeats[:_SHOWN]))
        more = f"; {len(repeats) - _SHOWN} more in metrics.json" if len(repeats) > _SHOWN else ""
        if repeats:
            lines.append(
                f"{system} says the same about many dialogues: {shown}{more}. Check that these dialogues say so."
            )
    return lines


def facts_sentence(system: str, share: float) -> str:
    """What the check of facts found.

    Args:
        system: whose summaries.
        share: of its summaries with an unsupported fact, 0 to 1.
    """
    return (
        f"{100 * share:.1f}% of the summaries of {system} state something of the following kinds that their dialogue does not: "
        f"{CHECKED}."
    )


def contrast_sentence(system: str, result: ContrastResult) -> str | None:
    """Which corruptions a model tells by reading the dialogue; None where no control was measured."""
    shown, not_shown, few = [], [], []
    for name in result.gains:
        kind = result.kinds[name]
        entry = f"{name} ({kind.share:.0%}, control {kind.control_share:.0%}, n {kind.n})"
        if not kind.testable:
            few.append(f"{name} (n {kind.n})")
        elif result.shown(name):
            shown.append(entry)
        else:
            not_shown.append(entry)
    labels = (("shown for", shown), ("not shown for", not_shown), ("too few cases of", few))
    parts = [f"{label} {', '.join(names)}" for label, names in labels if names]
    if not parts:
        return None
    return (
        f"Does {system} prefer a human summary to the same one made wrong because it reads the dialogue? {'; '.join(parts)}. "
        "Chance is 50%, the control sees another dialogue."
    )


def verdict(row: DifferenceRow) -> str:
    """How the reference system of a table stands to another one, in words."""
    ours, other = row.reference, row.system
    side = "above" if row.difference.mean < 0 else "below"
    if row.established:
        return f"{ours} is {side} {other}"
    if row.clear_of_zero or row.significant:
        return f"{ours} may be {side} {other}, which is not established"
    return f"{ours} is not clearly different from {other}"
