"""What `generate.rerank` changes: flagged sentences, ROUGE-L and time, on DialogSum test.

Each number of beams without and with it, in turn, `ROUNDS` times: the share of sentences that the checks flag, ROUGE-L (the paper's
protocol, three references) and its paired difference, how many summaries are others, and the ratio of processor times, in both of which
every summary is checked. Writes ``benchmarks/results/reranking.json``. Run: ``python -m benchmarks.reranking [MODEL]``
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks.corpora import DATA, ROOT, dialogsum
from benchmarks.support_check import rate
from diasum.config import GenerateSettings
from diasum.data import Pair
from diasum.data.summary import Summary
from diasum.evaluation.rouge.protocols import PROTOCOLS
from diasum.evaluation.statistics.bootstrap import paired_difference
from diasum.files import write_json
from diasum.model.hardware import describe_machine
from diasum.summarization.loading import load_trained
from diasum.summarization.trained import Trained

RESULT = ROOT / "benchmarks" / "results" / "reranking.json"
PROTOCOL = "dialogsum-paper"
BEAMS, ROUNDS = (4,), 3


def compare(trained: Trained, pairs: Sequence[Pair], beams: int, own: GenerateSettings) -> dict[str, Any]:
    """Summaries without and with it."""
    seconds: dict[bool, list[float]] = {False: [], True: []}
    made: dict[bool, list[Summary]] = {}
    for _ in range(ROUNDS):
        for rerank in (False, True):
            began = time.process_time()
            settings = own.model_copy(update={"num_beams": beams, "rerank": rerank})
            made[rerank] = trained.summarize([pair.dialogue for pair in pairs], settings=settings)
            seconds[rerank].append(time.process_time() - began)
    references = [pair.references for pair in pairs]
    scores = {
        rerank: PROTOCOLS[PROTOCOL].score([one.text for one in summaries], references)["rougeL"]
        for rerank, summaries in made.items()
    }
    ratios = [with_it / without for without, with_it in zip(seconds[False], seconds[True], strict=True)]
    return {
        "flagged": {name: rate(_flagged(made[rerank])) for name, rerank in (("without", False), ("with", True))},
        "rougeL": {
            "without": float(scores[False].mean()),
            "with": float(scores[True].mean()),
            "difference": asdict(paired_difference(scores[True], scores[False])),
        },
        "others": rate([a.text != b.text for a, b in zip(made[False], made[True], strict=True)]),
        "time_ratio": {"median": median(ratios), "least": min(ratios), "most": max(ratios), "rounds": ROUNDS},
    }


def _flagged(summaries: Sequence[Summary]) -> list[bool]:
    """Of the sentences that were checked."""
    verdicts = [one.verdict for summary in summaries for one in summary.sentences]
    return [verdict in ("check", "unsupported") for verdict in verdicts if verdict != "not checked"]


def reranking_table(results: dict[str, Any]) -> str:
    """Markdown: a row for each number of beams."""
    lines = [
        "| beams | sentences flagged without | with | ROUGE-L without | with | difference | other summaries | processor time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for beams, row in results["beams"].items():
        flagged = [
            "{:.1f}% ({:.1f} to {:.1f}) of {}".format(*_percent(row["flagged"][one])) for one in ("without", "with")
        ]
        score, gain = row["rougeL"], row["rougeL"]["difference"]
        ratio = row["time_ratio"]
        cells = [
            *flagged,
            f"{score['without']:.1f}",
            f"{score['with']:.1f}",
            f"{gain['mean']:+.2f} ({gain['low']:+.2f} to {gain['high']:+.2f})",
            f"{100 * row['others']['share']:.1f}%",
            f"{ratio['median']:.2f}x ({ratio['least']:.2f}-{ratio['most']:.2f})",
        ]
        lines.append(f"| {beams} | {' | '.join(cells)} |")
    rounds = next(iter(results["beams"].values()))["time_ratio"]["rounds"]
    lines += [
        "",
        f"{results['dialogues']} dialogues, 95% intervals, ROUGE-L by the protocol `{results['protocol']['name']}`; `{results['engine']}` "
        f"on {results['hardware']['processor']}, the ratio of processor times in {rounds} rounds in turn: median, least and most.",
    ]
    return "\n".join(lines)


def _percent(found: dict[str, float]) -> tuple[float, float, float, int]:
    return 100 * found["share"], 100 * found["low"], 100 * found["high"], int(found["n"])


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"No corpora at {DATA}: set DIASUM_DATA.")
    model = sys.argv[1] if len(sys.argv) > 1 else "mini"
    trained = load_trained(model)
    pairs = list(dialogsum("test"))
    settings = trained.generate
    write_json(
        RESULT,
        {
            "model": model,
            "corpus": "dialogsum test",
            "dialogues": len(pairs),
            "protocol": PROTOCOLS[PROTOCOL].to_json(),
            "engine": trained.engine(settings).engine.name,
            "hardware": describe_machine(),
            "beams": {str(beams): compare(trained, pairs, beams, settings) for beams in BEAMS},
        },
    )


if __name__ == "__main__":
    main()
