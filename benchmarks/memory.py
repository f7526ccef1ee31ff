"""How near is the estimate before training to the memory then taken, and what do the settings that save memory save?

    python -m benchmarks.memory [--base B] [--only SETUP ...]

Trains a few steps of each set-up in a process of its own and compares the peak of its resident memory with the estimate in the manifest.
Saves ``benchmarks/results/memory.json``, from which ``python -m benchmarks.tables`` writes the table of docs/memory-and-speed.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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
diasum.train(run=sys.argv[1], settings=json.loads(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="mini")
    parser.add_argument(
        "--only", nargs="+", choices=SETUPS, default=list(SETUPS), help="keep the saved rows of the others"
    )
    given = parser.parse_args()
    base = given.base
    shutil.rmtree(RUNS, ignore_errors=True)
    saved = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"] if RESULTS.is_file() else {}
    rows: dict[str, Any] = {name: row for name, row in saved.items() if name not in given.only}
    for name, changes in SETUPS.items():
        if name not in given.only:
            continue
        if "train.base_quantization" in changes and find_spec("bitsandbytes") is None:
            continue
        run = Run(RUNS / str(len(rows)))
        settings = {"base": base, **COMMON, **changes}
        command = [sys.executable, "-c", TRAIN, str(run.path), json.dumps(settings)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        manifest = run.manifest()
        rows[name] = {
            "peak_bytes": int(done.stdout.split()[-1]),
            "estimate": manifest.get("preflight"),
            "path": manifest["choices"]["fast_path"],
        }
        print(name, json.dumps(rows[name]))
        write_json(
            RESULTS,
            {
                "base": manifest["base"],
                "parameters": manifest["parameters"],
                "settings": COMMON,
                "rows": rows,
                "versions": manifest["versions"],
                "hardware": manifest["hardware"],
            },
        )


if __name__ == "__main__":
    main()
