"""What an evaluation works with, decided before a model is loaded: which settings, which data, and where its files go.

In: what a caller named. Out: a `Plan`. A run brings its settings, its data and a folder for the figures; anything else that
summarises brings at most its way to generate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diasum.config import DataSettings, GenerateSettings, Settings
from diasum.data import Corpus, load_corpus
from diasum.data.seen import Seen
from diasum.errors import DiasumError
from diasum.evaluation.runs import check_there
from diasum.files import check_writable
from diasum.judges import load_judge, require_judge
from diasum.resolve import EVALUATE, Given, for_other_data, resolve
from diasum.summarization.loading import generation_settings, load_trained
from diasum.summarization.trained import Trained
from diasum.training import Run


@dataclass(frozen=True, slots=True)
class Plan:
    """An evaluation that is about to begin.

    Attributes:
        source: the run, adapter, model or hub id.
        run: the same, where it is a run directory.
        settings: resolved. How summaries are generated, `generate` says.
        usual: whether it is about the run's own data, and as many of them as its settings say: such an evaluation is the run's, and
            its model card tells of it.
        folder: where files are written; None for nowhere.
        named_in: the run's config.yaml, where it is what names the data.
        requested, arguments: what the caller named, for `resolve`.
    """

    source: str | Path
    run: Run | None
    settings: Settings
    usual: bool
    folder: Path | None
    named_in: Path | None
    requested: Given
    arguments: Mapping[str, Any]

    def corpus(self) -> Corpus:
        """The data, with a note on those that the run was trained on or chosen by.

        Raises:
            DiasumError: see `load_corpus`.
        """
        seen = Seen.read(self.run.seen_file) if self.run else None
        split, first = self.settings.evaluate.split, self.settings.evaluate.max_examples
        corpus = load_corpus(
            self.settings.data,
            purpose="evaluate",
            split=split,
            trained_on=seen.trained_on if seen else None,
            named_in=self.named_in,
        )
        corpus.notes[:0] = seen.notes(corpus.split(split)[:first]) if seen else []
        return corpus

    def generate(self) -> GenerateSettings:
        """How summaries are generated: by a run's settings, or those that another source comes with, and the explicit arguments."""
        if self.run:
            return self.settings.generate
        brought = _NO_RUN.model_copy(update={"generate": generation_settings(self.source)})
        return resolve(EVALUATE, self.requested, self.arguments, own=brought).generate

    def load(self, generate: GenerateSettings, base: str | None = None) -> Trained:
        """The model, with the judge of its sentences where there is one.

        Args:
            generate: names the number type.
            base: where the adapter's base is, if it has moved.

        Raises:
            DiasumError: see `load_trained` and `diasum.judges.load_judge`.
        """
        judge = self.settings.check.judge
        if judge is not None:
            require_judge(judge)
        trained = load_trained(
            self.source,
            base=base,
            device=self.settings.train.device,
            dtype=generate.dtype,
            trust_remote_code=self.settings.trust_remote_code,
        )
        if judge is not None:
            trained.judge = load_judge(judge, trained.hardware.device)
        return trained


_NO_RUN = Settings(data=DataSettings(path=""))


def plan_evaluation(
    source: str | Path, requested: Given, arguments: Mapping[str, Any], *, out: str | Path | None = None
) -> Plan:
    """Decide what an evaluation works with; nothing is loaded or written.

    Args:
        source: a run directory, adapter or model folder, or hub id.
        requested: settings, as for `resolve`.
        arguments: by dotted path, what was given as arguments that stand for settings.
        out: folder for the files. When None, a run's ``evaluation/SPLIT``, or ``SPLIT-of-DATA`` there for other data than its own or
            a part of them, and nowhere for other sources.

    Raises:
        DiasumError: see `resolve`; no data are named, or the folder cannot be written.
    """
    if not isinstance(requested, str | Settings | Mapping):
        requested = list(requested)  # resolved more than once
    run = Run(source) if Run(source).config_file.is_file() else None
    own = run.settings() if run else _NO_RUN
    settings = resolve(EVALUATE, requested, arguments, own=own)
    if settings.data.path != own.data.path:
        settings = resolve(EVALUATE, requested, arguments, own=for_other_data(own))
    if not settings.data.path:
        check_there(str(source))
        raise DiasumError(
            "Evaluation needs data.", hint="Give it with --data (a hub id, a file, a folder, `everyday` or `sample`)."
        )
    usual = (settings.data, settings.evaluate.max_examples) == (own.data, own.evaluate.max_examples)
    folder = Path(out) if out is not None else None
    if run and folder is None:
        other = None if usual else (settings.data.path, settings.evaluate.max_examples)
        folder = run.evaluation(settings.evaluate.split, other)
    if folder is not None:
        check_writable(folder)
    named_in = run.config_file if run and settings.data.path == own.data.path else None
    return Plan(source, run, settings, usual, folder, named_in, requested, arguments)
