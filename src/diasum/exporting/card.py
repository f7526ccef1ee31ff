"""The card of an export: what it is, how to use it, how it was compared with its run, and what the licences ask."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diasum.data.licences import base_licence
from diasum.engines.search_settings import search_values
from diasum.exporting.source import Source
from diasum.files import write_text
from diasum.model import BUNDLED, bundled_base
from diasum.reports.card import hub_or_name, is_hub_id, licence_notes, license_fields
from diasum.reports.rendering import render
from diasum.summarization.trained import Trained

if TYPE_CHECKING:
    from huggingface_hub import ModelCardData


def write_card(source: Source, trained: Trained, folder: Path, record: Mapping[str, Any]) -> None:
    """Write ``README.md``.

    Args:
        source: what was exported.
        trained: the same, loaded.
        folder: the export.
        record: what its export.json says.

    Raises:
        DiasumError: it cannot be written.
    """
    base, data = _licences(source, trained)
    text = render(
        "export_card.md",
        metadata=_metadata(source, trained, record, base, data).to_yaml(),
        name=source.name,
        base=hub_or_name(trained.base.id),
        family=trained.base.model_type,
        data=hub_or_name(source.settings.data.path) if source.run else None,
        record=record,
        folder=f"exports/{'merged' if record['format'] == 'merged' else 'ct2-' + record['quantization']}",
        licence_notes=licence_notes(base, data, "model"),
        search=search_values(source.settings.generate),
        least=source.settings.generate.min_new_tokens,
        led=trained.base.model_type == "led",
        limit=trained.encoder.settings.max_source_tokens,
    )
    write_text(folder / "README.md", text)


def _licences(source: Source, trained: Trained) -> tuple[str | None, str | None]:
    """Of base and data, where they are known."""
    base = str(bundled_base()) if trained.base.id == BUNDLED else trained.base.id
    data = source.run.manifest().get("data", {}).get("license") if source.run else None
    return base_licence(base, trained.base.revision), data


def _metadata(
    source: Source, trained: Trained, record: Mapping[str, Any], base: str | None, data: str | None
) -> ModelCardData:
    from huggingface_hub import ModelCardData

    of_base, of_data = trained.base.id, source.settings.data.path
    merged = record["format"] == "merged"
    return ModelCardData(
        library_name="transformers" if merged else "ctranslate2",
        pipeline_tag="summarization",
        base_model=of_base if is_hub_id(of_base) else None,
        base_model_relation=("finetune" if merged else "quantized") if is_hub_id(of_base) else None,
        **license_fields(base, data),
        datasets=[of_data] if source.run and is_hub_id(of_data) else None,
        tags=["summarization", "dialogue-summarization", "diasum", trained.base.model_type],
    )
