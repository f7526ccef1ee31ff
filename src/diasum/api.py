"""The commands as Python functions: same names, same meaning. The command line only parses, calls and draws.

Each function reads as the job it does; what it needs heavy libraries for is imported inside it, so that ``import diasum`` is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diasum.config import Settings, load_settings, parse_override
from diasum.errors import DiasumError, near_misses
from diasum.files import check_writable

if TYPE_CHECKING:
    from rich.console import Console

    from diasum.data import Corpus
    from diasum.data.checks import CorpusCheck, CorpusStats
    from diasum.evaluation.compare import Comparison
    from diasum.evaluation.evaluate import Evaluated, Progress
    from diasum.evaluation.predictions import Prediction
    from diasum.inference import Summarizer
    from diasum.training.fit import TrainingResult
    from diasum.training.preflight import Preflight

Overrides = Iterable[str] | Mapping[str, Any] | Settings
RECIPES = Path(__file__).parent / "assets" / "recipes"


def settings_for(config: str | Path | None = None, overrides: Overrides = (), **given: Any) -> Settings:
    """Settings from a YAML file or a bundled recipe's name, with overrides and the values given by dotted path on top."""
    pairs = _as_dict(overrides) | {name: value for name, value in given.items() if value is not None}
    return load_settings(_recipe(config), pairs)


def train(
    base: str | None = None,
    data: str | None = None,
    *,
    run: str | Path,
    config: str | Path | None = None,
    settings: Overrides = (),
    resume: bool = False,
    console: Console | None = None,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
) -> TrainingResult:
    """Train an adapter for `base` on `data` and keep everything in the run directory.

    Args:
        base: hub id, folder or ``mini``.
        data: hub id, file, folder or ``sample``.
        run: the run directory; must not exist unless `resume`.
        config: a YAML file or the name of a bundled recipe.
        settings: overrides, ``{"train.epochs": 5}`` or ``["train.epochs=5"]``, or a whole `Settings`.
        resume: go on with an unfinished run; other settings than its own are refused.
        console: where progress is shown.
        on_progress: called with every log event.

    Raises:
        DiasumError: see `diasum.training.fit`.
    """
    from diasum.training import Run, distributed

    given = {"base": base, "data.path": data}
    if resume:
        anything = config is not None or bool(_as_dict(settings)) or any(value is not None for value in given.values())
        own = Run(run).resume(None)
        if anything:
            start = load_settings(_recipe(config)) if config is not None else own
            tree = {
                **_as_dict(start),
                **_as_dict(settings),
                **{k: v for k, v in given.items() if v is not None},
            }
            Run(run).resume(load_settings(None, tree))
        resolved = own
    else:
        resolved = settings_for(config, settings, **given)
        _check_free(run)
    # Only now what takes seconds to load, so that a slip of the pen is told at once.
    from diasum.evaluation.card import write_card
    from diasum.evaluation.evaluate import quick_scores
    from diasum.training.fit import fit

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


def preflight(
    base: str | None = None,
    data: str | None = None,
    *,
    run: str | Path = "run",
    config: str | Path | None = None,
    settings: Overrides = (),
    console: Console | None = None,
) -> Preflight | None:
    """What `train` would do and about how much memory and time it would take; nothing is written.

    Returns:
        The estimate, or None where the training is too small to be worth one.

    Raises:
        DiasumError: what `train` would stop at before its first step.
    """
    resolved = settings_for(config, settings, **{"base": base, "data.path": data})
    _check_free(run)
    from diasum.evaluation.evaluate import quick_scores
    from diasum.training.fit import dry_run

    protocol = resolved.evaluate.protocol
    return dry_run(resolved, run, measure=lambda texts, pairs: quick_scores(texts, pairs, protocol), console=console)


def evaluate(
    run: str | Path,
    *,
    data: str | None = None,
    split: str | None = None,
    protocol: str | None = None,
    settings: Overrides = (),
    base: str | None = None,
    dtype: str | None = None,
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Evaluated:
    """Evaluate a run, or anything that summarises, against its base and baselines; write predictions, metrics and report.

    Args:
        run: a run directory, adapter or model folder, or hub id.
        data: the corpus; a run's own when not given.
        split: the split; `evaluate.split` when not given.
        protocol: how ROUGE is computed.
        settings: overrides of the `data.`, `generate.` and `evaluate.` sections.
        base: where the adapter's base is, if not where it was.
        dtype: number type of generation, ``auto`` (fp32), ``fp32`` or ``bf16``; the run's `generate.dtype` when not given.
        out: folder for the files. When not given, the run's ``evaluation/SPLIT``, or ``SPLIT-of-DATA`` there for other data than the
            run's own or a part of them; nothing is written for other sources.
        progress: called with (what, done, of how many).

    Raises:
        DiasumError: see `diasum.evaluation.evaluate`.
    """
    from diasum.data import load_corpus
    from diasum.data.seen import Seen
    from diasum.evaluation.evaluate import evaluate_model
    from diasum.evaluation.report import write_evaluation
    from diasum.evaluation.runs import check_there
    from diasum.model.trained import load_trained
    from diasum.training import Run

    own = Run(run) if Run(run).config_file.is_file() else None
    start = own.settings() if own else Settings()
    if data is None and own is None:
        check_there(str(run))
        raise DiasumError(
            "Evaluation needs data.", hint="Give it with --data (a hub id, a file, a folder, or `sample`)."
        )
    changes = {"data.path": data, "evaluate.split": split, "evaluate.protocol": protocol, "generate.dtype": dtype}
    tree = {
        **_as_dict(start),
        **{k: v for k, v in changes.items() if v is not None},
        **_as_dict(settings),
    }
    if data is not None and data != start.data.path:
        _forget_columns(tree)
    resolved = load_settings(None, tree)
    usual = (resolved.data, resolved.evaluate.max_examples) == (start.data, start.evaluate.max_examples)
    folder = Path(out) if out is not None else None
    if own and folder is None:
        other = None if usual else (resolved.data.path, resolved.evaluate.max_examples)
        folder = own.evaluation(resolved.evaluate.split, other)
    if folder is not None:
        check_writable(folder)
    seen = Seen.read(own.seen_file) if own else None
    corpus = load_corpus(
        resolved.data,
        purpose="evaluate",
        split=resolved.evaluate.split,
        trained_on=seen.trained_on if seen else None,
        named_in=own.config_file if own and resolved.data.path == start.data.path else None,
    )
    pairs = corpus.split(resolved.evaluate.split)[: resolved.evaluate.max_examples]
    corpus.notes[:0] = seen.notes(pairs) if seen else []
    generate = resolved.generate if own or dtype or _touches(settings, "generate") else None
    trained = load_trained(
        run,
        base=base,
        device=resolved.train.device,
        dtype=generate.dtype if generate else None,
        trust_remote_code=resolved.trust_remote_code,
    )
    evaluated = evaluate_model(trained, corpus, resolved.evaluate, generate=generate, progress=progress)
    if folder is not None:
        write_evaluation(folder, evaluated, corpus=corpus, run=own, card=usual, contrast=evaluated.contrast)
    return evaluated


def score(
    predictions: str | Path | Sequence[str | Path],
    data: str,
    *,
    split: str = "test",
    protocol: str = "auto",
    settings: Overrides = (),
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Evaluated:
    """Score any system's summaries (txt, one a line, or a table) against a corpus, beside baselines; several files in one table.

    Systems are named by their files; differences are taken to the first. Baselines are those of the settings (`evaluate.baselines`).

    Raises:
        DiasumError: fewer or more predictions than dialogues, unknown ids, a wrong split, several columns that could be the summary.
    """
    from diasum.evaluation.evaluate import baselines
    from diasum.evaluation.predictions import read_systems

    files = [predictions] if isinstance(predictions, str | Path) else list(predictions)
    given = _given_settings(data, split, protocol, settings)

    def predict(pairs: Any, pair_of: Any) -> tuple[dict[str, list[Prediction]], list[str]]:
        systems, notes = read_systems(files, pairs, pair_of)
        return systems | baselines(given.evaluate.baselines, pairs, given.evaluate.seed), notes

    return _score_texts(given, out, predict, progress)


def baseline(
    data: str,
    *,
    method: str | Sequence[str] = ("lead3", "longest"),
    split: str = "test",
    protocol: str = "auto",
    settings: Overrides = (),
    out: str | Path | None = None,
    progress: Progress | None = None,
) -> Evaluated:
    """Score baselines that need no model, with the same metrics and report.

    Raises:
        DiasumError: an unknown method (those there are, are listed).
    """
    from diasum.evaluation.evaluate import baselines

    methods = [method] if isinstance(method, str) else list(method)
    given = _given_settings(data, split, protocol, settings)
    return _score_texts(given, out, lambda pairs, _: (baselines(methods, pairs, given.evaluate.seed), []), progress)


def compare(
    runs: Sequence[str | Path],
    *,
    split: str = "test",
    protocol: str | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare evaluated runs on the same dialogues; differences are taken to the first.

    Args:
        runs: run directories, or folders written by `score`; ``NAME=RUN`` names a system, and several runs of one name are its seeds.
        split: the split that all were evaluated on.
        protocol: score the stored summaries anew under this one; that of the evaluations when not given.
        resamples: of intervals and tests.
        seed: of the resamples.

    Raises:
        DiasumError: a run was not evaluated on that split, under another protocol, or on other dialogues.
    """
    from diasum.evaluation.runs import compare_runs

    return compare_runs([str(run) for run in runs], split=split, protocol=protocol, resamples=resamples, seed=seed)


def inspect(base: str, *, revision: str | None = None) -> dict[str, Any]:
    """A base model's family, size, limits and the modules an adapter can target; no weights are read.

    Raises:
        DiasumError: not an encoder-decoder text model, or it cannot be loaded.
    """
    from diasum.model import choose_hardware, linear_modules, load_base, position_limits

    loaded = load_base(base, choose_hardware("cpu", "fp32"), revision=revision, weights=False)
    model, tokenizer = loaded.model, loaded.tokenizer
    return {
        "base": base,
        "family": loaded.model_type,
        "parameters": sum(p.numel() for p in {id(p): p for p in model.parameters()}.values()),
        "hidden_size": model.config.get_text_config(decoder=True).hidden_size,
        "vocabulary": len(tokenizer),
        "longest_source": position_limits(model)[0] or "any (relative positions)",
        "modules": dict(sorted(linear_modules(model).items())),
    }


def check_data(data: str, *, settings: Overrides = ()) -> CorpusCheck:
    """Look for overlap between splits, near-duplicates, empty and odd rows."""
    from diasum.data import check_corpus

    return check_corpus(_corpus(data, settings))


def data_stats(data: str, *, settings: Overrides = ()) -> CorpusStats:
    """Counts of dialogues, turns, speakers and words, by split; `notes` say which rows were skipped or joined."""
    from diasum.data import corpus_stats

    return corpus_stats(_corpus(data, settings))


def convert_data(data: str, out: str | Path, *, settings: Overrides = ()) -> list[str]:
    """Write a corpus as jsonl, one file a split, with turns and references.

    Returns:
        What was written, a sentence a file, and a ``note: ...`` for each thing to know of the reading (rows skipped or joined).

    Raises:
        DiasumError: the data cannot be read, or `out` is a file while there are several splits, or exists already.
    """
    from diasum.data.writing import write_corpus

    corpus = _corpus(data, settings)
    return [*write_corpus(corpus, Path(out)), *(f"note: {note}" for note in corpus.notes)]


def load(source: str | Path, **options: Any) -> Summarizer:
    """Load a summariser: a run, an adapter folder, a merged model, a hub id or ``mini``."""
    from diasum.inference import load as load_summarizer

    return load_summarizer(source, **options)


def summarize(conversation: Any, run: str | Path = "mini", **generate: Any) -> Any:
    """Summarise one conversation or a list of them; `load` once and use `Summarizer.summarize` for many calls."""
    return load(run).summarize(conversation, **generate)


def _check_free(run: str | Path) -> None:
    from diasum.training import Run, distributed

    if distributed.processes() == 1:  # of several, the main one checks when they have met
        Run(run).check_free()


def _corpus(data: str, settings: Overrides) -> Corpus:
    from diasum.data import load_corpus

    return load_corpus(settings_for(None, settings, **{"data.path": data}).data, purpose="any", need_summaries=False)


def _given_settings(data: str, split: str, protocol: str, settings: Overrides) -> Settings:
    named = {"data.path": data, "evaluate.split": split, "evaluate.protocol": protocol}
    return settings_for(None, settings, **named)


def _score_texts(
    settings: Settings,
    out: str | Path | None,
    predict: Callable[[Any, Any], tuple[dict[str, list[Prediction]], list[str]]],
    progress: Progress | None,
) -> Evaluated:
    from diasum.data import load_corpus
    from diasum.evaluation.evaluate import evaluate_texts
    from diasum.evaluation.report import write_evaluation

    folder = Path(out) if out is not None else None
    if folder is not None:
        check_writable(folder)
    corpus = load_corpus(settings.data, purpose="evaluate", split=settings.evaluate.split)
    evaluated = evaluate_texts(corpus, settings.evaluate, predict, progress)
    if folder is not None:
        write_evaluation(folder, evaluated, corpus=corpus, run=None)
    return evaluated


def _recipe(config: str | Path | None) -> Path | None:
    """A settings file, or a bundled recipe by its name."""
    if config is None or Path(config).is_file():
        return None if config is None else Path(config)
    bundled = {path.stem: path for path in RECIPES.glob("*.yaml")}
    name = str(config)
    if name in bundled:
        return bundled[name]
    if "/" not in name and not name.endswith((".yaml", ".yml")):
        raise DiasumError(f"There is neither a file nor a bundled recipe `{name}`.", hint=near_misses(name, bundled))
    return Path(config)


def _as_dict(settings: Overrides) -> dict[str, Any]:
    """Settings in any of the accepted forms, by dotted path."""
    if isinstance(settings, Settings):
        return _flat(settings.model_dump(mode="json"))
    return dict(settings) if isinstance(settings, Mapping) else dict(parse_override(item) for item in settings)


def _touches(settings: Overrides, section: str) -> bool:
    return any(path.startswith(f"{section}.") for path in _as_dict(settings))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= (
            _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) and not prefix else {f"{prefix}{key}": value}
        )
    return flat


def _forget_columns(tree: dict[str, Any]) -> None:
    """Column names, revision and licence belong to the run's own data, not to another corpus."""
    for name in ("dialogue_column", "summary_columns", "id_column", "topic_column", "revision", "license"):
        tree[f"data.{name}"] = None
