"""Models beside the one that summarises: encoders that measure, and judges. Read from a local folder or a hub id, from safetensors only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from diasum.errors import DiasumError
from diasum.hub import may_be_id, offline
from diasum.model.loading import ONE_AT_A_TIME, quiet_transformers

_HINT = "Give a local folder (config.json, model.safetensors, tokenizer files) or a hub id that you can reach."


def require_model(model: str | Path) -> None:
    """Fail before any work, not after it, where a model is not there.

    Raises:
        DiasumError: its configuration cannot be read.
    """
    further_config(model)


def further_config(model: str | Path) -> Any:
    """Its configuration; errors as `require_model`."""
    import transformers

    if str(model).startswith(("/", ".", "~")) and not Path(model).expanduser().is_dir():
        raise DiasumError(f"There is no model folder {model}.", hint=_HINT)
    if may_be_id(str(model)) and not Path(model).is_dir():
        offline()  # asked once, instead of half a minute of retries
    try:
        return transformers.AutoConfig.from_pretrained(str(Path(model).expanduser()), trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise _not_loaded(model, error) from None


def _not_loaded(model: str | Path, error: Exception) -> DiasumError:
    return DiasumError(
        f"{model} cannot be loaded as a judge or for a measure: {str(error).splitlines()[0]}", hint=_HINT
    )


def load_further(model: str | Path, kind: str, device: str) -> tuple[Any, Any]:
    """A model in eval mode and its tokenizer; weights from safetensors only, no code from the repository."""
    import transformers

    try:
        with ONE_AT_A_TIME, quiet_transformers():
            loaded = getattr(transformers, kind).from_pretrained(
                str(model), use_safetensors=True, trust_remote_code=False
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(str(model), trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise _not_loaded(model, error) from None
    return loaded.to(device).eval(), tokenizer


def longest_input(tokenizer: Any, model: Any) -> int:
    """The longest input of the model; tokenizers that do not know it give a huge number."""
    positions = getattr(model.config, "max_position_embeddings", None) or 512
    offset = (
        2 if model.config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
    )  # positions begin after the pad's
    return int(min(tokenizer.model_max_length, max(positions, 8) - offset))
