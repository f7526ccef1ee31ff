"""Check the checks: how often they fire on human references, and how often on references made wrong on purpose.

First facts, here; then whole sentences and the review flag (`benchmarks.support_check`), and the turns that sentences rest on
(`benchmarks.evidence`), which save results of their own.

Reads the public corpora in ``DIASUM_DATA`` (default ``../shared/data``), writes ``benchmarks/results/faithfulness.json`` (figures only,
no text of any corpus). The rules were tuned on DialogSum dev, MTS-Dialog train, QMSum val and a look at CRD3; the other splits were
only measured. Run: ``python -m benchmarks.faithfulness``
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks import evidence, support_check
from benchmarks.corpora import DATA, ROOT, dialogsum, mts_dialog, qmsum
from diasum.claims.support import KINDS, Evidence, faithfulness
from diasum.config import DataSettings
from diasum.data import Pair, load_corpus, pairs_hash
from diasum.dialogue import Dialogue, Turn
from diasum.evaluation.corruptions import KINDS as CORRUPTIONS
from diasum.evaluation.corruptions import corrupt
from diasum.evaluation.statistics.bootstrap import interval
from diasum.files import write_json

SEED = 0
# Ways to make a reference wrong in one kind, equal ones counted once: few references have a time, and each can be wrong in many ways.
DRAWS = {"time": 5, "date": 5, "amount": 5}


def crd3(every: int = 20) -> Iterator[Pair]:
    with gzip.open(DATA / "crd3" / "crd3.jsonl.gz", "rt", encoding="utf-8") as lines:
        for i, line in enumerate(lines):
            if i % every == 0:
                row = json.loads(line)
                turns = tuple(Turn(turn["speaker"], turn["text"]) for turn in row["turns"])
                yield Pair(str(i), Dialogue(turns), (row["summary"],))


def measure(pairs: list[Pair], *, tuned: bool) -> dict[str, Any]:
    """Both rates on one corpus: alarms on references, and new alarms on each kind of corruption (a reference's draws count as one)."""
    texts = [(pair.dialogue, reference) for pair in pairs for reference in pair.references]
    began = time.process_time()
    report = faithfulness([reference for _, reference in texts], [dialogue for dialogue, _ in texts])
    seconds = time.process_time() - began
    caught: dict[str, list[list[bool]]] = defaultdict(list)
    for (dialogue, reference), known in zip(texts, report.unsupported, strict=True):
        evidence = Evidence(dialogue)
        before = {(claim.kind, claim.text) for claim in known}
        for kind in CORRUPTIONS:
            corruptions = (corrupt(reference, dialogue, kind, seed=SEED + draw) for draw in range(DRAWS.get(kind, 1)))
            wrong = dict.fromkeys(one.text for one in corruptions if one is not None)
            claims_of = [{(claim.kind, claim.text) for claim in evidence.check(text)} for text in wrong]
            if claims_of:
                caught[kind].append([bool(claims - before) for claims in claims_of])
    return {
        "dialogues": len(pairs),
        "references": report.n,
        "tuned_on": tuned,
        "data_sha256": pairs_hash(pairs),
        "words_per_dialogue": round(float(np.mean([len(pair.dialogue.text.split()) for pair in pairs])), 1),
        "references_per_cpu_second": round(report.n / seconds),
        "false_alarms": {kind: rate(report.flagged[kind]) for kind in (*KINDS, "any")},
        "caught": {
            kind: rate(np.array([np.mean(draws) for draws in values])) | {"draws": sum(map(len, values))}
            for kind, values in sorted(caught.items())
        },
    }


def rate(values: np.ndarray) -> dict[str, float]:
    """Share with its 95% bootstrap interval."""
    band = interval(values, resamples=2000, seed=SEED)
    return {"share": round(band.mean, 4), "low": round(band.low, 4), "high": round(band.high, 4), "n": len(values)}


def sample() -> Iterator[Pair]:
    """The bundled conversations, all splits."""
    for pairs in load_corpus(DataSettings(path="sample")).splits.values():
        yield from pairs


CORPORA: dict[str, tuple[Callable[[], Iterator[Pair]], bool]] = {
    "dialogsum dev": (lambda: dialogsum("dev"), True),
    "dialogsum test": (lambda: dialogsum("test"), False),
    "mts_dialog train": (lambda: mts_dialog("train"), True),
    "mts_dialog test": (lambda: mts_dialog("test"), False),
    "qmsum val": (lambda: qmsum("val"), True),
    "qmsum test": (lambda: qmsum("test"), False),
    "crd3 sample": (crd3, True),
    "bundled sample": (sample, False),
}


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"No corpora at {DATA}: set DIASUM_DATA.")
    results = {}
    for name, (read, tuned) in CORPORA.items():
        results[name] = measure(list(read()), tuned=tuned)
        shares = {kind: f"{100 * value['share']:.1f}%" for kind, value in results[name]["false_alarms"].items()}
        caught = {
            kind: f"{100 * value['share']:.0f}% of {value['n']}/{value['draws']}"
            for kind, value in results[name]["caught"].items()
        }
        print(name, results[name]["references"], "alarms", shares, "caught", caught, flush=True)
    machine = {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
    write_json(
        ROOT / "benchmarks" / "results" / "faithfulness.json", {"seed": SEED, "machine": machine, "corpora": results}
    )
    support_check.main([])
    evidence.main()


if __name__ == "__main__":
    main()
