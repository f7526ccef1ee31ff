"""What happens around training steps: evaluation and checkpoints at epoch ends, the best adapter, events, the progress bar, Ctrl-C.

Which evaluation's adapter to keep, and how many have passed since, is read from the trainer's log history, which checkpoints restore:
there is no other state that a killed run could lose.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from rich.console import Console
from transformers import TrainerCallback

from diasum.config import TrainSettings
from diasum.files import folder_in_place
from diasum.progress import Bars
from diasum.signals import HANG_UP, INTERRUPT, TERMINATE, handled
from diasum.training import distributed
from diasum.training.history import kept_evaluation, stalled
from diasum.training.run import Run


class EpochSchedule(TrainerCallback):
    """Evaluate and save at every epoch's end, save every `save_steps` within it, stop early when the score stalls."""

    def __init__(self, settings: TrainSettings, steps_per_epoch: int) -> None:
        self.settings = settings
        self.steps_per_epoch = steps_per_epoch
        self.stop_requested = False  # this process was told to stop
        self.interrupted = False  # some process was, as all know since the end of the last step

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        # At an epoch's last step the epoch's own evaluation and checkpoint follow; one before it would skip that evaluation on resume.
        self.interrupted = distributed.any_process(self.stop_requested)
        last_of_epoch = state.global_step % self.steps_per_epoch == 0 or state.global_step >= state.max_steps
        every = self.settings.save_steps
        control.should_save = not last_of_epoch and (
            self.interrupted or (every is not None and state.global_step % every == 0)
        )
        control.should_training_stop = control.should_training_stop or self.interrupted

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        cut_short = (
            self.interrupted and state.global_step % self.steps_per_epoch and state.global_step < state.max_steps
        )
        control.should_evaluate = control.should_save = not cut_short

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if stalled(state.log_history, self.settings):
            control.should_training_stop = True


class BestAdapter(TrainerCallback):
    """Keep the adapter chosen by the evaluations so far in ``checkpoints/best-STEP``, and those that older checkpoints need."""

    def __init__(self, run: Run, settings: TrainSettings) -> None:
        self.run = run
        self.settings = settings

    def on_evaluate(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        kept = kept_evaluation(state.log_history, self.settings)
        if kept is not None and kept.step == state.global_step:
            distributed.on_main(lambda: self._keep(model, state.global_step))

    def _keep(self, model: Any, step: int) -> None:
        with folder_in_place(self.run.best(step)) as folder:
            model.save_pretrained(folder)
        self.run.rotate_best()


class Events(TrainerCallback):
    """Append every log to ``events.jsonl``."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            event = {"step": state.global_step, **{k: v for k, v in logs.items() if isinstance(v, int | float | str)}}
            # JSON has no NaN and no infinity, which a gradient's norm may be.
            event = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in event.items()}
            with self.run.events_file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(event, ensure_ascii=False) + "\n")


class LiveProgress(TrainerCallback):
    """How far training and each evaluation are, with loss, speed and time left; and what evaluations found.

    Time left is what the steps so far took, and the last evaluation (before the first one: what was expected), carried on to the end.

    Args:
        console: where it is shown, as `Bars` does.
        steps_per_epoch: after which an evaluation follows.
        clock: seconds; another one in tests.
    """

    def __init__(
        self, console: Console, steps_per_epoch: int = 0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.console = console
        self.bars = Bars(console, clock=clock)
        self.steps_per_epoch = steps_per_epoch
        self.evaluation_seconds = 0.0  # of one; set to what is expected
        self._clock = clock
        self._began, self._began_with = 0.0, 0
        self._evaluations, self._evaluating = 0, 0.0  # how many are done, and the seconds of this session's
        self._more = ""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.bars.__enter__()
        self.bars.resume("training", state.global_step, state.max_steps)
        self._began, self._began_with = self._clock(), state.global_step
        if self.steps_per_epoch:
            self._evaluations = state.global_step // self.steps_per_epoch

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        left = self.seconds_left(state.global_step, state.max_steps)
        self.bars("training", state.global_step, state.max_steps, unit="step", more=self._more, left=left)

    def seconds_left(self, step: int, steps: int) -> float:
        """Until the last of `steps` is done and evaluated."""
        training = self._clock() - self._began - self._evaluating
        rest = (steps - step) * training / max(step - self._began_with, 1)
        if not self.steps_per_epoch:
            return rest
        evaluations = -(-steps // self.steps_per_epoch) - self._evaluations
        return rest + evaluations * self.evaluation_seconds

    def on_prediction_step(
        self, args: Any, state: Any, control: Any, what: str = "", done: int = 0, total: int = 0, **kwargs: Any
    ) -> None:
        if what:  # of ours; transformers has an event of this name, too
            self.bars(f"epoch {state.epoch or 0:.3g}: {what}", done, total)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if "loss" in logs:
            self._more = f"loss {logs['loss']:.3f}, {logs.get('tokens_per_second', 0):,.0f} tokens/s"
        if "memory" in (logs or {}):
            self.console.print(f"step {state.global_step + 1}: {logs['memory']}")

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        metrics = metrics or {}
        self._evaluations += 1
        if "eval_seconds" in metrics:
            self.evaluation_seconds = metrics["eval_seconds"]
            self._evaluating += metrics["eval_seconds"]
        shown = {
            k.removeprefix("eval_"): v for k, v in metrics.items() if k in ("eval_loss", "eval_rouge1", "eval_rougeL")
        }
        text = "  ".join(
            f"{name} {value:.3f}" if name == "loss" else f"{name} {value:.1f}" for name, value in shown.items()
        )
        self.console.print(f"epoch {state.epoch:.3g}: validation {text}")

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.close()

    def close(self) -> None:
        self.bars.close()


class Interruption:
    """Within this context Ctrl-C, SIGTERM or a closed terminal asks the run to save and stop; Ctrl-C after that ends it at once.

    Attributes:
        number: of the first of these signals; None until there is one.
    """

    def __init__(self, schedule: EpochSchedule, console: Console) -> None:
        self.schedule = schedule
        self.console = console
        self.number: int | None = None
        self._handled = handled([INTERRUPT, TERMINATE, HANG_UP], self._ask)

    def __enter__(self) -> Interruption:
        self._handled.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._handled.__exit__(None, None, None)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.schedule.stop_requested:
            if number == INTERRUPT:
                raise KeyboardInterrupt
            return  # a closed terminal sends its signal several times
        self.schedule.stop_requested, self.number = True, number
        self.console.print("Stopping after this step and saving; another Ctrl-C ends at once without saving.")
