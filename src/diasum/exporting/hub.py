"""A run as a folder for the Hub, and its upload.

In: a run, an adapter or model folder, or an export. Out: its files with card, metadata and, of a run, the figures of its evaluations with
their protocols; no predictions, no settings with local paths. The Hub's own client uploads it, with the token that it finds itself.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diasum.engines.exported import read_export
from diasum.errors import DiasumError
from diasum.files import write_json
from diasum.hub import may_be_id
from diasum.reports.card import write_card
from diasum.training import Run

_FIGURES = (
    *("system", "protocol", "split", "n", "references", "seed", "resamples", "data_hash", "reference_system"),
    *("systems", "differences", "faithfulness", "generation", "versions", "created"),
)
_KINDS = (".json", ".md", ".safetensors", ".model", ".txt")  # nothing pickled


def check_repository(repo: str) -> None:
    """Refuse what cannot be the name of a repository.

    Raises:
        DiasumError: it is not ``OWNER/NAME``.
    """
    if not may_be_id(repo):
        raise DiasumError(
            f"`{repo}` cannot be a repository on the Hub.", hint="Expected OWNER/NAME, such as ana/talks."
        )


def fill(folder: Path, source: Path, run: Run | None) -> None:
    """Copy what is to be uploaded.

    Args:
        folder: an empty one.
        source: the run's adapter, or the folder of an adapter, a model or an export.
        run: the run, where it is one.

    Raises:
        DiasumError: there is no card, or a file cannot be copied.
    """
    if run is not None and not (run.adapter / "README.md").is_file():
        write_card(run)
    if not (source / "README.md").is_file():
        raise DiasumError(
            f"{source} has no card (README.md), without which nobody knows what it is.",
            hint="Write one, with the licence in its front matter, or export a run.",
        )
    export = read_export(source)
    for file in sorted(source.rglob("*")):
        wanted = file.suffix in _KINDS or (export is not None and file.name in export.values["files"])
        if file.is_file() and not file.is_symlink() and wanted and not file.name.startswith("."):
            place = folder / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, place)
    for metrics in sorted((run.path / "evaluation").glob("*/metrics.json")) if run else []:
        figures = json.loads(metrics.read_text(encoding="utf-8"))
        write_json(
            folder / "evaluation" / f"{metrics.parent.name}.json", {k: figures[k] for k in _FIGURES if k in figures}
        )


def upload(folder: Path, repo: str, *, public: bool) -> str:
    """Upload a folder to a repository, which is made where there is none.

    Args:
        folder: a whole export for the Hub.
        repo: ``OWNER/NAME``.
        public: whether everybody may see it.

    Returns:
        Its address.

    Raises:
        DiasumError: the Hub is out of reach or refuses, or the repository is public and `public` is not set.
    """
    from huggingface_hub import HfApi

    with _refusals(repo):
        api = HfApi()
        url = api.create_repo(repo, private=not public, exist_ok=True)
        if not public and not api.model_info(repo).private:
            raise DiasumError(
                f"{repo} is there already, and everybody may see it.", hint="Use another repository, or say --public."
            )
        api.upload_folder(repo_id=repo, folder_path=folder, commit_message="Upload by diasum")
    return str(url)


@contextlib.contextmanager
def _refusals(repo: str) -> Iterator[None]:
    """The Hub's errors as errors that a user can act on, without the token, whatever they quote."""
    from huggingface_hub import constants, get_token
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    except DiasumError:
        raise
    except Exception as error:  # whichever HTTP library the client uses
        text = next(iter(str(error).strip().splitlines()), type(error).__name__)
        token: Any = get_token()
        message = text.replace(token, "[token]") if token else text
        raise DiasumError(
            f"{repo} could not be uploaded to {constants.ENDPOINT}: {message}",
            hint="Log in with `hf auth login` and a token that may write there. The folder is complete: upload it yourself with "
            "`hf upload`, or run this again with --force.",
        ) from None
    finally:
        if shown:
            enable_progress_bars()
