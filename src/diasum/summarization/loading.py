"""Load what summarises: a run, an adapter folder, a merged or plain model folder, an export, or a hub id."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from diasum.config import GenerateSettings, PromptSettings, Settings, as_recorded
from diasum.data import PairEncoder
from diasum.engines.ct2 import Ct2Engine
from diasum.engines.exported import ExportRecord, Weights
from diasum.errors import DiasumError
from diasum.intact import damage
from diasum.model.adapter_files import check_kind, read_adapter
from diasum.model.hardware import TORCH_TYPES, Hardware, choose_hardware, generation_dtype
from diasum.model.light import LightModel, read_light
from diasum.model.loading import BUNDLED, Base, base_name, check_tokenizer, load_base, load_config, resolve_base
from diasum.model.locating import SIDE_FILE, located
from diasum.model.special_tokens import special_tokens, use_special_tokens
from diasum.model.weights import weights_hash
from diasum.resolve import load_settings
from diasum.summarization.deferred import DeferredBase, DeferredModel
from diasum.summarization.exports import (
    DESCRIPTION,
    check_device,
    engines_of_run,
    exported_model,
)
from diasum.summarization.trained import Trained

_NEEDS_TASK_IDS = ("MULTITASK_PROMPT_TUNING", "POLY")
_OTHER_WEIGHTS = (
    "Load the base it was trained on (the run's manifest.json names its revision), or train again on this one."
)
_NEWER_BUNDLED = (
    "The bundled base has changed since: train again on this one, or give the one of before, the folder assets/mini of the diasum that "
    "trained the adapter, with --base FOLDER."
)


def load_trained(
    source: str | Path,
    *,
    base: str | None = None,
    device: str = "auto",
    dtype: str | None = None,
    trust_remote_code: bool = False,
) -> Trained:
    """Load anything that can summarise.

    Args:
        source: a run directory, an adapter folder, a model folder, a hub id, or ``mini``.
        base: stands in for the base that the adapter names (a moved folder, say); its weights must be the same.
        device: as `choose_hardware`.
        dtype: of generation: ``auto`` (fp32), ``fp32`` or ``bf16``; the run's own `generate.dtype` when not given.
        trust_remote_code: allow code from the base model's repository.

    Raises:
        DiasumError: nothing there to load, an unfinished run, a damaged file, an adapter whose base is missing or differs, or a
            device or number type that is not there.
    """
    folder = located(source)
    if folder is not None and (record := exported_model(folder)):
        return _load_exported(str(source), record, base, device, dtype)
    if folder is None or not (folder / "adapter_config.json").is_file():
        name = str(source) if folder is None or str(source) == BUNDLED else str(folder)
        light = _light(name, None, trust_remote_code=trust_remote_code)
        try:
            model_type = (light or load_config(name, trust_remote_code=trust_remote_code)).model_type
        except DiasumError as error:
            if folder is not None:
                raise
            raise DiasumError(
                f"There is no run, adapter or model at {source}, and none on the hub: {error.message}", hint=error.hint
            ) from None
        if base is not None:
            raise DiasumError(
                f"{source} is a whole model, not an adapter: it does not use the base {base}.",
                hint="Leave out --base, or name the adapter.",
            )
        side = _side_file(folder)
        hardware = _hardware(device, dtype, side, model_type)
        loaded = _load_base(name, light, hardware, trust_remote_code=trust_remote_code)
        trained = _assemble(str(source), loaded, lambda: loaded.model, side, hardware, dtype, has_adapter=False)
        _read_weights(loaded)
        return trained
    return _load_adapter(str(source), folder, base, device, dtype, trust_remote_code)


def generation_settings(source: str | Path) -> GenerateSettings:
    """Those that a run, adapter or model comes with, without loading it; errors as `load_trained`."""
    return own_settings(source).generate


def own_settings(source: str | Path) -> Settings:
    """The prompt and generation settings that a run, adapter or model comes with, without loading it; errors as `load_trained`."""
    prompt, generation = _own_settings(str(source), _side_file(located(source)))
    return Settings(prompt=prompt, generate=generation)


def _load_adapter(
    source: str, folder: Path, base: str | None, device: str, dtype: str | None, trust_remote_code: bool
) -> Trained:
    side = _side_file(folder)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        _check_whole(folder / name)
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    if config.get("peft_type") != "LORA":  # whose kind every peft knows
        check_kind(config, folder)
    known = side.get("base", {})
    named = known.get("id") or config.get("base_model_name_or_path")
    revision = known.get("revision") or config.get("revision")
    chosen = base or _place(named, folder)
    if not isinstance(chosen, str) or not chosen:
        raise DiasumError(f"The adapter in {folder} names no base model.", hint="Give it with --base.")
    if not base and known.get("local") and not Path(chosen).expanduser().is_dir():
        raise DiasumError(
            f"The adapter in {folder} was trained on the base {named}, a folder that does not exist here.",
            hint="Give the folder's present path with --base.",
        )
    revision = None if base else revision
    light = _light(chosen, folder, trust_remote_code=trust_remote_code)
    try:
        model_type = (light or load_config(chosen, revision=revision, trust_remote_code=trust_remote_code)).model_type
    except DiasumError as error:
        raise DiasumError(
            f"The adapter in {folder} was trained on the base {named}, which cannot be loaded: {error.message}",
            hint="Give the base's present path or id with --base.",
        ) from None
    if config.get("peft_type") in _NEEDS_TASK_IDS:
        raise DiasumError(
            f"The adapter in {folder} ({config['peft_type']}) holds several tasks and needs a task number for each text.",
            hint="Use an adapter for one task, such as LoRA.",
        )
    hardware = _hardware(device, dtype, side, model_type)
    loaded = _load_base(chosen, light, hardware, revision=revision, trust_remote_code=trust_remote_code)
    expected = known.get("sha256")
    if expected and expected != loaded.weights_sha256:
        raise DiasumError(
            f"The adapter in {folder} was trained on other weights of {named} than those at {chosen} "
            f"(sha256 {str(expected)[:12]}... expected, {loaded.weights_sha256[:12]}... found).",
            hint=_NEWER_BUNDLED if chosen == BUNDLED else _OTHER_WEIGHTS,
        )

    def adapted() -> Any:
        return read_adapter(loaded.model, folder, base=f"{chosen} ({model_type})", trained_on=named)

    trained = _assemble(source, loaded, adapted, side, hardware, dtype, has_adapter=True)
    engine_model = loaded.light if isinstance(loaded, DeferredBase) else loaded.model
    trained.exported = engines_of_run(folder, loaded.weights_sha256, engine_model, trained.encoder.tokenizer, hardware)
    if trained.exported and isinstance(loaded, DeferredBase):  # of weights that were read when they were exported
        looked_at = Weights.of(loaded.weights_sha256, folder)
        loaded.light.unchanged = lambda: looked_at == Weights.of(weights_hash(resolve_base(chosen)), folder)
    else:
        _read_weights(loaded)
    return trained


def load_beside(trained: Trained, source: str | Path, name: str) -> Trained:
    """Load another adapter onto the base of one that is loaded; `Trained.model` is then one model with both.

    Args:
        trained: with an adapter, loaded by `load_trained`.
        source: a run or adapter folder.
        name: of the adapter in the model.

    Raises:
        DiasumError: as `load_trained`, or it was trained on another base, or for other special tokens.
    """
    folder, base = located(source), trained.base
    assert folder is not None
    side = _side_file(folder)
    for file in ("adapter_config.json", "adapter_model.safetensors"):
        _check_whole(folder / file)
    known = side.get("base", {})
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    named = known.get("id") or config["base_model_name_or_path"]
    same = known["sha256"] == base.weights_sha256 if known.get("sha256") else base_name(named) == base_name(base.id)
    if not same:
        raise DiasumError(
            f"The adapter in {folder} was trained on another base, {named}, than that of {trained.source}, {base.id}.",
            hint="Load it by itself: together, adapters need one base.",
        )
    tokens = special_tokens(base.model)
    if different := [key for key, value in known.get("special_tokens", {}).items() if value != tokens.get(key)]:
        raise DiasumError(
            f"The adapter in {folder} was trained with another {', '.join(different)} than that of {trained.source}.",
            hint="Load it by itself: together, adapters need the same special tokens.",
        )
    prompt, own = _own_settings(str(source), side)
    model = read_adapter(trained.model, folder, base=f"{base.id} ({base.model_type})", trained_on=named, name=name)
    model.eval()
    encoder = PairEncoder(base.tokenizer, base.prompt(prompt))
    return Trained(str(source), model, base, encoder, own, trained.hardware, has_adapter=True)


def _load_exported(source: str, record: ExportRecord, base: str | None, device: str, dtype: str | None) -> Trained:
    """An export to ct2 by itself: what transformers knows of its model, without weights."""
    check_device(record, device, base)
    side = _side_file(record.folder)
    hardware = choose_hardware("cpu", "fp32")
    description = record.folder / DESCRIPTION
    light = read_light(source, description, weights=False)

    def load() -> Base:
        return replace(load_base(str(description), hardware, weights=False), id=source)

    loaded = load() if light is None else DeferredBase(source, light.model_type, "", light, load)
    trained = _assemble(source, loaded, lambda: loaded.model, side, hardware, dtype, has_adapter=False)
    model = loaded.light if isinstance(loaded, DeferredBase) else loaded.model
    trained.exported = [Ct2Engine(record, model, trained.encoder.tokenizer)]
    return trained


def _light(name: str, adapter: Path | None, *, trust_remote_code: bool) -> LightModel | None:
    """A base in a folder, with its adapter, as far as it can be known without transformers and peft; None where it cannot."""
    if trust_remote_code or not (name == BUNDLED or Path(name).expanduser().is_dir()):
        return None
    return read_light(name, Path(resolve_base(name)), adapter)


def _load_base(
    name: str, light: LightModel | None, hardware: Hardware, *, revision: str | None = None, trust_remote_code: bool
) -> Base | DeferredBase:
    """The base, for now without its model where a `LightModel` can stand for that; errors as `load_base`."""

    def load() -> Base:
        return load_base(name, hardware, revision=revision, trust_remote_code=trust_remote_code)

    if light is None or hardware.device != "cpu":
        return load()
    check_tokenizer(name, light.tokenizer, light.config.vocab_size, light.generation_config)
    return DeferredBase(name, light.model_type, weights_hash(resolve_base(name)), light, load)


def _read_weights(base: Base | DeferredBase) -> None:
    """Now, so that weights that cannot be used are refused at once, and later changes of the files do not matter."""
    if isinstance(base, DeferredBase):
        base.light.read()


def _hardware(device: str, dtype: str | None, side: dict[str, Any], model_type: str) -> Hardware:
    """Where to generate, and in the number type asked for: the caller's, else the run's own."""
    chosen, reason = generation_dtype(dtype or side.get("generate", {}).get("dtype", "auto"))
    hardware = choose_hardware(device, chosen, model_type=model_type)
    return replace(hardware, reasons={**hardware.reasons, "dtype": reason})


def _place(named: object, folder: Path) -> object:
    """Where the base is: a run knows the path of the folder that its adapter only knows the name of."""
    config = folder.parent / "config.yaml"
    if folder.name == "adapter" and config.is_file() and base_name(own := load_settings(config).base) == named:
        return own
    return named


def _assemble(
    source: str,
    base: Base | DeferredBase,
    load: Callable[[], Any],
    side: dict[str, Any],
    hardware: Hardware,
    dtype: str | None,
    *,
    has_adapter: bool,
) -> Trained:
    """What summarises with a base and the model that `load` gives: the base's own, or that with its adapter."""
    notes = []
    prompt, own = _own_settings(source, side)
    settings = own.model_copy(update={"dtype": dtype or own.dtype})
    if not side and source != BUNDLED:
        notes.append(f"{source} does not record its prompt: the default one is used.")
    recorded = side.get("base", {}).get("special_tokens", {})
    if not isinstance(recorded, dict):
        raise DiasumError(f"{SIDE_FILE} of {source}: expected an object under `special_tokens`, found {recorded!r}.")

    def ready() -> Any:
        model = load()
        use_special_tokens(base.model, recorded)
        if hardware.dtype != "fp32":
            model.to(hardware.torch_dtype)
        return model.eval()

    if isinstance(base, DeferredBase):
        different = use_special_tokens(base.light, recorded)
        base.light.dtype = TORCH_TYPES[hardware.dtype]
        model, tokenizer = DeferredModel(base.light, ready), base.light.tokenizer
    else:
        different = use_special_tokens(base.model, recorded)
        model, tokenizer = ready(), base.tokenizer
    if different:
        notes.append(
            f"{base.id} has other special tokens than when {source} was trained: {', '.join(different)}. The recorded ones are used."
        )
    encoder = PairEncoder(tokenizer, base.prompt(prompt))
    return Trained(source, model, base, encoder, settings, hardware, has_adapter, notes)


def _own_settings(source: str, side: dict[str, Any]) -> tuple[PromptSettings, GenerateSettings]:
    try:
        return PromptSettings(**side.get("prompt", {})), GenerateSettings(**as_recorded(side.get("generate", {})))
    except ValidationError as error:
        raise DiasumError(f"{SIDE_FILE} of {source} has settings this version does not know: {error}") from None


def _side_file(folder: Path | None) -> dict[str, Any]:
    if folder is None or not (folder / SIDE_FILE).is_file():
        return {}
    file = folder / SIDE_FILE
    _check_whole(file)
    side: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    for key in ("base", "prompt", "generate"):
        if not isinstance(side.get(key, {}), dict):
            raise DiasumError(f"{file}: expected an object under `{key}`, found {side[key]!r}.", hint=_remedy(file))
    return side


def _check_whole(file: Path) -> None:
    if not file.is_file() and file.suffix == ".safetensors":
        raise DiasumError(f"{file.parent} holds no {file.name} (pickled adapters are not read).", hint=_remedy(file))
    if problem := damage(file):
        raise DiasumError(f"{file} is damaged: {problem}.", hint=_remedy(file))


def _remedy(file: Path) -> str:
    """A run keeps its best adapter a second time, next to its checkpoints."""
    spares = [
        spare
        for spare in file.parent.parent.glob(f"checkpoints/best-*/{file.name}")
        if spare.parent.name.removeprefix("best-").isdecimal() and damage(spare) is None
    ]
    if spares:
        newest = max(spares, key=lambda spare: int(spare.parent.name.removeprefix("best-")))
        return f"The run has another copy; restore it: cp {newest} {file}"
    return "Copy it again from where it came, or train again."
