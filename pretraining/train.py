"""Pretrain `mini`: `python -m pretraining.train --run build/pretraining/NAME`.

Task mixture -> pools of batches -> lean forward pass -> Muon and Adam -> checkpoint, probes, log. Run the same command again to go on from
the last checkpoint; give larger `--tokens` to train further, and `--decay-tokens` to end a sitting with the learning rate falling to
zero, or `--max-minutes` and `--decay-minutes` where time is given. A run's folder holds `checkpoint.pt` (whole state),
`tokenizer/`, `log.jsonl` (steps) and `probes.jsonl`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import random
import signal
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoConfig, AutoModelForSeq2SeqLM, AutoTokenizer, PreTrainedTokenizerBase

from pretraining import batches
from pretraining.curriculum import LONG, phase_at, without
from pretraining.model import Shape, build_model, token_losses, with_words_replaced
from pretraining.optim import Optimizers, schedule

if TYPE_CHECKING:
    from pretraining.probes import Probe


@dataclass(frozen=True)
class Settings:
    """One run of the trainer. Rates are Muon's relative step (`matrix_lr`) and Adam's learning rate (`vector_lr`).

    `start` names a checkpoint of another run from whose averaged weights and counters to begin, or a bundle's folder (such as the shipped
    `mini`), then with `start_tokens` as the tokens that it has seen; optimiser states are fresh either way, the sizes are its own.
    `dropout` is of embeddings and layers, `word_dropout` the share of the decoder's input words replaced by others: both against
    learning summaries by heart. `written_share` is the share of the dialogues with written summaries that is drawn from, `leave_out` names
    families of tasks that are not drawn (`report,copy`; the others then share their part): for probes of what data are worth. Without
    `train_biases` the relative position biases stay as they are: attention can then be fused, 1.4 times the speed on a CPU.
    """

    run: str = "build/pretraining/mini"
    data: str = os.environ.get("DIASUM_DATA", "../shared/data")
    tokens: int = 30_000_000
    decay_tokens: int = 0
    warmup_tokens: int = 200_000
    batch_tokens: int = 6000
    pool_examples: int = 3000
    start: str = ""
    start_tokens: int = 0
    matrix_lr: float = 4e-3
    vector_lr: float = 1e-3
    optimizer: str = "muon"
    train_biases: bool = True
    init: str = "structured"
    average: float = 0.998
    dropout: float = 0.0
    word_dropout: float = 0.0
    written_share: float = 1.0
    leave_out: str = ""
    seed: int = 0
    threads: int = 2
    checkpoint_minutes: float = 5.0
    probe_minutes: float = 10.0
    max_minutes: float = 1e9
    decay_minutes: float = 0.0
    encoder_layers: int = 3
    decoder_layers: int = 3
    d_model: int = 256
    d_ff: int = 512
    d_kv: int = 64
    num_heads: int = 4
    vocab_size: int = 8192

    def shape(self) -> Shape:
        """The model's sizes."""
        return Shape(
            vocab_size=self.vocab_size,
            d_model=self.d_model,
            d_ff=self.d_ff,
            d_kv=self.d_kv,
            num_heads=self.num_heads,
            encoder_layers=self.encoder_layers,
            decoder_layers=self.decoder_layers,
        )


def precision() -> tuple[torch.device, torch.dtype | None, str]:
    """Device, autocast dtype (None: plain float32) and the reason; masters stay float32 always."""
    if torch.cuda.is_available():
        if torch.cuda.is_bf16_supported():
            return torch.device("cuda"), torch.bfloat16, "a GPU with bf16"
        return torch.device("cuda"), None, "a GPU without bf16"
    from diasum.model.hardware import bf16_support  # not at the top: `gpu` has torch and transformers only

    reason = bf16_support("cpu")
    if reason:
        return torch.device("cpu"), torch.bfloat16, reason
    return torch.device("cpu"), None, "a CPU without bf16 instructions"


class Trainer:
    """The state of a run: model, running average of its weights, optimisers, counters.

    Args:
        settings: the run's settings.
        mixture: draws the training examples (not needed where `draw_pool` is another).
        tokenizer: encodes them.
    """

    def __init__(self, settings: Settings, mixture: batches.Mixture | None = None, tokenizer: Any = None) -> None:
        self.settings = settings
        self.mixture = mixture
        self.tokenizer = tokenizer
        self.device, self.autocast, self.reason = precision()
        self.model: Any = build_model(settings.shape(), settings.seed, settings.init == "structured").to(self.device)
        self.average: Any = build_model(settings.shape(), settings.seed).to(self.device)
        self.average.load_state_dict(self.model.state_dict())
        for name, parameter in self.model.named_parameters():
            if "relative_attention_bias" in name:
                parameter.requires_grad_(bool(settings.train_biases))
        self.optimizers = Optimizers(self.model, settings.matrix_lr, settings.vector_lr, settings.optimizer == "muon")
        self.step = self.tokens = self.targets = self.pool_index = self.batch_index = 0
        self.pool_phase_tokens = 0
        self.seconds = 0.0
        self._pool: list[Any] | None = None

    # -- data ----------------------------------------------------------------------------------------------------------------------
    def next_batch(self) -> Any:
        """The next batch of the stream; a pool's phase is the one in force when it was begun."""
        while self._pool is None or self.batch_index >= len(self._pool):
            if self._pool is not None:
                self.pool_index += 1
                self.batch_index = 0
                self.pool_phase_tokens = self.tokens
            self._pool = self.draw_pool()
        batch = self._pool[self.batch_index]
        self.batch_index += 1
        return batch

    def draw_pool(self) -> list[Any]:
        """The batches of pool number `pool_index`."""
        assert self.mixture is not None
        s = self.settings
        return batches.pool(
            self.mixture,
            self.tokenizer,
            without(phase_at(self.pool_phase_tokens), s.leave_out.split(",")),
            seed=s.seed,
            index=self.pool_index,
            examples=s.pool_examples,
            budget=s.batch_tokens,
        )

    # -- one step ------------------------------------------------------------------------------------------------------------------
    def train_step(self, minutes_left: float = math.inf) -> dict[str, float]:
        """Forward, backward and an optimiser step on the next batch; `minutes_left` of the sitting, for a decay in time."""
        s = self.settings
        start = time.perf_counter()
        batch = self.next_batch()
        moved = batch.to(self.device)
        if s.word_dropout:
            moved = with_words_replaced(moved, s.word_dropout, self.model.config.vocab_size)
        with torch.autocast(self.device.type, self.autocast, enabled=self.autocast is not None):
            losses = token_losses(self.model, moved, s.dropout)
        loss = losses.mean()
        if not torch.isfinite(loss):
            raise RuntimeError(
                f"the loss is {float(loss)} at step {self.step}: lower --matrix-lr or --vector-lr and resume"
            )
        torch.autograd.backward(loss)
        seen, total = self.tokens - s.start_tokens, s.tokens - s.start_tokens
        factor = schedule(seen, warmup=s.warmup_tokens, total=total, decay=s.decay_tokens)
        if s.decay_minutes:
            factor = min(factor, max(0.0, minutes_left / s.decay_minutes))
        norm = self.optimizers.step(factor)
        self.step += 1
        # the average reaches back over about the last tenth of the run, at most 1 / (1 - average) steps
        weight = max(1 - s.average, 10 / (10 + self.step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), weight)
        self.tokens += int(batch.lengths.sum()) + losses.numel()
        self.targets += losses.numel()
        self.seconds += time.perf_counter() - start
        return {"loss": float(loss.detach()), "norm": norm, "factor": factor}

    # -- state ---------------------------------------------------------------------------------------------------------------------
    def save(self, path: Path) -> None:
        """Write the whole state beside `path` and move it into place."""
        state = {
            "settings": asdict(self.settings),
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": self.optimizers.state_dict(),
            "counters": {name: getattr(self, name) for name in COUNTERS},
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def load(self, path: Path, weights_only: bool = False) -> None:
        """Restore `save`, or only its averaged weights and counters; settings of the run that wrote it are not taken over."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["average" if weights_only else "model"])
        self.average.load_state_dict(state["average"])
        if not weights_only:
            self.optimizers.load_state_dict(state["optimizers"])
        for name, value in state["counters"].items():
            setattr(self, name, value)
        self._pool = None

    def load_bundle(self, folder: Path, tokens: int) -> None:
        """Begin from exported weights; the stream of examples is another one than that of their first training."""
        weights = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).state_dict()
        self.model.load_state_dict(weights)
        self.average.load_state_dict(weights)
        self.tokens = self.pool_phase_tokens = tokens
        self.pool_index = tokens // 100_000 + 100_000


SIZES = ("encoder_layers", "decoder_layers", "d_model", "d_ff", "d_kv", "num_heads", "vocab_size")
CONFIG_NAMES = {"encoder_layers": "num_layers", "decoder_layers": "num_decoder_layers"}  # those of T5Config
COUNTERS = ("step", "tokens", "targets", "pool_index", "batch_index", "pool_phase_tokens", "seconds")


def append(path: Path, row: dict[str, Any]) -> None:
    """Append one JSON line."""
    with path.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")


def load_tokenizer(folder: Path, mixture: Any, vocab_size: int, start: str = "") -> PreTrainedTokenizerBase:
    """The run's tokenizer: that of the bundle it starts from, or trained on the mixture's text the first time."""
    if start and (Path(start) / "tokenizer.json").exists():
        AutoTokenizer.from_pretrained(start).save_pretrained(folder)
    if not (folder / "tokenizer.json").exists():
        from pretraining.tokenizer import train_tokenizer

        rng = random.Random(0)
        drawn = (mixture.sample(rng, max_words=250, weights=LONG) for _ in range(30_000))
        texts = itertools.chain(mixture.iter_text(), (text for e in drawn for text in (e.source, e.target)))
        train_tokenizer(texts, vocab_size).save_pretrained(folder)
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return tokenizer


def build_probe(settings: Settings, mixture_type: Any) -> Probe:
    """Held-out examples of the corpora, and DialogSum's validation split where it is at hand (measured, never trained on)."""
    from pretraining.probes import Probe, dialogsum_pairs

    held = mixture_type(Path(settings.data), held_out=True)
    rng = random.Random(1)
    weights = {"written": 0.6, "reading": 0.15, "copy": 0.15, "denoise": 0.1}
    examples = [held.sample(rng, max_words=words, weights=weights) for words in (60, 120, 200, 350) for _ in range(90)]
    path = Path(settings.data) / "dialogsum" / "dialogsum.dev.jsonl"
    return Probe(examples, held.held_out_pairs(100), dialogsum_pairs(path, 100) if path.exists() else [])


def sized(settings: Settings) -> Settings:
    """`settings` with the sizes of the model that the run goes on with: its checkpoint's, or those of what it starts from."""
    checkpoint, start = Path(settings.run) / "checkpoint.pt", Path(settings.start)
    if checkpoint.exists() or (settings.start and start.is_file()):
        path = checkpoint if checkpoint.exists() else start
        saved = torch.load(path, map_location="cpu", weights_only=True, mmap=True)["settings"]
        sizes = {name: saved[name] for name in SIZES if name in saved}
    elif settings.start and start.is_dir():
        config = AutoConfig.from_pretrained(start)
        sizes = {name: getattr(config, CONFIG_NAMES.get(name, name)) for name in SIZES}
    else:
        return settings
    return replace(settings, **sizes)


def train(settings: Settings) -> Trainer:
    """Run until `settings.tokens` tokens or `settings.max_minutes` minutes; resumes where a checkpoint is found."""
    from pretraining.tasks import TaskMixture

    settings = sized(settings)
    torch.set_num_threads(settings.threads)
    torch.set_flush_denormal(True)
    run = Path(settings.run)
    run.mkdir(parents=True, exist_ok=True)
    mixture = TaskMixture(Path(settings.data), written_share=settings.written_share)
    tokenizer = load_tokenizer(run / "tokenizer", mixture, settings.vocab_size, settings.start)
    trainer = Trainer(settings, mixture, tokenizer)
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists():
        trainer.load(checkpoint)
    elif Path(settings.start).is_dir() and settings.start:
        trainer.load_bundle(Path(settings.start), settings.start_tokens)
    elif settings.start:
        trainer.load(Path(settings.start), weights_only=True)
    probe = build_probe(settings, TaskMixture)
    size = sum(p.numel() for p in trainer.model.parameters())
    print(
        f"{size / 1e6:.2f}M parameters, {trainer.device} {trainer.autocast or torch.float32} ({trainer.reason}), step {trainer.step}"
    )

    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))  # save and end at the next step
    began = saved = probed = time.monotonic()
    window: list[float] = []
    marks = (trainer.tokens, time.monotonic())
    end = began + settings.max_minutes * 60
    while not stopped and trainer.tokens < settings.tokens and time.monotonic() < end:
        row = trainer.train_step((end - time.monotonic()) / 60)
        window.append(row["loss"])
        if trainer.step % 10 == 0:
            now = time.monotonic()
            speed = (trainer.tokens - marks[0]) / (now - marks[1])
            marks = (trainer.tokens, now)
            mean = sum(window) / len(window)
            window.clear()
            entry = {"step": trainer.step, "tokens": trainer.tokens, "targets": trainer.targets, "loss": round(mean, 4)}
            entry |= {"norm": round(row["norm"], 3), "rate": round(row["factor"], 3), "tokens_per_s": round(speed)}
            append(run / "log.jsonl", entry)
            print(entry, flush=True)
        if time.monotonic() - saved > settings.checkpoint_minutes * 60:
            trainer.save(checkpoint)
            saved = time.monotonic()
        if time.monotonic() - probed > settings.probe_minutes * 60:
            report(trainer, probe, run)
            probed = time.monotonic()
            marks = (trainer.tokens, probed)
    trainer.save(checkpoint)
    if not stopped and settings.probe_minutes < 1000:
        report(trainer, probe, run)
    return trainer


def report(trainer: Trainer, probe: Probe, run: Path) -> None:
    """Probe the averaged weights and log the result."""
    result = probe.run(trainer.average, trainer.tokenizer)
    result = {"step": trainer.step, "tokens": trainer.tokens, "minutes": round(trainer.seconds / 60, 1)} | result
    append(run / "probes.jsonl", result)
    print(json.dumps(result, indent=1, ensure_ascii=False), flush=True)


def parse(argv: list[str] | None = None) -> Settings:
    """Settings from the command line: one option for each field."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in asdict(Settings()).items():
        kind = (lambda text: int(float(text))) if isinstance(default, int) else type(default)
        parser.add_argument("--" + name.replace("_", "-"), type=kind, default=default, help=f"default {default}")
    return Settings(**vars(parser.parse_args(argv)))


if __name__ == "__main__":
    train(parse())
