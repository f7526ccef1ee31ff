"""The model card of an adapter: ``adapter/README.md``, with the metadata that the Hub reads.

In: a run, and its evaluation once there is one. Out: a file that says what the adapter is, how to load it with and without diasum, how
it was trained and measured, and what the data's licence forbids. It holds no text of the data.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from diasum.claims.language import is_english
from diasum.config import Settings
from diasum.data import Corpus
from diasum.data.licences import UNKNOWN, base_licence, joint_licence
from diasum.errors import DiasumError
from diasum.evaluation.evaluate import Evaluated
from diasum.files import write_text
from diasum.hub import may_be_id
from diasum.model import BUNDLED, bundled_base
from diasum.reports.content import run_record, short_name
from diasum.reports.headline import NAMES
from diasum.reports.parts import machine, run_in_words
from diasum.reports.rendering import render
from diasum.reports.snippet import does_with_long, plain_snippet
from diasum.training import Run

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

# Those of the Hub's list that data sets of conversations have; others go by `license: other` and their name.
HUB_LICENSES = frozenset(
    {
        "apache-2.0",
        "mit",
        "bsd-2-clause",
        "bsd-3-clause",
        "cc0-1.0",
        "odc-by",
        "odbl",
        "gpl-3.0",
        "afl-3.0",
        "unlicense",
    }
    | {f"cc-by-{version}" for version in ("2.0", "2.5", "3.0", "4.0")}
    | {f"cc-by-{kind}-{version}" for kind in ("sa", "nc", "nc-sa") for version in ("2.0", "3.0", "4.0")}
    | {"cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cdla-permissive-2.0", "cdla-sharing-1.0"}
)


def write_card(run: Run, evaluated: Evaluated | None = None, *, corpus: Corpus | None = None) -> None:
    """Write ``adapter/README.md``.

    Args:
        run: a complete run.
        evaluated: its evaluation; without one the card says that there is none.
        corpus: the data it was evaluated on; the run's own when not given.

    Raises:
        DiasumError: the run has no adapter yet, or the card cannot be written.
    """
    if run.state != "complete":
        raise DiasumError(
            f"{run.path} has no adapter yet, so there is nothing to describe.", hint="Finish its training."
        )
    settings, record = run.settings(), run_record(run)
    data = hub_or_name(settings.data.path)
    tested = hub_or_name(corpus.name) if corpus else data
    source = str(bundled_base()) if settings.base == BUNDLED else settings.base
    record["base"] = record.get("base", {}) | {"license": base_licence(source, settings.base_revision)}
    licences = record["base"]["license"], record.get("data", {}).get("license")
    text = render(
        "card.md",
        metadata=metadata(run, record, settings, evaluated, tested).to_yaml(),
        name=record["name"],
        base=hub_or_name(settings.base),
        bundled=settings.base == BUNDLED,
        family=record.get("base", {}).get("model_type", ""),
        data=data,
        licence_notes=licence_notes(*licences),
        snippet=plain_snippet(
            run,
            f"{record['name']}/adapter",
            hub_or_name(settings.base),
            family=record.get("base", {}).get("model_type", ""),
            bundled=settings.base == BUNDLED,
            on_hub=is_hub_id(settings.base),
        ),
        settings=settings,
        long=does_with_long(settings.generate, settings.prompt),
        adapter=_adapter_facts(run),
        training=run_in_words(record),
        machine=machine(run.manifest().get("hardware", {})),
        versions=run.manifest().get("versions", {}),
        evaluation=evaluated.evaluation if evaluated else None,
        system=evaluated.system if evaluated else None,
        checks=evaluated.facts if evaluated else None,
        tested=tested,
        names=NAMES,
    )
    write_text(run.adapter / "README.md", text)


def metadata(
    run: Run, record: dict[str, Any], settings: Settings, evaluated: Evaluated | None, tested: str
) -> ModelCardData:
    """The front matter: https://huggingface.co/docs/hub/model-cards#model-card-metadata. What is not known is left out."""
    from huggingface_hub import ModelCardData

    on_hub = is_hub_id(settings.base)
    family = record.get("base", {}).get("model_type")
    english = evaluated is not None and is_english([r for p in evaluated.pairs for r in p.references])
    return ModelCardData(
        library_name="peft",
        pipeline_tag="summarization",
        base_model=settings.base if on_hub else None,
        base_model_relation="adapter" if on_hub else None,
        **license_fields(record.get("base", {}).get("license"), record.get("data", {}).get("license")),
        language=["en"] if english else None,
        datasets=[settings.data.path] if is_hub_id(settings.data.path) else None,
        metrics=["rouge"],
        tags=["lora", "summarization", "dialogue-summarization", "diasum", *([family] if family else [])],
        model_name=record["name"] if evaluated else None,
        eval_results=_results(evaluated, tested) if evaluated else None,
    )


def _results(evaluated: Evaluated, tested: str) -> list[EvalResult]:
    from huggingface_hub import EvalResult

    evaluation = evaluated.evaluation
    return [
        EvalResult(
            task_type="summarization",
            task_name="Dialogue summarization",
            dataset_type=tested,
            dataset_name=tested,
            dataset_split=evaluation.split,
            metric_type="rouge",
            metric_name=NAMES.get(metric, metric),
            metric_value=round(interval.mean, 2),
        )
        for metric, interval in evaluation.systems[evaluated.system].items()
    ]


def license_fields(base: str | None, data: str | None) -> dict[str, Any]:
    """What the Hub reads of the licence: that of base and data together."""
    if not base or not data:
        return {"license": UNKNOWN}
    joint = joint_licence(base.lower(), data.lower())
    if joint in HUB_LICENSES:
        return {"license": joint}
    return {"license": "other", "license_name": re.sub(r"[^a-z0-9.\-]+", "-", joint or f"{base} and {data}".lower())}


def licence_notes(base: str | None, data: str | None, made: str = "adapter") -> list[str]:
    """What the licences of base and data ask of those who use what was made from them, an adapter or a model; a sentence or two each."""
    notes = [*_asked("base model", base, made), *_asked("training data", data, made)]
    if not base or not data:
        return [
            *notes,
            f"So the licence of this {made} is unknown. Find out before you share it or use it for business.",
        ]
    joint = joint_licence(base.lower(), data.lower())
    if joint:
        why = "that of both" if base.lower() == data.lower() else "the stricter of the two"
        return [*notes, f"This {made} is made from both, and is under {joint}: {why}."]
    return [
        *notes,
        f"This {made} is made from both, and neither licence satisfies the terms of the other: comply with both, and ask before sharing.",
    ]


def _asked(what: str, license_: str | None, made: str) -> list[str]:
    verb = "are" if what.endswith("data") else "is"
    if not license_:
        return [f"The licence of the {what} is not known."]
    parts = re.split(r"[-_]| and ", license_.lower())
    notes = [f"The {what} {verb} under {license_}."]
    if "nc" in parts or "noncommercial" in parts:
        notes.append(f"**It forbids commercial use**, so treat commercial use of this {made} as forbidden, too.")
    if "nd" in parts:
        notes.append(
            f"**It forbids sharing what is made from it**: keep this {made} to yourself unless you have permission."
        )
    if "sa" in parts:
        notes.append("What is made from it may be shared only under the same licence.")
    if "by" in parts:
        notes.append(f"Name the {'data' if verb == 'are' else 'model'}'s authors.")
    return [" ".join(notes)]


def is_hub_id(name: str) -> bool:
    """Whether a name can be an id on the Hub, and nothing local."""
    return may_be_id(name) and short_name(name) == name


def hub_or_name(name: str) -> str:
    """A Hub id or bundled name as it is, a local path without its folders."""
    return name if is_hub_id(name) else short_name(name)


def _adapter_facts(run: Run) -> dict[str, Any]:
    """What PEFT's own file says of the adapter; modules as a sorted list."""
    adapter = json.loads((run.adapter / "adapter_config.json").read_text(encoding="utf-8"))
    modules = adapter.get("target_modules") or []
    return {
        "type": adapter.get("peft_type", "LORA"),
        "r": adapter.get("r"),
        "alpha": adapter.get("lora_alpha"),
        "dropout": adapter.get("lora_dropout"),
        "modules": [modules] if isinstance(modules, str) else sorted(modules),
    }
