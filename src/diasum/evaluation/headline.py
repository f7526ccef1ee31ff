"""What an evaluation says, in sentences: the first thing a reader of terminal, report or model card sees."""

from __future__ import annotations

from diasum.evaluation.metrics import Evaluation

NAMES = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "rougeLsum": "ROUGE-Lsum"}


def sentences(evaluation: Evaluation, metric: str = "rougeL") -> list[str]:
    """Differences between the system evaluated and each other one, and whether its summaries depend on their dialogues.

    A difference is called one only when its 95% interval is clear of zero.
    """
    metric = metric if metric in evaluation.protocol.metrics else evaluation.protocol.metrics[-1]
    name = NAMES.get(metric, metric)
    lines = []
    for row in evaluation.differences:
        if row.metric != metric:
            continue
        # The table holds `system - reference`; a reader asks how the evaluated system (the reference) stands to the other.
        low, mean, high = (0.0 - x for x in (row.difference.high, row.difference.mean, row.difference.low))
        verdict = "above" if low > 0 else "below" if high < 0 else "not clearly different from"
        lines.append(
            f"{row.reference} is {verdict} {row.system}: {mean:+.1f} {name} (95% interval {low:+.1f} to {high:+.1f}, "
            f"p = {_p(row.p_holm)} corrected)"
        )
    for system, check in evaluation.shuffled.items():
        lines.append(
            f"{system} against other dialogues' references: {NAMES.get(check.metric, check.metric)} falls from {check.matched:.1f} "
            f"to {check.shuffled:.1f} ({'it reads its input' if check.drop.low > 0 else 'it may not read its input'})"
        )
    return lines


def _p(value: float) -> str:
    return "under 0.001" if value < 0.001 else f"{value:.3f}"
