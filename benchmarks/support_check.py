"""How well the checks of sentences tell what a dialogue does not support, and whether the review flag finds summaries with an error.

On the frozen sentences of `benchmarks.support`, by kind and by corpus, beside what earlier runs found; on references, how often they are
flagged; on references made wrong by rule; and the review flag, which was calibrated on other corpora: of summaries of which each fifth
has an error put in, how many of the errors the fifth with the highest flags holds. Writes ``benchmarks/results/support.json`` (of
sentences only those of the frozen set, which are CC0). Run: ``python -m benchmarks.support_check`` (``benchmarks/faithfulness.py`` runs
it, too); each run is a look at the frozen sentences and is counted. With ``--judge MODEL`` (as `check.judge`, or the folder of its
encoder) the same with a judge beside the rules, into ``support-judge.json``.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.corpora import DATA, ROOT, dialogsum, mts_dialog, qmsum
from benchmarks.support import UNSUPPORTED, corpora, sample, sentences
from benchmarks.support_weights import Told, injected, wrong_sentences
from diasum.claims.judgement import Judge
from diasum.claims.sentence_checks import WEIGHTS, Checker, SentenceCheck
from diasum.claims.sentences import split_sentences
from diasum.data import Pair
from diasum.evaluation.statistics.bootstrap import share_interval
from diasum.files import write_json
from diasum.judges import load_judge
from diasum.judges.tuned import TunedJudge

RESULT = ROOT / "benchmarks" / "results" / "support.json"
JUDGED = RESULT.with_name("support-judge.json")
SEED = 0
SHOWN = {"true alarms": 10, "false alarms": 5, "misses": 5}
REFERENCES: dict[str, Callable[[], Iterable[Pair]]] = {
    "dialogsum dev (looked at)": partial(dialogsum, "dev"),
    "dialogsum test": partial(dialogsum, "test"),
    "bundled sample, test": sample,
    "qmsum test": partial(qmsum, "test"),
    "mts_dialog test": partial(mts_dialog, "test"),
}
ALARMS = (0.05, 0.1, 0.2, 0.3)  # of supported sentences, at which the curve is given
_KEPT = ("kinds", "unsupported", "curve", "ranked_above_supported")  # of earlier runs
_FACT, _NOT_CHECKED = 50.0, -50.0  # in the place of scores
FLAGGED = ("dialogsum test", "bundled sample, test")  # corpora that the review flag is tested on


def rate(values: Sequence[bool]) -> dict[str, float]:
    """A share with Wilson's 95% interval and its n."""
    band = share_interval(np.array(values, dtype=np.float64))
    return {"share": round(band.mean, 4), "low": round(band.low, 4), "high": round(band.high, 4), "n": len(values)}


def frozen(judge: Judge | None = None) -> dict[str, Any]:
    """The frozen sentences: flagged ones by kind, by corpus, and in all; examples drawn by seed, not picked."""
    by_kind: dict[str, list[bool]] = defaultdict(list)
    by_corpus: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    ways: dict[str, int] = defaultdict(int)
    drawn: dict[str, list[dict[str, str]]] = defaultdict(list)
    scores: dict[str, list[float]] = defaultdict(list)
    for one in sentences(corpora()):
        checks = Checker(one.dialogue, judge=judge).check(one.text).sentences
        flagged = any(check.flagged for check in checks)
        scores[one.kind].append(max(map(_rank, checks)))
        label = "supported" if one.supported else "unsupported"
        by_kind[one.kind].append(flagged)
        by_corpus[one.corpus][label].append(flagged)
        ways["not checked"] += all(check.verdict == "not checked" for check in checks)
        kind = ("false alarms" if flagged else None) if one.supported else "true alarms" if flagged else "misses"
        if kind:
            reasons = " ".join(reason for check in checks for reason in check.reasons)
            drawn[kind].append({"id": one.id, "kind": one.kind, "sentence": one.text, "reason": reasons})
    rng = random.Random(SEED)
    return {
        "kinds": {kind: rate(by_kind[kind]) for kind in (*UNSUPPORTED, "supported")},
        "unsupported": rate([flagged for kind in UNSUPPORTED for flagged in by_kind[kind]]),
        "corpora": {
            name: {label: rate(values) for label, values in labels.items()} for name, labels in by_corpus.items()
        },
        "not_checked": ways["not checked"],
        "curve": curve(scores),
        "ranked_above_supported": {kind: area(scores[kind], scores["supported"]) for kind in UNSUPPORTED},
        "examples": {kind: rng.sample(drawn[kind], min(n, len(drawn[kind]))) for kind, n in SHOWN.items()},
    }


def _rank(check: SentenceCheck) -> float:
    """What sentences are ordered by: those with an unsupported fact first, those that were not checked last."""
    if check.score is None:
        return _NOT_CHECKED
    return _FACT if check.fact else check.score


def curve(scores: dict[str, list[float]]) -> list[dict[str, float]]:
    """The share of unsupported sentences that are flagged where so many of the supported ones are, whatever the shipped threshold."""
    right = np.array(scores["supported"])
    wrong = np.array([score for kind in UNSUPPORTED for score in scores[kind]])
    return [
        {"alarms": alarms, "flagged": round(float((wrong > np.quantile(right, 1 - alarms)).mean()), 4)}
        for alarms in ALARMS
    ]


def area(wrong: Sequence[float], right: Sequence[float]) -> float:
    """The chance that a wrong sentence is ranked above a right one; ties count half."""
    difference = np.array(wrong)[:, None] - np.array(right)[None]
    return round(float((difference > 0).mean() + 0.5 * (difference == 0).mean()), 3)


def on_references(pairs: Iterable[Pair], judge: Judge | None = None) -> dict[str, Any]:
    """How often references are flagged: of their sentences, and of them."""
    flagged: list[bool] = []
    whole: list[bool] = []
    not_checked = 0
    began = time.process_time()
    for pair in pairs:
        checker = Checker(pair.dialogue, judge=judge)
        for reference in pair.references:
            found = checker.check(reference).sentences
            not_checked += sum(one.verdict == "not checked" for one in found)
            flagged += [one.flagged for one in found if one.verdict != "not checked"]
            whole.append(any(one.flagged for one in found))
    seconds = time.process_time() - began
    return {
        "sentences": rate(flagged),
        "references": rate(whole),
        "not_checked": not_checked,
        "references_per_cpu_second": round(len(whole) / seconds),
    }


def made_wrong(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Sentences of the first references made wrong by rule, by kind."""
    told = [
        Told(pair.id, pair.dialogue, pair.references[0], tuple(split_sentences(pair.references[0]))) for pair in pairs
    ]
    caught: dict[str, list[bool]] = defaultdict(list)
    for one, texts in wrong_sentences([one for one in told if one.sentences], random.Random(SEED)):
        checker = Checker(one.dialogue)
        for kind, text in texts:
            if kind != "reference":
                caught[kind].append(any(check.flagged for check in checker.check(text).sentences))
    return {kind: rate(values) for kind, values in sorted(caught.items())}


def worst_fifth(pairs: Sequence[Pair], judge: Judge | None = None) -> dict[str, Any]:
    """The errors that the fifth of the summaries with the highest review flags holds, of all put in; and by kind."""
    told = [Told(pair.id, pair.dialogue, pair.references[0], ()) for pair in pairs]
    flags, kinds = [], []
    for dialogue, text, kind in injected(told, random.Random(SEED)):
        flag = Checker(dialogue, judge=judge).check(text).review
        flags.append(-1.0 if flag is None else flag)
        kinds.append(kind)
    order = sorted(range(len(flags)), key=lambda i: (-flags[i], i))
    worst = set(order[: round(len(flags) / 5)])
    wrong = [i for i, kind in enumerate(kinds) if kind is not None]
    by_kind: dict[str, list[bool]] = defaultdict(list)
    for i in wrong:
        by_kind[str(kinds[i])].append(i in worst)
    return {
        "summaries": len(flags),
        "held": rate([i in worst for i in wrong]),
        "mean_flag": {
            "with an error": round(float(np.mean([flags[i] for i in wrong])), 3),
            "without": round(float(np.mean([flag for i, flag in enumerate(flags) if kinds[i] is None])), 3),
        },
        "kinds": {kind: rate(values) for kind, values in sorted(by_kind.items())},
    }


def support_table(results: dict[str, Any]) -> str:
    """Markdown: the frozen sentences by kind, then references."""
    found = results["frozen"]
    runs = [*results["earlier"], {"run": results["run"], **found}]
    names = " | ".join(f"run {one['run']}" for one in runs)
    lines = [f"| frozen sentences | n | {names} | ranked above a supported one |"]
    lines.append("|---" * (len(runs) + 3) + "|")
    for kind in UNSUPPORTED:
        cells = [_percent(one["kinds"][kind]) for one in runs]
        ranked = " → ".join(f"{100 * one['ranked_above_supported'][kind]:.0f}%" for one in runs)
        lines.append(f"| {kind} | {found['kinds'][kind]['n']} | {' | '.join(cells)} | {ranked} |")
    totals = {
        "**all unsupported**": [one["unsupported"] for one in runs],
        "**supported** (false alarms)": [one["kinds"]["supported"] for one in runs],
    }
    for name, rows in totals.items():
        lines.append(f"| {name} | {rows[-1]['n']} | {' | '.join(map(_percent, rows))} | |")
    lines += ["", f"| unsupported flagged where so many supported are | {names} |", "|---" * (len(runs) + 1) + "|"]
    for i, point in enumerate(found["curve"]):
        cells = [f"{100 * one['curve'][i]['flagged']:.1f}%" for one in runs]
        lines.append(f"| {100 * point['alarms']:.0f}% | {' | '.join(cells)} |")
    lines.append("")
    lines += ["| corpus | unsupported flagged | supported flagged |", "|---|---|---|"]
    for name, labels in found["corpora"].items():
        cells = [f"{_percent(labels[label])} of {labels[label]['n']}" for label in ("unsupported", "supported")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "| references | sentences | flagged | references with a flag |", "|---|---|---|---|"]
    for name, row in results["references"].items():
        lines.append(
            f"| {name} | {row['sentences']['n']} | {_percent(row['sentences'])} | {_percent(row['references'])} |"
        )
    return "\n".join(lines)


def judged_table(results: dict[str, Any], alone: dict[str, Any]) -> str:
    """Markdown: what a judge changes on the frozen sentences, on references and for the review flag.

    Args:
        results: with the judge.
        alone: of the rules alone.
    """
    both = [alone, results]
    lines = [
        "| frozen sentences | n | rules | with the judge | ranked above a supported one |",
        "|---|---|---|---|---|",
    ]
    for kind in UNSUPPORTED:
        cells = [_percent(one["frozen"]["kinds"][kind]) for one in both]
        ranked = " → ".join(f"{100 * one['frozen']['ranked_above_supported'][kind]:.0f}%" for one in both)
        lines.append(f"| {kind} | {results['frozen']['kinds'][kind]['n']} | {' | '.join(cells)} | {ranked} |")
    for name, rows in {
        "**all unsupported**": [one["frozen"]["unsupported"] for one in both],
        "**supported** (false alarms)": [one["frozen"]["kinds"]["supported"] for one in both],
    }.items():
        lines.append(f"| {name} | {rows[-1]['n']} | {' | '.join(map(_percent, rows))} | |")
    lines += ["", "| unsupported flagged where so many supported are | rules | with the judge |", "|---|---|---|"]
    for i, point in enumerate(results["frozen"]["curve"]):
        cells = [f"{100 * one['frozen']['curve'][i]['flagged']:.1f}%" for one in both]
        lines.append(f"| {100 * point['alarms']:.0f}% | {' | '.join(cells)} |")
    lines += ["", "| sentences of references that are flagged | n | rules | with the judge |", "|---|---|---|---|"]
    for name, row in results["references"].items():
        cells = [_percent(one["references"][name]["sentences"]) for one in both]
        lines.append(f"| {name} | {row['sentences']['n']} | {' | '.join(cells)} |")
    lines += [
        "",
        "| errors held by the fifth with the highest review flags | rules | with the judge |",
        "|---|---|---|",
    ]
    for name in results["review"]:
        cells = [f"{_percent(one['review'][name]['held'])} of {one['review'][name]['held']['n']}" for one in both]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def errors_table(results: dict[str, Any]) -> str:
    """Markdown: sentences made wrong by rule, and what the worst fifth by review flag holds."""
    kinds = sorted({kind for row in results["made_wrong"].values() for kind in row})
    lines = [f"| made wrong by rule | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    for name, row in results["made_wrong"].items():
        cells = [f"{100 * row[kind]['share']:.0f}% of {row[kind]['n']}" if kind in row else "–" for kind in kinds]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        "| review flag | summaries | errors put in | held by the fifth with the highest flags | by kind |",
        "|---|---|---|---|---|",
    ]
    for name, row in results["review"].items():
        by_kind = ", ".join(f"{kind} {100 * one['share']:.0f}% of {one['n']}" for kind, one in row["kinds"].items())
        lines.append(f"| {name} | {row['summaries']} | {row['held']['n']} | {_percent(row['held'])} | {by_kind} |")
    return "\n".join(lines)


def examples_list(results: dict[str, Any]) -> str:
    """Markdown: examples of the frozen sentences, drawn by seed."""
    lines = []
    for title, rows in results["frozen"]["examples"].items():
        lines += [f"**{title.capitalize()}**", ""]
        lines += [f"- {row['sentence']} (`{row['id']}`, {row['kind']}) {row['reason']}".rstrip() for row in rows]
        lines.append("")
    return "\n".join(lines).rstrip()


def _percent(row: dict[str, float]) -> str:
    return f"{100 * row['share']:.1f}% ({100 * row['low']:.1f} to {100 * row['high']:.1f})"


def main(given: Sequence[str] | None = None) -> None:
    if not DATA.is_dir():
        sys.exit(f"No corpora at {DATA}: set DIASUM_DATA.")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge")
    name = parser.parse_args(given).judge
    pairs = {name: list(read()) for name, read in REFERENCES.items()}
    if name:
        judge = load_judge(name)
        if judge.calibration is None:
            sys.exit("Without a calibration, sentences cannot be ordered by a judge and the rules together.")
        write_json(
            JUDGED,
            {
                "judge": "minilm" if isinstance(judge, TunedJudge) else judge.name,
                "seed": SEED,
                "frozen": frozen(judge),
                "references": {name: on_references(rows, judge) for name, rows in pairs.items()},
                "review": {name: worst_fifth(pairs[name], judge) for name in FLAGGED},
            },
        )
        return
    before = json.loads(RESULT.read_text(encoding="utf-8"))
    last = {"run": before["run"], **{key: before["frozen"][key] for key in _KEPT}}
    weights = json.loads((ROOT / "src" / "diasum" / "claims" / WEIGHTS).read_text(encoding="utf-8"))
    write_json(
        RESULT,
        {
            "seed": SEED,
            "weights": weights["about"],
            "run": last["run"] + 1,
            "earlier": [*before["earlier"], last],
            "frozen": frozen(),
            "references": {name: on_references(rows) for name, rows in pairs.items()},
            "made_wrong": {name: made_wrong(pairs[name]) for name in FLAGGED},
            "review": {name: worst_fifth(pairs[name]) for name in FLAGGED},
        },
    )


if __name__ == "__main__":
    main()
