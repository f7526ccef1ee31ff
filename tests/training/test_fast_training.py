"""Training on the fast path: it ends where the plain path ends, and what it saves is plain PEFT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel

import diasum
from diasum.errors import DiasumError
from diasum.model.fast import Packed, fast_path
from diasum.training import Run
from tests.model.fast_models import FAMILIES, adapted, batch, plain_loss


def learnable(seed: int) -> dict[str, torch.Tensor]:
    """A batch whose targets repeat the begin of their sources."""
    lengths = tuple((5 + (7 * i + seed) % 9, 3) for i in range(8))
    made = batch(lengths, seed=seed)
    targets = made["input_ids"][:, :3]
    made["labels"][:, :3] = targets
    made["decoder_input_ids"][:, 1:3] = targets[:, :2]
    return made


@pytest.mark.slow
def test_two_hundred_steps_end_at_the_same_loss() -> None:
    """Over three seeds, with the adapters' dropout on; the noise is that between seeds of the plain path."""
    ends: dict[bool, list[float]] = {False: [], True: []}
    for seed in range(3):
        for fast in (False, True):
            model = adapted("flan-t5", lora_dropout=0.1, target_modules=["v", "wo"], r=8).train()
            optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-3)
            quick = fast_path(model).model if fast else None
            torch.manual_seed(seed)
            for step in range(200):
                inputs = learnable(200 * seed + step)
                loss = quick.loss_sum(Packed.of(inputs)) if quick else plain_loss(model, inputs)
                (loss / 24).backward()
                optimizer.step()
                optimizer.zero_grad()
            model.eval()
            with torch.no_grad():
                ends[fast].append(sum(float(plain_loss(model, learnable(10_000 + i))) / 24 for i in range(8)) / 8)
    ours, theirs = torch.tensor(ends[True]), torch.tensor(ends[False])
    with torch.no_grad():
        start = sum(float(plain_loss(adapted("flan-t5"), learnable(10_000 + i))) / 24 for i in range(8)) / 8
    assert (theirs < 0.9 * start).all(), "the plain path learns"
    noise = max(float(theirs.std()), 0.01 * float(theirs.mean()))
    assert abs(float(ours.mean() - theirs.mean())) < 3 * noise, f"{ours.tolist()} against {theirs.tolist()}"


@pytest.mark.parametrize("family", ["flan-t5", "bart"])
def test_the_adapter_is_plain_peft(family: str, tmp_path: Path) -> None:
    model = adapted(family, target_modules="all-linear").train()
    fast = fast_path(model).model
    assert fast is not None
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    for step in range(5):
        fast.loss_sum(Packed.of(learnable(step))).backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(tmp_path)
    torch.manual_seed(0)  # the base that `adapted` made
    loaded = PeftModel.from_pretrained(FAMILIES[family](), str(tmp_path)).eval()
    inputs = batch()
    model.eval()
    with torch.no_grad():
        there, here = plain_loss(loaded, inputs), fast.loss_sum(Packed.of(inputs))
    assert there.item() == pytest.approx(here.item(), rel=1e-5)


def test_a_run_says_which_path_it_took(base: str, corpus: str, quick: dict[str, Any], tmp_path: Path) -> None:
    events, losses = {}, {}
    for name, settings in (
        ("fast", {}),
        ("buckets", {"train.packing": "off"}),
        ("plain", {"train.fast_path": "off"}),
        ("dropout", {"train.base_dropout": "on"}),
    ):
        run = tmp_path / name
        extra = {"train.epochs": 1, "lora.lora_dropout": 0.0, "train.batch_size": 24, "train.eval_generate": 0}
        diasum.train(base, corpus, run=run, settings={**quick, **extra, **settings})
        events[name] = Run(run).manifest()["choices"]
        losses[name] = next(event["loss"] for event in Run(run).events() if "loss" in event)
    assert events["fast"]["fast_path"].startswith("fast path for t5")
    assert "packed batch" in events["fast"]["batching"]
    assert "padding" in events["fast"]["batching"]
    assert events["buckets"]["fast_path"].startswith("fast path for t5")
    assert "length buckets" in events["buckets"]["batching"]
    assert events["plain"]["fast_path"] == "plain path: train.fast_path is off"
    assert "base_dropout is on" in events["dropout"]["fast_path"]
    assert losses["fast"] == pytest.approx(losses["plain"], rel=1e-5), (
        "one batch holds all pairs, so the loss must agree"
    )
    assert losses["buckets"] == pytest.approx(losses["plain"], rel=1e-5)
    assert losses["dropout"] != pytest.approx(losses["plain"], rel=1e-5)
    both = {**quick, "train.packing": "on", "train.fast_path": "off"}
    with pytest.raises(DiasumError, match=r"train\.packing is on"):
        diasum.train(base, corpus, run=tmp_path / "no", settings=both)
