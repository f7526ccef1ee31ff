"""The engines of a run's exports: found, held to be of the run's own weights, and put among those of torch.

An exported folder can also be loaded by itself; it then has no weights that torch could use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from diasum.config import GenerateSettings
from diasum.data.tokenizer import Tokenizer
from diasum.engines import Choice, Engine, choose_engine
from diasum.engines.choice import fastest_first
from diasum.engines.ct2 import ENGINE, STORED, Ct2Engine, check_installed
from diasum.engines.exported import ExportRecord, Weights, read_export
from diasum.errors import DiasumError
from diasum.model import Hardware

DESCRIPTION = "transformers"  # the folder of an export to ct2 with what transformers knows of its model


def exported_model(folder: Path) -> ExportRecord | None:
    """The record of a folder that is an export to ct2 itself; None for any other.

    Raises:
        DiasumError: as `read_export`.
    """
    record = read_export(folder)
    return record if record is not None and record.format == ENGINE else None


def engines_of_run(
    adapter: Path, base_sha256: str, model: Any, tokenizer: Tokenizer, hardware: Hardware
) -> list[Ct2Engine]:
    """Those of the exports of the run that an adapter stands in, the smallest weights first.

    One that was made of other weights, or that does not compute where the model is, says so when it is asked.

    Args:
        adapter: ``RUN/adapter``.
        base_sha256: hash of the base's weights.
        model: as `Ct2Engine` takes it.
        tokenizer: of the base.
        hardware: where the run's model is.
    """
    folders = sorted((adapter.parent / "exports").glob(f"{ENGINE}-*"))
    if adapter.name != "adapter" or not folders:
        return []
    own = Weights.of(base_sha256, adapter)
    engines = []
    for folder in folders:
        record = exported_model(folder)
        if record is not None:
            engines.append(Ct2Engine(record, model, tokenizer, obstacle=_obstacle(record, own, hardware)))
    return sorted(engines, key=lambda engine: list(STORED).index(engine.quantization))


def choose(
    source: str, exported: Sequence[Ct2Engine], others: Callable[[], Sequence[Engine]], settings: GenerateSettings
) -> Choice:
    """The engine for these settings, of a run's exports and torch.

    Args:
        source: what the user named.
        exported: the smallest weights first; of those that can honour the settings the first is taken.
        others: gives those of torch, whose import takes seconds; called only where no export decides it.
        settings: of generation.

    Raises:
        DiasumError: `choose_engine`'s, ct2 is asked of a run that has no export, or without its extra.
    """
    if settings.engine == ENGINE:
        check_installed()
        if not exported:
            raise DiasumError(
                f"generate.engine is ct2, which works on an export, and {source} has none.",
                hint=f"Make one: diasum export {source} --to ct2",
            )
    able = [engine for engine in exported if engine.unsupported(settings) is None]
    decided = able and settings.engine in ("auto", ENGINE)  # none is faster
    choice = choose_engine(able[:1] if decided else fastest_first([*(able or exported)[:1], *others()]), settings)
    if isinstance(choice.engine, Ct2Engine):
        return Choice(choice.engine, f"{choice.reason}: {choice.engine.folder.name}")
    return choice


def choose_for_base(others: Sequence[Engine], settings: GenerateSettings) -> Choice:
    """The engine for the base without its adapter, whose weights no export has; raises as `choose_engine`."""
    if settings.engine != ENGINE:
        return choose_engine(others, settings)
    choice = choose_engine(others, settings.model_copy(update={"engine": "auto"}))
    return Choice(choice.engine, "not ct2: an export has the weights of base and adapter together")


def _obstacle(record: ExportRecord, own: Weights, hardware: Hardware) -> str | None:
    if record.weights != own:
        return f"{record.folder} was made of other weights than the run now has (export again with --force)"
    if hardware.device != "cpu":
        return f"it computes on the CPU, and the model is on {hardware.device}"
    return None


def check_device(record: ExportRecord, device: str, base: Any) -> None:
    """Refuse what an exported folder cannot be loaded with.

    Raises:
        MissingExtraError: CTranslate2 is not installed.
        DiasumError: another device than the CPU, or a base, is asked for.
    """
    check_installed(f"{record.folder}, an export for CTranslate2,")
    if device not in ("auto", "cpu"):
        raise DiasumError(f"{record.folder} is an export for the CPU, and the device is {device}.", hint="Use its run.")
    if base is not None:
        raise DiasumError(
            f"{record.folder} is a whole model, not an adapter: it does not use the base {base}.",
            hint="Leave out --base.",
        )
