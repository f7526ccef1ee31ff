"""The training benchmark runs on a tiny shape, saves every figure that the README's table needs, and draws its plot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.recipes import RECIPES
from benchmarks.tables import speed_table

ROOT = Path(__file__).parents[1]


def test_training_benchmark(tmp_path: Path) -> None:
    output = tmp_path / "training.json"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "DIASUM_DATA": str(tmp_path / "nothing"),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = [sys.executable, "-m", "benchmarks.training", "--quick", "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(output.read_text())
    assert result["data"]["name"] == "bundled sample, train"
    assert {"hardware", "threads", "versions", "commit", "pairs", "rounds", "load_average_after"} <= result[
        "conditions"
    ].keys()
    row = result["shapes"]["tiny"]
    assert row["recipes"].keys() == RECIPES.keys()
    for name, recipe in row["recipes"].items():
        speed = recipe["pairs_per_second"]
        assert 0 < speed["low"] <= speed["median"] <= speed["high"], name
        assert recipe["real_tokens_per_second"]["median"] > speed["median"]
        assert 0 < recipe["share_of_peak"]["median"] < 1, name
        assert recipe["peak_memory_bytes"] > 50_000_000
        assert [told["pairs"] for told in recipe["rounds"]] == [4 if name == "classic" else 8]
    assert row["diasum_against"].keys() == RECIPES.keys() - {"diasum"}
    ours, theirs = (row["recipes"][name]["pairs_per_second"]["median"] for name in ("diasum", "tuned"))
    assert abs(row["diasum_against"]["tuned"]["median"] - ours / theirs) < 1e-9, "one round: the ratio of its speeds"
    assert {name: len(points) for name, points in result["growth"].items() if name != "shape"} == {
        "source_tokens": 2, "batch": 2, "pairs": 2,
    }  # fmt: skip
    assert (tmp_path / "training-growth.svg").read_text().count("<svg") == 1
    table = speed_table(result)
    assert table.count("| tiny |") == len(RECIPES)
