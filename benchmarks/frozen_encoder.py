"""What the frozen encoder gives and costs: the same training with adapters everywhere and with adapters in the decoder only.

    python -m benchmarks.frozen_encoder [--data dialogsum|sample] [--test N] [--only speed|quality]

Speed: training steps (forward, backward, AdamW) on the same pairs by both in turn, so that the machine's load meets both; the ratio is of
their sums, with the quartiles of the single steps' ratios. Computing the encoder states once is counted apart, in epochs of the plain
training. Quality: both trained by the bundled recipe, evaluated on the first N test dialogues; differences in ROUGE are paired by dialogue
with 95% bootstrap intervals. Saves ``benchmarks/results/frozen_encoder.json``, from which ``python -m benchmarks.tables`` writes the
table of docs/memory-and-speed.md. DialogSum is taken from ``$DIASUM_DATA/dialogsum``: its dev split trains.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

from rich.console import Console

import diasum
from diasum.config import Settings
from diasum.files import write_json
from diasum.model import describe_machine
from diasum.resolve import load_settings
from diasum.training import Run
from diasum.training.fit import encode_once, make_trainer
from diasum.training.prepare import prepare

RESULTS = Path(__file__).parent / "results" / "frozen_encoder.json"
RUNS = Path("build/benchmarks/frozen_encoder")
RECIPES = {"dialogsum": "dialogsum-mini", "sample": "sample-mini"}
MODES = {"everywhere": False, "decoder": True}
STEPS = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=sorted(RECIPES), default="dialogsum")
    parser.add_argument("--test", type=int, default=500)
    parser.add_argument("--only", choices=["speed", "quality"])
    options = parser.parse_args()
    saved = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    shutil.rmtree(RUNS / options.data, ignore_errors=True)
    parts = {"speed": lambda: speed(options.data), "quality": lambda: quality(options.data, options.test)}
    for part in [options.only] if options.only else parts:
        saved.setdefault(options.data, {})[part] = parts[part]()
        write_json(RESULTS, saved)
    print(json.dumps(saved[options.data], indent=1))


def settings(data: str, frozen: bool) -> Settings:
    """The recipe; the loss selects the best adapter, so that no summaries are generated in training."""
    path = str(Path(os.environ.get("DIASUM_DATA", "../shared/data")) / "dialogsum") if data == "dialogsum" else "sample"
    changes = {"data.path": path, "train.frozen_encoder": frozen, "train.eval_generate": 0, "train.report_to": []}
    return load_settings(RECIPES[data], changes)


def speed(data: str) -> dict[str, Any]:
    """Steps of both in turn, on the same pairs."""
    trainers, pairs, paths, versions = {}, [], {}, {}
    encoded = 0.0
    for mode, frozen in MODES.items():
        resolved = settings(data, frozen)
        prepared = prepare(resolved, None)
        run = Run(RUNS / data / f"speed-{mode}")
        trainer = make_trainer(resolved, run, prepared, [])
        paths[mode], versions = prepared.fast.reason, prepared.record(resolved)["versions"]
        if frozen:
            encode_once(resolved, run, prepared, trainer, Console(quiet=True))
            encoded = run.manifest()["encoder_cache"]["seconds"]
        else:
            pairs = [[prepared.features[i] for i in batch] for batch in prepared.batches]
        trainer.create_optimizer()
        trainers[mode] = trainer
    epoch = len(pairs)
    pairs = pairs[:: max(1, epoch // STEPS)][:STEPS]
    taken: dict[str, list[float]] = {mode: [] for mode in MODES}
    for number, features in enumerate([pairs[0], *pairs]):
        for mode, trainer in trainers.items():
            begin = time.perf_counter()
            trainer.model.train()
            inputs = trainer._prepare_inputs(trainer.data_collator(features))
            with trainer.compute_loss_context_manager():
                loss = trainer.compute_loss(trainer.model, inputs, num_items_in_batch=100)
            loss.backward()
            trainer.optimizer.step()
            trainer.optimizer.zero_grad()
            if number:  # the first one warms up
                taken[mode].append(time.perf_counter() - begin)
    ratios = [a / b for a, b in zip(*taken.values(), strict=True)]
    plain = sum(taken["everywhere"])
    return {
        "ratio": plain / sum(taken["decoder"]),
        "quartiles": statistics.quantiles(ratios, n=4),
        "steps": len(ratios),
        "batches_an_epoch": epoch,
        "encoding_in_plain_epochs": encoded / (plain / len(ratios) * epoch),
        "path": paths,
        "versions": versions,
        "hardware": describe_machine(),
    }


def quality(data: str, count: int) -> dict[str, Any]:
    """Both trained and evaluated; the difference of the second to the first."""
    runs = {}
    for mode, frozen in MODES.items():
        runs[mode] = RUNS / data / mode
        diasum.train(run=runs[mode], settings=settings(data, frozen), console=Console(stderr=True))
        changes = {"evaluate.max_examples": count, "evaluate.contrast": 0, "evaluate.base_model": False}
        diasum.evaluate(runs[mode], protocol="rouge-score", settings=changes)
    compared = diasum.compare([f"{mode}={path}" for mode, path in runs.items()], split="test")
    manifest = Run(runs["everywhere"]).manifest()
    metrics = json.loads((Run(runs["decoder"]).evaluation("test") / "metrics.json").read_text(encoding="utf-8"))
    return {
        "recipe": RECIPES[data],
        "n": metrics["n"],
        "protocol": metrics["protocol"],
        "data_hash": metrics["data_hash"],
        "resamples": metrics["resamples"],
        "seed": metrics["seed"],
        "training_seed": manifest["seed"],
        "train_pairs": manifest["data"]["splits"]["train"]["n"],
        "base_sha256": manifest["base"]["sha256"],
        "parameters": {mode: Run(path).manifest()["parameters"] for mode, path in runs.items()},
        "cache": Run(runs["decoder"]).manifest()["encoder_cache"],
        "scores": {
            row.name: {name: [m.mean, m.low, m.high] for name, m in row.metrics.items()} for row in compared.rows
        },
        "differences": {
            row.metric: [row.difference.mean, row.difference.low, row.difference.high] for row in compared.differences
        },
        "versions": manifest["versions"],
        "hardware": manifest["hardware"],
    }


if __name__ == "__main__":
    main()
