"""A bulk job on a Ray of this machine, where it is installed (240 MB, and it starts slowly): the same output, whatever dies."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import diasum
from tests.data.tables import rows, write_jsonl

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra `ray` is not installed")
SETTINGS = {"generate.num_beams": 1, "generate.max_new_tokens": 6}


def kill_an_engine(killed: list[int], stop: threading.Event) -> None:
    """Kill the first engine, once it is there."""
    while not killed and not stop.wait(0.02):
        for process in psutil.process_iter(["cmdline"]):
            if "MapWorker" in " ".join(process.info["cmdline"] or []):
                time.sleep(1)  # so that it has work
                os.kill(process.pid, signal.SIGKILL)
                killed.append(process.pid)
                break


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_killed_engine_loses_nothing(ending: str, base: str, tmp_path: Path, capfd: Any) -> None:
    from tests.data.tables import write_parquet

    {"jsonl": write_jsonl, "parquet": write_parquet}[ending](tmp_path / f"in.{ending}", rows(150))
    given = tmp_path / f"in.{ending}"
    plain, out = tmp_path / f"plain.{ending}", tmp_path / f"out.{ending}"
    diasum.summarize_files(given, plain, base, settings=SETTINGS)
    killed: list[int] = []
    stop = threading.Event()
    killer = threading.Thread(target=kill_an_engine, args=(killed, stop))
    killer.start()
    result = diasum.summarize_files(given, out, base, settings=SETTINGS, ray=2)
    stop.set()
    killer.join()
    assert killed
    assert result.summaries == 150
    assert out.read_bytes() == plain.read_bytes()
    assert capfd.readouterr().out == ""


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="the extra `ray` is installed")
def test_without_ray_the_extra_is_named(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", rows(2))
    with pytest.raises(diasum.DiasumError, match="A bulk job on Ray needs packages") as caught:
        diasum.summarize_files(tmp_path / "in.jsonl", tmp_path / "out.jsonl", ray=2)
    assert "diasum[ray]" in str(caught.value)


def test_engines_on_ray_read_files(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "in.jsonl", rows(2))
    with (tmp_path / "in.jsonl").open("rb") as stream, pytest.raises(diasum.DiasumError, match="what is in files"):
        diasum.summarize_files(stream, tmp_path / "out.jsonl", ray=2)
    with pytest.raises(diasum.DiasumError, match="at least one engine"):
        diasum.summarize_files(tmp_path / "in.jsonl", tmp_path / "out.jsonl", ray=0)
