"""Written summaries: what is held out and what is left out, speakers numbered, examples drawn."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from diasum.errors import DiasumError
from pretraining.written import (
    FILES,
    WrittenSummaries,
    fragment,
    group,
    is_held_out,
    load,
    near_duplicates,
    prepare,
    short_chats,
)

FIGURE = re.compile(r"\$?\d[\d:.,]*\d|\d")


def row(name: str, dialogue: str, summary: str = "Ana asks Ben about lunch.", **fields: str) -> dict[str, Any]:
    return {"id": name, "dialogue": dialogue, "summary": summary, "brief": "Ana asks about lunch.", **fields}


def talk(rng: random.Random, turns: int = 4) -> str:
    words = [f"w{k}" for k in range(500)]
    return "\n".join(f"{'Ana' if k % 2 else 'Ben'}: {' '.join(rng.choices(words, k=9))}." for k in range(turns))


def corpus(folder: Path, conversations: list[dict[str, Any]], everyday: Sequence[str] = ()) -> Path:
    for file, rows in zip(FILES, (conversations, []), strict=True):
        (folder / file).parent.mkdir()
        with gzip.open(folder / file, "wt", encoding="utf-8") as out:
            out.writelines(json.dumps(r) + "\n" for r in rows)
    (folder / "everyday").mkdir()
    lines = [json.dumps({"dialogue": dialogue}) + "\n" for dialogue in everyday]
    (folder / "everyday" / "test.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def test_speakers_are_numbered_in_turns_summary_and_brief() -> None:
    written = prepare(row("a", "Ana: Lunch, Ben?\nBen: At one.", "Ana asks Ben to lunch at one."))
    assert written.body == "#Person1#: Lunch, #Person2#?\n#Person2#: At one."
    assert written.summary == "#Person1# asks #Person2# to lunch at one."
    assert written.brief == "#Person1# asks about lunch."


def test_words_that_stand_nowhere_and_an_unknown_gender_are_drawn_less_often() -> None:
    dialogue = "Ana: The kettle is broken again.\nBen: Then buy another kettle."
    near = prepare(row("a", dialogue, "Ana wants another kettle because the kettle is broken."))
    far = prepare(row("b", dialogue, "Ana considers replacing faulty kitchen equipment."))
    guessed = prepare(row("c", dialogue, "Ana wants another kettle because her kettle is broken."))
    assert near.weight > far.weight
    assert guessed.weight == pytest.approx(near.weight / 2)


def test_parts_of_one_session_are_held_out_together() -> None:
    parts = [{"id": f"crd3:C1E{n:03}_3_0/{k}", "source": "crd3"} for n in range(60) for k in range(4)]
    decided: dict[str, set[bool]] = {}
    for part in parts:
        decided.setdefault(group(part), set()).add(is_held_out(part))
    assert len(decided) == 60
    assert all(len(choices) == 1 for choices in decided.values())
    assert {True} in decided.values()


def test_no_dialogue_is_both_trained_on_and_held_out_or_near_to_one_measured_on(tmp_path: Path) -> None:
    rng = random.Random(1)
    dialogues = [talk(rng) for _ in range(120)]
    rows = [row(f"c-{k}", dialogue) for k, dialogue in enumerate(dialogues)]
    kept_back = next(r for r in rows if is_held_out(r))
    trained = [r for r in rows if not is_held_out(r)]
    trained[0]["dialogue"] = kept_back["dialogue"].replace("Ana", "Eva")  # its copy, other names
    data = corpus(tmp_path, rows, everyday=[trained[1]["dialogue"] + "\nAna: And one turn more that stands here only."])

    training, held = load(data, held_out=False), load(data, held_out=True)
    ids = {d.id for d in training}
    assert kept_back["id"] in {d.id for d in held}
    assert not ids & {d.id for d in held}
    assert not ids & {trained[0]["id"], trained[1]["id"]}
    assert ids >= {r["id"] for r in trained[2:]}


def test_few_words_in_common_make_no_near_duplicate() -> None:
    rng = random.Random(2)
    one, other = talk(rng), talk(rng)
    assert near_duplicates([one, other], [one]) == {0}
    assert near_duplicates([one], [other + "\n" + one.splitlines()[0]]) == set()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match=r"conversations\.jsonl\.gz"):
        load(tmp_path, held_out=True)


def test_examples_stay_under_the_bound_and_briefs_are_asked_for() -> None:
    rng = random.Random(3)
    rows = [prepare(row(str(k), talk(rng, turns), f"Ana tells {k}.")) for k, turns in enumerate((2, 4, 6, 8) * 5)]
    briefs = {d.body: d.brief for d in rows}
    summaries = {d.body: d.summary for d in rows}
    drawn = [WrittenSummaries(rows).draw(rng, 60) for _ in range(400)]
    kinds = set()
    for asked in drawn:
        assert asked is not None
        assert asked.body.count(" ") + asked.body.count("\n") + 1 <= 60
        kinds.add(asked.task)
        if asked.brief:
            assert asked.target == briefs[asked.body]
        elif asked.task.endswith("-joined"):
            first, second = (s for body, s in summaries.items() if body in asked.body and s in asked.target)
            assert asked.target in (f"{first} {second}", f"{second} {first}")
        else:
            assert asked.target == summaries[asked.body]
    assert kinds == {"written/written", "written/written-brief", "written/written-joined"}
    assert WrittenSummaries(rows).draw(rng, 5) is None


def test_a_fragment_keeps_the_sentences_that_it_still_tells_and_numbers_its_speakers_anew() -> None:
    dialogue = "\n".join(
        [
            "Ana: The kettle broke.",
            "Ben: Again?",
            "Ben: Take the toaster.",
            "Cem: Toast needs butter.",
            "Ben: No butter left.",
        ]
    )
    whole = prepare(
        row("a", dialogue, "Ana breaks a kettle. Ben offers a toaster. He has no butter. Cem wants butter.")
    )
    fragments = {fragment(random.Random(seed), whole) for seed in range(40)}
    toaster = "#Person1#: Take the toaster.\n#Person2#: Toast needs butter.\n#Person1#: No butter left."
    told = "#Person1# offers a toaster. He has no butter. #Person2# wants butter."
    assert fragments == {(f"#Person1#: Again?\n{toaster}", told), (toaster, told)}
    assert (
        fragment(random.Random(0), prepare(row("b", "Ana: Toast?\nBen: Butter.\nAna: Yes.", "Ana wants toast.")))
        is None
    )
    nothing = prepare(row("c", "Ana: A kettle!\nBen: Ah.\nAna: Oh.\nBen: Well.", "Ana wants a kettle."))
    assert {fragment(random.Random(seed), nothing) for seed in range(9)} == {None}


def test_who_speaks_first_has_the_lowest_number_in_a_fragment_whoever_is_spoken_of() -> None:
    dialogue = "Ana: Hm.\nBen: Cem broke the kettle.\nAna: The kettle!\nCem: Sorry."
    whole = prepare(row("a", dialogue, "Ana learns that Cem broke the kettle."))
    found = {made for seed in range(9) if (made := fragment(random.Random(seed), whole))}
    body = "#Person1#: #Person3# broke the kettle.\n#Person2#: The kettle!\n#Person3#: Sorry."
    assert found == {(body, "#Person2# learns that #Person3# broke the kettle.")}


def test_a_pronoun_without_its_noun_is_not_told() -> None:
    dialogue = "Ana: My kettle broke.\nBen: Oh.\nAna: Is butter there?\nBen: No butter.\nAna: Cheese then."
    whole = prepare(
        row("a", dialogue, "Ana has a broken kettle. She wants butter. She eats it with cheese. Ana takes cheese.")
    )
    found = {made[1] for seed in range(40) if (made := fragment(random.Random(seed), whole))}
    assert found == {"#Person1# takes cheese.", "#Person2# takes cheese."}


def test_fragments_and_sentences_to_merge_are_drawn() -> None:
    dialogue = "Ana: The kettle broke.\nBen: Again?\nAna: Take the toaster.\nBen: Fine."
    rows = [prepare(row(str(k), dialogue, "Ana breaks the kettle. Ana offers the toaster.")) for k in range(5)]
    drawn = [WrittenSummaries(rows).draw(random.Random(seed), 60) for seed in range(400)]
    merged = {(a.body, a.brief, a.target) for a in drawn if a and a.task.endswith("-merged")}
    assert merged == {
        ("#Person1# breaks the kettle.\n#Person1# offers the toaster.", True, "#Person1# asks about lunch.")
    }
    assert any(a and a.task.endswith("-fragment") and "kettle" not in a.body for a in drawn)


def test_short_chats_are_short_and_their_summaries_name_only_what_is_said() -> None:
    chats = short_chats()
    assert len(chats) >= 150
    assert len({chat["id"] for chat in chats}) == len(chats)
    for chat in chats:
        assert 2 <= chat["dialogue"].count("\n") + 1 <= 5, chat
        assert chat["summary"].endswith("."), chat
        dialogue, summary = chat["dialogue"].lower(), chat["summary"]
        names = re.findall(r"(?<=[a-z,] )[A-Z]\w+", summary)
        assert all(name.lower() in dialogue for name in names), chat
        assert all(figure in dialogue for figure in FIGURE.findall(summary.replace("#Person", ""))), chat


def test_a_smaller_share_is_a_part_of_a_larger_one_and_what_is_held_out_stays(tmp_path: Path) -> None:
    rng = random.Random(4)
    data = corpus(tmp_path, [row(f"c-{k}", talk(rng)) for k in range(200)])
    quarter, half, whole = ({d.id for d in load(data, held_out=False, share=share)} for share in (0.25, 0.5, 1.0))
    assert quarter < half < whole
    assert len(quarter) == pytest.approx(len(whole) / 4, rel=0.3)
    assert len(half) == pytest.approx(len(whole) / 2, rel=0.3)
    assert whole == {d.id for d in load(data, held_out=False)}
    assert load(data, held_out=True, share=0.25) == load(data, held_out=True)
