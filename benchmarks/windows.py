"""Windows against cutting, on conversations longer than the model; and memory by the length of a conversation.

    python -m benchmarks.windows [--base mini] [--meetings 35] [--joins 35] [--beams 1]
    python -m benchmarks.windows memory [--words 10000 100000]

Three data sets. QMSum's test meetings (Zhong et al. 2021, MIT; ``DIASUM_DATA/qmsum``) with what their general query asks, the shortest N
of them. And consecutive test conversations of `everyday` and of DialogSum (Chen et al. 2021; ``DIASUM_DATA/dialogsum``) joined until
2,000 words are reached, their first references joined, too, without the words of the house form; speakers that have numbers get new ones,
so that no two people share one. Each is summarised cut and in windows; ROUGE with 95% bootstrap intervals, and the paired difference.
Saves ``benchmarks/results/windows.json``.

`memory` reads a made-up conversation of each length in a process of its own, and saves peak resident memory beside the scores.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.corpora import DATA
from benchmarks.house_form import FORMS
from benchmarks.machine import RESULTS
from diasum.config import DataSettings
from diasum.data import Pair, load_corpus, pairs_hash
from diasum.dialogue import Dialogue, Turn
from diasum.evaluation.rouge.protocols import choose_protocol
from diasum.evaluation.statistics.bootstrap import intervals, paired_differences
from diasum.files import write_json
from diasum.model import describe_machine
from diasum.summarization import Summarizer, load
from diasum.versions import versions

OUT = RESULTS / "windows.json"
JOINED_WORDS = 2000
SYSTEMS = ("windows", "cut")


def meetings(file: Path = DATA / "qmsum" / "test.jsonl.gz") -> list[Pair]:
    """QMSum's whole meetings with the answer to their first general query, the shortest first; marks of noises are left out."""
    pairs = []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            row = json.loads(line)
            turns = [
                Turn(one["speaker"], " ".join(re.sub(r"\{\w+\}", " ", one["content"]).split()))
                for one in row["meeting_transcripts"]
            ]
            reference = row["general_query_list"][0]["answer"]
            pairs.append(Pair(f"{number}", Dialogue(tuple(turns)), (reference,)))
    return sorted(pairs, key=lambda pair: len(pair.dialogue.text.split()))


def joins(path: str, words: int = JOINED_WORDS) -> Iterator[Pair]:
    """Consecutive test conversations of a corpus in one."""
    turns: list[Turn] = []
    references: list[str] = []
    ids: list[str] = []
    people = 0
    for pair in load_corpus(DataSettings(path=path), purpose="evaluate", split="test").split("test"):
        text = "\n".join((pair.dialogue.text, *pair.references))
        own = [int(number) for number in re.findall(r"#Person(\d+)#", text)]
        turns += [
            replace(turn, speaker=_moved(turn.speaker, people), text=_moved(turn.text, people), id=None)
            for turn in pair.dialogue.turns
        ]
        references.append(_moved(FORMS["everyday"].without(pair.references[0]), people))
        ids.append(pair.id)
        people += max(own, default=0)
        dialogue = Dialogue(tuple(turns))
        if len(dialogue.text.split()) >= words:
            yield Pair("+".join(ids), dialogue, (" ".join(references),))
            turns, references, ids, people = [], [], [], 0


def _moved(text: str, by: int) -> str:
    return re.sub(r"#Person(\d+)#", lambda match: f"#Person{int(match[1]) + by}#", text)


def measure(summarizer: Summarizer, pairs: list[Pair], beams: int) -> dict[str, Any]:
    """Both ways on the same dialogues."""
    references = [pair.references for pair in pairs]
    protocol = choose_protocol("auto", references).protocol
    form = FORMS["everyday"]
    row: dict[str, Any] = {"n": len(pairs), "sha256": pairs_hash(pairs), "protocol": protocol.to_json(), "systems": {}}
    row["words"] = float(np.mean([len(pair.dialogue.text.split()) for pair in pairs]))
    row["reference_words"] = float(np.mean([len(texts[0].split()) for texts in references]))
    scores = {}
    for system in SYSTEMS:
        begin = time.process_time()
        summaries = summarizer.summarize_all([pair.dialogue for pair in pairs], long=system, num_beams=beams)
        seconds = time.process_time() - begin
        texts = [form.without(summary.text) for summary in summaries]
        scored = protocol.score(texts, references)
        metrics = list(scored)
        scores[system] = np.stack([scored[name] for name in metrics], axis=1)
        row["systems"][system] = {
            **{name: one.to_json() for name, one in zip(metrics, intervals(scores[system]), strict=True)},
            "summary_words": float(np.mean([len(text.split()) for text in texts])),
            "windows": float(np.mean([len(summary.windows or ()) for summary in summaries])),
            "passes": float(np.mean([summary.passes or 0 for summary in summaries])),
            "processor_seconds": seconds / len(pairs),
            "first": summaries[0].text,
        }
    differences = paired_differences(scores["windows"] - scores["cut"])
    row["differences"] = {name: one.to_json() for name, one in zip(metrics, differences, strict=True)}
    return row


def peak_memory(base: str, words: int) -> dict[str, Any]:
    """Peak resident memory of this process after a conversation of so many words, greedily and with short summaries."""
    summarizer = load(base)
    said = "Could you send me the report of Monday".split()  # noqa: SIM905
    turns = tuple(Turn("Ana" if i % 2 else "Ben", " ".join([*said, str(i)])) for i in range(words // (len(said) + 1)))
    begin = time.perf_counter()
    (summary,) = summarizer.summarize_all([Dialogue(turns)], num_beams=1, max_new_tokens=20)
    return {
        "words": words,
        "windows": len(summary.windows or ()),
        "passes": summary.passes,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "seconds": time.perf_counter() - begin,
    }


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("scores", "memory", "one"), default="scores")
    parser.add_argument("--base", default="mini")
    parser.add_argument("--meetings", type=int, default=35)
    parser.add_argument("--joins", type=int, default=35)
    parser.add_argument("--beams", type=int, default=1)
    parser.add_argument("--words", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if options.what == "one":
        print(json.dumps(peak_memory(options.base, options.words[0])))
        return
    results = json.loads(options.out.read_text(encoding="utf-8")) if options.out.is_file() else {}
    if options.what == "memory":
        command = [sys.executable, "-m", "benchmarks.windows", "one", "--base", options.base, "--words"]
        results["memory"] = [
            json.loads(subprocess.run([*command, str(words)], check=True, stdout=subprocess.PIPE).stdout)
            for words in options.words
        ]
    else:
        summarizer = load(options.base)
        base = summarizer.trained.base
        results["scores"] = {
            "joins": measure(summarizer, list(islice(joins("everyday"), options.joins)), options.beams),
            "dialogsum": measure(
                summarizer, list(islice(joins(str(DATA / "dialogsum")), options.joins)), options.beams
            ),
            "meetings": measure(summarizer, meetings()[: options.meetings], options.beams),
        }
        results["base"] = {"id": base.id, "sha256": base.weights_sha256}
        results["beams"] = options.beams
        results |= {"versions": versions(), "hardware": describe_machine()}
    write_json(options.out, results)
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
