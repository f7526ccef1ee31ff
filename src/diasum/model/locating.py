"""Where what a user named is to be loaded from: a folder here, or one fetched from the hub."""

from __future__ import annotations

from pathlib import Path

from diasum.errors import DiasumError, near_path
from diasum.hub import offline
from diasum.model.loading import BUNDLED, resolve_base

SIDE_FILE = "diasum.json"


def _shown(source: str | Path) -> str:
    text = " ".join(str(source).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def located(source: str | Path) -> Path | None:
    """As `_folder`, with the operating system's refusals as errors that a user can act on."""
    try:
        return _folder(str(source))
    except OSError as error:  # a folder without permission, or a text that is not a path
        raise DiasumError(
            f"{_shown(source)} cannot be read: {error.strerror}.",
            hint="Expected a run directory, an adapter or model folder, or a hub id.",
        ) from None


def _folder(source: str) -> Path | None:
    """The local folder to load from; None where a base is on the hub. An adapter on the hub is fetched, its weights as safetensors only."""
    if source == BUNDLED:
        return Path(resolve_base(source))
    path = Path(source).expanduser()
    if path.is_file():
        raise DiasumError(f"{source} is a file: expected a run directory, an adapter or model folder, or a hub id.")
    if path.is_dir():
        if (path / "config.yaml").is_file():
            if not (path / "adapter" / "adapter_config.json").is_file():
                raise DiasumError(
                    f"The run {source} has no adapter yet: its training has not finished.",
                    hint=f"Continue it: diasum train --run {source} --resume",
                )
            return path / "adapter"
        if not any((path / name).is_file() for name in ("adapter_config.json", "config.json")):
            raise DiasumError(
                f"{source} holds neither a run, an adapter nor a model.",
                hint="Give a folder that `diasum train` wrote.",
            )
        return path
    if source.startswith((".", "/", "~")) or source.count("/") != 1 or path.parent.is_dir():
        raise DiasumError(
            f"There is no run, adapter or model at {source}.",
            hint=near_path(path, [BUNDLED])
            or "Expected a run directory, an adapter or model folder, a hub id, or `mini`.",
        )
    return _hub_adapter(source)


def _hub_adapter(source: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    offline()
    wanted = ["adapter_config.json", "adapter_model.safetensors", SIDE_FILE, "tokenizer*", "special_tokens_map.json"]
    try:
        folder = Path(snapshot_download(source, allow_patterns=wanted))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError):
        return None  # the loader of base models tells what is wrong with the hub or the id
    return folder if (folder / "adapter_config.json").is_file() else None
