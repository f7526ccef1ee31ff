"""Bulk jobs measured: how soon the first summary is there, how many follow, in what memory; and killed, to see that nothing is lost.

    python -m benchmarks.bulk mini [--rows 2000]     `mini`, dialogues of 200 words, one core
    python -m benchmarks.bulk rows [--rows 1000000]  a stub in the place of the model: a tenth of the rows, then all of them
    python -m benchmarks.bulk kills [--kills 50]     SIGKILL and SIGTERM at random moments; the stub, then `mini`

Each saves its part of ``benchmarks/results/bulk.json``. Dialogues are made up of few words in a seeded order.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import CLASSES, processor_class
from diasum.files import write_json
from diasum.versions import versions

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "bulk.json"
WORDS = """
    the room is taken until eleven could you send me that report before lunch a table at nine please tell them about our plan we meet
    tomorrow morning by train if it does not rain and bring your ticket for both of us thanks I will ask her again
""".split()  # noqa: SIM905  (a list of sixty strings would fill a page)
BAD_ROWS = ("not json", '{"id": "empty", "dialogue": ""}')


@dataclass(frozen=True, slots=True)
class Killed:
    """What came of a job that was killed again and again.

    Attributes:
        kills: how often.
        jobs: begun anew, as they were complete before the last kill.
        equal: whether each complete output is that of an uninterrupted job, byte by byte.
    """

    kills: int
    jobs: int
    equal: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["mini", "rows", "kills"])
    parser.add_argument("--rows", type=int, help="2,000, of `rows` 1,000,000")
    parser.add_argument("--words", type=int, default=200, help="of a dialogue, on average")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.what == "mini":
            measured: dict[str, Any] = measure_mini(folder, given.rows or 2000, given.words)
        elif given.what == "rows":
            total = given.rows or 1_000_000
            measured = {"runs": [measure_stub(folder, n, given.words) for n in (total // 10, total)]}
        else:
            measured = measure_kills(folder, given.kills, given.seed)
    measured |= {"conditions": conditions(), "words": given.words}
    saved = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    write_json(RESULTS, saved | {given.what: measured})
    print(json.dumps(measured, indent=2))


def conditions() -> dict[str, Any]:
    """What figures depend on beside the work."""
    return {
        "processor": CLASSES[processor_class()],
        "load_average": round(os.getloadavg()[0], 1),
        "versions": versions(),
    }


def write_dialogues(path: Path, rows: int, words: int, *, bad_every: int = 0, seed: int = 0) -> Path:
    """A file of made-up dialogues, a JSON object a line.

    Args:
        path: where to.
        rows: how many.
        words: of each on average; the lengths are normally distributed with a third of that as deviation.
        bad_every: after so many rows, one that is no dialogue; 0 for none.
        seed: of lengths and words.
    """
    draw = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            if bad_every and number % bad_every == bad_every - 1:
                file.write(BAD_ROWS[number % len(BAD_ROWS)] + "\n")
                continue
            turns: list[str] = []
            left = max(10, round(draw.gauss(words, words / 3)))
            while left > 0:
                said = min(left, draw.randint(5, 20))
                left -= said
                turns.append(f"{('Ana', 'Ben')[len(turns) % 2]}: {' '.join(draw.choices(WORDS, k=said)).capitalize()}.")
            file.write(json.dumps({"id": f"d{number}", "dialogue": "\n".join(turns)}) + "\n")
    return path


def measure_stub(folder: Path, rows: int, words: int) -> dict[str, Any]:
    """A job without a model: time and memory of all the rest."""
    file = write_dialogues(folder / f"{rows}.jsonl", rows, words)
    done = _run([sys.executable, "-m", "benchmarks.bulk_stub", str(file), "--out", str(folder / f"{rows}-out.jsonl")])
    figures: dict[str, Any] = json.loads(done)
    return figures | {"rows_per_second": figures["rows"] / figures["seconds"]}


MINI = """
import json, resource, sys, threading, time
from pathlib import Path
import diasum
began, out, first = time.monotonic(), Path(sys.argv[2]), []
def watch():
    part = out.with_name(out.name + ".part")
    while not first:
        if part.is_file() and part.stat().st_size:
            first.append(time.monotonic() - began)
        time.sleep(0.01)
threading.Thread(target=watch, daemon=True).start()
result = diasum.summarize_files(sys.argv[1], out, "mini")
print(json.dumps({
    "rows": result.summaries, "seconds_to_first": first[0], "seconds": time.monotonic() - began,
    "seconds_without_loading": result.seconds, "processor_seconds": time.process_time(),
    "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
}))
"""


def measure_mini(folder: Path, rows: int, words: int) -> dict[str, Any]:
    """A job with `mini` and its own settings, on one core."""
    file = write_dialogues(folder / "in.jsonl", rows, words)
    out = folder / "out.jsonl"
    figures: dict[str, Any] = json.loads(_run([sys.executable, "-c", MINI, str(file), str(out)]))
    with out.open(encoding="utf-8") as lines:
        engine = json.loads(next(lines))["engine"]
    return figures | {"rows_per_second": rows / figures["seconds"], "engine": engine, "threads": 1}


def measure_kills(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """The stub and `mini`, each killed so often."""
    file = write_dialogues(folder / "in.jsonl", 8000, 40, bad_every=97)
    for name in ("stub", "mini"):
        (folder / name).mkdir()
    stub = kill_and_compare(file, folder / "stub", kills=kills, pause=0.03, seed=seed)
    small = write_dialogues(folder / "small.jsonl", 400, 40, bad_every=97)
    command = [
        sys.executable,
        "-m",
        "diasum",
        "summarize",
        str(small),
        "--num-beams",
        "1",
        "--max-new-tokens",
        "12",
        "--out",
    ]
    mini = kill_and_compare(small, folder / "mini", kills=max(1, kills // 5), pause=0, seed=seed, command=command)
    return {"stub": asdict(stub), "mini": asdict(mini), "seed": seed}


def kill_and_compare(
    file: Path, folder: Path, *, kills: int, pause: float, seed: int, command: Sequence[str] | None = None
) -> Killed:
    """Kill a job at random moments, from its start to its end, let it go on, and compare what it wrote in the end.

    Args:
        file: its input.
        folder: for its outputs.
        kills: how often; each fifth one is a SIGTERM, the others SIGKILL.
        pause: of the stub for each portion, in seconds.
        seed: of the moments.
        command: what to run, up to the name of the output; the stub when not given.
    """
    draw = random.Random(seed)
    stub = [sys.executable, "-m", "benchmarks.bulk_stub", str(file), "--pause", str(pause), "--out"]
    work = [*(command or stub)]
    reference = folder / "reference.jsonl"
    began = time.monotonic()
    _run([*work, str(reference)])
    usual = time.monotonic() - began
    done = jobs = 0
    equal = True
    while done < kills:
        out = folder / f"killed-{jobs}.jsonl"
        jobs += 1
        finished = False
        while not finished:
            number = None if done == kills else signal.SIGTERM if done % 5 == 4 else signal.SIGKILL
            code = _run_and_kill([*work, str(out)], draw.uniform(0.02, usual), number)
            finished = code == 0
            done += not finished
        equal = equal and all(
            _content(out.with_name(out.name + ending)) == _content(reference.with_name(reference.name + ending))
            for ending in ("", ".rejected.jsonl")
        )
    return Killed(done, jobs, equal)


def _run_and_kill(command: list[str], seconds: float, number: signal.Signals | None) -> int:
    """Run a command and send it a signal after so long, if there is one; its exit code."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=_environment(), **quiet) as process:  # type: ignore[call-overload]
        try:
            process.wait(None if number is None else seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
    if process.returncode not in (0, -signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM):
        raise SystemExit(f"The job ended with {process.returncode}: {' '.join(command)}")
    return int(process.returncode)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def _environment() -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


if __name__ == "__main__":
    main()
