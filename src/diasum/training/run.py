"""The run directory: the only thing that training, evaluation and inference share.

::

    config.yaml      resolved settings; training from it gives the same run
    manifest.json    versions, seed, data hashes, base, hardware, timings, automatic choices and their reasons
    adapter/         PEFT weights + tokenizer + diasum.json; there only when training has ended
    checkpoints/     for resuming, complete or absent; the best adapters by then
    cache/           what can be computed again; gone when training has ended
    events.jsonl     one JSON object a log event
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from diasum.config import Settings, as_recorded
from diasum.errors import DiasumError, near_path
from diasum.files import write_json, write_json_lines, write_text
from diasum.intact import damage
from diasum.json_lines import json_lines
from diasum.resolve import load_settings
from diasum.training.history import kept_evaluation
from diasum.yaml_files import read_yaml

KEPT_CHECKPOINTS = 2
_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
_CHECKPOINT_FILES = ("trainer_state.json", *_ADAPTER_FILES, "optimizer.pt", "scheduler.pt")


class Run:
    """Paths and state of one run directory; nothing is read or written until asked for."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.config_file = self.path / "config.yaml"
        self.manifest_file = self.path / "manifest.json"
        self.adapter = self.path / "adapter"
        self.checkpoints = self.path / "checkpoints"
        self.cache = self.path / "cache"
        self.events_file = self.path / "events.jsonl"
        self.seen_file = self.path / "trained_on.json"  # `diasum.data.seen`
        self.lock_file = self.path / ".lock"  # `diasum.training.lock`; held while training

    @property
    def state(self) -> Literal["absent", "foreign", "unfinished", "complete"]:
        """``foreign``: the folder holds files, but no run."""
        if not self.path.exists():
            return "absent"
        if self.path.is_dir() and all(file == self.lock_file for file in self.path.iterdir()):
            return "absent"
        if not self.config_file.is_file():
            return "foreign"
        return "complete" if (self.adapter / "adapter_config.json").is_file() else "unfinished"

    def evaluation(self, split: str, other: tuple[str, int | None] | None = None) -> Path:
        """Folder of one split's predictions, metrics and report.

        Args:
            split: its name.
            other: path of other data than the run's own and how many of them, where these were evaluated: the usual figures stay.
        """
        if other is None:
            return self.path / "evaluation" / split
        data, first = other
        name = re.sub(r"\W+", "-", Path(data).name).strip("-")
        return self.path / "evaluation" / (f"{split}-of-{name}" + (f"-first-{first}" if first else ""))

    def check_free(self) -> None:
        """Refuse a directory that holds anything.

        Raises:
            DiasumError: it exists already, in whatever state.
        """
        if self.state != "absent":
            hints = {
                "complete": "It is complete: choose another name with --run, or evaluate it with `diasum evaluate`.",
                "unfinished": "It is unfinished: add --resume to go on with it, or choose another name with --run.",
                "foreign": "It holds no run (config.yaml is missing): choose another name with --run.",
            }
            raise DiasumError(f"{self.path} exists already.", hint=hints[self.state])

    def start(self, settings: Settings) -> None:
        """Claim the directory for a new run; raises as `check_free`."""
        self.check_free()
        write_text(self.config_file, settings.to_yaml())

    def resume(self, requested: Settings | None) -> Settings:
        """The settings of the run to continue.

        Args:
            requested: what the user asked for this time, or None to take the run's own as they are.

        Raises:
            DiasumError: there is no run, it is complete, or `requested` differs from its settings (each difference is named).
        """
        if self.state in ("absent", "foreign"):
            raise DiasumError(
                f"{self.path} holds no run to resume (no config.yaml).",
                hint=f"{near_path(self.path)} Leave --resume out to start one.".lstrip(),
            )
        if self.state == "complete":
            raise DiasumError(
                f"{self.path} is complete: there is nothing to resume.", hint="Train anew under another --run name."
            )
        own = self.settings()
        if requested is not None and (
            differences := _differences(own.model_dump(mode="json"), requested.model_dump(mode="json"))
        ):
            listed = "\n".join(f"  {line}" for line in differences)
            raise DiasumError(
                f"{self.path} was started with other settings:\n{listed}",
                hint="Resume without those settings (`diasum train --run ... --resume`), or start a new run under another name.",
            )
        return own

    def settings(self) -> Settings:
        """The resolved settings.

        Raises:
            DiasumError: there is no run here, or its config.yaml was damaged.
        """
        if not self.config_file.is_file():
            raise DiasumError(
                f"{self.path} is not a run directory: it has no config.yaml.",
                hint="Give a folder that `diasum train` wrote.",
            )
        settings = load_settings(self.config_file)
        written = read_yaml(self.config_file).get("generate") or {}
        settings.generate.long = as_recorded(written).get("long", settings.generate.long)
        return settings

    def manifest(self) -> dict[str, Any]:
        """The manifest as it stands; empty when there is none yet."""
        if not self.manifest_file.exists():
            return {}
        if problem := damage(self.manifest_file):
            raise DiasumError(
                f"{self.manifest_file} is damaged: {problem}.",
                hint="Restore it from a copy, or remove it: a run can be resumed and used without it.",
            )
        loaded: dict[str, Any] = json.loads(self.manifest_file.read_text(encoding="utf-8"))
        return loaded

    def update_manifest(self, **parts: Any) -> None:
        """Add or replace top-level parts of the manifest."""
        write_json(self.manifest_file, {**self.manifest(), **parts})

    def best(self, step: int) -> Path:
        """Folder of the adapter as it was at a step, where it was the one to keep so far (`diasum.training.history`)."""
        return self.checkpoints / f"best-{step}"

    def last_checkpoint(self, tell: Callable[[str], None] = lambda _: None) -> Path | None:
        """The newest checkpoint that training can continue from; None if there is none.

        Its own files must be whole, and the adapter that was the one to keep by then.

        Args:
            tell: hears of newer ones that are damaged, in a sentence each.

        Raises:
            DiasumError: there are checkpoints, but each is damaged.
        """
        problems: list[str] = []
        for checkpoint in reversed(self._numbered("checkpoint")):
            if (problem := self._damage(checkpoint)) is None:
                for one in problems:
                    tell(f"A checkpoint is damaged ({one}); the run goes on from {checkpoint.name}.")
                return checkpoint
            problems.append(problem)
        if problems:
            raise DiasumError(
                f"{self.path} cannot go on: its checkpoints are damaged ({'; '.join(problems)}).",
                hint=f"Restore them from a copy, or remove {self.checkpoints}: --resume then starts the run from its first step.",
            )
        return None

    def _damage(self, checkpoint: Path) -> str | None:
        """Which file of a checkpoint cannot be read, and why."""
        random = sorted(checkpoint.glob("rng_state*.pth")) or [checkpoint / "rng_state.pth"]
        files = [*(checkpoint / name for name in _CHECKPOINT_FILES), *random, *checkpoint.glob("memory.json")]
        if problem := _first_damage(files):
            return problem
        state = json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        if not {"global_step", "max_steps", "log_history"} <= state.keys():
            return f"{checkpoint / 'trainer_state.json'}: it holds no state"
        kept = kept_evaluation(state["log_history"], self.settings().train)
        return None if kept is None else _first_damage([self.best(kept.step) / name for name in _ADAPTER_FILES])

    def set_aside_after(self, step: int) -> None:
        """Rename checkpoints newer than the one that training continues from, so that they are not taken for its newest."""
        for checkpoint in self._numbered("checkpoint"):
            if _number(checkpoint) > step:
                aside = checkpoint.with_name(f"damaged-{checkpoint.name}")
                shutil.rmtree(aside, ignore_errors=True)
                checkpoint.rename(aside)

    def rotate_checkpoints(self) -> None:
        """Delete all checkpoints but the newest ones, and what a killed process left half-written."""
        for old in [*self._numbered("checkpoint")[:-KEPT_CHECKPOINTS], *self.checkpoints.glob(".*")]:
            shutil.rmtree(old, ignore_errors=True)

    def rotate_best(self) -> None:
        """Delete best adapters that no checkpoint kept needs: each has one, and a new one is written before its checkpoint."""
        for old in self._numbered("best")[: -KEPT_CHECKPOINTS - 1]:
            shutil.rmtree(old, ignore_errors=True)

    def _numbered(self, kind: str) -> list[Path]:
        """Folders such as ``checkpoint-12``, the newest last."""
        return sorted((p for p in self.checkpoints.glob(f"{kind}-*") if _number(p) >= 0), key=_number)

    def events(self) -> list[dict[str, Any]]:
        """The logged events; a last line cut short by a kill is left out."""
        events = []
        if self.events_file.is_file():
            text = self.events_file.read_text(encoding="utf-8", errors="replace")
            with contextlib.suppress(DiasumError):
                for _, event in json_lines(enumerate(text.split("\n"), 1), str(self.events_file)):
                    events.append(event)
        return events

    def rewind_events(self, step: int) -> None:
        """Drop events after a step, which a resumed run logs again."""
        kept = [event for event in self.events() if event.get("step", 0) <= step]
        write_json_lines(self.events_file, kept)


def _number(folder: Path) -> int:
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def _first_damage(files: Iterable[Path]) -> str | None:
    return next((f"{file}: {problem}" for file in files if (problem := damage(file))), None)


def _differences(own: Any, requested: Any, path: str = "") -> list[str]:
    if isinstance(own, dict) and isinstance(requested, dict):
        return [
            line
            for key in sorted(own.keys() | requested.keys())
            for line in _differences(own.get(key), requested.get(key), f"{path}.{key}" if path else key)
        ]
    return [] if own == requested else [f"{path}: the run has {own!r}, now given {requested!r}"]
