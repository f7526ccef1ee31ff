"""Reading by hand: the sheet tells nothing of who wrote what, and the verdicts come back as shares and agreement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.blind_verdicts import (
    HUMAN,
    Item,
    cohens_kappa,
    count_verdicts,
    draw_items,
    read_rows,
    table,
    write_sheet,
)
from diasum.data import Pair
from diasum.dialogue import parse_dialogue
from diasum.errors import DiasumError

PAIRS = [Pair(f"id-{n}", parse_dialogue(f"Ana: Take {n}?\nBen: Yes."), (f"Human of {n}.",)) for n in range(8)]
TEXTS = {name: {pair.id: f"Text\nby {name[0]} of {pair.id}." for pair in PAIRS} for name in ("new", "old")}


def items(seed: int = 0) -> list[Item]:
    return draw_items({"sample": PAIRS}, {"sample": TEXTS}, seed)


def test_each_dialogue_has_every_system_and_the_reference_in_an_order_of_its_own() -> None:
    drawn = items()
    assert len(drawn) == 24
    assert len({item.name for item in drawn}) == 24
    orders = [tuple(item.system for item in drawn[i : i + 3]) for i in range(0, 24, 3)]
    assert {frozenset(order) for order in orders} == {frozenset({"new", "old", HUMAN})}
    assert len(set(orders)) > 2
    assert items() == drawn
    assert [item.system for item in items(1)] != [item.system for item in drawn]


def test_no_system_is_dropped_however_many_there_are() -> None:
    systems = [f"system-{n}" for n in range(9)]
    texts = {"sample": {name: {PAIRS[0].id: name} for name in systems}}
    drawn = draw_items({"sample": PAIRS[:1]}, texts, 0)
    assert {item.system for item in drawn} == {*systems, HUMAN}
    assert len({item.name for item in drawn}) == 10


def test_the_sheet_hides_what_the_key_tells(tmp_path: Path) -> None:
    write_sheet(items(), tmp_path / "sheet", tmp_path / "key.jsonl")
    text = (tmp_path / "sheet" / "sheet.md").read_text()
    rows = read_rows(tmp_path / "sheet" / "sheet.jsonl")
    assert {tuple(row) for row in rows} == {("item", "dialogue", "summary")}
    assert not any(word in text.lower() for word in ("old model", "new model", HUMAN, "id-1:"))
    assert all(f"**{row['item']}** {row['summary']}" in text for row in rows)
    assert text.count("Ana: Take 3?") == 1
    assert "nothing in it is false" in text
    key = read_rows(tmp_path / "key.jsonl")
    assert [row["item"] for row in key] == [row["item"] for row in rows]
    by_item = {row["item"]: row for row in key}
    for row in rows:
        told = by_item[row["item"]]
        assert row["summary"].startswith(
            "Human" if told["system"] == HUMAN else f"Text by {told['system'][0]} of {told['id']}"
        )


def key_and_verdicts() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    drawn = items()
    key = [{"item": item.name, "data": item.data, "id": item.pair.id, "system": item.system} for item in drawn]
    return key, [
        {"item": item.name, "usable": "yes" if item.system == HUMAN else "no", "grammatical": True} for item in drawn
    ]


def test_verdicts_are_counted_by_system() -> None:
    key, verdicts = key_and_verdicts()
    other = [{**row, "usable": "Yes"} if key[i]["system"] == "new" else row for i, row in enumerate(verdicts)]
    counted = count_verdicts(key, [verdicts, other])
    shares = counted["shares"]["sample"]
    assert shares[HUMAN]["usable"] == {"mean": 100, "low": 67.6, "high": 100, "yes": [8, 8], "n": 8}
    assert (shares["new"]["usable"]["mean"], shares["new"]["usable"]["yes"]) == (50, [0, 8])
    assert shares["old"]["usable"]["mean"] == 0
    assert counted["kappa"]["usable"]["all"] == counted["kappa"]["usable"]["sample"] == 0.4
    assert counted["kappa"]["grammatical"]["all"] is None
    assert "| sample | new | 0 and 8 of 8: 50% (22-78) |" in table(counted)
    assert count_verdicts(key, [verdicts])["kappa"] == {}


def test_kappa_is_cohens() -> None:
    """The example of two readers who agree on 35 of 50: 20 yes, 15 no, 5 and 10 apart."""
    import numpy as np

    one = np.array([True] * 25 + [False] * 25)
    other = np.array([True] * 20 + [False] * 5 + [True] * 10 + [False] * 15)
    assert cohens_kappa(one, other) == 0.4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1:], "left out 1 items, such as sample-01-A"),
        (lambda rows: [*rows, rows[0]], "sample-01-A is judged twice"),
        (lambda rows: [*rows, {**rows[0], "item": "sample-99-A"}], "sample-99-A is not in the key"),
        (lambda rows: [{**rows[0], "usable": "maybe"}, *rows[1:]], "has `usable`: 'maybe'"),
        (lambda rows: [{**rows[0], "usable": 1}, *rows[1:]], "has `usable`: 1"),
    ],
)
def test_verdicts_must_be_whole(change: Any, message: str) -> None:
    key, verdicts = key_and_verdicts()
    with pytest.raises(DiasumError, match=message):
        count_verdicts(key, [json.loads(json.dumps(change(verdicts)))])
