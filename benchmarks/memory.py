"""How near are the estimates before training to the memory and time then taken, and what do the settings that save memory save?

    python -m benchmarks.memory [--base B ...] [--only SETUP ...]

Trains one epoch of each set-up in a process of its own, of `mini` on sample conversations and of a base of flan-t5-base's shape (random
weights) on pairs with DialogSum's lengths, and compares the peak of its resident memory and its time with the estimate in the manifest.
Saves ``benchmarks/results/memory.json``, from which ``python -m benchmarks.tables`` writes the table of docs/memory-and-speed.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.training import write_base, write_corpus
from diasum.files import write_json
from diasum.training import Run

RESULTS = Path(__file__).parent / "results" / "memory.json"
RUNS = Path("build/benchmarks/memory")
COMMON = {
    "data.max_train": 48,
    "data.max_validation": 4,
    "train.epochs": 1,
    "train.eval_generate": 0,
    "train.report_to": [],
}
BASES = ("mini", "flan-t5-base")
PAIRS = 16  # of the second, which takes a second or more for each
SETUPS: dict[str, dict[str, Any]] = {
    "as set out of the box": {},
    "`train.batch_tokens: 1024`": {"train.batch_tokens": 1024},
    "`train.gradient_checkpointing`": {"train.gradient_checkpointing": True},
    "`train.fast_path: off`": {"train.fast_path": "off"},
    "the same, `train.gradient_checkpointing`": {"train.fast_path": "off", "train.gradient_checkpointing": True},
    "`train.base_quantization: 8bit`": {"train.base_quantization": "8bit"},
    "`train.base_quantization: 4bit`": {"train.base_quantization": "4bit"},
    "`train.frozen_encoder`": {"train.frozen_encoder": True},
}
TRAIN = """
import json, resource, sys
import diasum
result = diasum.train(run=sys.argv[1], settings=json.loads(sys.argv[2]))
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, result.seconds]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--base", nargs="+", choices=BASES, default=list(BASES), help="keep the saved rows of the other"
    )
    parser.add_argument(
        "--only", nargs="+", choices=SETUPS, default=list(SETUPS), help="keep the saved rows of the others"
    )
    options = parser.parse_args()
    shutil.rmtree(RUNS, ignore_errors=True)
    saved = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    bases: dict[str, Any] = saved.get("bases", {})
    with tempfile.TemporaryDirectory(prefix="diasum-memory-") as folder:
        for name in options.base:
            where: dict[str, Any] = {"base": "mini"}
            if name != "mini":
                write_corpus(Path(folder) / "corpus", PAIRS)
                write_base(Path(folder), name)
                where = {"base": f"{folder}/base", "data.path": f"{folder}/corpus"}
            entry = bases.setdefault(name, {"rows": {}})
            for setup in options.only:
                if "train.base_quantization" in SETUPS[setup] and find_spec("bitsandbytes") is None:
                    continue
                run = Run(RUNS / name / str(list(SETUPS).index(setup)))
                row = measure(run, {**where, **COMMON, **SETUPS[setup]})
                manifest = run.manifest()
                entry["rows"][setup] = row
                entry["rows"] = {key: entry["rows"][key] for key in SETUPS if key in entry["rows"]}
                entry |= {"parameters": manifest["parameters"], "pairs": manifest["data"]["splits"]["train"]["n"]}
                print(name, setup, json.dumps(row))
                about = {"versions": manifest["versions"], "hardware": manifest["hardware"]}
                write_json(RESULTS, {"bases": bases, "settings": COMMON, **about})


def measure(run: Run, settings: dict[str, Any]) -> dict[str, Any]:
    """Peak memory (bytes) and time (seconds) of a training, and what was estimated before it."""
    command = [sys.executable, "-c", TRAIN, str(run.path), json.dumps(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, seconds = json.loads(done.stdout.splitlines()[-1])
    manifest = run.manifest()
    return {
        "peak_bytes": peak,
        "seconds": seconds,
        "estimate": manifest.get("preflight"),
        "path": manifest["choices"]["fast_path"],
    }


if __name__ == "__main__":
    main()
