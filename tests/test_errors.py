"""What was probably meant: suggested where a name is near, and only there."""

from __future__ import annotations

from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

import diasum
from diasum.config import GenerateSettings, TrainSettings
from diasum.errors import DiasumError, near_misses, near_path, nearest


@pytest.mark.parametrize(
    ("name", "valid", "meant"),
    [
        ("learning_rat", TrainSettings.model_fields, "learning_rate"),
        ("epoch", TrainSettings.model_fields, "epochs"),
        ("rate", TrainSettings.model_fields, "learning_rate"),
        ("beams", GenerateSettings.model_fields, "num_beams"),
        ("max_tokens", GenerateSettings.model_fields, "max_new_tokens"),
        ("Test", ["test", "train"], "test"),
        ("tset", ["test", "train"], "test"),
        ("dev2", ["test", "train", "validation"], None),
        ("text", ["context", "returns"], None),
        ("absent", ["patient", "amx-step"], None),
        ("lead", ["longest", "oracle"], None),
        ("query", ["k", "o", "v"], None),
        ("", ["a"], None),
    ],
)
def test_the_nearest_name(name: str, valid: Any, meant: str | None) -> None:
    assert nearest(name, valid) == meant
    assert ("Did you mean" in near_misses(name, valid)) == (meant is not None)


@pytest.mark.parametrize(("name", "meant"), [("query", "q_proj"), ("key", "k_proj"), ("q", "q_proj"), ("gate", None)])
def test_modules_go_by_their_initials(name: str, meant: str | None) -> None:
    modules = ["k_proj", "q_proj", "v_proj", "out_proj", "fc1"]
    assert nearest(name, modules, initials=True) == meant
    assert nearest("query", ["k", "q", "v"], initials=True) == "q"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("amx-step.json", "summaries.json", "chats.jsonl", "chats.txt", "patient.jsonl", ".absent.jsonl"):
        Path(name).touch()
    Path("runs/first").mkdir(parents=True)
    Path("rums.txt").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("absent.jsonl", ""),
        ("other.json", ""),
        ("chat.jsonl", "Did you mean `chats.jsonl`?"),
        ("chat.txt", "Did you mean `chats.txt`?"),
        ("patient.csv", "Did you mean `patient.jsonl`?"),
        ("runs/frist", "Did you mean `runs/first`?"),
        ("rusn/first", "Did you mean `runs`?"),
        ("nowhere/at/all.txt", ""),
        ("x" * 300, ""),
    ],
)
def test_paths_are_near_by_their_stems(path: str, meant: str, folder: Path) -> None:
    assert near_path(Path(path)) == meant


@pytest.mark.parametrize(
    "command",
    [
        lambda absent: diasum.check_data(absent),
        lambda absent: diasum.score(absent, "sample"),
        lambda absent: diasum.score("chats.txt", absent),
        lambda absent: diasum.load(absent),
        lambda absent: diasum.summarize(Path(absent)),
        lambda absent: diasum.evaluate(absent),
        lambda absent: diasum.compare([absent, "runs/first"]),
        lambda absent: diasum.inspect(f"./{absent}"),
        lambda absent: diasum.load_settings(f"./{absent}"),
    ],
)
def test_nothing_far_is_suggested_for_a_path_that_is_not_there(command: Any, folder: Path) -> None:
    with pytest.raises(DiasumError) as caught:
        command("absent.jsonl")
    assert "absent.jsonl" in caught.value.message
    for other in ("amx-step", "patient", "summaries"):
        assert other not in str(caught.value)


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (lambda: diasum.score("chats/patiant.jsonl", "sample"), "chats/patient.jsonl"),
        (lambda: diasum.score("tset.jsonl", "sample"), "test.jsonl"),
        (lambda: diasum.check_data("chat/test"), "chats"),
        (lambda: diasum.inspect("minni"), "mini"),
        (lambda: diasum.inspect("runs/frist"), "runs/first"),
        (lambda: diasum.train("minni", "sample", run="new"), "mini"),
        (lambda: diasum.load("minni"), "mini"),
        (lambda: diasum.load("chat/model"), "chats"),
        (lambda: diasum.evaluate("minni", data="sample"), "mini"),
        (lambda: diasum.compare(["runs/first", "other=runs/frist"]), "runs/first"),
        (lambda: diasum.train(run="runs/frist", resume=True), "runs/first"),
        (lambda: diasum.load_settings("tset"), "test.jsonl"),
    ],
)
def test_what_is_near_a_path_that_is_not_there_is_suggested_wherever_one_is_given(
    command: Any, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("chats", "runs/first"):
        Path(folder).mkdir(parents=True)
    for name in ("test.jsonl", "chats/patient.jsonl"):
        Path(name).touch()
    with pytest.raises(DiasumError, match=f"Did you mean `{meant}`"):
        command()


def test_a_folder_that_is_there_is_not_suggested_for_itself(tmp_path: Path) -> None:
    with pytest.raises(DiasumError, match="no run to resume") as caught:
        diasum.train(run=tmp_path, resume=True)
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("function", "wrong", "told"),
    [
        (lambda **more: diasum.load("mini", **more), "devise", "load() takes no argument `devise`.\nDid you mean `device`?"),
        (lambda **more: diasum.load("mini", **more), "beams", "Available: base, device, dtype, settings, trust_remote_code."),
        (lambda **more: diasum.summarize("A: Hi.", **more), "num_beam", "summarize() takes no argument `num_beam`.\nDid you mean"),
        (lambda **more: diasum.summarize("A: Hi.", **more), "runs", "Did you mean `run`?"),
    ],
)  # fmt: skip
def test_a_wrong_keyword_names_the_right_ones(
    function: Any, wrong: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diasum.summarization.summarizer.Summarizer", lambda *_: pytest.fail("looked at too late"))
    with pytest.raises(DiasumError) as caught:
        function(**{wrong: 1})
    assert told in str(caught.value)


FUNCTIONS = [name for name in diasum.__all__ if isinstance(getattr(diasum, name), FunctionType)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_refuses_calls_that_do_not_fit(name: str) -> None:
    function = getattr(diasum, name)
    with pytest.raises(DiasumError, match=rf"{name}\(\) takes no argument `zzz`"):
        function(*["x"] * 2, zzz=1)
    if name not in ("preflight", "load_settings"):  # whose arguments may all be left out
        with pytest.raises(DiasumError, match=rf"{name}\(\) needs `\w+`"):
            function()
    with pytest.raises(DiasumError, match=rf"{name}\(\) takes at most \d arguments? without a name"):
        function(*["x"] * 9)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: diasum.train(epochs=3), 'It is a setting: settings={"train.epochs": 3}.'),
        (lambda: diasum.train("mini", "sample", run="x", epoch=3), 'settings={"train.epochs": 3}'),
        (lambda: diasum.train(dat="sample", run="x"), "Did you mean `data`?"),
        (lambda: diasum.train(seed=1, run="x"), '{"train.seed": 1} or settings={"evaluate.seed": 1}'),
        (lambda: diasum.evaluate("x", seed=1), 'It is a setting: settings={"evaluate.seed": 1}.'),
        (lambda: diasum.evaluate("x", base_revision="y"), "Available: base, data"),
        (lambda: diasum.check_data("sample", protocol="auto"), "Available: base, claims, data"),
        (lambda: diasum.preflight("mini", base="mini"), "is given `base` twice"),
        (lambda: diasum.score("p.txt"), "score() needs `data`.\nIt takes predictions, data, split"),
        (lambda: diasum.baseline("sample", "lead3"), "Give the others by name: method, split"),
    ],
)
def test_a_call_that_does_not_fit_says_what_would(call: Any, told: str) -> None:
    with pytest.raises(DiasumError) as caught:
        call()
    assert told in str(caught.value)
