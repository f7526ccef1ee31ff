"""What earlier versions wrote still loads: configurations and run directories kept as they were written, one folder per version.

Each version's folder holds tiny bases and data, with runs trained on them (`complete` with its evaluation, `dora`, and `unfinished`,
whose training was cut off after its first epoch) and the recipes of that time as `settings`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

import diasum
from diasum.data import load_corpus, pairs_hash
from diasum.data.seen import Seen
from diasum.training import Run

KEPT = Path(__file__).parent / "kept"
VERSIONS = sorted(folder.name for folder in KEPT.iterdir())
RUNS = [path.relative_to(KEPT) for path in sorted(KEPT.glob("*/runs/*"))]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A copy of a version's folder as the working directory, since its runs name bases and data from there."""
    folder = tmp_path / "project"
    shutil.copytree(KEPT / request.param, folder)
    monkeypatch.chdir(folder)
    return folder


def test_three_runs_are_kept_of_each_version() -> None:
    assert VERSIONS
    for version in VERSIONS:
        assert len([run for run in RUNS if run.parts[0] == version]) == 3


@pytest.mark.parametrize("file", sorted(KEPT.glob("*/settings/*.yaml")), ids=lambda file: file.stem)
def test_settings_load_and_mean_what_they_say(file: Path) -> None:
    loaded = diasum.load_settings(file).model_dump(mode="json")
    for section, written in yaml.safe_load(file.read_text(encoding="utf-8")).items():
        values = loaded[section] if isinstance(written, dict) else loaded
        for name, value in written.items() if isinstance(written, dict) else [(section, written)]:
            assert values[name] == value, f"{section}.{name}"


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_settings_of_a_run_keep_their_values(run: Path) -> None:
    written = yaml.safe_load((KEPT / run / "config.yaml").read_text(encoding="utf-8"))
    loaded = Run(KEPT / run).settings().model_dump(mode="json")
    for section, values in written.items():
        if isinstance(values, dict):
            assert {name: loaded[section][name] for name in values} == values
        else:
            assert loaded[section] == values


@pytest.mark.parametrize("project", VERSIONS, indirect=True)
@pytest.mark.parametrize("name", ["complete", "dora"])
def test_a_complete_run_summarises_and_evaluates(project: Path, name: str) -> None:
    summary = diasum.load(f"runs/{name}").summarize("Anna: Is the report done?\nBen: Before lunch.")
    assert isinstance(summary, str)
    evaluated = diasum.evaluate(f"runs/{name}", settings={"evaluate.contrast": 0, "evaluate.resamples": 100})
    assert evaluated.evaluation.n == 6
    assert (project / f"runs/{name}/evaluation/test/report.html").is_file()


@pytest.mark.parametrize("project", VERSIONS, indirect=True)
@pytest.mark.parametrize("name", ["complete", "dora", "unfinished"])
def test_data_is_still_known_by_the_hashes_of_a_run(project: Path, name: str) -> None:
    run = Run(f"runs/{name}")
    corpus = load_corpus(run.settings().data, purpose="train")
    recorded = {split: facts["sha256"] for split, facts in run.manifest()["data"]["splits"].items()}
    assert {split: pairs_hash(corpus.split(split)) for split in recorded} == recorded
    assert Seen.of(corpus) == Seen.read(run.path / "trained_on.json")
    for metrics in run.path.glob("evaluation/*/metrics.json"):
        assert json.loads(metrics.read_text(encoding="utf-8"))["data_hash"] == pairs_hash(
            corpus.split(metrics.parent.name)
        )


@pytest.mark.parametrize("project", VERSIONS, indirect=True)
def test_a_kept_evaluation_can_be_compared_with_a_new_one(project: Path) -> None:
    diasum.evaluate("runs/dora", settings={"evaluate.contrast": 0, "evaluate.resamples": 100})
    compared = diasum.compare(["runs/complete", "runs/dora"], resamples=100)
    assert [row.name for row in compared.rows] == ["complete", "dora"]


@pytest.mark.parametrize("project", VERSIONS, indirect=True)
def test_an_unfinished_run_goes_on(project: Path) -> None:
    result = diasum.train(run="runs/unfinished", resume=True)
    assert result.complete
    assert Run("runs/unfinished").state == "complete"


@pytest.mark.parametrize("project", VERSIONS, indirect=True)
def test_a_run_of_before_cuts_what_is_too_long_as_it_did(project: Path) -> None:
    """Its figures stay what they were; windows are to be asked for."""
    long = "\n".join(f"Anna: This is turn number {i} of a long talk." for i in range(200))
    assert Run("runs/complete").settings().generate.long == "cut"
    small: dict[str, Any] = {"max_new_tokens": 4, "num_beams": 1}
    (cut,) = diasum.load("runs/complete").summarize_all([long], **small)
    assert cut.turns_cut
    (whole,) = diasum.load("runs/complete").summarize_all([long], long="windows", **small)
    assert whole.turns_cut == 0
    assert len(whole.windows or ()) > 2
    bare = diasum.load("bases/tiny-t5").trained.generate.long
    assert bare == "auto", "a base alone has no figures to keep"
