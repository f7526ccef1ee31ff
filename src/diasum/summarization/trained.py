"""Load what summarises: a run, an adapter folder, a merged or plain model folder, or a hub id of either."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from diasum.claims.language import is_english
from diasum.config import GenerateSettings, Length, PromptSettings, Redaction, Settings, as_recorded
from diasum.data import PairEncoder
from diasum.data.summary import Sentence, Summary, settings_hash, split_into_sentences, windows_of
from diasum.dialogue import Dialogue
from diasum.engines import Choice, Engine, Generated, torch_engines
from diasum.engines.ct2 import Ct2Engine
from diasum.engines.exported import ExportRecord
from diasum.errors import DiasumError
from diasum.evidence import with_evidence
from diasum.intact import damage
from diasum.model.adapter_files import check_kind, read_adapter
from diasum.model.hardware import Hardware, choose_hardware, generation_dtype
from diasum.model.loading import BUNDLED, Base, base_name, load_base, load_config
from diasum.model.locating import SIDE_FILE, located
from diasum.model.special_tokens import use_special_tokens
from diasum.resolve import load_settings
from diasum.summarization.exports import (
    DESCRIPTION,
    check_device,
    choose,
    choose_for_base,
    engines_of_run,
    exported_model,
)
from diasum.summarization.windowed import reads_in_windows, summarize_in_windows

_NEEDS_TASK_IDS = ("MULTITASK_PROMPT_TUNING", "POLY")
_OTHER_WEIGHTS = (
    "Load the base it was trained on (the run's manifest.json names its revision), or train again on this one."
)
_NEWER_BUNDLED = (
    "The bundled base has changed since: train again on this one, or give the one of before, the folder assets/mini of the diasum that "
    "trained the adapter, with --base FOLDER."
)


@dataclass(slots=True)
class Trained:
    """A model with its prompt, ready to summarise.

    Attributes:
        source: what the user named.
        model: base or `peft.PeftModel`, in evaluation mode.
        base: the base model and tokenizer it stands on.
        encoder: renders and encodes dialogues with the run's own prompt.
        generate: the run's own generation settings.
        hardware: where it runs.
        has_adapter: whether there is an adapter that `without_adapter` can switch off.
        notes: what a user should know, each one sentence.
        exported: engines of exports of these very weights.
    """

    source: str
    model: Any
    base: Base
    encoder: PairEncoder
    generate: GenerateSettings
    hardware: Hardware
    has_adapter: bool
    notes: list[str] = field(default_factory=list)
    exported: list[Ct2Engine] = field(default_factory=list)
    _base_answers: bool = field(default=False, init=False, repr=False)
    _engines: tuple[Any, list[Engine]] | None = field(default=None, init=False, repr=False)

    def summarize(
        self, dialogues: Sequence[Dialogue], *, settings: GenerateSettings | None = None, progress: Any = None
    ) -> list[Summary]:
        """Summaries of dialogues, in their order; those that are too long are read in windows, or cut (`generate.long`).

        Args:
            dialogues: in which something is said.
            settings: of generation; the run's own when not given.
            progress: called with the number of dialogues done.

        Raises:
            DiasumError: fp32 is asked of a model that was loaded in bf16.
        """
        settings = settings or self.generate
        dtype, reason = self.computes_in(settings)
        sources, _ = self.encoder.encode_dialogues(dialogues)
        long = [i for i, source in enumerate(sources) if source.tokens_cut or not source.reading.whole]
        if not reads_in_windows(settings, self.encoder.settings):
            long = []
        choice = self.engine(settings)
        name = choice.engine.name
        hashed = settings_hash(settings.model_copy(update={"dtype": dtype, "engine": name}), self.encoder.settings)
        common: dict[str, Any] = {
            "engine": name,
            "engine_reason": choice.reason,
            "settings_hash": hashed,
            "dtype": dtype,
            "dtype_reason": reason,
        }
        at_once = sorted(set(range(len(sources))) - set(long))
        ids = [sources[i].input_ids for i in at_once]
        generated = choice.engine.generate(ids, settings, progress=progress)
        summaries: dict[int, Summary] = {}
        for i, one in zip(at_once, generated, strict=True):
            text = self.encoder.finish(dialogues[i], one.text)
            summaries[i] = Summary(
                text=text,
                sentences=self._sentences(dialogues[i], text),
                finish_reason="length" if one.cut else "stop",
                reading=sources[i].reading,
                windows=windows_of(sources[i].reading),
                passes=1,
                tokens_read=len(sources[i].input_ids),
                **self._of(dialogues[i]),
                **common,
            )
        in_windows = self._in_windows([dialogues[i] for i in long], choice.engine, settings, progress, common)
        summaries |= zip(long, in_windows, strict=True)
        return [with_evidence(summaries[i], dialogue) for i, dialogue in enumerate(dialogues)]

    def _in_windows(
        self,
        dialogues: list[Dialogue],
        engine: Engine,
        settings: GenerateSettings,
        progress: Any,
        common: dict[str, Any],
    ) -> list[Summary]:
        """Summaries of dialogues that are too long for one pass, with what is known of how all of them were made."""

        told = windows_done = 0

        def write(ids: list[list[int]]) -> list[Generated]:
            def advance(
                count: int,
            ) -> None:  # of windows, told as dialogues; those of summaries that are read again come last
                nonlocal told, windows_done
                windows_done += count
                reached = min(windows_done, len(ids)) * (len(dialogues) - 1) // len(ids)
                if progress and reached > told:
                    progress(reached - told)
                    told = reached

            return engine.generate(ids, settings, progress=advance)

        summaries = []
        for job, joined in summarize_in_windows(self.encoder, dialogues, write, closing=settings.closing):
            summaries.append(
                Summary(
                    text=joined.text,
                    sentences=joined.sentences(self._sentences(job.dialogue, joined.text)),
                    finish_reason="length" if job.cut else "stop",
                    reading=job.reading,
                    windows=job.windows,
                    passes=job.passes,
                    tokens_read=job.tokens,
                    **self._of(job.dialogue),
                    **common,
                )
            )
        if progress and dialogues:
            progress(len(dialogues) - told)
        return summaries

    def _sentences(self, dialogue: Dialogue, text: str) -> tuple[Sentence, ...]:
        return split_into_sentences(text, is_english([*(turn.text for turn in dialogue.turns), text]))

    def _of(self, dialogue: Dialogue) -> dict[str, Any]:
        """What a summary's record says of the dialogue, however that was read."""
        redacted = self.encoder.redacted(dialogue)
        lost = self.encoder.letters.lost([turn.text for turn in dialogue.turns])
        return {"lost": lost, "redacted": redacted.counts if redacted else None}

    def engine(self, settings: GenerateSettings) -> Choice:
        """What generates under these settings, and why.

        Raises:
            DiasumError: as `choose_engine`.
        """
        if self._engines is None or self._engines[0] is not self.model:  # an engine keeps what it prepares
            self._engines = (self.model, torch_engines(self.model, self.base.tokenizer) if self.has_weights else [])
        if self._base_answers:
            return choose_for_base(self._engines[1], settings)
        return choose(self.source, self.exported, self._engines[1], settings)

    @property
    def has_weights(self) -> bool:
        """Whether there is a model that torch can compute with, and not only an export."""
        return bool(self.model.device.type != "meta")

    def computes_in(self, settings: GenerateSettings) -> tuple[str, str]:
        """The number type in which summaries are generated under these settings, and why.

        Raises:
            DiasumError: fp32 is asked of a model that was loaded in bf16, or as `engine`.
        """
        engine = self.engine(settings).engine
        if isinstance(engine, Ct2Engine):
            return engine.computes_in
        dtype, reason = generation_dtype(settings.dtype)
        if dtype == self.hardware.dtype:
            return dtype, self.hardware.reasons.get("dtype", reason)
        if dtype == "fp32":
            raise DiasumError(
                f"generate.dtype is {settings.dtype}, but {self.source} was loaded in {self.hardware.dtype}.",
                hint='Load it in fp32: diasum.load(..., dtype="fp32").',
            )
        return dtype, reason

    def ask_for(self, length: Length) -> None:
        """Ask for summaries of another length from now on (`prompt.length`), with a note where an adapter has learnt its own.

        Raises:
            DiasumError: the base records no prompt for a brief, or the template is the user's own.
        """
        own = self.encoder.settings
        if length == own.length:
            return
        self.encoder = PairEncoder(self.base.tokenizer, self.base.prompt(own.asking(length)))
        if self.has_adapter:
            least = self.generate.min_new_tokens
            self.notes.append(
                f"{self.source} was trained with prompt.length={own.length} and may keep to that form when asked for {length}"
                + (f"; no summary is shorter than {least} tokens (generate.min_new_tokens)." if least else ".")
            )

    def redact(self, what: Redaction) -> None:
        """Hide this from the model from now on (`prompt.redact`).

        Raises:
            MissingExtraError: something is to be hidden, and the extra `redact` is not installed.
        """
        own = self.encoder.settings
        if what != own.redact:
            self.encoder = PairEncoder(self.base.tokenizer, own.model_copy(update={"redact": what}))

    @contextlib.contextmanager
    def without_adapter(self) -> Iterator[None]:
        """Within this context, the base model answers."""
        adapted = self.model
        with adapted.disable_adapter():
            # peft switches virtual tokens off in `forward`, not in `generate`.
            if adapted.active_peft_config.is_prompt_learning:
                self.model = adapted.get_base_model()
            self._base_answers = True
            try:
                yield
            finally:
                self.model, self._base_answers = adapted, False


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
        try:
            config = load_config(name, trust_remote_code=trust_remote_code)
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
        hardware = _hardware(device, dtype, side, config.model_type)
        loaded = load_base(name, hardware, trust_remote_code=trust_remote_code)
        return _assemble(str(source), loaded.model, loaded, side, hardware, dtype, has_adapter=False)
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
    try:
        model_type = load_config(
            chosen, revision=None if base else revision, trust_remote_code=trust_remote_code
        ).model_type
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
    loaded = load_base(chosen, hardware, revision=None if base else revision, trust_remote_code=trust_remote_code)
    expected = known.get("sha256")
    if expected and expected != loaded.weights_sha256:
        raise DiasumError(
            f"The adapter in {folder} was trained on other weights of {named} than those at {chosen} "
            f"(sha256 {str(expected)[:12]}... expected, {loaded.weights_sha256[:12]}... found).",
            hint=_NEWER_BUNDLED if chosen == BUNDLED else _OTHER_WEIGHTS,
        )
    model = read_adapter(loaded.model, folder, base=f"{chosen} ({model_type})", trained_on=named)
    trained = _assemble(source, model, loaded, side, hardware, dtype, has_adapter=True)
    trained.exported = engines_of_run(folder, loaded, hardware)
    return trained


def _load_exported(source: str, record: ExportRecord, base: str | None, device: str, dtype: str | None) -> Trained:
    """An export to ct2 by itself: what transformers knows of its model, without weights."""
    check_device(record, device, base)
    side = _side_file(record.folder)
    hardware = choose_hardware("cpu", "fp32")
    loaded = load_base(str(record.folder / DESCRIPTION), hardware, weights=False)
    loaded.id = source
    trained = _assemble(source, loaded.model, loaded, side, hardware, dtype, has_adapter=False)
    trained.exported = [Ct2Engine(record, loaded.model, loaded.tokenizer)]
    return trained


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
    model: Any,
    base: Base,
    side: dict[str, Any],
    hardware: Hardware,
    dtype: str | None,
    *,
    has_adapter: bool,
) -> Trained:
    notes = []
    prompt, own = _own_settings(source, side)
    settings = own.model_copy(update={"dtype": dtype or own.dtype})
    if not side and source != BUNDLED:
        notes.append(f"{source} does not record its prompt: the default one is used.")
    recorded = side.get("base", {}).get("special_tokens", {})
    if not isinstance(recorded, dict):
        raise DiasumError(f"{SIDE_FILE} of {source}: expected an object under `special_tokens`, found {recorded!r}.")
    if different := use_special_tokens(base.model, recorded):
        notes.append(
            f"{base.id} has other special tokens than when {source} was trained: {', '.join(different)}. The recorded ones are used."
        )
    if hardware.dtype != "fp32":
        model.to(hardware.torch_dtype)
    model.eval()
    encoder = PairEncoder(base.tokenizer, base.prompt(prompt))
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
