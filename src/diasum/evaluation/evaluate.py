"""Evaluate a trained model: generate, score next to the base and baselines, write predictions, metrics and report.

In: a run (or anything that summarises) and a corpus. Out: ``evaluation/SPLIT/`` with `predictions.jsonl`, `metrics.json` and
`report.html`, and the same figures in memory. Each dialogue is summarised once, however many references it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diasum.claims.language import is_english
from diasum.config import EvaluateSettings, GenerateSettings, Settings
from diasum.data import Corpus, Pair
from diasum.data.letters import pair_texts
from diasum.errors import DiasumError
from diasum.evaluation.baselines import baseline_predictions, parse_baseline
from diasum.evaluation.contrast import ContrastResult, contrast
from diasum.evaluation.metrics import Evaluation, score_systems
from diasum.evaluation.optional import bert_score, nli_consistency
from diasum.evaluation.predictions import PairOf, Prediction
from diasum.evaluation.rouge.protocols import AUTO, PROTOCOLS, check_protocol, choose_protocol
from diasum.judges import require_judge
from diasum.model.further import require_model
from diasum.summarization.trained import Trained
from diasum.summarization.windowed import reads_in_windows
from diasum.wording import counted

ADAPTER, BASE = "adapter", "base"
Progress = Callable[[str, int, int], None]  # what is being done, done, of how many


@dataclass(slots=True)
class Evaluated:
    """An evaluation and where it came from.

    Attributes:
        evaluation: every figure.
        pairs: the dialogues evaluated.
        predictions: system name to its summaries, in the order of the pairs.
        contrast: system to how often it prefers references to corrupted ones; the evaluated system only.
        system: the name of the system the evaluation is about (``adapter``, or ``model`` for a model without one).
        folder: where files were written, if they were.
        generation: ``device``, ``dtype`` and ``engine`` of the summaries, with reasons, and what was done with ``long`` dialogues; empty
            for texts that were there already.
        facts: what the check of facts found, as a sentence; made with the report (`diasum.reports.content.build_report`).
        record: what metrics.json holds beyond the scores (faithfulness, contrast, generation, data, run, versions); made with the report.
        next_steps: what to try where an adapter does not beat its base and the baselines (`diasum.reports.next_steps`).
    """

    evaluation: Evaluation
    pairs: list[Pair]
    predictions: dict[str, list[Prediction]]
    system: str
    folder: Path | None = None
    contrast: dict[str, ContrastResult] = field(default_factory=dict)
    generation: dict[str, str] = field(default_factory=dict)
    facts: str | None = None
    record: dict[str, Any] = field(default_factory=dict)
    next_steps: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Every figure: the content of metrics.json, without the names of the files next to it."""
        return self.evaluation.to_json(self.record)


def evaluate_model(
    trained: Trained,
    corpus: Corpus,
    settings: EvaluateSettings,
    *,
    generate: GenerateSettings | None = None,
    progress: Progress | None = None,
) -> Evaluated:
    """Generate with the model, its base and the baselines on one split and score them in one table.

    Raises:
        DiasumError: no such split, protocol, baseline or model of a further measure, or pairs without references; said before any work.
    """
    check_protocol(settings.protocol)
    for name in settings.baselines:
        parse_baseline(name)
    if settings.bertscore_model is not None:
        require_model(settings.bertscore_model)
    if settings.nli_model is not None:
        require_judge(settings.nli_model)
    pairs = corpus.split(settings.split)[: settings.max_examples]
    without = [pair.id for pair in pairs if not pair.references]
    if without:
        raise DiasumError(
            f"{len(without)} of {counted(len(pairs), 'dialogue')} of {corpus.name} have no reference summary "
            f"(such as {', '.join(without[:3])})."
        )
    predictions: dict[str, list[Prediction]] = {}
    system = ADAPTER if trained.has_adapter else "model"
    predictions[system] = _predict(trained, pairs, generate, system, progress)
    if trained.has_adapter and settings.base_model:
        with trained.without_adapter():
            predictions[BASE] = _predict(trained, pairs, generate, BASE, progress)
    predictions |= baselines(settings.baselines, pairs, settings.seed)
    lost = trained.encoder.letters.lost(pair_texts(pairs))
    notes = [*trained.notes, lost.note("these conversations and references")] if lost.matters else trained.notes
    evaluated = evaluate_texts(corpus, settings, lambda *_: (predictions, notes), progress)
    dtype, reason = trained.computes_in(generate or trained.generate)
    engine, engine_reason = trained.engine(generate or trained.generate)
    evaluated.generation = {
        "device": trained.hardware.device,
        "dtype": dtype,
        "dtype_reason": reason,
        "engine": engine.name,
        "engine_reason": engine_reason,
        "long": "windows" if reads_in_windows(generate or trained.generate, trained.encoder.settings) else "cut",
    }
    _further_models(evaluated.evaluation, settings, trained.hardware.device)
    if settings.contrast and not trained.has_weights:
        evaluated.evaluation.notes.append(
            "An export holds no weights that texts could be scored with: how often it prefers references to corrupted ones is not measured."
        )
    elif settings.contrast:
        # The control (another dialogue instead) tells how much of a preference is fluency alone.
        evaluated.contrast[system] = contrast(
            trained,
            pairs,
            seed=settings.seed,
            max_pairs=settings.contrast,
            control=True,
            progress=_counter(progress, "contrast", 2 * min(settings.contrast, len(pairs))),
        )
    return evaluated


def evaluate_texts(
    corpus: Corpus,
    settings: EvaluateSettings,
    predict: Callable[[list[Pair], PairOf], tuple[dict[str, list[Prediction]], list[str]]],
    progress: Progress | None = None,
) -> Evaluated:
    """Score summaries that are there already, in one table; differences are taken to the first system.

    Args:
        corpus: with the split.
        settings: protocol, split, resamples.
        predict: gives each system's summaries of the pairs, and what a reader must know of them; its second argument is that of
            `match_predictions`.
        progress: called with (what is done, number done, total).

    Raises:
        DiasumError: no such split or protocol, or what `predict` raises.
    """
    pairs = corpus.split(settings.split)[: settings.max_examples]
    predictions, notes = predict(pairs, corpus.pair_of(settings.split))
    first = next(iter(predictions))
    evaluation = score_systems(
        pairs,
        predictions,
        protocol=settings.protocol,
        split=settings.split,
        resamples=settings.resamples,
        seed=settings.seed,
        reference_system=first,
        progress=progress,
    )
    evaluation.notes[:0] = [*corpus.notes, *notes]
    return Evaluated(evaluation, pairs, predictions, first)


def baselines(names: Sequence[str], pairs: Sequence[Pair], seed: int) -> dict[str, list[Prediction]]:
    """Summaries by baselines, which need no model; an unknown one raises `DiasumError`."""
    english = is_english(pair_texts(pairs))
    return {
        name: [
            Prediction.of_text(pair.id, text, engine=name, english=english)
            for pair, text in zip(pairs, baseline_predictions(name, pairs, seed=seed), strict=True)
        ]
        for name in names
    }


def _further_models(evaluation: Evaluation, settings: EvaluateSettings, device: str) -> None:
    """Measures that need a model of their own, where the user named one."""
    for name, predictions in evaluation.predictions.items():
        texts = [prediction.text for prediction in predictions]
        if settings.bertscore_model:
            references = [pair.references for pair in evaluation.pairs]
            evaluation.measures[name]["bertscore"] = bert_score(
                texts, references, settings.bertscore_model, device=device
            )
        if settings.nli_model:
            evaluation.measures[name]["nli_consistency"] = nli_consistency(
                evaluation.pairs, texts, settings.nli_model, device=device
            )


def quick_scores(predictions: Sequence[str], pairs: Sequence[Pair], protocol: str = AUTO) -> dict[str, list[float]]:
    """ROUGE F1 of each summary in points, for evaluations during training.

    Args:
        predictions: one per pair.
        pairs: with references, whose script decides where the protocol is ``auto``: as for an evaluation of the same pairs.
        protocol: as `choose_protocol`; `Settings.evaluate.protocol` of the run.

    Returns:
        The protocol's metrics; not every protocol has `rougeLsum`.
    """
    references = [pair.references for pair in pairs]
    scores = choose_protocol(protocol, references).protocol.score(predictions, references)
    return {name: values.tolist() for name, values in scores.items()}


def check_selection(settings: Settings) -> None:
    """Refuse a training that would select its adapter by what its evaluations cannot compute.

    Raises:
        DiasumError: no such protocol, one without that score, no summaries to score, or an engine that is there after training only.
    """
    if settings.generate.engine == "ct2":
        raise DiasumError(
            "generate.engine is ct2, which works on an export, and there is none before the end of a training.",
            hint="Leave generate.engine at auto: once the run is exported (diasum export RUN --to ct2), that takes ct2, too.",
        )
    protocol, score = settings.evaluate.protocol, settings.train.select_by
    check_protocol(protocol)
    if score == "loss":
        return
    if not settings.train.eval_generate:
        if score == "rougeL":  # the default of version 0.1.0, which its configurations hold: the loss decided then, too
            return
        raise DiasumError(
            f"train.select_by is {score}, but train.eval_generate is 0: no summaries are generated and scored.",
            hint="Set train.select_by=loss, or train.eval_generate to a number of dialogues.",
        )
    if protocol != AUTO and score not in (metrics := PROTOCOLS[protocol].metrics):
        raise DiasumError(
            f"train.select_by is {score}, which the protocol `{protocol}` does not compute.",
            hint=f"Set train.select_by to one of {', '.join(metrics)} or loss, or choose another protocol with evaluate.protocol.",
        )


def _predict(
    trained: Trained, pairs: Sequence[Pair], generate: GenerateSettings | None, what: str, progress: Progress | None
) -> list[Prediction]:
    summaries = trained.summarize(
        [pair.dialogue for pair in pairs],
        settings=generate,
        progress=_counter(progress, f"summarising ({what})", len(pairs)),
    )
    return [Prediction(pair.id, summary) for pair, summary in zip(pairs, summaries, strict=True)]


def _counter(progress: Progress | None, what: str, total: int) -> Callable[[int], None] | None:
    """Adds up batches for a caller that shows totals."""
    if progress is None:
        return None
    progress(what, 0, total)
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress(what, done, total)

    return advance
