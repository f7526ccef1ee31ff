"""The commands as Python functions: same names, same meaning. The command line only parses, calls and draws.

Each function reads as the job it does; what it needs heavy libraries for is imported inside it, so that ``import diasum`` is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from diasum.calls import checked_call
from diasum.config import GenerateSettings, Settings
from diasum.errors import check_keywords
from diasum.files import check_writable
from diasum.libraries import load_peft
from diasum.resolve import (
    BASELINE,
    EVALUATE,
    EXPORT,
    SCORE,
    SUMMARIZE,
    TRAIN,
    Given,
    resolve,
)

if TYPE_CHECKING:
    from rich.console import Console

    from diasum.evaluation.evaluate import Evaluated, Progress
    from diasum.evaluation.predictions import Prediction
    from diasum.evaluation.statistics.compare import Comparison
    from diasum.exporting.export import Exported
    from diasum.summarization import Summarizer
    from diasum.summarization.several import SeveralSummarizer
    from diasum.training.estimate import Preflight
    from diasum.training.fit import TrainingResult


@checked_call(TRAIN.uses)
def train(
    base: str | None = None,
    data: str | None = None,
    *,
    run: str | Path,
    config: str | Path | None = None,
    settings: Given = (),
    resume: bool = False,
    console: Console | None = None,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
) -> TrainingResult:
    """Train an adapter for `base` on `data` and keep everything in the run directory.

    Args:
        base: hub id, folder or ``mini``.
        data: hub id, file, folder, ``everyday`` or ``sample``.
        run: the run directory; must not exist unless `resume`.
        config: a YAML file or the name of a bundled recipe.
        settings: further settings, ``{"train.epochs": 5}`` or ``["train.epochs=5"]``, or a whole `Settings`, of which the values
            count that differ from those of `config`.
        resume: continue an unfinished run; settings that differ from its own are refused.
        console: where progress is shown.
        on_progress: called with every log event.

    Raises:
        DiasumError: see `diasum.resolve` and `diasum.training.fit`.
    """
    from diasum.training import Run, distributed

    arguments = {"base": base, "data.path": data}
    if resume:
        own = Run(run).resume(None)
        resolved = Run(run).resume(resolve(TRAIN, settings, arguments, config=config, own=own))
    else:
        resolved = resolve(TRAIN, settings, arguments, config=config)
        _check_free(run)
    # Only now what takes seconds to load, so that a typing mistake is reported at once.
    load_peft()
    from diasum.evaluation.evaluate import check_selection, quick_scores
    from diasum.reports.card import write_card
    from diasum.training.fit import fit

    if not resume:  # runs of earlier versions go on as they began
        check_selection(resolved)
    protocol = resolved.evaluate.protocol
    result = fit(
        resolved,
        run,
        resume=resume,
        measure=lambda texts, pairs: quick_scores(texts, pairs, protocol),
        console=console,
        on_progress=on_progress,
    )
    if result.complete:
        distributed.on_main(lambda: write_card(Run(run)))
    return result


@checked_call(TRAIN.uses)
def preflight(
    base: str | None = None,
    data: str | None = None,
    *,
    run: str | Path = "run",
    config: str | Path | None = None,
    settings: Given = (),
    console: Console | None = None,
) -> Preflight | None:
    """Estimate what `train` would do and how much memory and time it would take; nothing is written.

    Returns:
        The estimate, or None where the training is too small to be worth one.

    Raises:
        DiasumError: whatever would stop `train` before its first step.
    """
    resolved = resolve(TRAIN, settings, {"base": base, "data.path": data}, config=config)
    _check_free(run)
    load_peft()
    from diasum.evaluation.evaluate import check_selection, quick_scores
    from diasum.training.fit import dry_run

    check_selection(resolved)
    protocol = resolved.evaluate.protocol
    return dry_run(resolved, run, measure=lambda texts, pairs: quick_scores(texts, pairs, protocol), console=console)


@checked_call(EVALUATE.uses)
def evaluate(
    run: str | Path,
    *,
    data: str | None = None,
    split: str | None = None,
    protocol: str | None = None,
    settings: Given = (),
    base: str | None = None,
    dtype: str | None = None,
    engine: str | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Evaluated:
    """Evaluate a run, or anything that summarises, against its base and baselines; write predictions, metrics and report.

    Args:
        run: a run directory, adapter or model folder, or hub id.
        data: the corpus; the run's own if not given.
        split: the split; `evaluate.split` when not given.
        protocol: how ROUGE is computed.
        settings: further ones of the `data.`, `generate.` and `evaluate.` sections, `train.device` or `trust_remote_code`.
        base: where the adapter's base is, if it has moved.
        dtype: number type for generation, ``auto`` (fp32), ``fp32`` or ``bf16``; the run's `generate.dtype` when not given.
        engine: what generates, as `generate.engine`, which is the run's own when not given.
        out: folder for the files. When not given, the run's ``evaluation/SPLIT``, or ``SPLIT-of-DATA`` there for other data than the
            run's own or a part of them; nothing is written for other sources.
        progress: called with (what is done, number done, total).

    Raises:
        DiasumError: see `diasum.resolve` and `diasum.evaluation.evaluate`.
    """
    from diasum.evaluation.evaluate import evaluate_model
    from diasum.evaluation.plan import plan_evaluation
    from diasum.reports.content import build_report
    from diasum.reports.evaluation import write_evaluation
    from diasum.reports.next_steps import next_steps

    arguments = {"data.path": data, "evaluate.split": split, "evaluate.protocol": protocol}
    arguments |= {"generate.dtype": dtype, "generate.engine": engine}
    plan = plan_evaluation(run, settings, arguments, out=out)
    corpus, generate = plan.corpus(), plan.generate()
    trained = plan.load(generate, base)
    evaluated = evaluate_model(trained, corpus, plan.settings.evaluate, generate=generate, progress=progress)
    evaluated.next_steps = next_steps(evaluated.evaluation, plan.run)
    report = build_report(evaluated, corpus, plan.run, trained.judge)
    if plan.folder is not None:
        write_evaluation(plan.folder, report, card=plan.usual)
    return evaluated


@checked_call(SCORE.uses)
def score(
    predictions: str | Path | Sequence[str | Path],
    data: str,
    *,
    split: str | None = None,
    protocol: str | None = None,
    settings: Given = (),
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Evaluated:
    """Score any system's summaries (txt, one per line, or a table) against a corpus, next to baselines; several files share one table.

    Systems are named after their files; differences are taken from the first. Baselines are those of the settings (`evaluate.baselines`).

    Args:
        predictions: files of summaries.
        data: the corpus with the references.
        split: the split; `evaluate.split` when not given.
        protocol: how ROUGE is computed; `evaluate.protocol` when not given.
        settings: further settings, such as ``{"data.summary_columns": "note"}``.
        out: folder for predictions, metrics and report; nothing is written when not given.
        progress: called with (what is done, number done, total).

    Raises:
        DiasumError: fewer or more predictions than dialogues, unknown ids, a wrong split, several columns that could be the summary.
    """
    from diasum.evaluation.evaluate import baselines
    from diasum.evaluation.predictions import read_systems

    files = [predictions] if isinstance(predictions, str | Path) else list(predictions)
    resolved = resolve(SCORE, settings, {"data.path": data, "evaluate.split": split, "evaluate.protocol": protocol})

    def predict(pairs: Any, pair_of: Any) -> tuple[dict[str, list[Prediction]], list[str]]:
        systems, notes = read_systems(files, pairs, pair_of)
        return systems | baselines(resolved.evaluate.baselines, pairs, resolved.evaluate.seed), notes

    return _score_texts(resolved, out, predict, progress)


@checked_call(BASELINE.uses)
def baseline(
    data: str,
    *,
    method: str | Sequence[str] = ("lead3", "longest"),
    split: str | None = None,
    protocol: str | None = None,
    settings: Given = (),
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Evaluated:
    """Score baselines that need no model, with the same metrics and report; arguments as `score`, and `method`, their names.

    Raises:
        DiasumError: an unknown method (the message lists the known ones).
    """
    from diasum.evaluation.evaluate import baselines

    methods = [method] if isinstance(method, str) else list(method)
    resolved = resolve(BASELINE, settings, {"data.path": data, "evaluate.split": split, "evaluate.protocol": protocol})
    return _score_texts(
        resolved, out, lambda pairs, _: (baselines(methods, pairs, resolved.evaluate.seed), []), progress
    )


@checked_call()
def compare(
    runs: Sequence[str | Path],
    *,
    split: str = "test",
    protocol: str | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare evaluated runs on the same dialogues; differences are taken from the first.

    Args:
        runs: run directories, or folders written by `score`; ``NAME=RUN`` names a system, and several runs of one name are its seeds.
        split: the split that all were evaluated on.
        protocol: score the stored summaries anew under this one; that of the evaluations when not given.
        resamples: number of resamples for intervals and tests.
        seed: seed of the resamples.

    Raises:
        DiasumError: a run was not evaluated on that split, under another protocol, or on other dialogues.
    """
    from diasum.evaluation.runs import compare_runs

    return compare_runs([str(run) for run in runs], split=split, protocol=protocol, resamples=resamples, seed=seed)


@checked_call(EXPORT.uses)
def export(
    run: str | Path,
    to: str,
    *,
    quantization: str | None = None,
    repo: str | None = None,
    base: str | None = None,
    out: str | Path | None = None,
    force: bool = False,
    settings: Given = (),
    progress: Progress | None = None,
) -> Exported:
    """Export a run, or anything that summarises, for use elsewhere; nothing is written that does not compute the same (docs/export.md).

    Args:
        run: a run directory, adapter or model folder, or hub id.
        to: ``merged``, one model that plain transformers loads; ``ct2``, the same for CTranslate2; ``hub``, a folder for the Hub.
        quantization: of ``ct2``, as `export.quantization`.
        repo: uploads the folder for the Hub to this repository, private unless `export.public`.
        base: where the adapter's base is, if it has moved.
        out: the export's folder; ``RUN/exports/NAME`` when not given.
        force: replace an export that is there.
        settings: further ones of ``export.``, ``generate.`` (which the export then comes with) and ``data.`` (dialogues to compare on).
        progress: called with (what is done, number done, total).

    Raises:
        DiasumError: an adapter that cannot be merged, a quantised base, a family that CTranslate2 does not convert, a check that is not
            passed, a place that is taken or cannot be written, or a Hub that refuses.
    """
    from diasum.exporting.export import export as export_source

    arguments = {"export.quantization": quantization}
    return export_source(run, to, settings, arguments, repo=repo, base=base, out=out, force=force, progress=progress)


@checked_call()
def inspect(base: str, *, revision: str | None = None) -> dict[str, Any]:
    """A base model's family, size, limits and the modules an adapter can target; no weights are read.

    Raises:
        DiasumError: not an encoder-decoder text model, or it cannot be loaded.
    """
    from diasum.model.description import describe_base

    return describe_base(base, revision=revision)


@overload
def load(source: str | Path, *, settings: Given = (), **options: Any) -> Summarizer: ...
@overload
def load(source: Mapping[str, str | Path], *, settings: Given = (), **options: Any) -> SeveralSummarizer: ...
@checked_call(SUMMARIZE.uses)
def load(
    source: str | Path | Mapping[str, str | Path], *, settings: Given = (), **options: Any
) -> Summarizer | SeveralSummarizer:
    """Load a summariser.

    Args:
        source: a run, an adapter folder, a merged model, a hub id or ``mini``; or, by names of your own, several runs or adapter
            folders on one base (`diasum.summarization.several`).
        settings: of ``generate.``, `prompt.length` and `prompt.redact`, where they differ from its own: ``{"prompt.redact": "on"}``.
        options: as `diasum.summarization.loading.load_trained`.

    Raises:
        DiasumError: as `diasum.summarization.load`, or `diasum.summarization.several.load_several`.
    """
    if isinstance(source, Mapping):
        from diasum.summarization.several import load_several

        return load_several(source, settings=settings, **options)
    from diasum.summarization import load as load_summarizer

    return load_summarizer(source, settings=settings, **options)


@checked_call(SUMMARIZE.uses)
def summarize(conversation: Any, run: str | Path = "mini", *, settings: Given = (), **generate: Any) -> Any:
    """Summarise a conversation, a list of them, or a file; `load` once and use `Summarizer.summarize` for many calls.

    Args:
        conversation: as `Summarizer.summarize`; a `Path`, or a text that is the path of a file, stands for what is in the file.
        run: a run directory, adapter or model folder, hub id, or ``mini``.
        settings: as `load`.
        generate: settings that differ from the run's own (``num_beams=1``).

    Raises:
        DiasumError: as `load` and `Summarizer.summarize`, or `settings` and `generate` give one setting different values.
    """
    check_keywords("summarize", generate, ["run", "settings", *GenerateSettings.model_fields])
    from diasum.summarization import load_for_call

    return load_for_call(run, settings, generate).summarize(conversation, **generate)


def _check_free(run: str | Path) -> None:
    from diasum.training import Run, distributed

    if distributed.processes() == 1:  # of several, the main one checks when they have met
        Run(run).check_free()


def _score_texts(
    settings: Settings,
    out: str | Path | None,
    predict: Callable[[Any, Any], tuple[dict[str, list[Prediction]], list[str]]],
    progress: Progress | None,
) -> Evaluated:
    from diasum.data import load_corpus
    from diasum.evaluation.evaluate import evaluate_texts
    from diasum.judges import load_judge
    from diasum.reports.content import build_report
    from diasum.reports.evaluation import write_evaluation

    folder = Path(out) if out is not None else None
    if folder is not None:
        check_writable(folder)
    corpus = load_corpus(settings.data, purpose="evaluate", split=settings.evaluate.split)
    judge = load_judge(settings.check.judge) if settings.check.judge else None
    evaluated = evaluate_texts(corpus, settings.evaluate, predict, progress)
    report = build_report(evaluated, corpus, None, judge)
    if folder is not None:
        write_evaluation(folder, report)
    return evaluated
