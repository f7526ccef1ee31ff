"""The notebook runs from top to bottom, and is shipped without outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "dialogue_summarization.ipynb"


def test_it_runs(base: str, corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a tiny base and corpus, which take the place of the bundled ones; every cell is run as it stands."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    names = 'BASE, DATA, EPOCHS = "mini", "sample", 5'
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert names in first.source
    first.source = first.source.replace(names, f"BASE, DATA, EPOCHS = {base!r}, {corpus!r}, 1")
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2, "a loss curve and a score plot"
    assert any("<table" in output.get("data", {}).get("text/html", "") for output in outputs)
    text = "".join(output.get("text", "") for output in outputs)
    assert "trainable params" in text
    assert "Warning" not in text
    assert "Loading weights" not in text
    assert "adapter" in text


def test_it_is_shipped_clean() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    headings = [cell.source.splitlines()[0] for cell in notebook.cells if cell.cell_type == "markdown"]
    assert [h[3] for h in headings if h.startswith("## ")] == list("123456")
