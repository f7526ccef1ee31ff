"""What an exported folder says of itself: ``export.json``, by which it is told what it holds and of which weights it was made.

In: a folder. Out: an `ExportRecord`, or a refusal. A run's exports stand in ``RUN/exports``; each can be moved and used without its run.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diasum.errors import DiasumError
from diasum.intact import damage

EXPORT_FILE = "export.json"
VERSION = 1
FORMATS = ("merged", "ct2", "hub")
_AGAIN = "Copy the export again from where it came, or make it anew: diasum export RUN --to {format}"


@dataclass(frozen=True, slots=True)
class Weights:
    """Which weights these are.

    Attributes:
        base: SHA-256 of the base's weight files.
        adapter: SHA-256 of the adapter's weights and configuration; None for a model without one.
    """

    base: str
    adapter: str | None

    @classmethod
    def of(cls, base: str, adapter: Path | None) -> Weights:
        """Those of a base, by its hash, and of the adapter in a folder."""
        if adapter is None:
            return cls(base, None)
        digest = hashlib.sha256()
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            digest.update((adapter / name).read_bytes())
        return cls(base, digest.hexdigest())

    def to_json(self) -> dict[str, str | None]:
        """As export.json has it."""
        return {"base_sha256": self.base, "adapter_sha256": self.adapter}


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """The content of export.json.

    Attributes:
        folder: where it stands.
        format: ``merged``, ``ct2`` or ``hub``.
        weights: which it was made of.
        quantization: of an export to ct2: ``int8``, ``int8_bf16``, ``bf16`` or ``fp32``.
        values: all that the file holds.
    """

    folder: Path
    format: str
    weights: Weights
    quantization: str | None
    values: dict[str, Any]


def read_export(folder: Path) -> ExportRecord | None:
    """The record of an exported folder; None where there is none.

    Raises:
        DiasumError: the record is damaged or of a later version, or a file that it names is missing or not whole.
    """
    file = folder / EXPORT_FILE
    if not file.is_file():
        return None
    if problem := damage(file):
        raise DiasumError(f"{file} is damaged: {problem}.", hint=_AGAIN.format(format="merged|ct2"))
    values = json.loads(file.read_text(encoding="utf-8"))
    try:
        version, kind, weights, sizes = (values[key] for key in ("version", "format", "weights", "files"))
        record = ExportRecord(
            folder,
            str(kind),
            Weights(weights["base_sha256"], weights["adapter_sha256"]),
            values.get("quantization"),
            values,
        )
        expected = {str(name): int(size) for name, size in sizes.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DiasumError(f"{file} is damaged: {error}.", hint=_AGAIN.format(format="merged|ct2")) from None
    if version != VERSION or kind not in FORMATS:
        raise DiasumError(
            f"{file} is of version {version} and format {kind!r}; this diasum reads version {VERSION} of {' and '.join(FORMATS)}.",
            hint="Use the diasum that wrote it, or export again.",
        )
    for name, size in expected.items():
        path = folder / name
        if Path(name).name != name or not path.is_file() or path.stat().st_size != size:
            raise DiasumError(
                f"{path} is not as it was exported: {size:,} bytes expected.", hint=_AGAIN.format(format=kind)
            )
    return record


def sizes_of(folder: Path) -> dict[str, int]:
    """Name to bytes of the files in a folder, for its record."""
    return {file.name: file.stat().st_size for file in sorted(folder.iterdir()) if file.is_file()}
