"""How good is the bundled base? By itself, and with adapters of three seeds, against baselines that need no model.

    python -m benchmarks.mini [--only written|short|everyday|sample|dialogsum ...] [--seeds 42 43 44] [--base FOLDER] [--first N]

Trains and evaluates with the bundled recipes and saves the figures, with protocol, n, intervals, seeds, hashes, versions and hardware, to
``benchmarks/results/mini.json``, from which ``python -m benchmarks.tables`` writes the tables of README, docs and the base's card.

It can be stopped and called again: a row that was measured for the same weights, settings and seeds is kept, and within a row each
seed's run and evaluation (``build/benchmarks/mini/HASH``, by the base's weights). Of another base (`--base`: one of before, say), of the
first N test dialogues (`--first`) and of a trial (`--quick`) the figures stay there, in ``results.json``. DialogSum is taken from
``$DIASUM_DATA/dialogsum`` (its dev split trains, without the dialogues that its test split shares), the held-out written conversations
and short chats from ``$DIASUM_DATA/written``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

import diasum
from benchmarks.house_form import FORMS, HouseForm
from diasum.data import Pair, load_corpus, pairs_hash
from diasum.dialogue.files.decoding import read_lines
from diasum.evaluation.metrics import derangement
from diasum.evaluation.rouge.protocols import PROTOCOLS
from diasum.evaluation.statistics.compare import Comparison, compare
from diasum.files import write_json
from diasum.json_lines import json_lines
from diasum.model import resolve_base
from diasum.model.weights import weights_hash
from diasum.resolve import load_settings
from diasum.training import Run
from diasum.versions import versions

RESULTS = Path(__file__).parent / "results" / "mini.json"
BUILD = Path("build/benchmarks/mini")
DATA = Path(os.environ.get("DIASUM_DATA", "../shared/data"))
SEEDS = (42, 43, 44)
RESAMPLES = 10_000
FIRST = 10  # summaries that the card shows, the README three of them
Texts = dict[str, list[list[str]]]  # system to its summaries of every pair, one list a seed


@dataclass(frozen=True)
class Row:
    """One row of the benchmark.

    Attributes:
        name: its key in the results.
        data: what it is tested on (and trained on, where there is a recipe).
        protocol: how ROUGE is computed.
        recipe: of its adapters; None for the base by itself.
        shows: its texts may be shown.
    """

    name: str
    data: str
    protocol: str
    recipe: str | None = None
    shows: bool = False

    @property
    def form(self) -> HouseForm | None:
        """The form that its references keep."""
        return FORMS.get(self.name)


ROWS = {
    row.name: row
    for row in (
        Row("written", str(BUILD / "written"), "rouge-score"),
        Row("short", str(BUILD / "short"), "rouge-score"),
        Row("everyday", "everyday", "rouge-score", "demo", shows=True),
        Row("sample", "sample", "rouge-score", "sample-mini", shows=True),
        Row("dialogsum", str(DATA / "dialogsum"), "dialogsum-paper", "dialogsum-mini"),
    )
}
HELD_OUT = ("written", "short")  # kinds of `pretraining.written`
QUICK = {"train.epochs": 1, "data.max_train": 16, "data.max_validation": 4, "train.eval_generate": 0}
QUICK_EVALUATION = {"evaluate.max_examples": 6, "generate.num_beams": 1}


@dataclass(frozen=True)
class Plan:
    """What is asked for: the seeds, the base, the first test dialogues only, and whether it is a trial of a minute."""

    seeds: tuple[int, ...]
    base: str = "mini"
    first: int | None = None
    quick: bool = False

    def training(self, row: Row) -> dict[str, Any]:
        """Settings beside the recipe's."""
        return {"base": self.base, "data.path": row.data, **(QUICK if self.quick else {})}

    @property
    def folder(self) -> Path:
        """Where the runs of this base are."""
        return BUILD / f"{weights_hash(resolve_base(self.base))[:8]}{'-quick' if self.quick else ''}"

    @property
    def results(self) -> Path:
        """Where the figures are saved."""
        usual = self.base == "mini" and self.first is None and not self.quick
        return RESULTS if usual else self.folder / "results.json"

    def evaluation(self) -> dict[str, Any]:
        """Settings of an evaluation; its own intervals are not used."""
        first = {} if self.first is None else {"evaluate.max_examples": self.first}
        return {"evaluate.contrast": 0, "evaluate.resamples": 100, **first, **(QUICK_EVALUATION if self.quick else {})}

    def identity(self, row: Row) -> dict[str, Any]:
        """What a measured row must agree in to be kept."""
        same_everywhere = self.training(row) | {"base": "mini", "data.path": row.name}
        settings = load_settings(row.recipe, same_everywhere).to_yaml()
        return {
            "base_sha256": weights_hash(resolve_base(self.base)),
            "settings_sha256": hashlib.sha256(f"{settings}{self.evaluation()}".encode()).hexdigest(),
            "seeds": list(self.seeds) if row.recipe else [],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=ROWS, nargs="+", default=list(ROWS))
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--base", default="mini", help="another base instead of the bundled one")
    parser.add_argument("--first", type=int, help="only so many test dialogues")
    parser.add_argument("--quick", action="store_true", help="a trial on a few dialogues; saved in build/ only")
    options = parser.parse_args()
    plan = Plan(tuple(options.seeds), options.base, options.first, options.quick)
    results = plan.results
    for name in options.only:
        saved = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else {}
        row, identity = ROWS[name], plan.identity(ROWS[name])
        if all(saved.get(name, {}).get(key) == value for key, value in identity.items()):
            print(f"{name}: measured before for these weights")
            continue
        measured = measure(row, plan, identity)
        write_json(
            results, {key: measured if key == name else saved[key] for key in ROWS if key in saved or key == name}
        )
        print(name, json.dumps(measured["systems"], indent=1))


def measure(row: Row, plan: Plan, identity: dict[str, Any]) -> dict[str, Any]:
    """Train and evaluate what is not there yet, and gather one row."""
    folder = plan.folder / f"{row.name}-{identity['settings_sha256'][:8]}"
    if row.name in HELD_OUT:
        write_held_out(row.name, Path(row.data) / "test.jsonl")
    pairs = load_corpus(load_settings(None, {"data.path": row.data}).data, purpose="evaluate", split="test").split(
        "test"
    )
    pairs = pairs[: plan.evaluation().get("evaluate.max_examples")]
    runs = [folder / f"seed-{seed}" for seed in plan.seeds] if row.recipe else []
    for run, seed in zip(runs, plan.seeds, strict=False):
        train(row, run, plan.training(row) | {"train.seed": seed})
        evaluate(row, run, run / "measured", plan.evaluation() | {"evaluate.base_model": run == runs[0]})
    if not runs:
        evaluate(row, plan.base, folder / "measured", plan.evaluation())
    texts = read_texts([run / "measured" for run in runs] or [folder / "measured"], pairs, adapted=bool(runs))
    return {**identity, **about(row, runs, texts), **score_row(row, pairs, texts)}


def train(row: Row, run: Path, settings: dict[str, Any]) -> None:
    """Train an adapter with the row's recipe, unless it is there; one that was interrupted is begun anew."""
    if Run(run).state == "complete":
        return
    shutil.rmtree(run, ignore_errors=True)
    begin = time.perf_counter()
    result = diasum.train(config=row.recipe, run=run, settings=settings, console=Console(stderr=True))
    if not result.complete:
        raise SystemExit(130)
    write_json(run / "seconds.json", round(time.perf_counter() - begin, 1))


def evaluate(row: Row, source: str | Path, folder: Path, settings: dict[str, Any]) -> None:
    """Summaries of the test split by an adapter, its base and the baselines, unless they are there."""
    if (folder / "metrics.json").is_file():
        return
    begin = time.perf_counter()
    diasum.evaluate(source, data=row.data, split="test", protocol=row.protocol, settings=settings, out=folder)
    write_json(folder / "seconds.json", round(time.perf_counter() - begin, 1))


def read_texts(folders: Sequence[Path], pairs: Sequence[Pair], *, adapted: bool) -> Texts:
    """What each system wrote: the adapters one list a seed, all others (in the first folder) one."""
    systems = {"adapter": [folder / "predictions.jsonl" for folder in folders]} if adapted else {}
    base = "predictions.base.jsonl" if adapted else "predictions.jsonl"
    systems["base"] = [folders[0] / base]
    systems |= {name: [folders[0] / f"predictions.{name}.jsonl"] for name in ("lead3", "longest")}
    texts = {}
    for system, files in systems.items():
        rows = [[row for _, row in json_lines(read_lines(file), str(file))] for file in files]
        assert all([one["id"] for one in of_seed] == [pair.id for pair in pairs] for of_seed in rows), system
        texts[system] = [[str(one["prediction"]) for one in of_seed] for of_seed in rows]
    return texts


def score_row(row: Row, pairs: Sequence[Pair], texts: Texts) -> dict[str, Any]:
    """Scores with intervals under the row's protocol, against other dialogues' references, under `rouge-score`, and without the form."""
    references = [pair.references for pair in pairs]
    numbers = sorted({len(of_one) for of_one in references})
    scored: dict[str, Any] = {
        "protocol": PROTOCOLS[row.protocol].to_json(),
        "split": "test",
        "n": len(pairs),
        "references": numbers[0] if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}",
        "seed": 0,
        "resamples": RESAMPLES,
        "data_hash": pairs_hash(pairs),
        **table(score(row.protocol, texts, references)),
        "shuffled": shuffled(row.protocol, texts, references),
    }
    if row.protocol != "rouge-score":
        scored["also"] = {"protocol": "rouge-score", **table(score("rouge-score", texts, references))}
    if row.form:
        bare = {
            name: [[row.form.without(text) for text in one] for one in of_seeds] for name, of_seeds in texts.items()
        }
        bare_references = [tuple(row.form.without(text) for text in of_one) for of_one in references]
        scored["without_form"] = {
            "markers": list(row.form.markers),
            "closing_line": row.form.closes,
            "share_with_form": {
                name: [round(row.form.share(one), 4) for one in of_seeds] for name, of_seeds in texts.items()
            },
            **table(score(row.protocol, bare, bare_references)),
        }
    return scored


def score(protocol: str, texts: Texts, references: Sequence[Sequence[str]]) -> Comparison:
    """Systems in one table; differences are taken to the first."""
    scores: dict[str, dict[str, Any]] = {}
    for name, of_seeds in texts.items():
        each = [PROTOCOLS[protocol].score(one, references) for one in of_seeds]
        scores[name] = {metric: [one[metric] for one in each] for metric in each[0]}
    return compare(scores, next(iter(texts)), resamples=RESAMPLES, seed=0)


def table(comparison: Comparison) -> dict[str, Any]:
    """A comparison by system, as `metrics.json` has it."""
    tree = comparison.to_json()
    return {"systems": {row["system"]: row["metrics"] for row in tree["systems"]}, "differences": tree["differences"]}


def shuffled(protocol: str, texts: Texts, references: Sequence[Sequence[str]]) -> dict[str, float]:
    """ROUGE-1 of the models against other dialogues' references: what summaries of anything would have; means over seeds."""
    others = [references[i] for i in derangement(len(references), 0)]
    means: dict[str, float] = {}
    for name in ("adapter", "base"):
        each = [float(PROTOCOLS[protocol].score(one, others)["rouge1"].mean()) for one in texts.get(name, [])]
        means |= {name: round(sum(each) / len(each), 4)} if each else {}
    return means


def about(row: Row, runs: Sequence[Path], texts: Texts) -> dict[str, Any]:
    """Where the figures come from."""
    if not runs:
        return {"recipe": None, "runs": [], "versions": versions()}
    manifests = [Run(run).manifest() for run in runs]
    first = load_corpus(load_settings(None, {"data.path": row.data}).data, purpose="evaluate", split="test").split(
        "test"
    )
    shown = [
        {"id": pair.id, "summary": text, "reference": pair.references[0]}
        for pair, text in zip(first[:FIRST], texts["adapter"][0], strict=False)
    ]
    return {
        "recipe": row.recipe,
        "runs": [
            {"training_seed": manifest["seed"], "best": manifest["best"], **seconds(run)}
            for run, manifest in zip(runs, manifests, strict=True)
        ],
        "data": {key: manifests[0]["data"][key] for key in ("splits", "notes", "license")},
        **{key: manifests[0][key] for key in ("parameters", "versions", "hardware")},
        "first": shown if row.shows else [],  # DialogSum's licence keeps its texts out
    }


def seconds(run: Path) -> Mapping[str, float]:
    """How long the training and the evaluation took, on whatever else the machine had to do."""
    files = {"seconds": run / "seconds.json", "evaluation_seconds": run / "measured" / "seconds.json"}
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.is_file()}


def write_held_out(kind: str, file: Path) -> None:
    """The written conversations of a kind that the base was not trained on, as a test split."""
    from pretraining.written import load

    rows = [one for one in load(DATA, held_out=True) if one.kind == kind]
    lines = [
        json.dumps({"id": one.id, "dialogue": one.body, "summary": one.summary}, ensure_ascii=False) for one in rows
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
