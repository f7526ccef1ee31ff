"""Where the time of one training step goes: matrix products, attention, random numbers, element-wise work.

    python -m benchmarks.step [--shape flan-t5-base] [--pairs 16] [--steps 3]

LoRA's products count as element-wise work where compiled kernels do them, and so do their random numbers. Base and pairs are those of
`benchmarks.training`; each step is measured with torch's profiler after one that is not. Saves ``benchmarks/results/step-CLASS.json``.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.machine import results_file
from benchmarks.recipes import diasum_recipe, matmul_peak
from benchmarks.training import SHAPES, conditions, write_base, write_corpus
from diasum.files import write_json

KINDS = {
    "matrix products": r"aten::(mm|addmm_?|bmm)|mkldnn::_linear_pointwise(\.binary)?",
    "attention": r"aten::_scaled_dot_product\w+|_BySegment(Backward)?",
    "random numbers": r"aten::(random_|bernoulli_)",
    "element-wise and the rest": r".*",
}


def kind(name: str) -> str:
    """The group of an operation's name."""
    return next(group for group, pattern in KINDS.items() if re.fullmatch(pattern, name))


def measure(folder: Path, steps: int) -> dict[str, Any]:
    """Seconds of each kind in each of `steps` steps over one batch."""
    training = diasum_recipe(folder, 1)
    trainer = training.trainer
    features = list(trainer.train_dataset)
    batch = [features[i] for i in next(iter(trainer.batches))]
    inputs = trainer.data_collator(batch)
    labels = torch.tensor(sum(len(feature["labels"]) for feature in batch))
    trainer.training_step(trainer.model, inputs, labels)
    activity = ProfilerActivity.CUDA if torch.cuda.is_available() else ProfilerActivity.CPU
    rounds = []
    for _ in range(steps):
        with profile(activities=[activity]) as profiler:
            trainer.training_step(trainer.model, inputs, labels)
        seconds: Counter[str] = Counter()
        for event in profiler.key_averages():
            spent = event.self_device_time_total if torch.cuda.is_available() else event.self_cpu_time_total
            seconds[kind(event.key)] += spent / 1e6
        rounds.append(dict(seconds))
    return {
        "batch_pairs": len(batch),
        "source_tokens": sum(len(feature["input_ids"]) for feature in batch),
        "target_tokens": int(labels),
        "matmul_flops": matmul_peak(trainer.args.device.type, training.dtype),
        "rounds": rounds,
        "shares": {name: statistics.median(r.get(name, 0.0) / sum(r.values()) for r in rounds) for name in rounds[0]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="flan-t5-base")
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--output", type=Path, help="where the JSON goes, if not to benchmarks/results")
    options = parser.parse_args()
    options.rounds, options.clock, options.warmup = options.steps, "wall", 1
    with tempfile.TemporaryDirectory(prefix="diasum-step-") as folder:
        write_corpus(Path(folder) / "corpus", options.pairs)
        write_base(Path(folder), options.shape)
        result = {
            "shape": options.shape,
            "conditions": conditions(options),
            **measure(Path(folder), options.steps),
        }
    write_json(options.output or results_file("step", result["conditions"]["device"]), result)
    print(json.dumps(result["shares"], indent=1))


if __name__ == "__main__":
    main()
