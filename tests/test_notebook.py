"""The notebook runs from top to bottom, and is shipped without outputs."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

import diasum

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "dialogue_summarization.ipynb"


def test_it_runs(base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a tiny base and corpus, which take the place of the bundled ones; every cell is run as it stands."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    names = 'BASE, DATA = "mini", "everyday"'
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert names in first.source
    first.source = first.source.replace(names, f"BASE, DATA = {base!r}, {corpus!r}")
    recipe = '"train.report_to": []'
    settings = next(cell for cell in notebook.cells if 'diasum.load_settings("demo"' in cell.source)
    settings.source = settings.source.replace(recipe, f'{recipe}, "train.epochs": 1')
    with TemporaryDirectory() as sockets:  # files instead of ports, which need a network; their paths must be short
        config = Config({"ConnectionFileMixin": {"transport": "ipc", "ip": f"{sockets}/kernel"}})
        NotebookClient(notebook, config=config, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2, "a loss curve and a score plot"
    assert any("<table" in output.get("data", {}).get("text/html", "") for output in outputs)
    text = "".join(output.get("text", "") for output in outputs)
    assert "trainable params" in text
    assert "Warning" not in text
    assert "Loading weights" not in text
    assert "adapter" in text


@pytest.mark.slow
def test_what_it_trains_ends_above_its_base(tmp_path: Path) -> None:
    """With the bundled base and conversations and its recipe; only the search for summaries is a shorter one."""
    settings = {"train.eval_generate": 0, "train.report_to": [], "generate.num_beams": 1}
    diasum.train(config="demo", run=tmp_path / "run", settings=settings)
    evaluated = diasum.evaluate(
        tmp_path / "run",
        settings={"evaluate.contrast": 0, "evaluate.baselines": ["longest"], "evaluate.resamples": 1000},
    )
    measured = evaluated.evaluation.to_json()
    systems = measured["systems"]
    for metric in ("rouge1", "rougeL"):
        assert systems["adapter"][metric]["low"] > systems["base"][metric]["mean"], systems
        assert systems["adapter"][metric]["mean"] > systems["longest"][metric]["mean"], systems


def test_it_is_shipped_clean() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    headings = [cell.source.splitlines()[0] for cell in notebook.cells if cell.cell_type == "markdown"]
    assert [h[3] for h in headings if h.startswith("## ")] == list("123456")
