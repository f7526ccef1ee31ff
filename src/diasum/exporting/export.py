"""Export a run: as one merged model, for CTranslate2, or as a folder for the Hub.

In: a run, or anything that summarises. Out: a folder with a card and ``export.json``, in ``RUN/exports`` unless told otherwise. It is
filled beside its place and moved there when its checks are passed: an interruption or a full disk leaves what was there before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from diasum.engines.ct2 import Ct2Engine, check_installed, obstacle_to
from diasum.engines.exported import EXPORT_FILE, VERSION, ExportRecord, Weights, sizes_of
from diasum.errors import DiasumError, near_misses
from diasum.exporting.card import write_card
from diasum.exporting.conversion import check_family, convert
from diasum.exporting.hub import check_repository, fill, upload
from diasum.exporting.merged import Merged, write_description
from diasum.exporting.parity import measure_parity, not_honoured, summaries_by_torch
from diasum.exporting.source import Source, find_source
from diasum.files import check_writable, folder_in_place, write_json
from diasum.model import base_name
from diasum.model.locating import SIDE_FILE, located
from diasum.resolve import Given
from diasum.summarization.exports import DESCRIPTION
from diasum.summarization.trained import Trained
from diasum.versions import versions

Format = Literal["merged", "ct2", "hub"]
Progress = Callable[[str, int, int], None]  # what is being done, done, of how many


@dataclass(frozen=True, slots=True)
class Exported:
    """An export.

    Attributes:
        folder: where it stands.
        format: ``merged``, ``ct2`` or ``hub``.
        record: the content of its export.json.
        url: where it was uploaded to, if it was.
    """

    folder: Path
    format: str
    record: dict[str, Any]
    url: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As ``diasum export --json`` prints it."""
        return {"folder": str(self.folder), "format": self.format, "url": self.url, **self.record}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    Attributes:
        source: what is exported.
        to: in which form.
        folder: where the export goes.
        force: replace an export that is there.
        base: where the adapter's base is, if it has moved.
        repo: on the Hub, where it is to be uploaded to.
        progress: hears what is being done.
    """

    source: Source
    to: Format
    folder: Path
    force: bool
    base: str | None
    repo: str | None
    progress: Progress | None


def export(
    path: str | Path,
    to: str,
    requested: Given,
    arguments: Mapping[str, Any],
    *,
    repo: str | None = None,
    base: str | None = None,
    out: str | Path | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Export something that summarises; arguments as `diasum.api.export`.

    Raises:
        DiasumError: see there.
    """
    work = {"merged": _merged, "ct2": _ct2, "hub": _hub}
    if to not in work:
        raise DiasumError(f"There is no format `{to}` to export to.", hint=near_misses(to, work))
    if repo is not None and to != "hub":
        raise DiasumError(f"--repo names a place on the Hub, and --to is {to}.", hint="Use --to hub.")
    if repo is not None:
        check_repository(repo)
    source = find_source(path, requested, arguments, exports=to == "hub")
    quantization = source.settings.export.quantization
    folder = source.target(out, f"ct2-{quantization}" if to == "ct2" else to)
    _check_free(folder, force)
    check_writable(folder)
    request = Request(source, to, folder, force, base, repo, progress)  # type: ignore[arg-type]
    return work[to](request)


def _merged(request: Request) -> Exported:
    source = request.source
    pairs = source.pairs()
    trained = source.load(request.base)
    trained.generate = source.settings.generate
    weights = trained.weights()
    merged = Merged(trained, pairs)
    with folder_in_place(request.folder) as folder:
        loaded = merged.write(folder)
        checks = {"merge": merged.check.to_json() if merged.check else None, "load": loaded.to_json()}
        return _finished(request, folder, trained, weights, {"logits": checks})


def _ct2(request: Request) -> Exported:
    check_installed("Exporting to ct2")
    source, settings = request.source, request.source.settings
    pairs = source.pairs()
    trained = source.load(request.base)
    trained.generate = settings.generate
    check_family(trained.base.model_type)
    if reason := obstacle_to(settings.generate, trained.base.tokenizer):
        raise not_honoured(reason)
    weights, quantization = trained.weights(), settings.export.quantization
    merged = Merged(trained, pairs)
    expected = summaries_by_torch(trained, pairs, settings.generate, request.progress)
    with folder_in_place(request.folder) as folder:
        write_description(trained, folder / DESCRIPTION)
        (folder / DESCRIPTION / SIDE_FILE).rename(folder / SIDE_FILE)
        convert(trained.model, folder / DESCRIPTION, folder, quantization)
        made = ExportRecord(folder, "ct2", weights, quantization, {})
        engine = Ct2Engine(made, trained.model, trained.base.tokenizer)
        parity = measure_parity(replace(trained, exported=[engine]), pairs, expected, settings, request.progress)
        parity.check(settings.export.max_rouge_loss)
        found = {
            "quantization": quantization,
            "computed_in": engine.computes_in[1],
            "logits": {"merge": merged.check.to_json() if merged.check else None},
            "parity": parity.to_json(settings.export.max_rouge_loss),
        }
        return _finished(request, folder, trained, weights, found)


def _hub(request: Request) -> Exported:
    source, place = request.source, located(request.source.path)
    if place is None:
        raise DiasumError(f"{source.path} is on the Hub already.", hint="Export a run.")
    with folder_in_place(request.folder) as folder:
        fill(folder, place, source.run)
        if not (folder / EXPORT_FILE).is_file():
            weights = Weights("", None)
            about = {"version": VERSION, "format": "hub", "of": {"name": source.name}, "weights": weights.to_json()}
            write_json(folder / EXPORT_FILE, {**about, "versions": versions(), "files": sizes_of(folder)})
    record = json.loads((request.folder / EXPORT_FILE).read_text(encoding="utf-8"))
    url = upload(request.folder, request.repo, public=source.settings.export.public) if request.repo else None
    return Exported(request.folder, "hub", record, url)


def _finished(request: Request, folder: Path, trained: Trained, weights: Weights, found: Mapping[str, Any]) -> Exported:
    """Add card and record to a folder that is otherwise complete."""
    record = {
        "version": VERSION,
        "format": request.to,
        "of": {"name": request.source.name, "base": base_name(trained.base.id)},
        "weights": weights.to_json(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        **found,
    }
    write_card(request.source, trained, folder, record)
    record["files"] = sizes_of(folder)
    write_json(folder / EXPORT_FILE, record)
    return Exported(request.folder, request.to, record)


def _check_free(folder: Path, force: bool) -> None:
    """Refuse a place that is taken, but by an older export that may be replaced."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / EXPORT_FILE).is_file():
        raise DiasumError(f"{folder} exists already, and is no export.", hint="Choose another place with --out FOLDER.")
    if not force:
        raise DiasumError(f"{folder} holds an export already.", hint="Replace it with --force.")
