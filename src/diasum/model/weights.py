"""The weight files of a base model: which tensors they hold, their hash, and whether a model got all of its own from them.

transformers fills what a file lacks with random numbers and drops what the model has no place for, with a log message at most: such a
model summarises, trains and is evaluated as if it were whole.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from diasum.errors import DiasumError

_SHOWN = 3
# Tables and constants that older versions of transformers or fairseq saved, and that models now compute or do not use.
_UNUSED = re.compile(
    r"(^|[._])(position_ids|version|final_logits_bias|inv_freq|_float_tensor)$|embed_positions\.weights?$"
    r"|block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight$"
)
_LAYER = re.compile(r"(.*?\.(?:block|layers?)\.\d+)\.")
_RENAME = "Rename them in the files, or save the model again with its own `save_pretrained`."
_LAYERS = "Use config.json and weights from one source, or correct the numbers of layers in config.json."
_COPY_AGAIN = (
    "The files may be incomplete, or not belong to this config.json: download or copy both again from one source."
)


def weight_files(source: str, revision: str | None = None) -> list[Path]:
    """The safetensors files of a folder or of a hub id's cached copy, in name order."""
    folder = Path(source)
    if not folder.is_dir():
        from huggingface_hub import snapshot_download

        folder = Path(
            snapshot_download(source, revision=revision, allow_patterns=["*.safetensors"], local_files_only=True)
        )
    return sorted(folder.glob("*.safetensors"))


def weights_hash(source: str, revision: str | None = None) -> str:
    """SHA-256 over the safetensors files of a folder or of a hub id's cached copy, in name order."""
    digest = hashlib.sha256()
    for file in weight_files(source, revision):
        with file.open("rb") as handle:
            while block := handle.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()


def untied_head(model: Any, source: str, revision: str | None = None) -> set[str]:
    """The weight of a head of its own that the files lack, so that it was tied to the embeddings; empty where there is none."""
    from safetensors import safe_open

    head = model.get_output_embeddings()
    if head is None or head.weight is not model.get_input_embeddings().weight:
        return set()
    name = next(f"{path}.weight" for path, module in model.named_modules() if module is head)
    for file in weight_files(source, revision):
        with safe_open(file, "np") as tensors:
            if any(key == name or key.endswith(f".{name}") for key in tensors.keys()):  # noqa: SIM118 (no mapping)
                return set()
    return {name}


def check_loaded(base: str, model: Any, loading: Mapping[str, Any]) -> None:
    """Refuse a model unless its tensors are exactly those of its files.

    Known and fine: tied weights, which stand in a file once; what transformers itself ignores; tables of sines and zeros, which are
    computed where they are missing.

    Args:
        base: as the user named it.
        model: as `from_pretrained` made it.
        loading: what it told with `output_loading_info=True` and `ignore_mismatched_sizes=True`.

    Raises:
        DiasumError: tensors are missing, unexpected, or of another shape; the first ones are named, with the likely cause.
    """
    if mismatched := sorted(loading["mismatched_keys"]):
        shapes = [f"{name} is {_shape(stored)}, expected {_shape(wanted)}" for name, stored, wanted in mismatched]
        raise DiasumError(
            f"The weights of {base} do not have the shapes that its config.json says: {listed(shapes, '; ')}.",
            hint="config.json and weights may belong to two models: download or copy both again from one source.",
        )
    missing = sorted(name for name in loading["missing_keys"] if not _computed(model, name))
    unexpected = sorted(name for name in loading["unexpected_keys"] if not _UNUSED.search(name))
    if not missing and not unexpected:
        check_finite(base, dict(model.named_parameters()))
        return
    problems = []
    if missing:
        problems.append(f"{_tensors(missing)} of the model {_are(missing)} not in its files ({listed(missing)})")
    if unexpected:
        problems.append(
            f"{_tensors(unexpected)} in its files {_are(unexpected)} not in the model ({listed(unexpected)})"
        )
    names = set(model.state_dict())
    cause, hint = _cause(names, set(missing), set(unexpected))
    raise DiasumError(
        f"The weights of {base} do not fit its config.json ({model.config.model_type}, {len(names)} tensors): {'; '.join(problems)}. "
        f"{cause}",
        hint=hint,
    )


def check_finite(base: str, weights: Mapping[str, Any]) -> None:
    """Refuse weights that are no numbers: they give empty summaries without an error.

    Raises:
        DiasumError: the first tensors that hold NaN or infinite numbers are named.
    """
    broken = [name for name, weight in weights.items() if weight.is_floating_point() and not _is_finite(weight)]
    if broken:
        raise DiasumError(
            f"The weights of {base} hold NaN or infinite numbers: {listed(broken)}.",
            hint="They were saved so, by a training that diverged or in fp16: take another copy of the model.",
        )


def _is_finite(weight: Any) -> bool:
    # A sum is not finite where a number is not, and takes one pass; of finite numbers it may overflow.
    return bool(weight.float().sum().isfinite() or weight.isfinite().all())


def _cause(names: set[str], missing: set[str], unexpected: set[str]) -> tuple[str, str]:
    """The likely one, and what to do about it.

    Args:
        names: of the model's tensors.
        missing: those of them that the files lack.
        unexpected: of tensors that only the files have.
    """
    if prefix := _most_common_prefix(unexpected, missing):
        return f"In the files, the names begin with an additional `{prefix}`.", _RENAME
    if prefix := _most_common_prefix(missing, unexpected):
        return f"In the files, the names lack a leading `{prefix}`.", _RENAME
    for part, other in (("decoder", "encoder"), ("encoder", "decoder")):
        whole = {name for name in names if re.search(rf"(^|\.){part}\.", name) and "embed_tokens" not in name}
        if whole and whole <= missing:
            return (
                f"They seem to hold {'an encoder' if other == 'encoder' else 'a decoder'} only.",
                f"diasum needs a whole encoder-decoder model: use the one that this {other} is part of.",
            )
    own = _layers(names)
    absent = own - _layers(names - missing)
    if missing and not unexpected and all(_layer(name) in absent for name in missing):
        return f"They seem to have fewer layers than config.json says (no {listed(sorted(absent))}).", _LAYERS
    if unexpected and not missing and all(_layer(name) not in {None, *own} for name in unexpected):
        return (
            f"They seem to have more layers than config.json says ({listed(sorted(_layers(unexpected)))}).",
            _LAYERS,
        )
    return ("What is missing would be random numbers." if missing else "They would be ignored."), _COPY_AGAIN


def _most_common_prefix(longer: set[str], shorter: set[str]) -> str | None:
    """What most names of `shorter` have before them in `longer`."""
    counts: Counter[str] = Counter()
    for name in longer:
        for dot in re.finditer(r"\.", name):
            if name[dot.end() :] in shorter:
                counts[name[: dot.end()]] += 1
    prefix, count = next(iter(counts.most_common(1)), (None, 0))
    return prefix if 2 * count > len(shorter) else None


def _layer(name: str) -> str | None:
    """The layer that a tensor belongs to, such as ``encoder.block.3``."""
    match = _LAYER.match(name)
    return match[1] if match else None


def _layers(names: Iterable[str]) -> set[str]:
    return {layer for name in names if (layer := _layer(name))}


def _computed(model: Any, name: str) -> bool:
    if name.endswith("final_logits_bias"):  # zeros
        return True
    owner = model.get_submodule(name.rpartition(".")[0])
    return "Sinusoidal" in type(owner).__name__


def _tensors(names: list[str]) -> str:
    return f"{len(names)} tensor{'s' * (len(names) > 1)}"


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def listed(names: list[str], between: str = ", ") -> str:
    """The first few of them, and how many more there are."""
    more = f"{between}and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return between.join(names[:_SHOWN]) + more


def _shape(size: Iterable[int]) -> str:
    return " x ".join(map(str, size))
