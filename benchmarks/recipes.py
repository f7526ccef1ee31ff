"""Ways to train the same adapter on the same pairs, each in a process of its own; `benchmarks.training` starts and compares them.

In: a folder with a base model of random weights, its tokenizer, and a corpus. Out: one JSON line a round on standard output, when asked
for on standard input. A round is one pass over the pairs (the classic recipe: one batch, since all its batches have one shape),
within an ordinary `Trainer.train()`; the clock runs from its first step's begin to its last step's end.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from diasum.config import LoraSettings
from diasum.data.batching import IGNORED
from diasum.model import Hardware, add_adapter, choose_hardware, load_base
from diasum.resolve import load_settings

RECIPES = {
    "classic": "the classic notebook: fp32, batch 4, sources padded to 512, targets to 128",
    "defaults": "Seq2SeqTrainer defaults: fp32, batch 4, dynamic padding",
    "tuned": "Seq2SeqTrainer tuned by hand: bf16 where the hardware has it, grouped by length, sdpa, larger batches",
    "diasum": "diasum",
}
CLASSIC_BATCH, CLASSIC_SOURCE, CLASSIC_TARGET = 4, 512, 128
# Processor time for a machine that others use, too: with one thread it is what wall time would be there alone, nearly.
CLOCK = {"wall": time.perf_counter, "processor": time.process_time}[os.environ.get("DIASUM_BENCHMARK_CLOCK", "wall")]


@dataclass(slots=True)
class Training:
    """A trainer that is ready to start, and what one of its rounds holds."""

    trainer: Any
    steps: int
    pairs: int
    dtype: str
    batching: str
    choices: dict[str, str]


class Gate(TrainerCallback):
    """Lets a round begin when the parent asks for it, and reports how long it took."""

    def __init__(self, training: Training, device: str) -> None:
        self.training = training
        self.device = device
        self.begin = 0.0

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step % self.training.steps == 0:
            if sys.stdin.readline().strip() != "round":
                os._exit(0)
            _wait(self.device)
            self.begin = CLOCK()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step % self.training.steps == 0:
            _wait(self.device)
            seconds = CLOCK() - self.begin
            peak = matmul_peak(self.device, self.training.dtype)
            _tell(seconds=seconds, pairs=self.training.pairs, matmul_flops=peak, peak_memory_bytes=_memory(self.device))
            _give_back_memory()


def trainer_recipe(folder: Path, recipe: str, rounds: int) -> Training:
    """The `Seq2SeqTrainer` of transformers, in the three ways that people use it."""
    from transformers import DataCollatorForSeq2Seq, Seq2SeqTrainer, Seq2SeqTrainingArguments

    from diasum.config import PromptSettings
    from diasum.data import PairEncoder, load_corpus

    device = choose_hardware()
    tuned = recipe == "tuned"
    dtype = device.dtype if tuned else "fp32"
    base = load_base(str(folder / "base"), Hardware(device.device, "fp32", {}))
    if tuned:
        base.model.set_attn_implementation("sdpa")
    settings = load_settings(None, {"data.path": str(folder / "corpus")})
    features, _ = PairEncoder(base.tokenizer, PromptSettings()).encode(load_corpus(settings.data).split("train"))
    batch = (32 if device.device == "cuda" else 8) if tuned else CLASSIC_BATCH
    if recipe == "classic":
        features = [_padded(feature, base.tokenizer.pad_token_id) for feature in features[:CLASSIC_BATCH]]
    model = add_adapter(base.model, LoraSettings(), seed=0)
    arguments = Seq2SeqTrainingArguments(
        output_dir=str(folder / recipe),
        per_device_train_batch_size=batch,
        num_train_epochs=rounds,
        learning_rate=1e-3,
        bf16=dtype == "bf16",
        train_sampling_strategy="group_by_length" if tuned else "random",
        use_cpu=device.device == "cpu",
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = Seq2SeqTrainer(
        model=model,
        args=arguments,
        train_dataset=features,
        data_collator=DataCollatorForSeq2Seq(base.tokenizer, model=model),
    )
    steps = -(-len(features) // batch)
    attention = str(base.model.config._attn_implementation)
    return Training(trainer, steps, len(features), dtype, f"batches of {batch}", {"attention": attention})


def diasum_recipe(folder: Path, rounds: int) -> Training:
    """This project's own training, with its default settings, without evaluations and checkpoints."""
    from diasum.training.fit import make_trainer  # what `fit` does before its first step
    from diasum.training.prepare import prepare
    from diasum.training.run import Run

    own = {"base": str(folder / "base"), "data.path": str(folder / "corpus"), "train.epochs": rounds}
    settings = load_settings(None, own | {"train.report_to": [], "train.logging_steps": 1000})
    prepared = prepare(settings, None)
    trainer = make_trainer(settings, Run(folder / "diasum"), prepared, [])
    choices = prepared.record(settings)["choices"]
    return Training(
        trainer, len(prepared.batches), len(prepared.features), prepared.hardware.dtype, choices["batching"], choices
    )


def matmul_peak(device: str, dtype: str, seconds: float = 0.3) -> float:
    """FLOP/s of the fastest of repeated square matrix products in that number type, now."""
    size = 8192 if device == "cuda" else 1024
    a = torch.randn(size, size, device=device, dtype={"fp32": torch.float32, "bf16": torch.bfloat16}[dtype])
    best, end, tries = float("inf"), CLOCK() + seconds, 0
    while CLOCK() < end or tries < 4:
        _wait(device)
        begin = CLOCK()
        a @ a
        _wait(device)
        best, tries = min(best, CLOCK() - begin), tries + 1
    return 2 * size**3 / best


def growth(folder: Path, points: dict[str, list[int]]) -> dict[str, list[dict[str, float]]]:
    """Seconds of diasum's training steps (forward and backward) as tokens, batch and data grow; medians of three."""
    training = diasum_recipe(folder, 1)
    trainer, device = training.trainer, training.trainer.args.device.type
    features = list(trainer.train_dataset)
    ids = [token for feature in features for token in feature["input_ids"]]
    words = (ids * (1 + max(points["source_tokens"]) // len(ids)))[: max(points["source_tokens"])]

    def step(batch: list[dict[str, list[int]]]) -> float:
        inputs = trainer.data_collator(batch)
        begin = CLOCK()
        trainer.training_step(trainer.model, inputs, torch.tensor(sum(len(f["labels"]) for f in batch)))
        _wait(device)
        trainer.model.zero_grad()
        return CLOCK() - begin

    def median(batches: list[list[dict[str, list[int]]]]) -> float:
        return sorted(sum(step(batch) for batch in batches) for _ in range(3))[1]

    def example(source: int) -> dict[str, list[int]]:
        return {"input_ids": words[:source], "labels": words[: max(4, source // 6)]}

    def epoch(count: int) -> list[list[dict[str, list[int]]]]:
        pairs = (features * (1 + count // len(features)))[:count]
        lengths = [(len(f["input_ids"]), len(f["labels"])) for f in pairs]
        batches = type(trainer.batches)(lengths, batch_size=None, batch_tokens=4096, seed=0)
        return [[pairs[i] for i in batch] for batch in batches]

    step([example(32)])
    return {
        "source_tokens": [{"x": n, "seconds": median([[example(n)] * 2])} for n in points["source_tokens"]],
        "batch": [{"x": n, "seconds": median([[example(128)] * n])} for n in points["batch"]],
        "pairs": [{"x": n, "seconds": median(epoch(n))} for n in points["pairs"]],
    }


def main() -> None:
    """``python -m benchmarks.recipes FOLDER RECIPE ROUNDS``, or ``FOLDER growth POINTS``."""
    folder, recipe = Path(sys.argv[1]), sys.argv[2]
    if recipe == "growth":
        _tell(**growth(folder, json.loads(sys.argv[3])))
        return
    rounds = int(sys.argv[3])
    torch.manual_seed(0)
    training = diasum_recipe(folder, rounds) if recipe == "diasum" else trainer_recipe(folder, recipe, rounds)
    device = training.trainer.args.device.type
    training.trainer.add_callback(Gate(training, device))
    _tell(dtype=training.dtype, batching=training.batching, steps=training.steps, choices=training.choices)
    training.trainer.train()


def _give_back_memory() -> None:
    """What glibc keeps of freed memory would add up over the four recipes, more than many machines have."""
    gc.collect()
    if sys.platform == "linux":
        getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)(0)


def _padded(feature: dict[str, list[int]], pad: int) -> dict[str, list[int]]:
    source, labels = feature["input_ids"], feature["labels"]
    return {
        "input_ids": source + [pad] * (CLASSIC_SOURCE - len(source)),
        "attention_mask": [1] * len(source) + [0] * (CLASSIC_SOURCE - len(source)),
        "labels": labels + [IGNORED] * (CLASSIC_TARGET - len(labels)),
    }


def _memory(device: str) -> int:
    """The most that this process held so far: on a GPU what torch allocated there, else its resident set; bytes."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _tell(**values: Any) -> None:
    sys.__stdout__.write(json.dumps(values) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
