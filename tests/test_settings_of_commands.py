"""Commands use or refuse every setting: none that is given to any of them is without effect, and no two values are taken for one."""

from __future__ import annotations

import importlib
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from pydantic import BaseModel

import diasum
from diasum.cli import app
from diasum.config import Settings
from diasum.errors import DiasumError
from diasum.resolve import load_settings
from tests.cli.terminal import Terminal


class Stop(Exception):
    """Instead of the work."""


class Work:
    """What a command hands to those that do its work."""

    def __init__(self) -> None:
        self.got: dict[str, Any] = {}

    def keep(self, name: str, *, stop: bool, result: Any = None) -> Callable[..., Any]:
        def work(*arguments: Any, **named: Any) -> Any:
            kept = {key: value for key, value in named.items() if isinstance(value, BaseModel | str | bool)}
            self.got[name] = ([one for one in arguments if isinstance(one, BaseModel)], kept)
            if stop:
                raise Stop
            return result

        return work


class Loaded:
    """Stands for a model; what a summariser is told to do with it is handed on."""

    def __init__(self, work: Work, dtype: str | None) -> None:
        self._work, self._length = work, ""
        self.generate: Any = SimpleNamespace(dtype=dtype)

    def ask_for(self, length: str) -> None:
        self._length = length

    def redact(self, redact: str) -> None:
        self._work.got["loaded"] = (self.generate, self._length, redact)
        raise Stop


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Work:
    """Everything is resolved and nothing is done; `run` is a run with settings of its own."""
    from diasum.data import Corpus

    monkeypatch.chdir(tmp_path)
    own = load_settings("demo", {"train.device": "cpu", "data.topic_column": "topic"})
    Path("run").mkdir()
    Path("run/config.yaml").write_text(own.to_yaml())
    Path("talk.txt").write_text("Ana: Lunch?\nBen: At one.\n")
    kept = Work()
    empty = Corpus("none", {name: [] for name in ("test", "other")})
    places: tuple[tuple[str, bool, Any], ...] = (
        ("diasum.training.fit.fit", True, None),
        ("diasum.training.fit.dry_run", True, None),
        ("diasum.data.load_corpus", False, empty),
        ("diasum.evaluation.plan.load_corpus", False, empty),
        ("diasum.model.loading.load_encoder", False, None),
        ("diasum.data.check_corpus", True, None),
        ("diasum.data.corpus_stats", True, None),
        ("diasum.data.writing.write_corpus", True, None),
        ("diasum.data.splitting.split_corpus", True, None),
        ("diasum.data.redacting.redact_corpus", True, None),
        ("diasum.evaluation.plan.generation_settings", False, own.generate),
        ("diasum.evaluation.plan.load_trained", False, SimpleNamespace(hardware=SimpleNamespace(device="cpu"))),
        ("diasum.evaluation.evaluate.evaluate_model", True, None),
        ("diasum.evaluation.evaluate.evaluate_texts", True, None),
        ("diasum.exporting.source.Source", True, None),
    )
    for (
        place,
        _,
        _,
    ) in places:  # before anything is replaced: a module that is imported later would keep what stands in for it
        importlib.import_module(place.rpartition(".")[0])
    for place, stop, result in places:
        monkeypatch.setattr(place, kept.keep(place.rpartition(".")[2], stop=stop, result=result))
    for place in ("diasum.judges", "diasum.evaluation.plan"):
        for name in ("require_judge", "load_judge"):
            monkeypatch.setattr(f"{place}.{name}", lambda judge, *_: kept.got.update(judge=judge))
    monkeypatch.setattr(
        "diasum.summarization.summarizer.load_trained", lambda source, *, base=None, dtype=None: Loaded(kept, dtype)
    )
    return kept


AS_IT_IS = {"generate.dtype": "auto"}  # without any setting a summariser is the model itself
COMMANDS: dict[str, Callable[..., Any]] = {
    "train": lambda **more: diasum.train(run="new", **more),
    "preflight": lambda **more: diasum.preflight(run="new", **more),
    "evaluate": lambda **more: diasum.evaluate("run", **more),
    "evaluate a model": lambda **more: diasum.evaluate("mini", data="sample", **more),
    "score": lambda **more: diasum.score("p.txt", "sample", **more),
    "baseline": lambda **more: diasum.baseline("sample", **more),
    "check_data": lambda **more: diasum.check_data("sample", **more),
    "data_stats": lambda **more: diasum.data_stats("sample", **more),
    "convert_data": lambda **more: diasum.convert_data("sample", "new", **more),
    "split_data": lambda **more: diasum.split_data("sample", "new", **more),
    "redact_data": lambda **more: diasum.redact_data("sample", "new", **more),
    "export": lambda **more: diasum.export("mini", "merged", **more),
    "load": lambda settings=AS_IT_IS: diasum.load("mini", settings=settings),
}
TYPED = {
    "train": ["train", "--run", "new"],
    "preflight": ["train", "--run", "new", "--dry-run"],
    "evaluate": ["evaluate", "run"],
    "evaluate a model": ["evaluate", "mini", "--data", "sample"],
    "score": ["score", "p.txt", "--data", "sample"],
    "baseline": ["baseline", "--data", "sample"],
    "check_data": ["data", "check", "sample"],
    "data_stats": ["data", "stats", "sample"],
    "convert_data": ["data", "convert", "sample", "new"],
    "split_data": ["data", "split", "sample", "new"],
    "redact_data": ["data", "redact", "sample", "new"],
    "export": ["export", "mini", "--to", "merged"],
    "load": ["summarize", "talk.txt", "--run", "mini"],
    "demo": ["demo", "--run", "new"],
    "config check": ["config", "check", "demo"],
}


def every_setting() -> Iterator[tuple[str, Any]]:
    """Each setting with a value that neither the defaults nor the demo have."""
    special = {
        "evaluate.protocol": "unicode",
        "prompt.template": "Sum up: {dialogue}",
        "lora.target_modules": ["k"],
        "lora.use_dora": True,
        "generate.engine": "torch-plain",  # ct2 works on an export, which these commands have not
    }
    for section, field in Settings.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            for name, about in inner.model_fields.items():
                path = f"{section}.{name}"
                yield path, special.pop(path, None) or _another(about.annotation)
        else:
            yield section, _another(field.annotation)
    yield from special.items()


def _another(annotation: Any) -> Any:
    """A value of that type; for a choice, its last one."""
    origin, choices = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return choices[-1]
    if choices and origin is not list:
        return _another(choices[0])
    return {int: 123, float: 0.123, str: "other", list: ["lead2"], bool: True}[origin or annotation]


SETTINGS = dict(every_setting())


def wished(settings: Settings, path: str, value: Any) -> Any:
    """The value, or another one where it is what the setting holds already."""
    held: Any = settings
    for part in path.split("."):
        held = getattr(held, part, None)
    if held != value:
        return value
    return not held if isinstance(held, bool) else {"off": "auto"}[held]


def attempt(work: Work, command: Callable[[], Any]) -> tuple[dict[str, Any], str]:
    """What is handed on, and what is refused."""
    work.got = {}
    try:
        command()
    except Stop:
        return work.got, ""
    except DiasumError as error:
        return {}, error.message
    return work.got, ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_setting_has_an_effect_or_is_refused_by_name(name: str, work: Work) -> None:
    command = COMMANDS[name]
    start = load_settings("run/config.yaml") if name == "evaluate" else Settings()
    before, refused = attempt(work, command)
    assert before
    assert not refused
    idle, taken = [], 0
    for path, value in SETTINGS.items():
        got, refused = attempt(
            work, lambda path=path, value=value: command(settings={path: wished(start, path, value)})
        )  # type: ignore[misc]
        if refused:
            assert refused.endswith(f"does not use {path}: leave it out.") or f"{path} is given twice" in refused
        elif got == before:
            idle.append(path)
        else:
            taken += 1
    assert not idle, "accepted without effect"
    assert taken >= 6


def test_every_command_that_takes_set_is_among_them() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    taking = {
        (name, *([inner] if inner else []))
        for name, command in commands.items()
        for inner, one in getattr(command, "commands", {"": command}).items()
        if any("--set" in parameter.opts for parameter in one.params)
    }
    assert taking == {tuple(words[: 2 if words[0] in ("data", "config") else 1]) for words in TYPED.values()}


@pytest.mark.parametrize("name", TYPED)
def test_the_command_line_takes_and_refuses_the_same(
    name: str, work: Work, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some of each section: commands hand on what they are given."""
    terminal = Terminal(monkeypatch, capsys)
    for path in [
        *list(SETTINGS)[::7],
        "base",
        "trust_remote_code",
        "train.device",
        "evaluate.baselines",
        "lora.use_dora",
    ]:
        value = wished(load_settings("run/config.yaml") if name == "evaluate" else Settings(), path, SETTINGS[path])
        typed = f"{path}={value!r}"
        work.got = {}
        try:
            code, out, err = terminal(*TYPED[name], "--set", typed)
        except Stop:
            code, out, err = 0, "", ""
        if name in COMMANDS:
            typed_got = work.got if code == 0 else {}
            got, refused = attempt(work, lambda: COMMANDS[name](settings={path: value}))  # noqa: B023
            assert (code == 2) == bool(refused), (path, err)
            assert got == typed_got, path
        elif name == "config check":
            assert code == 0, err
            assert out != load_settings("demo").to_yaml(), path
        else:
            assert code == 0, err
            assert work.got["fit"][0][0] != load_settings("demo"), path


@pytest.mark.parametrize(
    ("arguments", "setting", "values"),
    [
        (["train", "--run", "new", "--data", "a", "--set", "data.path=b"], "data.path", "'a' and 'b'"),
        (["train", "--run", "new", "--base", "a", "--set", "base=b"], "base", "'a' and 'b'"),
        (["train", "--run", "new", "--epochs", "2", "--set", "train.epochs=3"], "train.epochs", "2.0 and 3"),
        (["train", "--run", "new", "--set", "lora.r=1", "--set", "lora.r=2"], "lora.r", "1 and 2"),
        (["train", "--run", "new", "--set", "lora={r: 1}", "--set", "lora.r=2"], "lora.r", "1 and 2"),
        (["train", "--run", "new", "--dry-run", "-r", "2", "--set", "lora.r=3"], "lora.r", "2 and 3"),
        (["demo", "--set", "train.seed=1", "--set", "train.seed=2"], "train.seed", "1 and 2"),
        (["evaluate", "run", "--split", "test", "--set", "evaluate.split=other"], "evaluate.split", "'test'|'other'"),
        (
            ["evaluate", "run", "--max-examples", "2", "--set", "evaluate.max_examples=3"],
            "evaluate.max_examples",
            "2|3",
        ),
        (["evaluate", "run", "--data", "a", "--set", "data.path=b"], "data.path", "'a'|'b'"),
        (["score", "p.txt", "--data", "a", "--split", "x", "--set", "evaluate.split=y"], "evaluate.split", "'x'|'y'"),
        (["score", "p.txt", "--data", "a", "--set", "data.path=b"], "data.path", "'a'|'b'"),
        (
            ["baseline", "--data", "a", "--protocol", "x", "--set", "evaluate.protocol=y"],
            "evaluate.protocol",
            "'x'|'y'",
        ),
        (["data", "check", "a", "--set", "data.path=b"], "data.path", "'a'|'b'"),
        (["data", "stats", "a", "--set", "data.path=b"], "data.path", "'a'|'b'"),
        (["data", "convert", "a", "new", "--set", "data.path=b"], "data.path", "'a'|'b'"),
        (["data", "split", "a", "new", "--set", "data.path=b"], "data.path", "'a'|'b'"),
        (["data", "redact", "a", "new", "--set", "data.path=b"], "data.path", "'a'|'b'"),
        (
            ["summarize", "talk.txt", "--num-beams", "1", "--set", "generate.num_beams=2"],
            "generate.num_beams",
            "1 and 2",
        ),
        (["config", "check", "demo", "--set", "lora.r=1", "--set", "lora.r=2"], "lora.r", "1 and 2"),
    ],
)
def test_one_setting_with_two_values_is_refused(
    arguments: list[str],
    setting: str,
    values: str,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = Terminal(monkeypatch, capsys)(*arguments)
    assert code == 2
    assert f"{setting} is given twice with different values" in err
    assert all(value in err for value in values.split("|"))
    assert not work.got


def test_arguments_that_are_not_given_do_not_count(work: Work) -> None:
    both = ["evaluate.split=other", "evaluate.protocol=dialogsum-paper"]
    for name in ("score", "baseline"):
        got, refused = attempt(work, lambda: COMMANDS[name](settings=both))  # noqa: B023
        assert not refused
        settings = got["evaluate_texts"][0][0]
        assert (settings.split, settings.protocol) == ("other", "dialogsum-paper")


def test_of_a_whole_configuration_counts_what_differs(work: Work) -> None:
    own = load_settings("run/config.yaml")
    got, refused = attempt(work, lambda: diasum.evaluate("run", settings=own))
    assert not refused
    got, refused = attempt(
        work, lambda: diasum.evaluate("run", settings=load_settings("run/config.yaml", ["lora.r=3"]))
    )
    assert "`diasum evaluate` does not use lora.r" in refused
    whole = load_settings(None, {"train.epochs": 9, "base": "mine"})
    got, _ = attempt(work, lambda: diasum.train(data="a", run="new", settings=whole))
    assert got["fit"][0][0] == load_settings(None, {"train.epochs": 9, "base": "mine", "data.path": "a"})
    _, refused = attempt(work, lambda: diasum.train("yours", run="new", settings=whole))
    assert "base is given twice with different values: 'yours' and 'mine'" in refused
    dora = load_settings("demo", {"lora.use_dora": True})
    Path("dora.yaml").write_text(dora.to_yaml())
    got, _ = attempt(work, lambda: diasum.train(run="new", config="dora.yaml", settings=load_settings("demo")))
    assert got["fit"][0][0] == load_settings("demo"), "without what the file has beside it"


def test_other_data_leave_the_columns_of_the_runs_own(work: Work) -> None:
    assert attempt(work, lambda: diasum.evaluate("run"))[0]["load_corpus"][0][0].topic_column == "topic"
    for more in ({"data": "other"}, {"settings": ["data.path=other"]}):
        got, _ = attempt(work, lambda: diasum.evaluate("run", **more))  # type: ignore[arg-type]  # noqa: B023
        assert got["load_corpus"][0][0].topic_column is None
    got, _ = attempt(work, lambda: diasum.evaluate("run", data="other", settings=["data.topic_column=subject"]))
    assert got["load_corpus"][0][0].topic_column == "subject"


def test_a_model_without_a_run_keeps_its_own_way_to_generate(work: Work) -> None:
    got, _ = attempt(work, lambda: diasum.evaluate("mini", data="sample", settings=["generate.max_new_tokens=7"]))
    generate = got["evaluate_model"][1]["generate"]
    assert (generate.min_new_tokens, generate.max_new_tokens) == (load_settings("demo").generate.min_new_tokens, 7)
    got, _ = attempt(work, lambda: diasum.evaluate("mini", settings=["data.path=sample"]))
    assert got["load_corpus"][0][0].path == "sample"
    _, refused = attempt(work, lambda: diasum.evaluate("mini"))
    assert refused == "Evaluation needs data."


def test_a_resumed_run_takes_its_own_and_refuses_others(work: Work, tmp_path: Path) -> None:
    started = load_settings("demo", {"train.epochs": 9})
    Path("run/config.yaml").write_text(started.to_yaml())
    for same in ({}, {"settings": ["train.epochs=9"]}, {"config": "demo", "settings": ["train.epochs=9.0"]}):
        got, refused = attempt(work, lambda: diasum.train(run="run", resume=True, **same))  # type: ignore[arg-type]  # noqa: B023
        assert not refused
        assert got["fit"][0][0] == started
    for other in ({"config": "demo"}, {"settings": ["train.epochs=4"]}):
        _, refused = attempt(work, lambda: diasum.train(run="run", resume=True, **other))  # type: ignore[arg-type]  # noqa: B023
        assert "train.epochs: the run has 9.0, now given 4" in refused
    Path("bad.yaml").write_text("train: {epoch: 3}\n")
    _, refused = attempt(work, lambda: diasum.train(run="run", resume=True, config="bad.yaml"))
    assert "1 problem in bad.yaml" in refused
