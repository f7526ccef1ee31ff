"""Write the tables of the README from saved results: ``python -m benchmarks.tables``; a test holds them equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "mini.json"
BEGIN, END = "<!-- results:begin -->", "<!-- results:end -->"
NAMES = {"sample": "sample conversations", "dialogsum": "DialogSum"}


def table(results: dict[str, Any]) -> str:
    """Markdown: one row a data set and system, each score with its 95% interval."""
    lines = ["| data (test) | system | ROUGE-1 | ROUGE-2 | ROUGE-L |", "|---|---|---|---|---|"]
    notes = []
    for name, row in results.items():
        for system, scores in row["systems"].items():
            cells = [
                f"{scores[m]['mean']:.1f} ({scores[m]['low']:.1f}-{scores[m]['high']:.1f})"
                for m in ("rouge1", "rouge2", "rougeL")
            ]
            label = {"adapter": "**mini + adapter**", "base": "mini"}.get(system, system)
            lines.append(f"| {NAMES[name]} | {label} | " + " | ".join(cells) + " |")
        train = row["data"]["splits"]["train"]["n"]
        notes.append(
            f"{NAMES[name]}: {row['n']} dialogues, {row['references']} reference(s) each, protocol `{row['protocol']['name']}`, bootstrap "
            f"over dialogues ({row['resamples']:,} resamples, seed {row['seed']}); adapter trained on {train} pairs, seed "
            f"{row['run']['training_seed']}, in {row['run']['seconds'] / 60:.1f} min with {row['hardware']['threads']} CPU thread(s) "
            f"(recipe `{row['recipe']}`)."
        )
    return "\n".join([*lines, "", *notes])


def insert(text: str, content: str) -> str:
    """Put the table between its marks."""
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}\n{content}\n{END}{rest.split(END)[1]}"


def main() -> None:
    readme = ROOT / "README.md"
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    readme.write_text(insert(readme.read_text(encoding="utf-8"), table(results)), encoding="utf-8")


if __name__ == "__main__":
    main()
