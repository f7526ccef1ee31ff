"""All of the training in ten minutes on a GPU that is elsewhere: examples packed here, trained there, weights brought back.

    python -m pretraining.gpu pack  --to build/pretraining/packed.npz
    python -m pretraining.gpu train --packed build/pretraining/packed.npz --out OUT [--start src/diasum/assets/mini] [--minutes 9]

`pack` draws examples from the mixture and writes their token ids, 16 bits each, with the tokenizer (60 MB is the limit of what is
carried there). `train` needs torch and transformers only, no corpora: it goes over the packed examples again and again, in new batches
each time, lets the rate fall over the last third of its minutes, and writes the averaged weights in bf16 into files below 16 MB.
Put the `tokenizer/` that `pack` wrote beside what comes back, and `export --run` makes a bundle of it.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pretraining import batches
from pretraining.curriculum import Phase
from pretraining.train import Settings, Trainer, append, sized

LIMIT_BYTES = 60_000_000
SHARD = "15MB"
# A GPU sees the examples many times over: more of what any dialogue teaches, with or without a summary.
PACKED = Phase(
    float("inf"),
    (60, 120, 200, 350, 350, 350),
    {"written": 0.55, "denoise": 0.25, "next_turn": 0.08, "reading": 0.07, "copy": 0.05},
)
Row = tuple[list[int], list[int], str]


def pack(mixture: batches.Mixture, tokenizer: Any, examples: int, path: Path, phase: Phase = PACKED) -> int:
    """Draw examples and write them with the tokenizer; returns the size in bytes.

    Raises:
        ValueError: the file is larger than `LIMIT_BYTES`.
    """
    rng = random.Random(0)
    bounds = [rng.choice(phase.max_words) for _ in range(examples)]
    drawn = [mixture.sample(rng, max_words=bound, weights=phase.weights) for bound in bounds]
    sources = batches.encode(tokenizer, [e.source for e in drawn], batches.MAX_SOURCE)
    targets = batches.encode(tokenizer, [e.target for e in drawn], batches.MAX_TARGET)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        ids=np.concatenate([np.array(ids, np.uint16) for pair in zip(sources, targets, strict=True) for ids in pair]),
        lengths=np.array([(len(s), len(t)) for s, t in zip(sources, targets, strict=True)], np.uint16),
        tasks=np.array([e.task for e in drawn]),
    )
    tokenizer.save_pretrained(path.parent / "tokenizer")
    size = path.stat().st_size
    if size > LIMIT_BYTES:
        raise ValueError(
            f"{path} has {size / 1e6:.0f} MB, over the limit of {LIMIT_BYTES / 1e6:.0f} MB: fewer --examples"
        )
    return size


def unpack(path: Path) -> list[Row]:
    """The rows that `pack` wrote: source ids, target ids, task."""
    with np.load(path) as packed:
        ids, lengths, tasks = packed["ids"], packed["lengths"].astype(np.int64), packed["tasks"]
    parts = np.split(ids, np.cumsum(lengths.reshape(-1))[:-1])
    return [(parts[2 * k].tolist(), parts[2 * k + 1].tolist(), str(task)) for k, task in enumerate(tasks)]


class PackedTrainer(Trainer):
    """A trainer over packed rows: a pool is a random part of them, a pass over all is as many pools as there are parts."""

    def __init__(self, settings: Settings, rows: list[Row]) -> None:
        super().__init__(settings)
        self.rows = rows

    def draw_pool(self) -> list[Any]:
        size = self.settings.pool_examples
        parts = max(1, len(self.rows) // size)
        turn, part = divmod(self.pool_index, parts)
        order = np.random.default_rng((self.settings.seed, turn)).permutation(len(self.rows))
        chosen = [self.rows[i] for i in order[part::parts]]
        pool = batches.cut(chosen, self.settings.batch_tokens)
        random.Random(f"{self.settings.seed}/{self.pool_index}").shuffle(pool)
        return pool


def train_packed(settings: Settings, rows: list[Row], out: Path) -> PackedTrainer:
    """Train for `settings.max_minutes` and write weights, a log and the settings to `out`."""
    trainer = PackedTrainer(settings, rows)
    if settings.start:
        trainer.load_bundle(Path(settings.start), 0)
    out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + settings.max_minutes * 60
    while time.monotonic() < end and trainer.tokens < settings.tokens:
        row = trainer.train_step((end - time.monotonic()) / 60)
        if trainer.step % 100 == 0:
            append(out / "log.jsonl", {"step": trainer.step, "tokens": trainer.tokens, **row})
    trainer.average.to("cpu", torch.bfloat16).save_pretrained(out / "mini", max_shard_size=SHARD)
    counters = {"step": trainer.step, "tokens": trainer.tokens, "seconds": round(trainer.seconds, 1)}
    (out / "settings.json").write_text(json.dumps(vars(settings) | counters, indent=1), encoding="utf-8")
    return trainer


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    packing = commands.add_parser("pack")
    packing.add_argument("--data", type=Path, default=Path(Settings().data))
    packing.add_argument("--tokenizer", default="src/diasum/assets/mini")
    packing.add_argument("--examples", type=int, default=200_000)
    packing.add_argument("--to", type=Path, default=Path("build/pretraining/packed.npz"))
    training = commands.add_parser("train")
    training.add_argument("--packed", type=Path, default=Path("build/pretraining/packed.npz"))
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--minutes", type=float, default=9.0)
    training.add_argument("--start", default="", help="a bundle to go on from; else a fresh model of these sizes")
    training.add_argument("--batch-tokens", type=int, default=60_000)
    for name, default in (
        ("d-model", 320),
        ("d-ff", 1024),
        ("num-heads", 5),
        ("encoder-layers", 4),
        ("decoder-layers", 4),
    ):
        training.add_argument(f"--{name}", type=int, default=default)
    options = vars(parser.parse_args(argv))
    if options.pop("command") == "pack":
        from transformers import AutoTokenizer

        from pretraining.tasks import TaskMixture

        tokenizer = AutoTokenizer.from_pretrained(options["tokenizer"])
        written = pack(TaskMixture(options["data"]), tokenizer, options["examples"], options["to"])
        print(f"{options['to']}: {written / 1e6:.1f} MB")
        return
    rows, out, minutes = unpack(options.pop("packed")), options.pop("out"), options.pop("minutes")
    wanted = replace(Settings(), run=str(out), tokens=10**12, max_minutes=minutes, decay_minutes=minutes / 3, **options)
    trainer = train_packed(replace(sized(wanted), pool_examples=20_000), rows, out)
    print(f"{trainer.tokens / 1e6:.0f}M tokens, {trainer.step} steps, {trainer.tokens / trainer.seconds:.0f} tokens/s")


if __name__ == "__main__":
    main()
