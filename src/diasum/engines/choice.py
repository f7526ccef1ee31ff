"""Which engine generates: the one that is asked for, or the fastest that can honour every setting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from diasum.config import GenerateSettings
from diasum.engines.base import Engine, Generated
from diasum.engines.plain import PlainEngine
from diasum.errors import DiasumError
from diasum.libraries import load_torch

FASTEST_FIRST = ("ct2", "torch-fast", "torch-plain")


class Choice(NamedTuple):
    """An engine and why it was taken.

    Attributes:
        engine: that can honour every setting.
        reason: a phrase, such as ``as set`` or ``the fastest here``.
    """

    engine: Engine
    reason: str


def torch_engines(model: Any, tokenizer: Any, *, convert: bool = True) -> list[Engine]:
    """The engines that generate with a model as it is loaded, the fastest first.

    Args:
        model: a sequence-to-sequence model, with or without an adapter.
        tokenizer: its own.
        convert: False computes with the weights as they are, whatever `generate.dtype` says.
    """
    load_torch()
    from diasum.engines.fast.engine import FastEngine

    return [FastEngine(model, tokenizer, convert=convert), PlainEngine(model, tokenizer, convert=convert)]


def fastest_first(engines: Sequence[Engine]) -> list[Engine]:
    """Engines in the order in which `choose_engine` is to try them: as `benchmarks/inference.py` finds them."""
    return sorted(engines, key=lambda engine: FASTEST_FIRST.index(engine.name))


def choose_engine(engines: Sequence[Engine], settings: GenerateSettings) -> Choice:
    """The engine for these settings.

    Args:
        engines: those that there are, the fastest first.
        settings: of generation; `engine` names one, or says ``auto``.

    Raises:
        DiasumError: the engine that is asked for is not there or cannot honour a setting, which is named.
    """
    refusals = {engine.name: engine.unsupported(settings) for engine in engines}
    able = [engine for engine in engines if refusals[engine.name] is None]
    if settings.engine == "auto":
        if not able:
            raise DiasumError(_sentences(refusals), hint="Change these settings, or use another model.")
        passed_over = {name: reason for name, reason in refusals.items() if reason is not None}
        if engines[0] is able[0]:
            return Choice(able[0], "the fastest here")
        return Choice(able[0], "; ".join(f"not {name}: {reason}" for name, reason in passed_over.items()))
    for engine in engines:
        if engine.name == settings.engine:
            if reason := refusals[engine.name]:
                others = " or ".join(other.name for other in able)
                raise DiasumError(
                    f"generate.engine is {engine.name}, which cannot do what is asked: {reason}.",
                    hint=f"Change that, or use generate.engine={others or 'auto'}.",
                )
            return Choice(engine, "as set")
    raise DiasumError(
        f"generate.engine is {settings.engine}, which is not there for this model.",
        hint=f"There are: {', '.join(engine.name for engine in engines)}.",
    )


def generate(
    model: Any,
    tokenizer: Any,
    sources: Sequence[Sequence[int]],
    settings: GenerateSettings,
    *,
    progress: Callable[[int], None] | None = None,
    convert: bool = True,
) -> list[Generated]:
    """Summarise encoded sources with a model as it is loaded, by the engine that `choose_engine` takes.

    Args:
        model: a sequence-to-sequence model, with or without an adapter; its training mode is restored afterwards.
        tokenizer: its own.
        sources: token ids with special tokens, without padding.
        settings: search, length limits, number type and engine.
        progress: called with the number of sources done after each batch.
        convert: False computes with the weights as they are, whatever `settings.dtype` says.

    Returns:
        One summary per source, in the order of the sources.

    Raises:
        DiasumError: memory runs out on a single source, or as `choose_engine`.
    """
    engine = choose_engine(torch_engines(model, tokenizer, convert=convert), settings).engine
    return engine.generate(sources, settings, progress=progress)


def _sentences(refusals: dict[str, str | None]) -> str:
    return (
        "No engine can do what is asked: " + "; ".join(f"{name}: {reason}" for name, reason in refusals.items()) + "."
    )
