"""Everything a training needs before its first step: data, base with adapter, encoded features, batches; shown, and recorded."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

from rich.console import Console

from diasum.config import Settings
from diasum.data import (
    Corpus,
    EncodingReport,
    LengthBatches,
    Pair,
    PairEncoder,
    load_corpus,
    overlap,
    pairs_hash,
)
from diasum.model import (
    BUNDLED,
    Base,
    Hardware,
    ParameterCount,
    add_adapter,
    choose_hardware,
    count_parameters,
    describe_machine,
    load_base,
    load_config,
)
from diasum.training.run import Run
from diasum.training.trainer import Features, Measure, Validation

PACKAGES = ("diasum", "torch", "transformers", "peft", "accelerate", "datasets", "tokenizers", "rouge-score", "numpy")


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
    batches: LengthBatches
    validation: Validation

    def show(self, console: Console, run: Run) -> None:
        """Tell the user what will be trained on what, and why so."""
        name = f"{self.base.id} (bundled)" if self.base.id == BUNDLED else self.base.id
        sizes = {split: len(self.corpus.split(split)) for split in ("train", "validation")}
        batching = f"{len(self.batches)} batches an epoch, {self.batches.padding_share:.1%} padding"
        console.print(f"[bold]run[/]    {run.path}")
        console.print(f"[bold]base[/]   {name}, {self.base.model_type}; {self.parameters}")
        console.print(
            f"[bold]data[/]   {self.corpus.name}: {sizes['train']} pairs to train on, {sizes['validation']} to validate; "
            f"{self.encoding.sentence()}"
        )
        for note in self.notes:
            console.print(f"       {note}", highlight=False)
        console.print(f"[bold]with[/]   {'; '.join(self.hardware.reasons.values())}; {batching}")
        console.print(f"       {self.encoder.separator_reason}")

    def record(self, settings: Settings) -> dict[str, Any]:
        """The manifest's part that is known before the first step."""
        return {
            "versions": _versions(),
            "seed": settings.train.seed,
            "base": {
                "id": self.base.id,
                "revision": self.base.revision,
                "sha256": self.base.weights_sha256,
                "model_type": self.base.model_type,
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
            "encoding": {**asdict(self.encoding), "separator": self.encoder.separator_reason},
            "choices": {
                **self.hardware.reasons,
                "batching": f"{len(self.batches)} batches an epoch, {self.batches.padding_share:.1%} padding",
            },
            "hardware": describe_machine(),
        }


def prepare(settings: Settings, measure: Measure | None) -> Prepared:
    """Load, check and encode everything; nothing is written.

    Raises:
        DiasumError: bad data, model, adapter or hardware settings.
    """
    code = settings.trust_remote_code
    config = load_config(settings.base, revision=settings.base_revision, trust_remote_code=code)
    hardware = choose_hardware(settings.train.device, settings.train.dtype, model_type=config.model_type)
    corpus = load_corpus(settings.data, purpose="train")
    base = load_base(settings.base, hardware, revision=settings.base_revision, trust_remote_code=code)
    encoder = PairEncoder(base.tokenizer, settings.prompt)
    features, encoding = encoder.encode(corpus.split("train"))
    model = add_adapter(base.model, settings.lora, seed=settings.train.seed, decoder_only=settings.train.frozen_encoder)
    return Prepared(
        corpus=corpus,
        notes=[*corpus.notes, *_overlap_notes(corpus)],
        hardware=hardware,
        base=base,
        model=model,
        parameters=count_parameters(model),
        encoder=encoder,
        features=features,
        encoding=encoding,
        batches=LengthBatches(
            [(len(feature["input_ids"]), len(feature["labels"])) for feature in features],
            batch_size=settings.train.batch_size,
            batch_tokens=settings.train.batch_tokens,
            seed=settings.train.seed,
        ),
        validation=_validation(settings, encoder, corpus.split("validation"), measure),
    )


def _validation(settings: Settings, encoder: PairEncoder, pairs: list[Pair], measure: Measure | None) -> Validation:
    """The seeded part that is summarised at each evaluation stands in the corpus's order."""
    features, _ = encoder.encode(pairs)
    count = min(settings.train.eval_generate, len(pairs)) if measure else 0
    chosen = sorted(random.Random(settings.train.seed).sample(range(len(pairs)), count))
    return Validation(features, [pairs[i] for i in chosen], [features[i]["input_ids"] for i in chosen], measure)


def _overlap_notes(corpus: Corpus) -> list[str]:
    return [
        f"Warning: {len(shared)} dialogues of `{name}` also stand in `train` (such as {', '.join(shared[:3])}): "
        "scores on them say nothing."
        for name, pairs in corpus.splits.items()
        if name != "train" and (shared := overlap(corpus.split("train"), pairs))
    ]


def _versions() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
