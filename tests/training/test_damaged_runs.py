"""Runs whose checkpoints or manifest are damaged go on from what is whole, or say why they cannot."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import diasum
from diasum.errors import DiasumError
from diasum.training import Run
from tests.training.interrupted import Killed, adapter_bytes, settings


@pytest.fixture(scope="module")
def killed(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run killed when all was trained, before its adapter was in place: checkpoints 8 and 9, the best at 3, 6 and 9."""
    from diasum.training import fit

    run = tmp_path_factory.mktemp("runs") / "killed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "_finish", lambda *args: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            diasum.train(base, corpus, run=run, settings=settings())
    return run


DAMAGE: dict[str, tuple[str, Any]] = {
    "half the weights": ("checkpoint-9/adapter_model.safetensors", lambda old: old[: len(old) // 2]),
    "no weights": ("checkpoint-9/adapter_model.safetensors", None),
    "half the optimizer": ("checkpoint-9/optimizer.pt", lambda old: old[: len(old) // 2]),
    "a changed byte": ("checkpoint-9/optimizer.pt", lambda old: old[:9000] + bytes([old[9000] ^ 1]) + old[9001:]),
    "an empty schedule": ("checkpoint-9/scheduler.pt", lambda old: b""),
    "random bytes": ("checkpoint-9/rng_state.pth", lambda old: bytes(range(200))),
    "half the state": ("checkpoint-9/trainer_state.json", lambda old: b"{"),
    "another state": ("checkpoint-9/trainer_state.json", lambda old: b"{}"),
    "the best adapter": ("best-9/adapter_model.safetensors", lambda old: old[:100]),
}


def damaged(killed: Path, run: Path, *names: str) -> Path:
    shutil.copytree(killed, run)
    for name in names:
        place, change = DAMAGE[name]
        file = run / "checkpoints" / place
        old = file.read_bytes()
        file.unlink()
        if change is not None:
            file.write_bytes(change(old))
    return run


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_checkpoint_is_not_taken(name: str, killed: Path, tmp_path: Path) -> None:
    run = damaged(killed, tmp_path / "run", name)
    told: list[str] = []
    last = Run(run).last_checkpoint(told.append)
    assert last is not None
    assert last.name == "checkpoint-8"
    (sentence,) = told
    assert DAMAGE[name][0] in sentence
    assert "goes on from checkpoint-8" in sentence


def test_a_run_goes_on_from_the_newest_whole_checkpoint(whole: Path, killed: Path, tmp_path: Path) -> None:
    run = damaged(killed, tmp_path / "run", "half the weights", "the best adapter")
    (run / "checkpoints" / "checkpoint-9.bak").mkdir()
    shown = StringIO()
    assert diasum.train(run=run, resume=True, console=Console(file=shown, width=400)).complete
    assert "A checkpoint is damaged" in shown.getvalue()
    assert adapter_bytes(run) == adapter_bytes(whole)
    assert (run / "checkpoints" / "damaged-checkpoint-9").is_dir(), "it is the user's: nothing is deleted"
    assert Run(run).last_checkpoint() == run / "checkpoints" / "checkpoint-9"


def test_no_whole_checkpoint(whole: Path, killed: Path, tmp_path: Path) -> None:
    run = damaged(killed, tmp_path / "run", "half the optimizer")
    (run / "checkpoints" / "checkpoint-8" / "trainer_state.json").write_text("[]")
    with pytest.raises(DiasumError, match="its checkpoints are damaged") as caught:
        diasum.train(run=run, resume=True)
    assert "checkpoint-9/optimizer.pt" in str(caught.value)
    assert "checkpoint-8/trainer_state.json: expected a JSON object" in str(caught.value)
    shutil.rmtree(run / "checkpoints")  # as the hint says
    diasum.train(run=run, resume=True)
    assert adapter_bytes(run) == adapter_bytes(whole)


@pytest.mark.parametrize("content", ["{", "3", "\udcff"])
def test_a_damaged_manifest(content: str, killed: Path, tmp_path: Path) -> None:
    run = damaged(killed, tmp_path / "run")
    (run / "manifest.json").write_text(content, errors="surrogateescape")
    with pytest.raises(DiasumError, match=r"manifest.json is damaged"):
        diasum.train(run=run, resume=True)
