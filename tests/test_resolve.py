"""One order of settings: what goes before what, what is refused, and that the documentation says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import diasum
from diasum.config import Settings
from diasum.errors import DiasumError
from diasum.resolve import CHECK_DATA, EVALUATE, EXPORT, SUMMARIZE, TRAIN, load_settings, resolve


def test_the_order() -> None:
    """Defaults, the recipe, the run's own, what was given."""
    assert Settings().lora.r == 8
    assert load_settings("demo").lora.r == 16
    assert load_settings("demo", ["lora={r: 4}"]).lora.r == 4
    assert load_settings("demo", ["lora={r: 4}"]).lora.lora_alpha == 16, "a section adds to the recipe's"
    own = load_settings("demo", {"generate.num_beams": 2})
    resolved = resolve(EVALUATE, ["generate.max_new_tokens=7"], {"evaluate.split": "other"}, own=own)
    assert (resolved.generate.num_beams, resolved.generate.max_new_tokens) == (2, 7)
    assert resolved.evaluate.split == "other"


def test_the_same_value_twice_is_none_too_many() -> None:
    twice = ["train.epochs=2", "train.epochs=2.0", "data.summary_columns=note", "data.summary_columns=[note]"]
    settings = load_settings(None, [*twice, ("train.epochs", 2)])
    assert (settings.train.epochs, settings.data.summary_columns) == (2, ["note"])
    both = load_settings(None, {"lora.rank_pattern.q": 2, "lora": {"rank_pattern.k": 4}})
    assert both.lora.model_extra == {"rank_pattern": {"q": 2, "k": 4}}
    with pytest.raises(DiasumError, match=r"lora\.rank_pattern\.q is given twice"):
        load_settings(None, {"lora.rank_pattern.q": 2, "lora.rank_pattern": {"q": 4}})


def test_what_is_refused_says_what_there_is() -> None:
    with pytest.raises(DiasumError) as caught:
        resolve(EVALUATE, ["base=other", "lora.r=4", "evaluate.split=test"])
    assert caught.value.message == "`diasum evaluate` does not use base, lora.r: leave them out."
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("Use --base for base. It uses data.path, ")
    assert "evaluate.*, generate.*, train.device" in caught.value.hint
    with pytest.raises(DiasumError, match="unknown setting"):
        resolve(EVALUATE, ["lora.r=4", "evaluate.splitt=test"])


def test_recipes_are_known_wherever_settings_are_read() -> None:
    assert diasum.load_settings("demo") == resolve(TRAIN, config="demo") != Settings()
    with pytest.raises(DiasumError, match="neither a file nor a bundled recipe `dmeo`") as caught:
        diasum.load_settings("dmeo")
    assert "Did you mean `demo`?" in str(caught.value)


def test_the_documentation_names_what_each_command_uses() -> None:
    page = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (.*?) \| (.*) \|$", page.partition("| command | uses |")[2], re.M))
    for command, row in (
        (EVALUATE, "`evaluate`"),
        (SUMMARIZE, "`summarize`"),
        (EXPORT, "`export`"),
        (CHECK_DATA, "`data check`, `stats`, `convert`, `split`, `redact`"),
    ):
        unnamed = [path for path in command.uses if f"`{path}`" not in rows[row] and f"`{path}.`" not in rows[row]]
        if command is CHECK_DATA:  # what `evaluate` reads, and lengths
            unnamed = [path for path in unnamed if path not in EVALUATE.uses and not path.startswith("prompt.")]
        columns = "the four columns" in rows[row]
        names = [path.partition(".")[2] for path in unnamed]
        assert [n for n in names if f"`{n}`" not in rows[row] and not (columns and "_column" in n)] == []
