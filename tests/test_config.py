"""Settings: read, overridden, refused as a whole."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from diasum.config import Settings
from diasum.errors import DiasumError
from diasum.resolve import load_settings
from diasum.settings_check import describe


def test_yaml_with_overrides_on_top(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("base: some/model\ntrain:\n  epochs: 5\n  learning_rate: 2.0e-4\n")
    settings = load_settings(file, ["train.learning_rate=1e-3", "lora.target_modules=[q, v]", "train.report_to=[]"])
    assert settings.base == "some/model"
    assert settings.train.epochs == 5
    assert settings.train.learning_rate == 1e-3
    assert settings.lora.target_modules == ["q", "v"]
    assert settings.train.report_to == []


def test_all_problems_at_once_with_their_paths(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("train:\n  learning_rat: 1\n  epochs: many\nlorra: {}\nlora:\n  use_dra: true\n")
    with pytest.raises(DiasumError) as caught:
        load_settings(file)
    message = caught.value.message
    assert "4 problems" in message
    assert "train.learning_rat: unknown setting. Did you mean `learning_rate`?" in message
    assert "train.epochs" in message
    assert "'many'" in message
    assert "lorra" in message
    assert "Did you mean `use_dora`?" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train: [1", "not valid YAML"),
        ("train: {seed: 2024-13-45}", "not valid YAML: month must be in 1..12"),
        ("train: {seed: !!bool maybe}", "not valid YAML: a value"),
        ("[" * 3000, "not valid YAML: .* brackets without end"),
        ("- a\n- b\n", "expected sections"),
        ("train: {learning_rate: .nan}", "finite"),
    ],
)
def test_unusable_files(text: str, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    with pytest.raises(DiasumError, match=expected):
        load_settings(file)


def test_missing_file_and_malformed_override() -> None:
    with pytest.raises(DiasumError, match="No settings file"):
        load_settings("nowhere.yaml")
    with pytest.raises(DiasumError, match=r"section\.key=value"):
        load_settings(None, ["train.epochs"])


def test_any_lora_config_field_is_reachable_and_checked() -> None:
    settings = load_settings(None, {"lora.use_rslora": True, "lora.rank_pattern": {"q": 4}})
    assert settings.lora.model_extra == {"use_rslora": True, "rank_pattern": {"q": 4}}


def test_resolved_yaml_reads_back_to_the_same(tmp_path: Path) -> None:
    settings = load_settings(
        None, {"lora.use_dora": True, "train.seed": 7, "prompt.template": "Zusammenfassung:\n{dialogue}\n=>"}
    )
    file = tmp_path / "config.yaml"
    file.write_text(settings.to_yaml(), encoding="utf-8")
    assert load_settings(file) == settings


def test_every_setting_says_what_it_does() -> None:
    text = describe(Settings)
    assert "None\n" not in text
    assert "train.learning_rate = 0.001" in text


def test_bundled_recipes_are_valid_and_the_classic_one_is_the_classic_one() -> None:
    from diasum.resolve import RECIPES

    for recipe in RECIPES.glob("*.yaml"):
        load_settings(recipe.stem)
    classic = load_settings("dialogsum-flan-t5-base")
    assert (classic.lora.r, classic.lora.lora_alpha, classic.lora.lora_dropout) == (8, 32, 0.05)
    assert (
        classic.train.learning_rate,
        classic.train.batch_size,
        classic.train.epochs,
        classic.train.weight_decay,
    ) == (1e-3, 4, 3, 0.01)
    assert (classic.generate.num_beams, classic.generate.max_new_tokens) == (4, 100)
    with pytest.raises(DiasumError, match="bundled recipe"):
        load_settings("dialogsum-flan-t5")


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("train:\n  epochs: 3\n learning_rate: 1\n")
    with pytest.raises(DiasumError, match=r"broken.yaml, line 3, column 2: not valid YAML"):
        load_settings(file)


def test_one_summary_column_needs_no_list() -> None:
    assert load_settings(None, ["data.summary_columns=note"]).data.summary_columns == ["note"]


@pytest.mark.parametrize("name", ["fast_path", "prepack", "kernels", "packing", "base_dropout"])
def test_on_and_off_need_no_quotes(name: str, tmp_path: Path) -> None:
    """YAML reads them as true and false, in a file and in a `--set`."""
    file = tmp_path / "settings.yaml"
    for word in ("off", "on") if name != "fast_path" else ("off",):
        file.write_text(f"train: {{{name}: {word}}}\n", encoding="utf-8")
        assert getattr(load_settings(file).train, name) == word
        assert getattr(load_settings(None, [f"train.{name}={word}"]).train, name) == word
    with pytest.raises(DiasumError, match=rf"train\.{name}: Input should be"):
        load_settings(None, [f"train.{name}=sometimes"])


@pytest.mark.parametrize(
    ("text", "line"), [("train:\n  epochs: 1\nlora: {r: 4}\ntrain:\n  seed: 7\n", 4), ("lora: {r: 4, r: 8}\n", 1)]
)
def test_a_key_that_stands_twice_is_refused(text: str, line: int, tmp_path: Path) -> None:
    """YAML would take the last and forget the first."""
    file = tmp_path / "twice.yaml"
    file.write_text(text)
    with pytest.raises(DiasumError, match=rf"twice.yaml, line {line}, column \d+: `(train|r)` appears twice"):
        load_settings(file)


def test_anchors_and_merged_sections_are_read(tmp_path: Path) -> None:
    file = tmp_path / "merged.yaml"
    file.write_text("train: &t {epochs: 1, seed: 7}\ngenerate: {num_beams: 2}\nevaluate: {seed: 3}\n")
    assert load_settings(file).train.seed == 7
    file.write_text("lora: {<<: {r: 2, lora_alpha: 8}, r: 4}\n")
    assert (load_settings(file).lora.r, load_settings(file).lora.lora_alpha) == (4, 8)


@pytest.mark.parametrize(
    "setting", ["train.seed", "train.max_grad_norm", "data.max_train", "lora.r", "lora.lora_alpha"]
)
def test_yes_is_no_number(setting: str) -> None:
    with pytest.raises(DiasumError, match=rf"{setting}: expected a number \(found True\)"):
        load_settings(None, [f"{setting}=yes"])
    assert load_settings(None, ["train.gradient_checkpointing=yes"]).train.gradient_checkpointing is True


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("lora.use_rslora=maybe", "expected bool"),
        ("lora.rank_pattern=5", "expected dict"),
        ("lora.alpha_pattern=[1]", "expected dict"),
        ("lora.layers_to_transform=first", r"lora\.layers_to_transform: expected .*int"),
        ("lora.exclude_modules=5", r"lora\.exclude_modules: expected .*found 5"),
        ("lora.eva_config={rho: 2}", "expected EvaConfig"),
        ("lora.target_modules=.*(q|v", r"lora\.target_modules: `.*` is not a regular expression: missing \)"),
        ("lora.exclude_modules='('", r"lora\.exclude_modules: `\(` is not a regular expression"),
        ("lora.rank_pattern={'(': 3}", r"lora\.rank_pattern: `\(` is not a regular expression"),
        (
            "lora.rank_pattern={q: 2.5}",
            r"lora\.rank_pattern: expected a whole number of at least 1 for `q` \(found 2.5\)",
        ),
        ("lora.alpha_pattern={v: 8, q: 0}", r"lora\.alpha_pattern: expected a number above 0 for `q` \(found 0\)"),
        ("lora.init_lora_weights=pissa_niter_4", "would not be the model that was trained. Use `pissa`"),
        ("lora.init_lora_weights=pissa_niter_-1", "would not be the model that was trained. Use `pissa`"),
        ("lora.init_lora_weights=eva", "`eva` is computed from data"),
        ("lora.init_lora_weights=corda", "`corda` is computed from data"),
        ("lora.init_lora_weights=lora_ga", "`lora_ga` is computed from data"),
    ],
)
def test_lora_fields_hold_what_peft_takes(item: str, expected: str) -> None:
    with pytest.raises(DiasumError, match=expected):
        load_settings(None, [item])


@pytest.mark.parametrize("item", ["init_lora_weights=pissa", "layer_replication=[[0, 1], [1, 2]]", "loftq_config={}"])
def test_lora_fields_that_yaml_writes_otherwise(item: str) -> None:
    assert load_settings(None, [f"lora.{item}"]).lora.model_extra


def test_an_initialisation_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "scipy" else real(name, *more))
    with pytest.raises(DiasumError, match=r"lora: .*'scipy' is not installed"):
        load_settings(None, {"lora.init_lora_weights": "loftq", "lora.loftq_config": {"loftq_bits": 4}})


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_numpy_does_not_take(seed: int) -> None:
    with pytest.raises(DiasumError, match=rf"train\.seed: Input should be .*found {seed}"):
        load_settings(None, {"train.seed": seed})
    assert load_settings(None, {"train.seed": 2**32 - 1}).train.seed == 2**32 - 1


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("epochs", "`train.epochs`"),
        ("train.r", "`lora.r`"),
        ("seed", "`train.seed` or `evaluate.seed`"),
        ("evaluate.splitt", "`split`"),
    ],
)
def test_a_setting_of_another_section_is_named_with_its_section(wrong: str, meant: str) -> None:
    with pytest.raises(DiasumError, match=rf"{wrong}: unknown setting\. Did you mean {meant}\?"):
        load_settings(None, {wrong: 1})
