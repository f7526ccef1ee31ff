"""Everything a training needs before its first step: data, base with adapter, encoded features, batches; shown, and recorded."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from diasum.config import PromptSettings, Settings, TrainSettings
from diasum.data import (
    Corpus,
    EncodingReport,
    LengthBatches,
    PackedBatches,
    Pair,
    PairEncoder,
    load_corpus,
    overlap,
    pairs_hash,
)
from diasum.data.letters import latin_only_note, pair_texts
from diasum.data.long_pairs import encode_pairs
from diasum.engines import choose_engine, torch_engines
from diasum.errors import DiasumError
from diasum.model import (
    BUNDLED,
    Base,
    Hardware,
    ParameterCount,
    add_adapter,
    choose_hardware,
    count_parameters,
    describe_machine,
    generation_dtype,
    keep_freed_memory,
    load_base,
    load_config,
    special_tokens,
    untied,
    without_dropout,
)
from diasum.model.fast import FastChoice, fast_path
from diasum.training import distributed
from diasum.training.run import Run
from diasum.training.trainer import Features, Measure, Validation
from diasum.versions import versions
from diasum.wording import counted

_CUT_NOTE = "Of {} training dialogues the model reads a part, their references tell of the whole: train.long=windows trains on all of it."


@dataclass(slots=True)
class Prepared:
    """A training that is ready to start.

    Attributes:
        corpus: with the splits `train` and `validation`.
        notes: what a user should know of the data, each a sentence.
        hardware: where it runs, and why.
        base: base model and tokenizer.
        model: the base with its adapter.
        parameters: how many of them are trained.
        encoder: prompt and truncation.
        features: encoded training pairs.
        encoding: what encoding them cut or lost.
        batches: their order.
        batching: how batches are made, and why so.
        fast: the fast path, or why it is not taken.
        validation: what evaluations during training work on.
    """

    corpus: Corpus
    notes: list[str]
    hardware: Hardware
    base: Base
    model: Any
    parameters: ParameterCount
    encoder: PairEncoder
    features: Features
    encoding: EncodingReport
    batches: LengthBatches | PackedBatches
    batching: str
    fast: FastChoice
    validation: Validation

    def show(self, console: Console, run: Run) -> None:
        """Tell the user what will be trained on what, and why so."""
        name = f"{self.base.id} (bundled)" if self.base.id == BUNDLED else self.base.id
        kept = "" if self.base.quantization == "none" else f", frozen weights in {self.base.quantization[0]} bits"
        sizes = {split: len(self.corpus.split(split)) for split in ("train", "validation")}
        lines = [
            ("run", str(run.path)),
            ("base", f"{name}, {self.base.model_type}{kept}; {self.parameters}"),
            (
                "data",
                f"{self.corpus.name}: {sizes['train']} pairs to train on, {sizes['validation']} to validate; "
                f"{self.encoding.sentence()}",
            ),
            *(("", note) for note in self.notes),
            ("with", f"{'; '.join(self.hardware.reasons.values())}; {self.batching}"),
            ("", self.fast.reason),
            (
                "",
                f"{self.encoder.separator_reason} {self.encoder.speakers_reason} {self.encoder.redaction_reason}".rstrip(),
            ),
        ]
        for label, text in lines:
            console.print(labelled(label, text))

    def record(self, settings: Settings) -> dict[str, Any]:
        """The manifest's part that is known before the first step."""
        return {
            "versions": versions(),
            "seed": settings.train.seed,
            "base": {
                "id": self.base.id,
                "revision": self.base.revision,
                "sha256": self.base.weights_sha256,
                "special_tokens": special_tokens(self.base.model),
                "model_type": self.base.model_type,
                "quantization": self.base.quantization,
            },
            "parameters": asdict(self.parameters),
            "data": {
                "path": settings.data.path,
                "license": self.corpus.license,
                "notes": self.notes,
                "splits": {
                    name: {"n": len(self.corpus.split(name)), "sha256": pairs_hash(self.corpus.split(name))}
                    for name in ("train", "validation")
                },
            },
            "processes": {"count": distributed.processes(), "distributed": settings.train.distributed},
            "encoding": {
                **asdict(self.encoding),
                "separator": self.encoder.separator_reason,
                "speakers": self.encoder.speakers_reason,
                "redaction": self.encoder.redaction_reason or None,
            },
            "choices": {
                **self.hardware.reasons,
                "generation": generation_choice(settings, self.hardware),
                "batching": self.batching,
                "fast_path": self.fast.reason,
            },
            "hardware": describe_machine(),
        }


def labelled(label: str, text: str) -> Text:
    """A line of what is told before a training; paths, ids and a compiler's words are never taken for rich's markup."""
    return Text.assemble((f"{label:<7}", "bold"), text)


def prepare(settings: Settings, measure: Measure | None) -> Prepared:
    """Load, check and encode everything; nothing is written.

    Raises:
        DiasumError: bad data, model, adapter or hardware settings, or an engine that cannot summarise at evaluations.
    """
    code = settings.trust_remote_code
    config = load_config(settings.base, revision=settings.base_revision, trust_remote_code=code)
    hardware = choose_hardware(settings.train.device, settings.train.dtype, model_type=config.model_type)
    generation_choice(settings, hardware)
    corpus = load_corpus(settings.data, purpose="train")
    split = distributed.splits_base(settings.train)
    base = load_base(
        settings.base,
        hardware,
        revision=settings.base_revision,
        trust_remote_code=code,
        quantization=settings.train.base_quantization,
        on_device=not split,
    )
    encoder = PairEncoder(base.tokenizer, base.prompt(settings.prompt))
    features, encoding = encode_pairs(encoder, corpus.split("train"), settings.train.long)
    if settings.train.base_dropout == "off":
        without_dropout(base.model)
    model = add_adapter(base.model, settings.lora, seed=settings.train.seed, decoder_only=settings.train.frozen_encoder)
    if split:
        _split_base(model, settings.train, hardware)
    fast = _fast(settings.train, model, hardware)
    validation = _validation(settings, encoder, corpus.split("validation"), measure)
    if validation.pairs:  # which an engine must be able to summarise
        choose_engine(torch_engines(model, base.tokenizer, convert=not split), settings.generate)
    lengths = [(len(feature["input_ids"]), len(feature["labels"])) for feature in features]
    batches, batching = _batches(settings.train, lengths, fast)
    return Prepared(
        corpus=corpus,
        notes=[
            *corpus.notes,
            *_overlap_notes(corpus),
            *_length_notes(settings.prompt, encoder.settings),
            *untied(model),
            *_letter_notes(settings, encoder, corpus),
            *([_CUT_NOTE.format(encoding.cut)] if encoding.cut else []),
        ],
        hardware=hardware,
        base=base,
        model=model,
        parameters=count_parameters(model),
        encoder=encoder,
        features=features,
        encoding=encoding,
        batches=batches,
        batching=batching,
        fast=fast,
        validation=validation,
    )


def _split_base(model: Any, train: TrainSettings, hardware: Hardware) -> None:
    if train.frozen_encoder:
        raise DiasumError(
            "train.frozen_encoder computes encoder states in each process by itself, which a split base does not allow.",
            hint="Use train.distributed=ddp with it.",
        )
    distributed.shard_base(model, hardware.device, hardware.torch_dtype)


def generation_choice(settings: Settings, hardware: Hardware) -> str:
    """The number type in which summaries are generated while training, and why.

    Raises:
        DiasumError: fp32 is set, and the base is split between processes, which hold its weights in bf16.
    """
    dtype, reason = generation_dtype(settings.generate.dtype)
    if not distributed.splits_base(settings.train) or dtype == hardware.dtype:
        return reason
    if settings.generate.dtype != "auto":
        raise DiasumError(
            f"generate.dtype is {dtype}, but the base is split between processes in {hardware.dtype}, and generates in that.",
            hint=f"Use train.dtype={dtype}, or generate.dtype=auto.",
        )
    return f"{hardware.dtype} while training: the base is split between processes in that type"


def _fast(train: TrainSettings, model: Any, hardware: Hardware) -> FastChoice:
    if train.fast_path == "off":
        choice = FastChoice(None, "plain path: train.fast_path is off")
    elif train.base_dropout == "on":
        choice = FastChoice(None, "plain path: train.base_dropout is on, which the fast path leaves out")
    elif distributed.splits_base(train):
        choice = FastChoice(None, "plain path: the base is split between processes, and the fast path needs it whole")
    else:
        choice = fast_path(
            model,
            hardware.torch_dtype,
            recompute=train.gradient_checkpointing,
            prepack=train.prepack,
            kernels=train.kernels,
        )
    if choice.model is None:
        for name in ("packing", "prepack", "kernels"):
            if getattr(train, name) == "on":
                raise DiasumError(
                    f"train.{name} is on, but only the fast path has it ({choice.reason}).",
                    hint=f"Use train.{name}=auto.",
                )
    elif hardware.device == "cpu":
        keep_freed_memory()
    return choice


def _batches(
    train: TrainSettings, lengths: list[tuple[int, int]], fast: FastChoice
) -> tuple[LengthBatches | PackedBatches, str]:
    """Packed where the fast path holds and length buckets would pad; and a sentence with both measured."""
    sizes: dict[str, Any] = {
        "batch_size": train.batch_size, "batch_tokens": train.batch_tokens, "seed": train.seed,
    }  # fmt: skip
    buckets = LengthBatches(lengths, **sizes)
    padding = f"{buckets.padding_share:.1%} padding"
    if fast.model is None or train.packing == "off" or (train.packing == "auto" and not buckets.padding_share):
        return buckets, f"{counted(len(buckets), 'batch', 'batches')} per epoch in length buckets, {padding}"
    packed = PackedBatches(lengths, **sizes)
    return (
        packed,
        f"{counted(len(packed), 'packed batch', 'packed batches')} per epoch, no padding (length buckets: {len(buckets)} with {padding})",
    )


def _validation(settings: Settings, encoder: PairEncoder, pairs: list[Pair], measure: Measure | None) -> Validation:
    """The seeded part that is summarised at each evaluation stands in the corpus's order."""
    features, report = encode_pairs(encoder, pairs, settings.train.long)
    count = min(settings.train.eval_generate, len(pairs)) if measure else 0
    chosen = sorted(random.Random(settings.train.seed).sample(range(len(pairs)), count))

    def finished(texts: Sequence[str], of: Sequence[Pair]) -> Mapping[str, Sequence[float]]:
        assert measure is not None
        return measure([encoder.finish(pair.dialogue, text) for pair, text in zip(of, texts, strict=True)], of)

    if report.in_windows:  # the loss is of windows; a summary while training is of what fits one
        encoded, _ = encoder.encode_dialogues(pairs[i].dialogue for i in chosen)
        sources = [source.input_ids for source in encoded]
    else:
        sources = [features[i]["input_ids"] for i in chosen]
    return Validation(features, [pairs[i] for i in chosen], sources, finished if measure else None)


def _overlap_notes(corpus: Corpus) -> list[str]:
    return [
        f"Warning: {len(shared)} of {counted(len(pairs), 'dialogue')} of `{name}` are also in `train` (such as {', '.join(shared[:3])}): "
        "scores on them say nothing."
        for name, pairs in corpus.splits.items()
        if name != "train" and (shared := overlap(corpus.split("train"), pairs))
    ]


def _length_notes(asked: PromptSettings, had: PromptSettings) -> list[str]:
    return [
        f"prompt.{name} is {getattr(asked, name)}, and this base has positions for {getattr(had, name)} tokens: longer texts are cut there."
        for name in ("max_source_tokens", "max_target_tokens")
        if getattr(had, name) < getattr(asked, name)
    ]


def _letter_notes(settings: Settings, encoder: PairEncoder, corpus: Corpus) -> list[str]:
    """Scores and summaries that will be empty of a language's letters, told before hours go into them."""
    lost = encoder.letters.lost(pair_texts(corpus.split("train")))
    notes = [f"Warning: {lost.note('these conversations and summaries')}"] if lost.matters else []
    references = [text for pair in corpus.split("validation") for text in pair.references]
    if settings.train.eval_generate and (note := latin_only_note(settings.evaluate.protocol, references)):
        notes.append(f"Warning: {note}")
    return notes
