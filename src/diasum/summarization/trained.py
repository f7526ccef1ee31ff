"""What summarises: a model with its prompt, and the engines that can generate with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from diasum.claims.judgement import Judge
from diasum.claims.language import is_english
from diasum.config import GenerateSettings, Length, Redaction
from diasum.data import PairEncoder
from diasum.data.encoded import EncodedSource
from diasum.data.summary import Sentence, Summary, settings_hash, split_into_sentences, windows_of
from diasum.dialogue import Dialogue
from diasum.engines import Choice, Engine, Generated, torch_engines
from diasum.engines.ct2 import Ct2Engine
from diasum.engines.exported import Weights
from diasum.engines.plain import ENGINE as PLAIN
from diasum.errors import DiasumError
from diasum.evidence import with_evidence
from diasum.model.hardware import Hardware, generation_dtype
from diasum.model.light import LightModel
from diasum.model.loading import ONE_AT_A_TIME, Base
from diasum.model.locating import located
from diasum.summarization.deferred import DeferredBase, DeferredModel
from diasum.summarization.exports import choose, choose_for_base
from diasum.summarization.reranking import reranked
from diasum.summarization.windowed import WindowSource, reads_in_windows, summarize_in_windows


@dataclass(frozen=True, slots=True)
class Encoded:
    """Dialogues as a model reads them.

    Attributes:
        dialogues: all of them.
        sources: each encoded as a whole.
        long: numbers of those that are to be read in windows instead.
    """

    dialogues: Sequence[Dialogue]
    sources: Sequence[EncodedSource]
    long: Sequence[int]

    @property
    def at_once(self) -> list[int]:
        """Numbers of the others."""
        return sorted(set(range(len(self.sources))) - set(self.long))

    @property
    def ids(self) -> list[list[int]]:
        """Token ids of the others."""
        return [self.sources[i].input_ids for i in self.at_once]


@dataclass(slots=True)
class Trained:
    """A model with its prompt, ready to summarise.

    Attributes:
        source: what the user named.
        model: base or `peft.PeftModel`, in evaluation mode; where a summary can be made without it, it is loaded when it is asked for.
        base: the base model and tokenizer it stands on.
        encoder: renders and encodes dialogues with the run's own prompt.
        generate: the run's own generation settings.
        hardware: where it runs.
        has_adapter: whether there is an adapter that `without_adapter` can switch off.
        notes: what a user should know, each one sentence.
        exported: engines of exports of these very weights.
        judge: a model that is asked beside the rules which sentences the conversation supports.
    """

    source: str
    _model: Any
    base: Base | DeferredBase
    encoder: PairEncoder
    generate: GenerateSettings
    hardware: Hardware
    has_adapter: bool
    notes: list[str] = field(default_factory=list)
    exported: list[Ct2Engine] = field(default_factory=list)
    judge: Judge | None = None
    _base_answers: bool = field(default=False, init=False, repr=False)
    _engines: tuple[Any, list[Engine]] | None = field(default=None, init=False, repr=False)

    @property
    def model(self) -> Any:
        if isinstance(self._model, DeferredModel):
            with ONE_AT_A_TIME:
                if isinstance(self._model, DeferredModel):
                    light, self._model = self._model.light, self._model.load()
                    light.release()
        return self._model

    @model.setter
    def model(self, model: Any) -> None:
        self._model = model

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
        self.computes_in(settings)  # or refuses
        encoded = self.encode(dialogues, settings)
        generated = self.engine(settings).engine.generate(encoded.ids, settings, progress=progress)
        return self.summaries(encoded, generated, settings, progress)

    def encode(self, dialogues: Sequence[Dialogue], settings: GenerateSettings) -> Encoded:
        """What is read of dialogues under these settings."""
        sources, _ = self.encoder.encode_dialogues(dialogues)
        long = [i for i, source in enumerate(sources) if source.tokens_cut or not source.reading.whole]
        return Encoded(dialogues, sources, long if reads_in_windows(settings, self.encoder.settings) else [])

    def summaries(
        self, encoded: Encoded, generated: Sequence[Generated], settings: GenerateSettings, progress: Any = None
    ) -> list[Summary]:
        """Summaries of encoded dialogues, in their order.

        Args:
            encoded: by `encode`; long ones are read in windows here.
            generated: for `Encoded.ids`.
            settings: with which it was.
            progress: called with the number of long dialogues done.
        """
        dialogues, sources = encoded.dialogues, encoded.sources
        dtype, reason = self.computes_in(settings)
        choice = self.engine(settings)
        name = choice.engine.name
        judge = self.judge.weights if self.judge and settings.rerank else None
        used = settings.model_copy(update={"dtype": dtype, "engine": name})
        hashed = settings_hash(used, self.encoder.settings, judge)
        common: dict[str, Any] = {
            "engine": name,
            "engine_reason": choice.reason,
            "settings_hash": hashed,
            "dtype": dtype,
            "dtype_reason": reason,
        }
        summaries: dict[int, Summary] = {}
        read = [(dialogues[i], dialogues[i]) for i in encoded.at_once]
        for i, one in zip(encoded.at_once, reranked(generated, read, self.encoder, self.judge), strict=True):
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
        long = [dialogues[i] for i in encoded.long]
        in_windows = self._in_windows(long, choice.engine, settings, progress, common)
        summaries |= zip(encoded.long, in_windows, strict=True)
        return [with_evidence(summaries[i], dialogue, self.judge) for i, dialogue in enumerate(dialogues)]

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

        def write(sources: list[WindowSource]) -> list[Generated]:
            ids = [one.input_ids for one in sources]

            def advance(count: int) -> None:
                # Windows are told as dialogues; those of summaries that are read again come last.
                nonlocal told, windows_done
                windows_done += count
                reached = min(windows_done, len(ids)) * (len(dialogues) - 1) // len(ids)
                if progress and reached > told:
                    progress(reached - told)
                    told = reached

            read = [(one.dialogue, one.part) for one in sources]
            return reranked(engine.generate(ids, settings, progress=advance), read, self.encoder, self.judge)

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

    def generate_with(self, engines: list[Engine]) -> None:
        """Generate with these from now on, which compute with the model as it is."""
        self._engines = (self.model, engines)

    def engine(self, settings: GenerateSettings) -> Choice:
        """What generates under these settings, and why.

        Raises:
            DiasumError: as `choose_engine`.
        """
        choice = self._choice(settings)
        if isinstance(self._model, DeferredModel) and choice.engine.name == PLAIN:  # which needs the model itself
            assert self.model is not None
            choice = self._choice(settings)
        return choice

    def _choice(self, settings: GenerateSettings) -> Choice:
        if self._base_answers:
            return choose_for_base(self._of_torch(), settings)
        return choose(self.source, self.exported, self._of_torch, settings)

    def _of_torch(self) -> list[Engine]:
        """The engines that compute with the model, or what stands for it until it is loaded."""
        model = self._model.light if isinstance(self._model, DeferredModel) else self._model
        if self._engines is None or self._engines[0] is not model:  # an engine keeps what it prepares
            tokenizer = model.tokenizer if isinstance(model, LightModel) else self.base.tokenizer
            self._engines = (model, torch_engines(model, tokenizer) if self.has_weights else [])
        return self._engines[1]

    @property
    def has_weights(self) -> bool:
        """Whether there is a model that torch can compute with, and not only an export."""
        if isinstance(self._model, DeferredModel):
            return self._model.light.has_weights
        return bool(self._model.device.type != "meta")

    def weights(self) -> Weights:
        """Which weights summaries come from; those that an export was made of, where there is only that."""
        if not self.has_weights:
            return self.exported[0].weights
        return Weights.of(self.base.weights_sha256, located(self.source) if self.has_adapter else None)

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
        self.encoder = PairEncoder(self.encoder.tokenizer, self.base.prompt(own.asking(length)))
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
            self.encoder = PairEncoder(self.encoder.tokenizer, own.model_copy(update={"redact": what}))

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
