"""What is measured while `mini` trains: does it read its input?

Held-out loss by task; exact answers to held-out reading and copying questions; and for summaries, how many of their names and
numbers stand in the source (precision) and how many of the reference's names and numbers they give (recall), and ROUGE-1 against the
right reference minus ROUGE-1 against other dialogues' references: a model that writes the same sentence for everything scores 0 there.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from rouge_score.rouge_scorer import RougeScorer
from transformers import PreTrainedTokenizerBase

from pretraining.batches import MAX_SOURCE, held_out
from pretraining.model import IGNORE, token_losses

PROMPT = "Summarize the following conversation.\n\n{turns}\n\nSummary:"
FACT = re.compile(r"#Person\d#|\d[\d:.,]*\d|\d|[A-Z][a-z]+")
SENTENCE_START = re.compile(
    r"(?:^|[.!?:]\s+|\n)(The|A|An|He|She|It|They|This|That|In|At|After|I|You|We|There|Then|But|And)\b"
)


@dataclass(frozen=True)
class Pair:
    """A probe: the prompted source, its reference, its task."""

    source: str
    target: str
    task: str


def facts(text: str) -> set[str]:
    """Names and numbers of a text: capitalised words but common sentence openers, `#PersonN#`, figures."""
    return set(FACT.findall(SENTENCE_START.sub(" ", text)))


def dialogsum_pairs(path: Path, n: int | None = None) -> list[Pair]:
    """The first `n` pairs of a DialogSum file (validation only), in the product's default prompt."""
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Pair(PROMPT.format(turns=r["dialogue"].strip()), r["summary"], "dialogsum") for r in rows[:n]]


@torch.no_grad()
def generate(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    sources: Sequence[str],
    *,
    batch: int = 32,
    limit: int = 96,
    **options: Any,
) -> list[str]:
    """Greedy outputs (unless `options` say otherwise) in the order of `sources`, generated in batches of similar length."""
    order = sorted(range(len(sources)), key=lambda i: len(sources[i]))
    outputs = [""] * len(sources)
    device = next(model.parameters()).device
    model.eval()
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        inputs = tokenizer(
            [sources[i] for i in chosen], return_tensors="pt", padding=True, truncation=True, max_length=MAX_SOURCE
        )
        ids = model.generate(**inputs.to(device), max_new_tokens=limit, num_beams=1, do_sample=False, **options)
        for i, text in zip(chosen, tokenizer.batch_decode(ids, skip_special_tokens=True), strict=True):
            outputs[i] = text.strip()
    model.train()
    return outputs


def score_summaries(pairs: Sequence[Pair], outputs: Sequence[str]) -> dict[str, float]:
    """`rouge1`, `rouge2`, `rougeL` (stemmed F1, in points), `gap` (rouge1 minus rouge1 against the next pair's reference),
    `precision` and `recall` of names and numbers, `distinct` (share of different outputs) and `words` per output."""
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    totals: dict[str, list[float]] = defaultdict(list)
    for k, (pair, output) in enumerate(zip(pairs, outputs, strict=True)):
        right = scorer.score(pair.target, output)
        wrong = scorer.score(pairs[(k + 1) % len(pairs)].target, output)["rouge1"].fmeasure
        totals["rouge1"].append(100 * right["rouge1"].fmeasure)
        totals["rouge2"].append(100 * right["rouge2"].fmeasure)
        totals["rougeL"].append(100 * right["rougeL"].fmeasure)
        totals["gap"].append(100 * (right["rouge1"].fmeasure - wrong))
        stated, wanted, there = facts(output), facts(pair.target), facts(pair.source)
        if stated:
            totals["precision"].append(len(stated & there) / len(stated))
        if wanted & there:
            totals["recall"].append(len(stated & wanted & there) / len(wanted & there))
        totals["words"].append(len(output.split()))
    scores = {name: round(sum(values) / max(1, len(values)), 3) for name, values in totals.items()}
    return scores | {"distinct": round(len(set(outputs)) / max(1, len(outputs)), 3)}


@torch.no_grad()
def losses_by_task(
    model: Any, tokenizer: PreTrainedTokenizerBase, examples: list[Any], budget: int = 6000
) -> dict[str, float]:
    """Mean loss per target token for every family of tasks in `examples`."""
    sums: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    device = next(model.parameters()).device
    for batch in held_out(examples, tokenizer, budget):
        losses = token_losses(model, batch.to(device)).cpu()
        for task, part in zip(batch.tasks, torch.split(losses, (batch.labels != IGNORE).sum(1).tolist()), strict=True):
            family = task.split("/")[0]
            sums[family] += float(part.sum())
            counts[family] += len(part)
    return {family: round(sums[family] / counts[family], 4) for family in sorted(sums)}


@dataclass
class Probe:
    """The probes of a run: `examples` for loss and exact match, `pairs` and `dialogsum` for summaries."""

    examples: list[Any]
    pairs: list[Any]
    dialogsum: list[Pair] = field(default_factory=list)

    def run(self, model: Any, tokenizer: PreTrainedTokenizerBase, show: int = 3) -> dict[str, Any]:
        """All figures of one probe, with `show` generated summaries of each kind to read."""
        result: dict[str, Any] = {"loss": losses_by_task(model, tokenizer, self.examples)}
        for family in ("reading", "copy"):
            asked = [e for e in self.examples if e.task.split("/")[0] == family][:64]
            answers = generate(model, tokenizer, [e.source for e in asked], limit=40) if asked else []
            right = [a == e.target.strip() for a, e in zip(answers, asked, strict=True)]
            result[f"exact_{family}"] = round(sum(right) / max(1, len(right)), 3)
            kinds: dict[str, list[bool]] = defaultdict(list)
            for e, r in zip(asked, right, strict=True):
                kinds[e.task].append(r)
            result[f"exact_{family}_by_task"] = {k: f"{sum(v)}/{len(v)}" for k, v in sorted(kinds.items())}
        for name, pairs in (("held_out", self.pairs), ("dialogsum", self.dialogsum)):
            if pairs:
                outputs = generate(model, tokenizer, [p.source for p in pairs])
                result[name] = score_summaries(pairs, outputs)
                result[f"{name}_texts"] = [
                    {"output": o, "reference": p.target} for o, p in list(zip(outputs, pairs, strict=True))[:show]
                ]
        return result
