"""`diasum summarize` as users type it: what is printed, the records, and what is told of what was not read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from diasum.data.summary import Summary
from tests.cli.terminal import Terminal
from tests.models import tiny_bart


def test_summarize_files_and_jsonl(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Anna: Lunch?\nBen: At nine.\n")
    turns = [{"speaker": "Anna", "text": "Lunch?"}, {"speaker": "Ben", "text": "At nine."}]
    (tmp_path / "many.jsonl").write_text(
        json.dumps({"id": "x", "turns": turns}) + "\n\n" + json.dumps("Anna: Hi.") + "\n"
    )
    code, out, err = diasum_("summarize", tmp_path / "a.txt", tmp_path / "many.jsonl", "--run", run, "--jsonl")
    assert code == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["id"] for row in rows] == ["a", "x", "many-2"]
    assert rows[0]["summary"] == rows[1]["summary"], "one conversation in two layouts"


def test_summarize_checks_each_sentence(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    talk = "Anna: Shall we have lunch at the harbour?\nBen: At nine, after the meeting.\n"
    code, out, err = diasum_("summarize", "--run", run, "--check", stdin=talk)
    assert code == 0, err
    code, plain, err = diasum_("summarize", "--run", run, "--jsonl", stdin=talk)
    assert code == 0, err
    record = json.loads(plain)
    lines = out.splitlines()
    shown = [line for line in lines if line.startswith("[")]
    assert shown == [f"[{one['verdict']}] {' '.join(one['text'].split())}" for one in record["sentences"]]
    for one in record["sentences"]:
        assert all(f"    {reason}" in lines for reason in one["reasons"])
    code, out, err = diasum_("summarize", "--run", run, "--check", "--jsonl", stdin=talk)
    assert (code, out) == (2, "")
    assert "each JSON object has the check" in err
    code, _, err = diasum_("summarize", "--run", run, "--check", "--out", tmp_path / "out.jsonl", stdin=talk)
    assert code == 2
    assert "--check is for summaries that are printed" in err


def test_summaries_and_predictions_are_one_record(diasum_: Terminal, run: str, corpus: str, tmp_path: Path) -> None:
    assert diasum_("evaluate", run, "--max-examples", 3, "--out", tmp_path / "scores")[0] == 0
    files = {
        name: [json.loads(line) for line in (tmp_path / "scores" / f"{name}.jsonl").read_text().splitlines()]
        for name in ("predictions", "predictions.base", "predictions.lead3")
    }
    predictions, base, lead3 = files.values()
    talks = tmp_path / "talks.jsonl"
    talks.write_text("\n".join(json.dumps({"id": row["id"], "dialogue": row["dialogue"]}) for row in predictions))
    code, out, err = diasum_("summarize", talks, "--run", run, "--jsonl")
    assert code == 0, err
    for line, prediction in zip(map(json.loads, out.splitlines()), predictions, strict=True):
        assert line == {name: prediction["prediction" if name == "summary" else name] for name in line}
        assert line["engine"] in ("torch-fast", "torch-plain"), "it was generated"
        assert line["finish_reason"] == ("length" if line["summary_cut"] else "stop")
        assert line["windows"] == [
            {"first": 0, "last": line["turns"] - 1, "spans": [[0, line["turns"] - 1]], "whole": True}
        ]
        assert Summary.from_record(line) == Summary.from_record(prediction)
    hashes = {row["settings_hash"] for row in [*predictions, *base]}
    assert len(hashes) == 1
    assert {row["finish_reason"] for row in predictions} >= {"length"}
    for row in lead3:
        assert row["engine"] == "lead3"
        assert row["sentences"]
        unknown = ("finish_reason", "settings_hash", "windows", "cut", "summary_cut", "turns", "letters_lost", "dtype")
        assert [row[name] for name in unknown] == [None] * len(unknown)
    code, out, err = diasum_("summarize", talks, "--run", run, "--jsonl", "--num-beams", 2)
    assert json.loads(out.splitlines()[0])["settings_hash"] not in hashes


def test_an_empty_conversation_does_not_stop_the_others(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    talks = tmp_path / "talks.jsonl"
    talks.write_text("\n".join(json.dumps({"dialogue": text}) for text in ("", "Anna: Hi.", "Ben:", "Anna: Hi.")))
    code, out, err = diasum_("summarize", talks, "--run", run, "--jsonl")
    assert code == 0, err
    first, second, third, fourth = (json.loads(line) for line in out.splitlines())
    nothing = {"cut": False, "summary_cut": False, "turns": 0, "turns_cut": 0, "read": None}
    nothing |= {"letters_lost": 0, "dtype": None, "engine": "none", "settings_hash": None}
    assert first == third == first | {"summary": "", **nothing}
    assert second == fourth != first
    assert f"note: 1: {talks}, line 1 is empty, and so is its summary." in err.replace("\n", " ")
    assert diasum_("summarize", talks, "--run", run)[1].splitlines()[0].startswith("1:")


def test_what_was_not_read_is_told(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("".join(f"Anna: This is turn number {i} of a long talk.\n" for i in range(1, 201)))
    code, out, err = diasum_("summarize", long, "--run", run, "--jsonl", "--set", "generate.long=cut")
    assert code == 0, err
    row = json.loads(out)
    read = re.fullmatch(r"read turns 1 to (\d+) of 200 \((\d+)% of the words\)", row["read"])
    assert read, row
    assert (row["cut"], row["turns"], row["turns_cut"]) == (True, 200, 200 - int(read[1]))
    assert int(read[2]) == pytest.approx(100 * int(read[1]) / 200, abs=1)
    assert f"note: long: the model {row['read']}; the rest did not fit its input" in " ".join(err.split())


def test_what_is_too_long_is_read_in_windows_and_the_cost_is_told(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    talk = "\n".join(f"Anna: This is turn number {i} of a long talk." for i in range(1, 201))
    rows = [{"id": name, "dialogue": text} for name, text in (("one", talk), ("two", "Anna: Hi."), ("three", talk))]
    many = tmp_path / "many.jsonl"
    many.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    code, out, err = diasum_("summarize", many, "--run", run, "--jsonl")
    assert code == 0, err
    one, two, three = map(json.loads, out.splitlines())
    assert [row["id"] for row in (one, two, three)] == ["one", "two", "three"]
    assert {**one, "id": ""} == {**three, "id": ""}
    assert (one["cut"] or one["summary_cut"], one["turns_cut"], one["read"]) == (one["summary_cut"], 0, None)
    assert (len(two["windows"]), two["passes"]) == (1, 1)
    n, passes, tokens = len(one["windows"]), one["passes"], one["tokens_read"]
    told = " ".join(err.split())
    assert f"note: one: the conversation was read in {n} windows ({passes} passes, {tokens:,} tokens)." in told
    assert "note: two:" not in told


def test_summaries_that_were_cut_are_told_in_one_line(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    """Of one, of several that are printed, and of a file."""
    talk = "Anna: Lunch?\nBen: At nine.\n"
    (tmp_path / "many.jsonl").write_text(
        "".join(f"{json.dumps({'id': f'd{i}', 'dialogue': talk})}\n" for i in range(7))
    )
    command = ["summarize", "--run", run, "--max-new-tokens"]
    _, out, err = diasum_(*command, 3, "--jsonl", stdin=talk)
    assert json.loads(out)["finish_reason"] == "length"
    assert "note: the summary was cut by the length limit (more room: --max-new-tokens)." in " ".join(err.split())
    _, out, err = diasum_(*command, 3, tmp_path / "many.jsonl")
    told = " ".join(err.split())
    assert "note: 7 of 7 summaries were cut by the length limit: d0, d1, d2, d3, d4, ... (more room" in told
    assert told.count("length limit") == 1
    _, out, err = diasum_(*command, 3, tmp_path / "many.jsonl", "--out", tmp_path / "out.jsonl")
    assert "note: 7 of 7 summaries were cut by the length limit (more room" in " ".join(err.split())
    # Whether a random model ends a text depends on the processor's rounding; this one ends each at once.
    model, tokenizer = tiny_bart()
    model.final_logits_bias[0, tokenizer.eos_token_id] = 1e4
    for part in (model, tokenizer):
        part.save_pretrained(tmp_path / "ends")
    _, out, err = diasum_("summarize", "--run", tmp_path / "ends", "--max-new-tokens", 3, "--jsonl", stdin=talk)
    assert json.loads(out)["finish_reason"] == "stop"
    assert "length limit" not in err


def test_the_engine(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    text = "Anna: Lunch?\nBen: At nine.\n"
    code, out, err = diasum_("summarize", "--run", run, "--jsonl", "--engine", "torch-plain", stdin=text)
    made = json.loads(out)
    assert (code, made["engine"], made["engine_reason"]) == (0, "torch-plain", "as set"), err
    code, out, err = diasum_(
        "evaluate", run, "--engine", "torch-plain", "--max-examples", 2, "--out", tmp_path / "scores"
    )
    assert code == 0, err
    made = json.loads((tmp_path / "scores" / "metrics.json").read_text())["generation"]
    assert (made["engine"], made["engine_reason"]) == ("torch-plain", "as set")
    code, out, err = diasum_("summarize", "--run", run, "--engine", "onnx", stdin=text)
    assert (code, out) == (2, "")
    assert "torch-plain" in err


def test_the_number_type_of_generation(diasum_: Terminal, run: str, tmp_path: Path) -> None:
    text = "Anna: Lunch?\nBen: At nine.\n"
    for flags, expected in (([], "fp32"), (["--dtype", "bf16"], "bf16"), (["--dtype", "auto"], "fp32")):
        code, out, err = diasum_("summarize", "--run", run, "--jsonl", *flags, stdin=text)
        assert (code, json.loads(out)["dtype"]) == (0, expected), err
    code, out, err = diasum_("evaluate", run, "--dtype", "bf16", "--max-examples", 2, "--out", tmp_path / "scores")
    assert code == 0, err
    made = json.loads((tmp_path / "scores" / "metrics.json").read_text())["generation"]
    assert made == made | {"device": "cpu", "dtype": "bf16", "dtype_reason": "bf16: as set", "long": "windows"}
    assert "in bf16: as set" in (tmp_path / "scores" / "report.md").read_text()
    for command in (["summarize", "--run"], ["evaluate"]):
        code, out, err = diasum_(*command, run, "--dtype", "fp16", stdin=text)
        assert (code, out) == (2, "")
        assert "fp16" in err
        assert "fp32" in err


@pytest.mark.parametrize("identified", [True, False])
def test_summaries_of_a_table_can_be_scored(identified: bool, diasum_: Terminal, run: str, tmp_path: Path) -> None:
    rows = [{"dialogue": f"Anna: Lunch at {hour}?\nBen: Yes.", "summary": "Lunch."} for hour in range(4)]
    if identified:
        rows = [{"id": name, **row} for name, row in zip("abca", rows, strict=True)]
    talks = tmp_path / "talks.jsonl"
    talks.write_text("\n".join(map(json.dumps, rows)))
    code, out, err = diasum_("summarize", talks, "--run", run, "--jsonl")
    assert code == 0, err
    assert [json.loads(line).get("id") for line in out.splitlines()] == (
        ["a", "b", "c", "a-2"] if identified else [None] * 4
    )
    (tmp_path / "made.jsonl").write_text(out)
    code, out, err = diasum_("score", tmp_path / "made.jsonl", "--data", talks, "--json")
    assert code == 0, err
    assert json.loads(out)["n"] == 4
