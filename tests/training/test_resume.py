"""A run that is killed goes on from its last checkpoint and ends with the same adapter, bit for bit."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import diasum
from diasum.data.seen import Seen
from diasum.errors import DiasumError
from diasum.model import hardware
from diasum.training import Run
from diasum.training.lock import Lock
from diasum.training.trainer import DialogueTrainer
from tests.models import save_corpus
from tests.training.interrupted import Killed, adapter_bytes, settings


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 9])
def test_killed_in_a_step(
    step: int, whole: Path, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    real = DialogueTrainer.training_step

    def kill(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step + 1 == step:
            raise Killed
        return real(self, *args, **kwargs)

    monkeypatch.setattr(DialogueTrainer, "training_step", kill)
    with pytest.raises(Killed):
        diasum.train(base, corpus, run=run, settings=settings())
    monkeypatch.undo()
    assert Run(run).state == "unfinished"
    result = diasum.train(run=run, resume=True)
    assert result.complete
    assert adapter_bytes(run) == adapter_bytes(whole)
    losses = [(event["step"], event["loss"]) for event in Run(run).events() if "loss" in event]
    assert losses == [(event["step"], event["loss"]) for event in Run(whole).events() if "loss" in event]


def test_killed_while_a_checkpoint_is_written(
    whole: Path, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"

    def kill(self: Any, output_dir: str) -> None:
        raise Killed

    monkeypatch.setattr(DialogueTrainer, "_save_rng_state", kill)
    with pytest.raises(Killed):
        diasum.train(base, corpus, run=run, settings=settings())
    monkeypatch.undo()
    assert Run(run).last_checkpoint() is None, "a half-written checkpoint must not count"
    diasum.train(run=run, resume=True)
    assert adapter_bytes(run) == adapter_bytes(whole)
    assert not list((run / "checkpoints").glob(".*"))


def test_a_checkpoint_for_which_the_disk_is_too_small(
    whole: Path, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written of it is removed, or the disk would stay full."""
    run = tmp_path / "run"
    real = DialogueTrainer._save_rng_state
    written: list[Path] = []

    def full(self: Any, output_dir: str) -> None:
        written.extend(Path(output_dir).iterdir())
        if self.state.global_step == 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, output_dir)

    monkeypatch.setattr(DialogueTrainer, "_save_rng_state", full)
    with pytest.raises(DiasumError, match="No space left") as caught:
        diasum.train(base, corpus, run=run, settings=settings())
    monkeypatch.undo()
    assert "Free some space" in str(caught.value.hint)
    assert written
    assert sorted(folder.name for folder in (run / "checkpoints").iterdir()) == [
        "best-3",
        "checkpoint-2",
        "checkpoint-3",
    ]
    diasum.train(run=run, resume=True)
    assert adapter_bytes(run) == adapter_bytes(whole)


def test_killed_while_the_run_is_claimed(
    whole: Path, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resumed run still writes down what it was trained on."""
    run = tmp_path / "run"
    monkeypatch.setattr(Seen, "write", lambda *_: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        diasum.train(base, corpus, run=run, settings=settings())
    monkeypatch.undo()
    assert sorted(file.name for file in run.iterdir()) == [".lock", "config.yaml"]
    diasum.train(run=run, resume=True)
    assert (run / "trained_on.json").read_bytes() == (whole / "trained_on.json").read_bytes()
    assert adapter_bytes(run) == adapter_bytes(whole)


def test_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path / "run")
    first, second = Lock(run), Lock(run)
    first.take()
    assert run.state == "absent", "a lock alone is no run"
    with pytest.raises(DiasumError, match=str(run.path)):
        second.take()
    second.close()
    with pytest.raises(DiasumError, match=str(run.path)):
        second.take()
    first.close()
    second.take()  # also where the file was left by a kill
    second.close()

    def none_here(*_: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", none_here)
    first.take()
    second.take()
    first.close()
    second.close()


def test_killed_before_the_adapter_is_in_place(
    whole: Path, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diasum.training import fit

    run = tmp_path / "run"

    def kill(*args: Any) -> None:
        raise Killed

    monkeypatch.setattr(fit, "_finish", kill)
    with pytest.raises(Killed):
        diasum.train(base, corpus, run=run, settings=settings())
    monkeypatch.undo()
    diasum.train(run=run, resume=True)
    assert adapter_bytes(run) == adapter_bytes(whole)


def test_really_killed(whole: Path, base: str, corpus: str, tmp_path: Path) -> None:
    """A separate process, a real SIGKILL, the command line's own --resume."""
    run = tmp_path / "run"
    flags = [f"--set={name}={json.dumps(value)}" for name, value in settings().items()]
    command = [sys.executable, "-c", "from diasum.cli import main; main()", "train", "--run", str(run)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(_threads())}
    process = subprocess.Popen(
        [*command, "--base", base, "--data", corpus, *flags], env=environment, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 120
    while Run(run).last_checkpoint() is None and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.poll() is None, f"ended before it could be killed: {process.communicate()[1].decode()}"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert Run(run).state == "unfinished"
    resumed = subprocess.run(
        [*command, "--resume"], env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    assert adapter_bytes(run) == adapter_bytes(whole)


def test_interrupted_saves_and_says_so(
    whole: Path, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    real = DialogueTrainer.training_step

    def interrupt(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(DialogueTrainer, "training_step", interrupt)
    with pytest.raises(KeyboardInterrupt):  # gradient accumulation asks twice within the step
        diasum.train(base, corpus, run=run, settings=settings())
    monkeypatch.undo()
    run = tmp_path / "once"
    asked = []

    def interrupt_once(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == 4 and not asked:
            asked.append(True)
            os.kill(os.getpid(), signal.SIGINT)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(DialogueTrainer, "training_step", interrupt_once)
    result = diasum.train(base, corpus, run=run, settings=settings())
    monkeypatch.undo()
    assert not result.complete
    last = Run(run).last_checkpoint()
    assert last is not None
    assert last.name == "checkpoint-5"
    assert Run(run).manifest()["status"] == "interrupted"
    diasum.train(run=run, resume=True)
    assert adapter_bytes(run) == adapter_bytes(whole)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_told_to_stop_saves(
    name: str, whole: Path, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often: a terminal that is closed tells twice."""
    number = getattr(signal, name)
    real = DialogueTrainer.training_step

    def stop(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == 4:
            os.kill(os.getpid(), number)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(DialogueTrainer, "training_step", stop)
    before = signal.getsignal(number)
    result = diasum.train(base, corpus, run=tmp_path / "run", settings=settings())
    monkeypatch.undo()
    assert (result.complete, result.signal) == (False, number)
    assert signal.getsignal(number) == before
    last = Run(tmp_path / "run").last_checkpoint()
    assert last is not None
    assert last.name == "checkpoint-5"
    diasum.train(run=tmp_path / "run", resume=True)
    assert adapter_bytes(tmp_path / "run") == adapter_bytes(whole)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no such signal, nor pseudo-terminals")
def test_a_terminal_that_is_closed(whole: Path, base: str, corpus: str, tmp_path: Path) -> None:
    """The command line in a terminal of its own, which goes away in the middle: what is said then has no reader."""
    run = tmp_path / "run"
    flags = [f"--set={name}={json.dumps(value)}" for name, value in {**settings(), "train.epochs": 300}.items()]
    command = [sys.executable, "-m", "diasum", "train", "--run", str(run), "--base", base, "--data", corpus, *flags]
    code = f"import os, pty; pid, fd = pty.fork(); pid or os.execv({command[0]!r}, {command!r}); print(pid, flush=True)"
    code += "; input(); os.close(fd); print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    environment = {**os.environ, "OMP_NUM_THREADS": str(_threads())}
    holder = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while Run(run).last_checkpoint() is None and holder.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    out, _ = holder.communicate("\n", timeout=120)
    assert out.split()[-1] == str(128 + signal.SIGHUP)
    manifest = Run(run).manifest()
    assert manifest["status"] == "interrupted"
    last = Run(run).last_checkpoint()
    assert last is not None
    assert last.name not in ("checkpoint-2", "checkpoint-900"), "saved where it was told to stop"
    assert not list((run / "checkpoints").glob(".*"))


def test_resume_refuses_other_settings(base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = tmp_path / "run"
    monkeypatch.setattr(DialogueTrainer, "training_step", lambda *a, **k: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        diasum.train(base, corpus, run=run, settings=settings())
    with pytest.raises(DiasumError, match=r"train.epochs: the run has 3.0, now given 5"):
        diasum.train(run=run, resume=True, settings={"train.epochs": 5})


def test_resume_refuses_changed_data(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = save_corpus(tmp_path / "data")
    monkeypatch.setattr(DialogueTrainer, "training_step", lambda *a, **k: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        diasum.train(base, str(data), run=tmp_path / "run", settings=settings())
    file = data / "train.jsonl"
    file.write_text(file.read_text().replace("headache", "toothache"))
    with pytest.raises(DiasumError, match=r"The data of .* changed since the run was started"):
        diasum.train(run=tmp_path / "run", resume=True)


@pytest.mark.parametrize("changed", [False, True])
def test_a_run_that_goes_on_otherwise_says_so(
    changed: bool, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on another machine, or when its compiler is gone."""
    run = tmp_path / "run"
    monkeypatch.setattr(DialogueTrainer, "training_step", lambda *a, **k: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        diasum.train(base, corpus, run=run, settings=settings())
    monkeypatch.undo()
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    if changed:
        manifest["choices"]["fast_path"] = "fast path for t5: by some other means"
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    shown = StringIO()
    assert diasum.train(run=run, resume=True, console=Console(file=shown, width=400)).complete
    assert ("started with other choices (fast path for t5: by some other means)" in shown.getvalue()) is changed


@pytest.mark.parametrize("possible", [True, False])
def test_another_number_of_threads(
    possible: bool, base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resumed run takes as many as it began with, or says that it cannot."""
    import torch

    run = tmp_path / "run"
    monkeypatch.setattr(DialogueTrainer, "training_step", lambda *a, **k: (_ for _ in ()).throw(Killed()))
    monkeypatch.setattr(hardware, "processors", lambda: 3.0)
    here = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with pytest.raises(Killed):
            diasum.train(base, corpus, run=run, settings=settings())
        monkeypatch.undo()
        torch.set_num_threads(1)
        monkeypatch.setattr(hardware, "processors", lambda: 3.0 if possible else 1.0)
        used: list[int] = []
        real = DialogueTrainer.training_step

        def count(*args: Any, **kwargs: Any) -> Any:
            used.append(torch.get_num_threads())
            return real(*args, **kwargs)

        monkeypatch.setattr(DialogueTrainer, "training_step", count)
        shown = StringIO()
        assert diasum.train(run=run, resume=True, console=Console(file=shown, width=400)).complete
        assert torch.get_num_threads() == 1, "the caller's own number"
        assert set(used) == {3 if possible else 1}
        assert ("other choices (3 threads) than it continues with (1 thread)" in shown.getvalue()) is not possible
    finally:
        torch.set_num_threads(here)


def test_training_from_the_saved_config_gives_the_same_run(whole: Path, tmp_path: Path) -> None:
    diasum.train(run=tmp_path / "again", config=whole / "config.yaml")
    assert adapter_bytes(tmp_path / "again") == adapter_bytes(whole)


def _threads() -> int:
    import torch

    return torch.get_num_threads()
