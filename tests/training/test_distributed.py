"""Two processes train the adapter that one would; one of them writes and speaks; errors, kills and stops reach both."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import T5Config, T5ForConditionalGeneration

import diasum
from diasum.training import Run
from tests.models import save_model, tiny_t5
from tests.training.ranks import keep_gradients, settings

ROOT = Path(__file__).parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--rdzv-backend", "c10d",
            "--rdzv-endpoint", "localhost:0"]  # fmt: skip

needs_bitsandbytes = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs the extra `quantized`")


def has_loopback() -> bool:
    """Whether processes of this machine reach each other at 127.0.0.1; not so under ``unshare -n``, where ``ip link set lo up`` helps."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        try:
            socket.create_connection(server.getsockname(), timeout=5).close()
        except OSError:
            return False
    return True


pytestmark = [
    pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no distributed package"),
    pytest.mark.skipif(not has_loopback(), reason="processes find each other at 127.0.0.1, which is down"),
]


def launch(*words: str, **options: Any) -> subprocess.Popen[str]:
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*TORCHRUN, *words], env=environment, text=True, cwd=ROOT, **pipes, **options)


def command(base: str, corpus: str, run: Path, *more: str, **changes: Any) -> list[str]:
    flags = [f"--set={name}={json.dumps(value)}" for name, value in settings(**changes).items()]
    return ["-m", "diasum", "--", "train", "--base", base, "--data", corpus, "--run", str(run), *flags, *more]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Without dropout in the base, so that one process and two can be compared."""
    folder = tmp_path_factory.mktemp("bases") / "t5"
    model, tokenizer = tiny_t5()
    model.config.dropout_rate = 0.0
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def two(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes wrote; see `tests.training.ranks`."""
    folder = tmp_path_factory.mktemp("two")
    process = launch("-m", "tests.training.ranks", base, corpus, str(folder))
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return folder


@pytest.fixture(scope="module")
def one(base: str, corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process wrote that adds up two batches a step."""
    folder = tmp_path_factory.mktemp("one")
    with pytest.MonkeyPatch.context() as patch:
        from diasum.training.trainer import DialogueTrainer

        patch.setattr(DialogueTrainer, "_clip_grad_norm", DialogueTrainer._clip_grad_norm)  # undone with the patch
        plain = {"train__fast_path": "off"}
        for name, changed in {"run": {}, "plain": plain, "plain-bf16": {**plain, "train__dtype": "bf16"}}.items():
            keep_gradients(folder / f"{name}.safetensors")
            changes = {"train__gradient_accumulation_steps": 2, **changed}
            diasum.train(base, corpus, run=folder / name, settings=settings(**changes))
    return folder


def losses(run: Path) -> list[float]:
    return [event.get("loss", event.get("eval_loss", 0.0)) for event in Run(run).events() if "memory" not in event]


# fsdp also gathers its weights in another order, and this model's gradients, in the hundreds, enlarge each rounding
@pytest.mark.parametrize(
    ("kind", "alone", "bound"), [("ddp", "run", 1e-5), ("fsdp", "plain", 5e-5), ("fsdp-bf16", "plain-bf16", 0.02)]
)
def test_gradients_are_those_of_one_process(kind: str, alone: str, bound: float, one: Path, two: Path) -> None:
    expected, found = load_file(one / f"{alone}.safetensors"), load_file(two / f"{kind}.safetensors")
    assert expected.keys() == found.keys()
    for name, gradient in expected.items():
        assert (found[name] - gradient).norm() <= bound * gradient.norm(), name


def test_the_adapter_is_that_of_one_process(one: Path, two: Path) -> None:
    batches = int(Run(one / "run").manifest()["choices"]["batching"].split()[0])
    assert batches % 2, "the last step of an epoch must be one process's alone"
    expected = load_file(one / "run" / "adapter" / "adapter_model.safetensors")
    found = load_file(two / "ddp" / "adapter" / "adapter_model.safetensors")
    for name, weight in expected.items():
        assert (found[name] - weight).norm() <= 1e-4 * weight.norm(), name
    choice = Run(two / "ddp").manifest()["choices"]["fast_path"]
    assert choice.startswith("fast path"), "the fast path serves several processes"
    assert losses(two / "ddp") == pytest.approx(losses(one / "run"), rel=1e-5)


def test_the_split_base_gives_a_plain_adapter(one: Path, two: Path) -> None:
    expected = load_file(one / "plain" / "adapter" / "adapter_model.safetensors")
    found = load_file(two / "fsdp" / "adapter" / "adapter_model.safetensors")
    assert {name: weight.shape for name, weight in found.items()} == {n: w.shape for n, w in expected.items()}
    assert losses(two / "fsdp")[:2] == pytest.approx(losses(one / "plain")[:2], rel=1e-5)
    assert diasum.load(two / "fsdp").summarize("Ana: Lunch?\nBen: At one.") is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"train__frozen_encoder": True, "train__encoder_cache_dtype": "fp32"},
        pytest.param({"train__base_quantization": "4bit", "train__device": "cpu"}, marks=needs_bitsandbytes),
    ],
    ids=["encoder computed once", "quantized"],
)
def test_other_ways_to_hold_the_base(changes: dict[str, Any], tmp_path: Path, corpus: str) -> None:
    """A whole run by two processes has the losses of one; each computes half of the encoder's states."""
    base = tmp_path / "base"
    tokenizer = tiny_t5()[1]
    torch.manual_seed(0)
    config = T5Config.from_pretrained(save_model(base, width=64), dropout_rate=0.0, initializer_factor=1.0)
    T5ForConditionalGeneration(config).save_pretrained(base)
    tokenizer.save_pretrained(base)
    process = launch(*command(str(base), corpus, tmp_path / "two", **changes))
    diasum.train(
        str(base), corpus, run=tmp_path / "one", settings=settings(train__gradient_accumulation_steps=2, **changes)
    )
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    assert Run(tmp_path / "two").manifest()["processes"]["count"] == 2
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=1e-4)


def test_only_one_writes(one: Path, two: Path) -> None:
    manifest = Run(two / "ddp").manifest()
    assert manifest["status"] == "complete"
    assert manifest["processes"] == {"count": 2, "distributed": "ddp"}
    steps = [event["step"] for event in Run(two / "ddp").events() if "loss" in event]
    assert steps == [event["step"] for event in Run(one / "run").events() if "loss" in event]
    files = {file.relative_to(two / "ddp").as_posix() for file in (two / "ddp").rglob("*") if file.is_file()}
    alone = {file.relative_to(one / "run").as_posix() for file in (one / "run").rglob("*") if file.is_file()}
    assert {name for name in files ^ alone if "rng_state" not in name} == set()


def test_errors_reach_both(two: Path) -> None:
    for number in range(2):
        assert "exists already" in (two / f"ddp-error-{number}").read_text()
        assert "loss became nan at step 1" in (two / f"lost-error-{number}").read_text()
        assert "is being trained at this moment" in (two / f"locked-error-{number}").read_text()


def test_memory_that_runs_out_on_one_is_noted_for_all(two: Path) -> None:
    """Each goes on with its batches in parts, to the same losses; the checkpoints, which process 0 writes, know."""
    run = Run(two / "short")
    assert losses(two / "short")[:2] == pytest.approx(losses(two / "ddp")[:2], rel=1e-5)
    assert "memory ran out on 5 pairs" in run.manifest()["memory_reductions"][0]["what"]
    assert [event["step"] for event in run.events() if "memory" in event]
    last = run.last_checkpoint()
    assert last is not None
    assert json.loads((last / "memory.json").read_text())["part_tokens"] > 0


def test_encoder_states_are_shared_out_though_one_is_late(two: Path) -> None:
    assert Run(two / "late").state == "complete"


@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_killed_and_resumed(kind: str, two: Path, base: str, corpus: str, tmp_path: Path) -> None:
    """A real SIGKILL of everything after the second step's checkpoint, then the command line's --resume; with dropout."""
    run = tmp_path / "run"
    words = command(base, corpus, run, lora__lora_dropout=0.2, train__distributed=kind)
    process = launch(*words)
    deadline = time.monotonic() + 300
    while not (run / "checkpoints" / "checkpoint-2").is_dir():
        assert time.monotonic() < deadline, "no checkpoint came"
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.005)
    for child in _children(process.pid):
        os.kill(child, signal.SIGKILL)
    process.kill()
    process.communicate()
    assert Run(run).state == "unfinished"
    again = launch("-m", "diasum", "--", "train", "--run", str(run), "--resume")
    _, errors = again.communicate(timeout=600)
    assert again.returncode == 0, errors
    found, expected = (
        folder / "adapter" / "adapter_model.safetensors"
        for folder in (run, two / {"ddp": "dropout", "fsdp": "fsdp-dropout"}[kind])
    )
    assert found.read_bytes() == expected.read_bytes()
    assert errors.count("Adapter:") == 1, "one process speaks"


def test_a_user_error_is_told_once(base: str, corpus: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    process = launch(*command(base, corpus, tmp_path / "run"))
    _, errors = process.communicate(timeout=300)
    assert process.returncode
    assert errors.count("exists already") == 1
    assert "exitcode  : 2" in errors, errors  # the launcher may end the other process before it has ended itself
    assert 'Traceback (most recent call last):\n  File "' + str(ROOT / "src") not in errors
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["notes.txt"]


def test_stopped_politely_and_resumed_with_another_number(base: str, corpus: str, tmp_path: Path) -> None:
    from diasum.errors import DiasumError

    run = tmp_path / "run"
    process = launch(*command(base, corpus, run, train__epochs=200))
    deadline = time.monotonic() + 300
    while not (run / "checkpoints" / "checkpoint-2").is_dir():
        assert time.monotonic() < deadline, "no checkpoint came"
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=300)
    assert errors.count("Stopping after this step and saving") == 1
    assert Run(run).manifest()["status"] == "interrupted", errors
    with pytest.raises(DiasumError, match=r"started with 2 processes, now it is 1"):
        diasum.train(run=run, resume=True)


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["no-such-command"], 2)])
def test_the_end_leaves_no_time_for_threads_to_meet_a_python_that_is_taken_down(words: list[str], code: int) -> None:
    """A training by two processes now and then ended with SIGABRT after all was saved: gloo let go of a tensor too late."""
    program = f"""
import atexit, os, sys
import torch.distributed as dist
from diasum import cli

class Held:
    def __del__(self, write=os.write):
        write(1, b"Python is taken down")

held = Held()
atexit.register(print, "what was registered is done")
dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
sys.argv = ["diasum", *{words!r}]
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == code
    assert "what was registered is done" in done.stdout
    assert "Python is taken down" not in done.stdout


def _children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found.append(int(folder.name))
        except (OSError, IndexError):
            continue
    return found
