"""What was probably meant: suggested where a name is near, and only there."""

from __future__ import annotations

from pathlib import Path
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
    ("function", "wrong", "told"),
    [
        (lambda **more: diasum.load("mini", **more), "devise", "load() takes no argument `devise`.\nDid you mean `device`?"),
        (lambda **more: diasum.load("mini", **more), "beams", "Available: base, device, dtype, trust_remote_code."),
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
