"""Whether exports are read in flat memory, and how fast: files of two sizes, the larger of 1 GB, each read in a process of its own.

A WhatsApp chat cut at pauses of four hours, a Telegram account, and jsonl with a conversation a line, generated from a seeded
vocabulary. The peak is that of the whole process, the interpreter and libraries included.
Run: ``python -m benchmarks.exports [--megabytes 1000]``.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.machine import RESULTS

MEGABYTE = 1_000_000
NAMES = ("Ana Li", "Ben", "Cy", "Dora", "+49 170 1234567", "Zoë")


def sentences(chance: random.Random) -> Iterator[str]:
    """Short messages of a vocabulary; one in twenty has two lines."""
    vocabulary = ["".join(chance.choices("abcdefghijklmnoprstuvwyäé", k=chance.randint(2, 9))) for _ in range(5000)]
    while True:
        text = " ".join(chance.choices(vocabulary, k=chance.randint(2, 20)))
        yield text if chance.random() > 0.05 else f"{text}\n{text[:30]}"


def whatsapp(chance: random.Random) -> Iterator[str]:
    now = datetime(2015, 1, 1, 8)
    for text in sentences(chance):
        now += timedelta(minutes=chance.choice((0, 0, 0, 0, 1, 1, 2, 5, 30, 300)))
        said = "<Media omitted>" if chance.random() < 0.05 else text
        yield f"{now:%d/%m/%Y, %H:%M} - {chance.choice(NAMES)}: {said}\n"


def telegram(chance: random.Random) -> Iterator[str]:
    yield '{"about": "x", "chats": {"list": [\n'
    chat = 0
    texts = sentences(chance)
    while True:
        yield f'{"," if chat else ""}{{"name": "Chat {chat}", "type": "private_group", "id": {chat}, "messages": [\n'
        for number in range(2000):
            record = {
                "id": number, "type": "message", "date": f"2024-05-{1 + number // 100:02}T10:00:00", "from": chance.choice(NAMES),
                "from_id": "user1", "text": [next(texts), {"type": "bold", "text": "x"}], "text_entities": [],
            }  # fmt: skip
            yield ("," if number else "") + json.dumps(record, ensure_ascii=False) + "\n"
        yield "]}\n"
        chat += 1


def jsonl(chance: random.Random) -> Iterator[str]:
    texts = sentences(chance)
    while True:
        turns = [{"speaker": chance.choice(NAMES), "text": next(texts)} for _ in range(12)]
        yield json.dumps({"id": chance.random(), "turns": turns}, ensure_ascii=False) + "\n"


WRITERS: dict[str, tuple[Callable[[random.Random], Iterator[str]], str, str]] = {
    "WhatsApp chat": (whatsapp, ".txt", ""),
    "Telegram account": (telegram, ".json", "]}}\n"),
    "jsonl": (jsonl, ".jsonl", ""),
}


def write(name: str, file: Path, megabytes: int) -> None:
    """A file of at least that size, whole to its last conversation."""
    make, _, end = WRITERS[name]
    size = 0
    with file.open("w", encoding="utf-8") as handle:
        for piece in make(random.Random(0)):
            handle.write(piece)
            size += len(piece.encode())
            if size >= megabytes * MEGABYTE and (not end or piece == "]}\n"):
                break
        handle.write(end)


def read(file: Path) -> dict[str, Any]:
    """What reading a file takes, in this process."""
    from diasum.dialogue.read import iter_dialogues

    start, busy = time.perf_counter(), time.process_time()
    dialogues = turns = left_out = 0
    for one in iter_dialogues(file, split_pause="4h"):
        dialogues += 1
        turns += len(one.dialogue)
        left_out += one.left_out.total()
    return {
        "megabytes": round(file.stat().st_size / MEGABYTE),
        "dialogues": dialogues,
        "turns": turns,
        "left_out": left_out,
        "seconds": round(time.perf_counter() - start, 1),
        "processor_seconds": round(time.process_time() - busy, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE),
    }


def measure(name: str, megabytes: int, folder: Path) -> dict[str, Any]:
    file = folder / f"export{WRITERS[name][1]}"
    write(name, file, megabytes)
    try:
        command = [sys.executable, "-m", "benchmarks.exports", "--read", str(file)]
        result: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    finally:
        file.unlink()
    print(f"{name}: {result}", flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--read", type=Path, help="read one file in this process and print what it takes")
    parser.add_argument("--out", type=Path, default=RESULTS / "exports.json")
    arguments = parser.parse_args()
    if arguments.read:
        print(json.dumps(read(arguments.read)))
        return
    with tempfile.TemporaryDirectory() as folder:
        sizes = (max(1, arguments.megabytes // 20), arguments.megabytes)
        results = {name: [measure(name, size, Path(folder)) for size in sizes] for name in WRITERS}
    conditions = {"python": platform.python_version(), "machine": platform.machine(), "threads": 1}
    arguments.out.write_text(
        json.dumps({"conditions": conditions, "formats": results}, indent=2) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
