"""How far a job is: bars in a terminal, plain lines at least every half minute elsewhere; the clock is the test's own."""

from __future__ import annotations

import io
import itertools
from types import SimpleNamespace

import pytest
from rich.console import Console

from diasum.progress import Bars
from diasum.training.callbacks import LiveProgress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def plain() -> tuple[Console, io.StringIO]:
    """A console that is no terminal, and what is written to it."""
    out = io.StringIO()
    return Console(file=out, width=60, highlight=False), out


@pytest.mark.parametrize("seconds", [0.4, 7.0, 29.0])
def test_without_a_terminal_a_line_comes_at_least_every_half_minute(seconds: float) -> None:
    console, out = plain()
    clock = Clock()
    told = [clock.now]
    with Bars(console, clock=clock) as bars:
        bars("summarising (adapter)", 0, 300)
        for done in range(1, 301):
            clock.now += seconds
            before = out.tell()
            bars("summarising (adapter)", done, 300)
            if out.tell() > before:
                told.append(clock.now)
    gaps = [later - earlier for earlier, later in itertools.pairwise(told)]
    assert max(gaps) <= 30
    assert len(told) - 1 <= 300 * seconds / 15 + 1, "and no more often than that asks for"


def test_what_a_line_says() -> None:
    console, out = plain()
    clock = Clock()
    bars = Bars(console, clock=clock)
    bars("summarising ([/x] :smile:)", 0, 1200)
    for done in range(1, 1201):
        clock.now += 0.5
        bars("summarising ([/x] :smile:)", done, 1200)
    lines = out.getvalue().splitlines()
    assert lines[0] == "summarising ([/x] :smile:): 60 of 1,200 (5%), 2.0 a second, about 10 minutes left"
    assert lines[-1] == "summarising ([/x] :smile:): 1,200 of 1,200 (100%), 2.0 a second"


def test_a_slow_step_has_its_own_line_and_a_quick_job_none() -> None:
    console, out = plain()
    clock = Clock()
    bars = Bars(console, clock=clock)
    for done in range(4):
        bars("slow", done, 3)
        clock.now += 100
    assert out.getvalue().splitlines() == [
        "slow: 1 of 3 (33%), 0.6 a minute, about 3 minutes left",
        "slow: 2 of 3 (67%), 0.6 a minute, about 2 minutes left",
        "slow: 3 of 3 (100%), 0.6 a minute",
    ]
    console, out = plain()
    bars = Bars(console, clock=clock)
    for done in range(4):
        bars("quick", done, 3)
        clock.now += 3
    assert out.getvalue() == ""


def test_a_second_kind_of_work_began_when_the_first_was_last_reported() -> None:
    """Where no report of nothing done comes first, as from scores, which are counted by the thousand."""
    console, out = plain()
    clock = Clock()
    bars = Bars(console, clock=clock)
    bars("first", 0, 10)
    clock.now += 1
    bars("first", 10, 10)
    clock.now += 40
    bars("second", 500, 1000)
    assert out.getvalue() == "second: 500 of 1,000 (50%), 12.5 a second, about 40 seconds left\n"


def test_a_quiet_console_shows_nothing() -> None:
    out = io.StringIO()
    clock = Clock()
    for terminal in (False, True):
        with Bars(Console(file=out, quiet=True, force_terminal=terminal), clock=clock) as bars:
            for done in range(5):
                clock.now += 60
                bars("work", done, 4)
    assert out.getvalue() == ""


def test_training_tells_step_rate_and_the_time_that_is_left_with_its_evaluations() -> None:
    """100 steps of 2 s in 4 epochs; an evaluation is expected to take 50 s and takes 10; the run goes on after its 10th step."""
    console, out = plain()
    clock = Clock()
    progress = LiveProgress(console, 25, clock=clock)
    progress.evaluation_seconds = 50.0
    state = SimpleNamespace(global_step=10, max_steps=100, epoch=0.4)
    progress.on_train_begin(None, state, None)
    for step in range(11, 101):
        clock.now += 2
        state.global_step, state.epoch = step, step / 25
        progress.on_step_end(None, state, None)
        if step == 12:
            progress.on_log(None, state, None, logs={"loss": 2.5, "tokens_per_second": 1234.0})
            assert progress.seconds_left(step, 100) == 88 * 2 + 4 * 50
        if step % 25 == 0:
            for done in range(3):
                progress.on_prediction_step(None, state, None, what="summarising", done=done, total=2)
                clock.now += 5
            clock.now -= 5
            progress.on_evaluate(None, state, None, metrics={"eval_seconds": 10.0, "eval_loss": 2.0})
            assert progress.seconds_left(step, 100) == (100 - step) * 2 + (100 - step) / 25 * 10
    lines = out.getvalue().splitlines()
    assert lines[0] == (
        "training: step 25 of 100 (25%), 30.0 a minute, loss 2.500, 1,234 tokens/s, about 6 minutes left"
    )
    assert any("epoch 1: validation loss 2.000" in line for line in lines)
    assert lines[-2].startswith("training: step 100 of 100 (100%)")


def test_a_long_evaluation_in_training_is_told_of() -> None:
    console, out = plain()
    clock = Clock()
    progress = LiveProgress(console, 25, clock=clock)
    state = SimpleNamespace(global_step=25, max_steps=100, epoch=1.0)
    for done in range(11):
        progress.on_prediction_step(None, state, None, what="summarising", done=done, total=10)
        clock.now += 12
    assert out.getvalue().splitlines()[0] == ("epoch 1: summarising: 2 of 10 (20%), 5.0 a minute, about 2 minutes left")
