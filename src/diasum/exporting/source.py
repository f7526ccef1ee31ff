"""What is exported, decided before a model is loaded: the run or model, its settings, and the dialogues that it is compared on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diasum.config import DataSettings, Settings
from diasum.data import Pair, load_corpus
from diasum.engines.exported import EXPORT_FILE
from diasum.errors import DiasumError
from diasum.evaluation.runs import check_there
from diasum.model.locating import located
from diasum.resolve import EXPORT, Given, for_other_data, resolve
from diasum.summarization.loading import load_trained, own_settings
from diasum.summarization.trained import Trained
from diasum.training import Run


@dataclass(frozen=True, slots=True)
class Source:
    """Something to export.

    Attributes:
        path: as the user named it.
        run: the same, where it is a run directory.
        settings: resolved.
    """

    path: str
    run: Run | None
    settings: Settings

    @property
    def name(self) -> str:
        """What cards and messages call it."""
        return self.run.path.resolve().name if self.run else Path(self.path).expanduser().name

    def target(self, out: str | Path | None, name: str) -> Path:
        """Where an export of that name goes: `out`, or into the run.

        Raises:
            DiasumError: neither is there.
        """
        if out is not None:
            return Path(out)
        if self.run is None:
            raise DiasumError(
                f"{self.path} is not a run directory, so an export of it needs a place.",
                hint="Give one with --out FOLDER.",
            )
        return self.run.path / "exports" / name

    def pairs(self) -> list[Pair]:
        """The validation dialogues: of a run its own, which chose its adapter.

        Raises:
            DiasumError: no data are named, or they cannot be read.
        """
        if not self.settings.data.path:
            raise DiasumError(
                f"{self.path} does not say which dialogues an export can be compared on.",
                hint="Give some with --data (a hub id, a file, a folder, `everyday` or `sample`).",
            )
        named_in = self.run.config_file if self.run else None
        pairs = load_corpus(self.settings.data, purpose="train", named_in=named_in).split("validation")
        return pairs[: self.settings.export.max_examples]

    def load(self, base: str | None) -> Trained:
        """The model in fp32, in main memory.

        Args:
            base: where the adapter's base is, if it has moved.

        Raises:
            DiasumError: see `load_trained`; its weights are quantised.
        """
        trained = load_trained(
            self.path, base=base, device="cpu", dtype="fp32", trust_remote_code=self.settings.trust_remote_code
        )
        if getattr(trained.model.config, "quantization_config", None) is not None:
            raise DiasumError(
                f"The weights of {trained.base.id} are quantised, which an export would bake in.",
                hint="Export from the unquantised base: --base. An adapter that was trained on a quantised base "
                "(train.base_quantization) fits it, too.",
            )
        return trained


def find_source(path: str | Path, requested: Given, arguments: Mapping[str, Any], *, exports: bool = False) -> Source:
    """What a path is, and the settings to export it with; nothing is loaded or written.

    Args:
        path: as the user named it.
        requested: settings, as for `resolve`.
        arguments: by dotted path, what was given as arguments that stand for settings.
        exports: whether it may be an export itself.

    Raises:
        DiasumError: see `resolve`; there is nothing at the path, an unfinished run, or an export already.
    """
    run = Run(path) if Run(path).config_file.is_file() else None
    check_there(str(path))
    folder = located(path)  # refuses an unfinished run
    if not exports and run is None and folder is not None and (folder / EXPORT_FILE).is_file():
        raise DiasumError(f"{path} is an export already.", hint="Export its run again, in another format.")
    own = run.settings() if run else own_settings(path).model_copy(update={"data": DataSettings(path="")})
    settings = resolve(EXPORT, requested, arguments, own=own)
    if settings.data.path != own.data.path:
        settings = resolve(EXPORT, requested, arguments, own=for_other_data(own))
    return Source(str(path), run, settings)
