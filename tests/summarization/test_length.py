"""A brief is asked for in the words that the base was taught for it, or refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import diasum
from diasum.config import DEFAULT_PROMPT, PromptSettings
from diasum.errors import DiasumError
from diasum.model import bundled_base
from diasum.summarization import Summarizer
from tests.cli.terminal import Terminal

BRIEF = "In one sentence:\n\n{dialogue}\n\nSummary:"
TEXT = "Anna: Could you send me the report?\nBen: Sure, before lunch."
ASKED = {"prompt.length": "brief"}


@pytest.fixture(scope="module")
def taught(base: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny base, with a prompt for briefs in its configuration."""
    folder = tmp_path_factory.mktemp("taught") / "base"
    shutil.copytree(base, folder)
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"dialogue_prompts": {"brief": BRIEF}}))
    return str(folder)


def prefix(summarizer: Summarizer) -> str:
    return summarizer.trained.encoder.prompt.prefix.strip()


def test_the_base_is_asked_in_its_own_words(taught: str) -> None:
    brief, normal = diasum.load(taught, settings=ASKED), diasum.load(taught)
    assert prefix(brief) == "In one sentence:"
    assert prefix(normal) == "Summarize the following conversation."
    assert not brief.trained.notes[1:]
    made = [one.summarize_all([TEXT], max_new_tokens=4)[0].settings_hash for one in (brief, normal)]
    assert made[0] != made[1]


def test_settings_of_generation_are_taken_too(taught: str) -> None:
    summarizer = diasum.load(taught, settings={**ASKED, "generate.max_new_tokens": 3, "generate.num_beams": 1})
    assert (summarizer.trained.generate.max_new_tokens, summarizer.trained.generate.num_beams) == (3, 1)
    assert diasum.load(taught, settings=ASKED, dtype="bf16").trained.generate.dtype == "bf16"
    with pytest.raises(DiasumError, match=r"does not use prompt\.template"):
        diasum.load(taught, settings={"prompt.template": "{dialogue}"})
    with pytest.raises(DiasumError, match=r"prompt\.length"):
        diasum.load(taught, settings={"prompt.length": "short"})


def test_one_setting_with_two_values_is_refused(base: str) -> None:
    for settings in ({"generate.num_beams": 2}, ["generate.num_beams=2"], iter(["generate.num_beams=2"])):
        with pytest.raises(DiasumError, match=r"generate\.num_beams is given twice with different values: 1 and 2"):
            diasum.summarize(TEXT, run=base, settings=settings, num_beams=1)
    same = diasum.summarize(TEXT, run=base, settings=iter(["generate.max_new_tokens=3"]), max_new_tokens=3, num_beams=1)
    assert same == diasum.summarize(TEXT, run=base, max_new_tokens=3, num_beams=1)


def test_a_base_that_was_taught_none_is_not_asked_for_a_brief(base: str) -> None:
    with pytest.raises(DiasumError, match="records no prompt that asks for a brief"):
        diasum.load(base, settings=ASKED)


@pytest.mark.parametrize("recorded", [None, "brief", {}, {"brief": 3}, {"brief": "without its place"}])
def test_what_is_recorded_must_be_a_template(recorded: Any) -> None:
    with pytest.raises(DiasumError, match="records no prompt"):
        PromptSettings(length="brief").for_base(SimpleNamespace(dialogue_prompts=recorded))


def test_a_template_of_the_users_own_says_itself_how_long() -> None:
    config = SimpleNamespace(dialogue_prompts={"brief": BRIEF})
    with pytest.raises(DiasumError, match="only one of them"):
        PromptSettings(length="brief", template="Tell me: {dialogue}").for_base(config)
    decided = PromptSettings(length="brief").for_base(config)
    assert decided.template == BRIEF
    assert decided.for_base(config) == decided, "once more changes nothing"
    assert decided.asking("normal").for_base(config).template == DEFAULT_PROMPT


def test_an_adapter_keeps_the_length_it_learnt_and_says_so_when_asked_for_another(
    taught: str, corpus: str, quick: dict[str, Any], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    diasum.train(taught, corpus, run=run, settings=quick | {"train.epochs": 1, "generate.min_new_tokens": 2} | ASKED)
    brief = diasum.load(run)
    assert prefix(brief) == "In one sentence:"
    assert not brief.trained.notes
    normal = diasum.load(run, settings={"prompt.length": "normal"})
    assert prefix(normal) == "Summarize the following conversation."
    (note,) = normal.trained.notes
    assert "was trained with prompt.length=brief" in note
    assert "shorter than 2 tokens" in note


def test_the_command_takes_it(taught: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    diasum_ = Terminal(monkeypatch, capsys)
    quick = ("--set", "generate.num_beams=1", "--max-new-tokens", 3, "--run", taught)
    rows = [
        json.loads(diasum_("summarize", "--jsonl", *quick, *more, stdin=TEXT)[1])
        for more in ((), ("--set", "prompt.length=brief"))
    ]
    assert rows[0]["settings_hash"] != rows[1]["settings_hash"]
    code, _, err = diasum_("summarize", "--num-beams", 2, *quick, stdin=TEXT)
    assert code == 2
    assert "generate.num_beams is given twice" in err


def test_mini_records_what_it_was_taught() -> None:
    from pretraining.tasks import SUMMARY, frame
    from pretraining.written import BRIEFLY

    config = json.loads((bundled_base() / "config.json").read_text(encoding="utf-8"))
    assert config["dialogue_prompts"] == {"brief": frame(BRIEFLY, "{dialogue}", SUMMARY)}
