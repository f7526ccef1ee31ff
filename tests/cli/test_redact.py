"""Redaction as users type it, and in a run from its training to its summaries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import diasum
from diasum.data.summary import Summary
from diasum.errors import DiasumError, MissingExtraError
from diasum.redaction import redactor
from tests.cli.terminal import Terminal

CHAT = "Agent: Your number?\nDana: 202-555-0143.\nAgent: Thanks, Dana.\n"


@pytest.fixture
def diasum_(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


def test_redact_and_restore(diasum_: Terminal, tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text(CHAT)
    names = {name: str(tmp_path / name) for name in ("chat.txt", "out.jsonl", "mapping.json", "said.txt", "back.txt")}
    code, _, err = diasum_("data", "redact", names["chat.txt"], names["out.jsonl"], "--mapping", names["mapping.json"])
    assert code == 0
    assert "hidden: 1 telephone number and 1 speaker" in err
    assert "555" not in Path(names["out.jsonl"]).read_text()
    Path(names["said.txt"]).write_text("#Person1# gives (Phone1).")
    code, _, _ = diasum_("data", "restore", names["said.txt"], names["back.txt"], "--mapping", names["mapping.json"])
    assert code == 0
    assert Path(names["back.txt"]).read_text() == "Dana gives 202-555-0143.\n"


def test_summary_says_what_was_hidden(diasum_: Terminal, base: str) -> None:
    few = ("--max-new-tokens", "5", "--num-beams", "1", "--jsonl", "--run", base)
    code, out, err = diasum_("summarize", "--redact", *few, stdin=CHAT)
    assert code == 0
    assert json.loads(out)["redacted"] == {"telephone": 1, "speaker": 1}
    assert Summary.from_record(json.loads(out)).redacted == {"telephone": 1, "speaker": 1}
    assert "hidden from the model: 1 telephone number and 1 speaker" in err
    code, out, err = diasum_("summarize", *few, stdin=CHAT)
    assert json.loads(out)["redacted"] is None
    assert "hidden" not in err
    code, _, err = diasum_("summarize", "--names", *few, stdin=CHAT)
    assert code == 2
    assert "--redact --names" in err


def test_run_redacts_as_it_was_trained(base: str, corpus: str, tmp_path: Path, quick: dict[str, object]) -> None:
    run = tmp_path / "run"
    diasum.train(base, corpus, run=run, settings=quick | {"train.epochs": 1, "prompt.redact": "names"})
    recorded = json.loads((run / "adapter" / "diasum.json").read_text())
    assert recorded["prompt"]["redact"] == "names"
    assert "hidden from the model" in json.loads((run / "manifest.json").read_text())["encoding"]["redaction"]
    settings = {"max_new_tokens": 5, "num_beams": 1}
    assert diasum.load(run).summarize_all([CHAT], **settings)[0].redacted == {"telephone": 1, "speaker": 1}
    assert diasum.load(run, settings={"prompt.redact": "off"}).summarize_all([CHAT], **settings)[0].redacted is None
    with pytest.raises(DiasumError, match=r"prompt\.redact"):
        diasum.load(run, settings={"prompt.redact": "sometimes"})


def test_without_the_extra_only_redaction_is_refused(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redactor, "find_spec", lambda name: None)
    assert diasum.load(base).summarize_all([CHAT], max_new_tokens=3, num_beams=1)
    with pytest.raises(MissingExtraError, match=r"diasum\[redact\]"):
        diasum.load(base, settings={"prompt.redact": "on"})
