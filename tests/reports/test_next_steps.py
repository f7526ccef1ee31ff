"""What to try next: only where an adapter is not shown to be above the others, and each idea for a reason in the figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from diasum.evaluation.metrics import Evaluation, score_systems
from diasum.evaluation.predictions import Prediction
from diasum.reports.next_steps import next_steps
from diasum.training import Run
from tests.evaluation.examples import pair

GOOD, FAIR, POOR = "the cat is in the garden now", "the cat is in a house today", "no words in common"


def evaluation(count: int = 40, **texts: str) -> Evaluation:
    """Each system says the same of each dialogue; the reference is `GOOD`."""
    pairs = [pair(f"d{i}", "Anna: a\nBen: b", GOOD) for i in range(count)]
    given = {name: [Prediction.of_text(p.id, text) for p in pairs] for name, text in texts.items()}
    return score_systems(pairs, given, resamples=2000, reference_system=next(iter(given)))


def run(folder: Path, *, pairs: int = 160, best: int = 3, rank: int = 8, targets: str | None = None) -> Run:
    """A run of three epochs, as far as advice looks at it."""
    lora: dict[str, Any] = {"r": rank} | ({"target_modules": targets} if targets else {})
    (folder / "config.yaml").write_text(json.dumps({"lora": lora, "data": {"path": "talks"}}))
    manifest = {"best": {"step": 10 * best, "epoch": float(best)}, "data": {"splits": {"train": {"n": pairs}}}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    events = [{"step": 10 * epoch, "epoch": float(epoch), "eval_loss": 2.0} for epoch in (1, 2, 3)]
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    return Run(folder)


def test_an_adapter_above_all_others_needs_no_advice(tmp_path: Path) -> None:
    assert next_steps(evaluation(adapter=GOOD, base=FAIR, lead3=POOR, oracle=GOOD), run(tmp_path)) is None
    assert next_steps(evaluation(model=POOR, lead3=GOOD), None) is None, "no adapter"


def test_a_base_below_a_baseline_and_what_the_training_shows(tmp_path: Path) -> None:
    found = evaluation(adapter=FAIR, base=POOR, longest=GOOD)
    said = next_steps(found, run(tmp_path, pairs=160))
    assert said is not None
    assert said.startswith(
        "adapter is not shown to be above longest. To try next: a stronger base (this one by itself scores "
    )
    assert "longest 100.0)" in said
    assert "more epochs (train.epochs; validation was best after the last one, 3)" in said
    assert "more pairs (it was trained on 160)" in said
    assert "rank" not in said, "the adapter did change its base for the better"


@pytest.mark.parametrize(("rank", "targets"), [(8, None), (32, "all-linear")])
def test_an_adapter_that_changed_its_base_little(rank: int, targets: str | None, tmp_path: Path) -> None:
    said = next_steps(
        evaluation(adapter=GOOD, base=GOOD, lead3=POOR), run(tmp_path, best=1, rank=rank, targets=targets)
    )
    assert said is not None
    assert "validation was best after epoch 1, not after 3" in said
    assert "more epochs (train" not in said
    assert ("a larger rank (lora.r is 8)" in said) is (rank == 8)
    assert ("all-linear" in said) is (targets is None)
    assert "stronger base" not in said
    assert "data check" not in said


def test_training_that_made_the_base_worse_asks_for_a_look_at_the_data(tmp_path: Path) -> None:
    said = next_steps(evaluation(adapter=POOR, base=GOOD, lead3=POOR), run(tmp_path, pairs=5000))
    assert said is not None
    assert "diasum data check talks" in said
    assert "more pairs" not in said


def test_too_few_dialogues_to_tell() -> None:
    """Ahead in 3 of 40 dialogues: more of them may tell; of the training nothing is known."""
    pairs = [pair(f"d{i}", "Anna: a\nBen: b", GOOD) for i in range(40)]
    texts = {"adapter": [GOOD] * 40, "base": [FAIR] * 3 + [GOOD] * 37}
    given = {n: [Prediction.of_text(p.id, t) for p, t in zip(pairs, ts, strict=True)] for n, ts in texts.items()}
    said = next_steps(score_systems(pairs, given, resamples=2000, reference_system="adapter"), None)
    assert said == (
        "adapter is not shown to be above base. To try next: "
        "evaluate more dialogues (it is ahead, but 40 dialogues cannot tell that from chance)."
    )
