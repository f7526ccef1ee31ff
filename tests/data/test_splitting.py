"""Corpora divided by conversation, speaker and time: parts know nothing of each other, and what cannot be had is refused."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import diasum
from diasum.data import Corpus, Pair, check_corpus
from diasum.data.splitting import split_corpus
from diasum.dialogue import parse_dialogue
from diasum.errors import DiasumError
from tests.data.test_checks import healthy, pair, words

THREE = (80, 10, 10)


def divided(pairs: list[Pair], by: str = "conversation", shares: Sequence[float] = THREE, seed: int = 0) -> Corpus:
    return split_corpus(Corpus("c", {"all": pairs}), by, shares, seed)


def sizes(corpus: Corpus) -> dict[str, int]:
    return {name: len(pairs) for name, pairs in corpus.splits.items()}


def between(first: str, second: str, i: int) -> Pair:
    said = words(random.Random(i), 40)
    return Pair(f"s{i}", parse_dialogue(f"{first}: {' '.join(said[:20])}\n{second}: {' '.join(said[20:])}"), ("Talk.",))


def dated(number: int) -> list[Pair]:
    began = datetime(2024, 1, 1)
    pairs = [replace(one, began=began + timedelta(days=i)) for i, one in enumerate(healthy(number, 0))]
    random.Random(3).shuffle(pairs)
    return pairs


def test_shares_and_seed() -> None:
    pairs = healthy(100, 0)
    corpus = divided(pairs)
    assert sizes(corpus) == {"train": 80, "validation": 10, "test": 10}
    assert sorted(one.id for part in corpus.splits.values() for one in part) == sorted(one.id for one in pairs)
    assert corpus.splits == divided(pairs).splits
    assert corpus.splits != divided(pairs, seed=1).splits
    assert sizes(divided(pairs, shares=(0.7, 0.3))) == {"train": 70, "test": 30}


def test_the_same_and_nearly_the_same_stay_together() -> None:
    pairs = healthy(60, 0)
    for i in range(30):
        said = words(random.Random(100 + i), 60)
        pairs += [pair(f"a{i}", said), pair(f"b{i}", [*said, "more"]), pair(f"c{i}", said)]
    random.Random(1).shuffle(pairs)
    corpus = divided(pairs)
    kinds = {(finding.kind, finding.split) for finding in check_corpus(corpus).findings}
    assert not any("/" in split for _, split in kinds)
    assert any(kind == "near_duplicate" for kind, _ in kinds)
    assert "60 dialogues the same as another, or nearly: kept in one part with it." in corpus.notes


def test_by_speaker_nobody_is_in_two_parts() -> None:
    pairs = [between(f"P{i % 40}", f"Q{i % 40}" if i % 3 else f"q{i % 40}", i) for i in range(200)]
    corpus = divided(pairs, "speaker")
    speakers = [{name.casefold() for one in part for name in one.dialogue.speakers} for part in corpus.splits.values()]
    assert not speakers[0] & speakers[1]
    assert not speakers[0] & speakers[2]
    assert not speakers[1] & speakers[2]


def test_labels_that_everybody_shares_are_refused() -> None:
    with pytest.raises(DiasumError, match="50 of the 50 dialogues are connected by their speakers") as error:
        divided([between("Agent", "Customer", i) for i in range(50)], "speaker")
    assert "Agent and Customer" in str(error.value.hint)


def test_dialogues_without_labels_or_times_are_refused_by_name() -> None:
    bare = Pair("nobody", parse_dialogue(" ".join(words(random.Random(0), 30))), ("x",))
    with pytest.raises(DiasumError, match=r"1 of 11 dialogues have no speaker labels \(nobody\)"):
        divided([*healthy(10, 0), bare], "speaker")
    with pytest.raises(DiasumError, match=r"1 of 11 dialogues have no time that it began at \(nobody\)"):
        divided([*dated(10), bare], "time")


def test_by_time_every_part_is_later_than_the_one_before() -> None:
    corpus = divided(dated(100), "time")
    assert sizes(corpus) == {"train": 80, "validation": 10, "test": 10}
    times = [[one.began for one in part if one.began] for part in corpus.splits.values()]
    assert max(times[0]) < min(times[1])
    assert max(times[1]) < min(times[2])


def test_by_time_a_repetition_in_a_later_part_is_refused() -> None:
    pairs = dated(50)
    last = max(pairs, key=lambda one: one.began or datetime.min)
    first = min(pairs, key=lambda one: one.began or datetime.max)
    pairs[pairs.index(last)] = replace(last, dialogue=first.dialogue)
    with pytest.raises(DiasumError, match="would be in two parts") as error:
        divided(pairs, "time")
    assert "--fix" in str(error.value.hint)


def test_shares_that_groups_make_impossible_are_refused() -> None:
    said = words(random.Random(0), 60)
    with pytest.raises(DiasumError, match="60 of the 100 dialogues are the same"):
        divided([*healthy(40, 0), *(pair(f"x{i}", said) for i in range(60))], shares=(50, 50))
    with pytest.raises(DiasumError, match="cannot be had"):
        divided(healthy(2, 0))
    same_day = [replace(one, began=datetime(2024, 1, 1)) for one in healthy(20, 0)]
    with pytest.raises(DiasumError, match="dialogues of one time stay in one part"):
        divided(same_day, "time")


@pytest.mark.parametrize("shares", [(), (100,), (1, 2, 3, 4), (80, 0, 20), (80, -10, 30), (float("nan"), 1)])
def test_other_shares_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(DiasumError, match="Expected two shares"):
        divided(healthy(10, 0), shares=shares)


def test_an_unknown_way_is_refused() -> None:
    with pytest.raises(DiasumError, match="`speakers` is nothing to split by") as error:
        divided(healthy(10, 0), "speakers")
    assert "speaker" in str(error.value.hint)


@pytest.mark.parametrize("kind", ["iso", "seconds", "milliseconds"])
def test_files_are_divided_by_their_dates(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "talks.jsonl"
    rows = []
    for i, one in enumerate(healthy(20, 0)):
        day = datetime(2024, 1, 20 - i)
        number = int(day.timestamp())
        date = {"iso": day.isoformat(), "seconds": number, "milliseconds": 1000 * number}[kind]
        rows.append({"id": f"t{i}", "dialogue": one.dialogue.text, "summary": "They talk.", "date": date})
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = diasum.split_data(str(file), tmp_path / "parts", by="time", shares=(75, 25))
    assert lines[0] == f"15 dialogues written to {tmp_path / 'parts/train.jsonl'}"
    test = [json.loads(line) for line in (tmp_path / "parts/test.jsonl").read_text().splitlines()]
    assert {row["id"] for row in test} == {f"t{i}" for i in range(5)}
    with pytest.raises(DiasumError, match="exists already"):
        diasum.split_data(str(file), tmp_path / "parts", by="time", shares=(75, 25))
