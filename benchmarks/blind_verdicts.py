"""Summaries judged blind: who wrote which is kept apart until the verdicts are in.

    python -m benchmarks.blind_verdicts sheet FOLDER --system old=RUNS --system new=RUNS [--n 60] [--seed 0] [--key KEY]
    python -m benchmarks.blind_verdicts count KEY VERDICTS [VERDICTS] [--out benchmarks/results/blind_verdicts.json]

RUNS is where `benchmarks.mini` left the runs of one base: ``build/benchmarks/mini/HASH`` (for a base of before, `--base FOLDER` there, with
its files from git). `sheet` takes the first N test dialogues of everyday, sample and DialogSum, and of each what every system wrote and
the human reference, in a seeded order: ``FOLDER/sheet.md`` to read, ``FOLDER/sheet.jsonl`` for programs, and the key, which readers do
not see. A reader returns JSONL, a line an item: ``{"item": "everyday-01-A", "usable": "yes", "grammatical": "no"}``.

`count` gives the share of each system and data set, the readers' verdicts averaged, with Wilson's 95% interval over dialogues, and Cohen's
kappa between two readers.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.mini import ROWS
from diasum.data import Pair, load_corpus
from diasum.dialogue.files.decoding import read_lines
from diasum.errors import DiasumError
from diasum.evaluation.statistics.bootstrap import share_interval
from diasum.files import write_json, write_json_lines, write_text
from diasum.json_lines import json_lines
from diasum.resolve import load_settings

DATA_SETS = ("everyday", "sample", "dialogsum")
HUMAN = "human reference"
QUESTIONS = ("usable", "grammatical")
ANSWERS = {"yes": True, "no": False}
RULES = """# Summaries to be judged

Read the dialogue, then each summary by itself. Do not guess who wrote it. Two questions, yes or no:

- **usable**: could it be sent as it is to somebody who was not there? Only if all of this holds: nothing in it is false; nothing is
  garbled; each act, wish and thing is given to the one whose it is; the main point is said (what it was about and what came of it). One
  false detail, one sentence that cannot be understood, or the outcome missing: no. Style, and details left out, do not matter.
- **grammatical**: is every sentence complete and grammatical? One that breaks off, joins halves of two, or lacks its verb: no. The words
  `Gist:`, `Outcome:`, `Next:` and `Still open:` with a phrase after them are the form of some data; they count as complete.

Labels such as `#Person1#` are names.
"""


@dataclass(frozen=True)
class Item:
    """One summary to judge.

    Attributes:
        name: of data set, dialogue and letter; it tells nothing of the system.
        data: the data set.
        pair: the dialogue.
        system: what wrote it.
        text: the summary.
    """

    name: str
    data: str
    pair: Pair
    system: str
    text: str


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    sheet = commands.add_parser("sheet", help="write what readers read, and the key")
    sheet.add_argument("folder", type=Path)
    sheet.add_argument("--system", action="append", required=True, metavar="NAME=RUNS")
    sheet.add_argument("--n", type=int, default=60, help="dialogues of each data set")
    sheet.add_argument("--seed", type=int, default=0, help="of the order of the systems")
    sheet.add_argument("--training-seed", type=int, default=42, help="the adapters that are read")
    sheet.add_argument("--key", type=Path, help="default: FOLDER.key.jsonl, beside the folder")
    count = commands.add_parser("count", help="shares and agreement")
    count.add_argument("key", type=Path)
    count.add_argument("verdicts", type=Path, nargs="+", help="one or two readers'")
    count.add_argument("--out", type=Path, help="save the figures as JSON")
    options = parser.parse_args(argv)
    if options.command == "sheet":
        systems = dict(name_and_folder(one) for one in options.system)
        texts = {data: read_runs(data, systems, options.training_seed) for data in DATA_SETS}
        pairs = {data: load_test(data)[: options.n] for data in DATA_SETS}
        items = draw_items(pairs, texts, options.seed)
        write_sheet(items, options.folder, options.key or options.folder.with_name(f"{options.folder.name}.key.jsonl"))
        return
    counted = count_verdicts(read_rows(options.key), [read_rows(file) for file in options.verdicts])
    if options.out:
        write_json(options.out, counted)
    print(table(counted))


def name_and_folder(given: str) -> tuple[str, Path]:
    """``old=FOLDER`` taken apart."""
    name, sign, folder = given.partition("=")
    if not sign or not Path(folder).is_dir():
        raise DiasumError(
            f"Expected NAME=RUNS with an existing folder, found `{given}`.", hint="Check the path after `=`."
        )
    return name, Path(folder)


def load_test(data: str) -> list[Pair]:
    """The test split of a data set."""
    settings = load_settings(None, {"data.path": ROWS[data].data})
    return load_corpus(settings.data, purpose="evaluate", split="test").split("test")


def read_runs(data: str, systems: Mapping[str, Path], seed: int) -> dict[str, dict[str, str]]:
    """System to what its adapter wrote, by dialogue.

    Raises:
        DiasumError: a system was not measured on these data, or under several settings.
    """
    texts = {}
    for name, folder in systems.items():
        files = sorted(folder.glob(f"{data}-*/seed-{seed}/measured/predictions.jsonl"))
        if len(files) != 1:
            raise DiasumError(
                f"{folder} has {len(files)} evaluations of adapters of {data} with seed {seed}; expected one.",
                hint=f"Make one: python -m benchmarks.mini --only {data} --seeds {seed}",
            )
        texts[name] = {str(row["id"]): str(row["prediction"]) for row in read_rows(files[0])}
    return texts


def draw_items(
    pairs: Mapping[str, Sequence[Pair]], texts: Mapping[str, Mapping[str, Mapping[str, str]]], seed: int
) -> list[Item]:
    """Each dialogue's summaries by all systems and a human, in a seeded order of their own.

    Args:
        pairs: of each data set.
        texts: data set to system to what it wrote, by the pair's id.
        seed: of the orders.
    """
    order = random.Random(seed)
    items = []
    for data, of_data in pairs.items():
        for number, pair in enumerate(of_data, 1):
            written = [(system, by_id[pair.id]) for system, by_id in texts[data].items()]
            written.append((HUMAN, pair.references[0]))
            order.shuffle(written)
            items += [
                Item(f"{data}-{number:02}-{chr(ord('A') + place)}", data, pair, system, " ".join(text.split()))
                for place, (system, text) in enumerate(written)
            ]
    return items


def write_sheet(items: Sequence[Item], folder: Path, key: Path) -> None:
    """The sheet as text and JSON lines, and the key apart from them."""
    folder.mkdir(parents=True, exist_ok=True)
    parts, last = [RULES], None
    for item in items:
        if item.pair is not last:
            parts.append(
                f"---\n\n## {item.name.rpartition('-')[0]}\n\n" + "  \n".join(map(str, item.pair.dialogue.turns)) + "\n"
            )
            last = item.pair
        parts.append(f"**{item.name}** {item.text}\n")
    write_text(folder / "sheet.md", "\n".join(parts))
    shown = [{"item": item.name, "dialogue": item.pair.dialogue.text, "summary": item.text} for item in items]
    hidden = [{"item": item.name, "data": item.data, "id": item.pair.id, "system": item.system} for item in items]
    write_json_lines(folder / "sheet.jsonl", shown)
    write_json_lines(key, hidden)


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines; errors as `read_lines` and `json_lines`."""
    return [row for _, row in json_lines(read_lines(file), str(file))]


def count_verdicts(key: Sequence[Mapping[str, Any]], readers: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Shares of yes by data set and system, and the readers' agreement.

    Args:
        key: item to data set, dialogue and system, as `write_sheet` wrote it.
        readers: the verdicts of one or two readers.

    Returns:
        ``shares``: data set to system to question to mean, low, high (percent), ``yes`` a reader and ``n``; ``kappa``: question to Cohen's
        kappa, over all items and by data set; None where it is not defined.

    Raises:
        DiasumError: an item is missing, unknown or judged twice, or an answer is neither yes nor no.
    """
    if len(readers) > 2:
        raise DiasumError(f"Expected the verdicts of one or two readers, found {len(readers)}.")
    names = [str(row["item"]) for row in key]
    answers = {
        question: np.array([_answers(rows, names, question, number) for number, rows in enumerate(readers, 1)])
        for question in QUESTIONS
    }
    shares: dict[str, Any] = {}
    for data in dict.fromkeys(row["data"] for row in key):
        for system in sorted({row["system"] for row in key if row["data"] == data}):
            chosen = [i for i, row in enumerate(key) if (row["data"], row["system"]) == (data, system)]
            shares.setdefault(data, {})[system] = {
                question: _share(answers[question][:, chosen]) for question in QUESTIONS
            }
    kappa: dict[str, Any] = {}
    if len(readers) == 2:
        groups = {"all": list(range(len(key)))}
        groups |= {data: [i for i, row in enumerate(key) if row["data"] == data] for data in shares}
        kappa = {q: {name: cohens_kappa(*answers[q][:, chosen]) for name, chosen in groups.items()} for q in QUESTIONS}
    return {"readers": len(readers), "shares": shares, "kappa": kappa}


def _share(answers: np.ndarray) -> dict[str, Any]:
    """Of verdicts ``[readers, items]``: the mean over both in percent, with its interval over items."""
    share = share_interval(answers.mean(axis=0))
    return {
        **{name: round(100 * getattr(share, name), 1) for name in ("mean", "low", "high")},
        "yes": [int(one.sum()) for one in answers],
        "n": share.n,
    }


def _answers(rows: Sequence[Mapping[str, Any]], names: Sequence[str], question: str, reader: int) -> list[bool]:
    by_item: dict[str, bool] = {}
    for row in rows:
        item, answer = row.get("item"), row.get(question)
        told = answer if isinstance(answer, bool) else ANSWERS.get(str(answer).lower())
        why = None
        if item not in names:
            why = "is not in the key"
        elif item in by_item:
            why = "is judged twice"
        elif told is None:
            why = f"has `{question}`: {answer!r}"
        if why:
            raise DiasumError(
                f"Reader {reader}: the item {item} {why}.",
                hint='Expected {"item", "usable": "yes" or "no", "grammatical"}.',
            )
        by_item[str(item)] = bool(told)
    if missing := [name for name in names if name not in by_item]:
        raise DiasumError(f"Reader {reader} left out {len(missing)} items, such as {', '.join(missing[:3])}.")
    return [by_item[name] for name in names]


def cohens_kappa(one: np.ndarray, other: np.ndarray) -> float | None:
    """Agreement of two readers beyond what their shares of yes would give by chance (Cohen 1960); None where chance gives all of it."""
    agreed = float((one == other).mean())
    chance = float(one.mean() * other.mean() + (1 - one.mean()) * (1 - other.mean()))
    return None if chance == 1 else round((agreed - chance) / (1 - chance), 3)


def table(counted: Mapping[str, Any]) -> str:
    """Markdown: a row a data set and system."""
    lines = ["| data | written by | usable as it is | every sentence grammatical |", "|---|---|---|---|"]
    for data, systems in counted["shares"].items():
        for system, questions in systems.items():
            cells = [
                f"{' and '.join(map(str, q['yes']))} of {q['n']}: {q['mean']:.0f}% ({q['low']:.0f}-{q['high']:.0f})"
                for q in (questions[name] for name in QUESTIONS)
            ]
            lines.append(f"| {data} | {system} | {' | '.join(cells)} |")
    for question, kappas in counted["kappa"].items():
        listed = ", ".join(
            f"{name} {'not defined' if value is None else f'{value:.2f}'}" for name, value in kappas.items()
        )
        lines += ["", f"Cohen's kappa of the two readers, {question}: {listed}."]
    return re.sub(r"\n\n+", "\n\n", "\n".join(lines))


if __name__ == "__main__":
    main()
