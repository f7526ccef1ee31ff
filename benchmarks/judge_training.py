"""Train diasum's own judge (`diasum.judges.tuned`) on all-MiniLM-L6-v2, and write what of it comes with diasum.

    python -m benchmarks.judge_training train BASE --out full.pt --minutes 60 [--init FILE] [--written 0.85]
    python -m benchmarks.judge_training pack BASE full.pt [--rank 64]

In: the encoder's folder, the corpora that `benchmarks.support_weights` reads, and written sentences (`benchmarks.support_train`). ``train``
teaches all layers of the encoder, the vectors of the speakers and the head: is a sentence supported, and if not, of which kind is it?
Written sentences weigh what `evened` says; the rest are references and sentences made wrong by rule. Speakers are numbered at random.
``pack`` writes the difference to the encoder as matrices of low rank (its best such approximation, by singular values), calibrates the
judge together with the rules on what was held out, and writes ``src/diasum/assets/judge``.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.corpora import DATA, ROOT
from benchmarks.logistic import logistic
from benchmarks.support_train import Written, evened, held_out, written
from benchmarks.support_weights import Told, flag, read, thresholds, wrong_sentences
from diasum.claims.judgement import Calibration, log_odds_wrong
from diasum.claims.sentence_checks import Checker
from diasum.dialogue import Dialogue
from diasum.files import write_json
from diasum.judges.tuned import Packed, Reader, TunedJudge, encoded
from diasum.model.further import load_further
from diasum.model.weights import weights_hash

ASSET = ROOT / "src" / "diasum" / "assets" / "judge"
HUB_ID = "sentence-transformers/all-MiniLM-L6-v2"
SHAPE = {"model_type": "bert", "hidden_size": 384, "num_hidden_layers": 6, "vocab_size": 30522}
KINDS = ("supported", "invented", "reversed", "boilerplate", "relation", "negation", "number")
WAYS = ("invented", "reversed", "invented", "misplaced", "negated", "miscounted")  # of all kinds but the first
DIALOGUE, SENTENCE, SPEAKERS = 380, 60, 9
_MADE = {
    "reference": "supported",
    "invented": "invented",
    "half": "invented",
    "boilerplate": "boilerplate",
    "speakers": "reversed",
    "relation": "relation",
    "exchange": "relation",
    "word": "relation",
    "number": "number",
    "negation": "negation",
}
_MOST = 4, 5  # references and sentences made wrong of one dialogue, at a time
_TOKENS, _DRAWN = 2600, 64  # tokens of a step; dialogues drawn together, to be put beside others of their length
_RATE, _WARM_UP, _SPEAKERS_RATE = 2e-4, 60, 5.0
NO_CALIBRATION = Calibration(1.0, 0.0, 0.0, 0.0, check=0.0, unsupported=0.0, flag=(0.0, 0.0, 0.0, 0.0))
CALIBRATED = 450  # dialogues with written sentences, and with references
_OF_KINDS = 0.3  # what the loss over kinds weighs beside that over supported or not


class Trainee(nn.Module):
    """The encoder with vectors for speakers, and a head over a sentence's first state and the mean of all its states."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder: Any = encoder
        width = int(encoder.config.hidden_size)
        self.speakers = nn.Embedding(SPEAKERS + 1, width)
        nn.init.normal_(self.speakers.weight, std=0.04)
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.Tanh(), nn.Dropout(0.1), nn.Linear(width, len(KINDS)))

    def forward(self, rows: Sequence[Packed]) -> Tensor:
        """(sentences of all rows, kinds): logits."""
        states = self.encoder(**encoded(rows, self.encoder, self.speakers.weight)).last_hidden_state
        pooled = []
        for row, of_row in zip(rows, states, strict=True):
            start = len(row.dialogue.ids)
            for sentence in row.sentences:
                own = of_row[start : start + len(sentence.ids)]
                pooled.append(torch.cat([own[0], own.mean(0)]))
                start += len(own)
        logits: Tensor = self.head(torch.stack(pooled))
        return logits


class Drawn(NamedTuple):
    """A dialogue with sentences, as the encoder reads them, and what they are."""

    row: Packed
    kinds: list[int]
    weights: list[float]

    @property
    def length(self) -> int:
        """Tokens."""
        return len(self.row.dialogue.ids) + sum(len(one.ids) for one in self.row.sentences)


class Batches:
    """Draws dialogues without end.

    Args:
        reader: as the judge reads.
        told: dialogues with their references, none held out.
        sentences: written ones, by dialogue.
        share: of dialogues that come with written sentences.
        rng: what is drawn is drawn from it.
    """

    def __init__(
        self,
        reader: Reader,
        told: Sequence[Told],
        sentences: Mapping[str, list[Written]],
        share: float,
        rng: random.Random,
    ) -> None:
        self._reader, self._share, self._rng = reader, share, rng
        self._made = self._endlessly(self._of_rules, told)
        self._by_hand = self._endlessly(self._of_people, [one for one in told if one.id in sentences])
        self._sentences = sentences
        self._weights = evened({one.id: sentences[one.id] for one in told if one.id in sentences})

    def __iter__(self) -> Iterator[list[Drawn]]:
        while True:
            drawn: list[Drawn] = []
            while len(drawn) < _DRAWN:
                dialogue, texts = next(self._by_hand if self._rng.random() < self._share else self._made)
                order = self._rng.sample(range(1, SPEAKERS + 1), SPEAKERS)
                inputs = list(self._reader.inputs(dialogue, [one.text for one in texts], order))
                if len(inputs) == 1:  # else the dialogue is too long
                    kinds = [KINDS.index(one.kind) for one in texts]
                    drawn.append(Drawn(inputs[0][1], kinds, [self._weights.get(one, 1.0) for one in texts]))
            drawn.sort(key=lambda one: one.length)
            batches: list[list[Drawn]] = [[]]
            for one in drawn:
                if batches[-1] and (len(batches[-1]) + 1) * one.length > _TOKENS:
                    batches.append([])
                batches[-1].append(one)
            self._rng.shuffle(batches)
            yield from batches

    def _endlessly(self, texts_of: Any, told: Sequence[Told]) -> Iterator[tuple[Dialogue, list[Written]]]:
        while True:
            order = list(told)
            self._rng.shuffle(order)
            yield from texts_of(order)

    def _of_rules(self, told: Sequence[Told]) -> Iterator[tuple[Dialogue, list[Written]]]:
        for one, texts in wrong_sentences(told, self._rng):
            right = [Written(text, "supported") for kind, text in texts if kind == "reference"]
            wrong = [Written(text, _MADE[kind]) for kind, text in texts if kind != "reference"]
            for some in (right, wrong):
                self._rng.shuffle(some)
            yield one.dialogue, [*right[: _MOST[0]], *wrong[: _MOST[1]]]

    def _of_people(self, told: Sequence[Told]) -> Iterator[tuple[Dialogue, list[Written]]]:
        for one in told:
            yield one.dialogue, self._sentences[one.id]


def train(options: argparse.Namespace) -> None:
    """See the module; the rate falls to zero with the minutes."""
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    encoder, tokenizer = load_further(options.base, "BertModel", "cpu")
    encoder.config.attention_probs_dropout_prob = 0.0  # a third of the time of a step
    for layer in encoder.encoder.layer:
        layer.attention.self.dropout.p = 0.0
    model = Trainee(encoder).train()
    if options.init:
        load(model, options.init)
    model.encoder.embeddings.requires_grad_(False)
    model.encoder.pooler.requires_grad_(False)
    others = [one for one in model.parameters() if one.requires_grad and one is not model.speakers.weight]
    optimizer = torch.optim.AdamW(
        [
            {"params": others, "times": 1.0},
            {"params": [model.speakers.weight], "times": _SPEAKERS_RATE, "weight_decay": 0.0},
        ],
        lr=_RATE,
        weight_decay=0.01,
    )
    told = [one for part in read() for one in part if not held_out(one.id)]
    batches = iter(Batches(Reader(tokenizer, DIALOGUE, SENTENCE, SPEAKERS), told, written(), options.written, rng))
    began, step, losses = time.monotonic(), 0, list[float]()
    while (done := (time.monotonic() - began) / 60 / options.minutes) < 1:
        batch = next(batches)
        for group in optimizer.param_groups:
            group["lr"] = _RATE * group["times"] * min(1, (step + 1) / _WARM_UP) * (1 - done)
        kinds = torch.tensor([kind for one in batch for kind in one.kinds])
        weights = torch.tensor([weight for one in batch for weight in one.weights])
        logits = model([one.row for one in batch])
        likely = logits.log_softmax(-1)
        either = torch.where(kinds == 0, likely[:, 0], likely[:, 1:].logsumexp(-1))
        loss = -(weights * either).mean()
        whole = loss + _OF_KINDS * (weights * cross_entropy(logits, kinds, reduction="none")).mean()
        torch.autograd.backward(whole)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        step += 1
        if step % 50 == 0:
            print(f"{done:.0%} of the time, {step} steps, loss {np.mean(losses[-50:]):.4f}", flush=True)
    torch.save(model.state_dict(), options.out)


def low_rank(model: Trainee, encoder: Any, rank: int) -> tuple[dict[str, Tensor], float]:
    """What is added to the encoder, and the share of the squares of all changes of matrices that it holds."""
    tensors: dict[str, Tensor] = {}
    own = dict(encoder.named_parameters())
    kept = total = 0.0
    for name, weight in model.encoder.named_parameters():
        change = weight.detach() - own[name].detach()
        if not name.startswith("encoder."):
            assert not change.any(), name
        elif change.ndim == 1:
            tensors[name] = change
        else:
            left, values, right = torch.linalg.svd(change, full_matrices=False)
            root = values[:rank].sqrt()
            tensors[f"{name}.up"], tensors[f"{name}.down"] = left[:, :rank] * root, root[:, None] * right[:rank]
            kept, total = kept + float((values[:rank] ** 2).sum()), total + float((values**2).sum())
    tensors["speakers"] = model.speakers.weight.detach()
    head = model.head.state_dict()
    for number, place in enumerate((0, 3)):
        tensors |= {f"head.{number}.{part}": head[f"{place}.{part}"] for part in ("weight", "bias")}
    return {name: value.half().contiguous() for name, value in tensors.items()}, kept / total


class Scored(NamedTuple):
    """A sentence as the judge and the rules find it: log-odds that it is wrong; None where the rules have nothing to say."""

    judge: float
    rules: float | None


def scored(judge: TunedJudge, dialogue: Dialogue, texts: Sequence[str]) -> list[Scored]:
    """Sentences of a dialogue."""
    checker = Checker(dialogue, english=True)
    of_rules = [[one.score for one in checker.check(text).sentences if one.score is not None] for text in texts]
    found = judge.judge(dialogue, texts)
    return [
        Scored(log_odds_wrong(judgement), max(scores, default=None))
        for judgement, scores in zip(found, of_rules, strict=True)
    ]


def calibrate(judge: TunedJudge, parts: Sequence[Sequence[Told]]) -> tuple[Calibration, dict[str, Any]]:
    """By logistic regression on written sentences that were held out; thresholds as `support_weights` has them, and the review flag, on
    references that the judge has not seen, of the two parts on whose references the rules' words were not learnt."""
    sentences = written()
    mine = [one for part in parts for one in part if one.id in sentences and held_out(one.id)][:CALIBRATED]
    weights = evened({one.id: sentences[one.id] for one in mine})
    rows: list[tuple[Scored, bool, float]] = []
    for one in mine:
        of_it = sentences[one.id]
        found = scored(judge, one.dialogue, [sentence.text for sentence in of_it])
        rows += [
            (score, not sentence.supported, weights[sentence]) for score, sentence in zip(found, of_it, strict=True)
        ]
    neutral = float(np.mean([score.rules for score, wrong, _ in rows if score.rules is not None and not wrong]))
    values = np.array([[score.judge, neutral if score.rules is None else score.rules] for score, *_ in rows])
    wrong = [one for _, one, _ in rows]
    slopes = logistic(values, wrong, weights=[weight for *_, weight in rows])
    of_judge, of_rules, constant = (round(float(one), 4) for one in slopes)
    references = [one for part in parts[2:] for one in part if held_out(one.id)][-CALIBRATED:]
    checker = partial(Checker, english=True, judge=judge)
    judge.calibration = calibration = Calibration(
        of_judge, of_rules, constant, round(neutral, 4), check=math.inf, unsupported=math.inf, flag=(0.0, 0.0, 0.0, 0.0)
    )
    levels = thresholds(references, checker)
    judge.calibration = calibration = replace(calibration, check=levels["check"], unsupported=levels["unsupported"])
    counts = {"written sentences": len(rows), "references": levels["references"], "summaries": len(references)}
    return replace(calibration, flag=tuple(flag(references, checker))), counts


def pack(options: argparse.Namespace) -> None:
    """See the module."""
    encoder, _ = load_further(options.base, "BertModel", "cpu")
    model = Trainee(load_further(options.base, "BertModel", "cpu")[0])
    load(model, options.weights)
    tensors, kept = low_rank(model, encoder, options.rank)
    about: dict[str, Any] = {
        "generated_by": "python -m benchmarks.judge_training",
        "base": HUB_ID,
        "base_sha256": weights_hash(options.base),
        "base_license": "Apache-2.0",
        "shape": SHAPE,
        "rank": options.rank,
        "share_of_change": round(kept, 4),
        "ways": list(WAYS),
        "dialogue": DIALOGUE,
        "sentence": SENTENCE,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_file(tensors, folder / "adapter.safetensors")
        write_json(folder / "judge.json", about | {"calibration": NO_CALIBRATION.to_json()})
        judge = TunedJudge.load(options.base, folder=folder)
        assert judge is not None
        calibration, counts = calibrate(judge, read())
        write_json(folder / "judge.json", about | {"calibration": calibration.to_json(), "calibrated_on": counts})
        for file in folder.iterdir():
            shutil.copyfile(file, ASSET / file.name)
    print(json.dumps(calibration.to_json(), indent=1))


def load(model: Trainee, file: Path) -> None:
    """Weights from a training; only what none has is left as it is: the pooler, and in the first stages the vectors of the speakers."""
    missing, unknown = model.load_state_dict(torch.load(file, weights_only=True), strict=False)
    others = [name for name in missing if not name.startswith("encoder.pooler.") and name != "speakers.weight"]
    if others or unknown:
        raise SystemExit(f"{file} lacks {others} and has {unknown}.")


def main() -> None:
    if not DATA.is_dir():
        sys.exit(f"No corpora at {DATA}: set DIASUM_DATA.")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("train")
    training.add_argument("base")
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--init", type=Path)
    training.add_argument("--minutes", type=float, default=60)
    training.add_argument("--written", type=float, default=0.85)
    training.add_argument("--seed", type=int, default=0)
    training.set_defaults(run=train)
    packing = commands.add_parser("pack")
    packing.add_argument("base")
    packing.add_argument("weights", type=Path)
    packing.add_argument("--rank", type=int, default=64)
    packing.set_defaults(run=pack)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
