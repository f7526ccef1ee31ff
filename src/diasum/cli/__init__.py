"""The command line: one file per command, which parses, calls the Python function of the same name, and draws."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import typer

from diasum.cli import baseline, compare, config, data, demo, evaluate, export, inspect, score, summarize, train
from diasum.cli.groups import Command, Group
from diasum.cli.output import named_output
from diasum.errors import DiasumError
from diasum.signals import HANG_UP, TERMINATE, Stopped, handled, stop_at_once


class _Interrupted(BaseException):
    """Ctrl-C by another name: typer ends on a KeyboardInterrupt without a word."""


class _Commands(Group):
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise _Interrupted from None


app = typer.Typer(
    name="diasum",
    cls=_Commands,
    help="Bring conversations, get a small adapter, a report you can trust, and a fast private summariser.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    # Without a default for --help, typer loads pydantic to learn that it was not given: help pages would take twice as long.
    context_settings={
        "help_option_names": ["-h", "--help"],
        "default_map": {"help": False, "data": {"help": False}, "config": {"help": False}},
    },
)
app.command(cls=Command)(demo.demo)
app.command(cls=Command)(train.train)
app.command(cls=Command)(evaluate.evaluate)
app.command(cls=Command)(compare.compare)
app.command(cls=Command)(score.score)
app.command(cls=Command)(baseline.baseline)
app.command(cls=Command)(summarize.summarize)
app.command(cls=Command)(inspect.inspect)
app.command(cls=Command)(export.export)
app.add_typer(data.app, name="data")
app.add_typer(config.app, name="config")


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version."),
    debug: bool = typer.Option(False, "--debug", help="Show the whole traceback of an error."),
) -> None:
    if version:
        from diasum import __version__

        typer.echo(f"diasum {__version__}")
        raise typer.Exit
    context.obj = {"debug": debug}


def main() -> None:
    """Entry point: errors that a user can fix go to standard error, with exit code 2."""
    try:
        _run()
    except SystemExit as ending:
        dist = sys.modules.get("torch.distributed")
        met = dist is not None and dist.is_available() and dist.is_initialized()
        if met and not isinstance(ending.code, str):  # a message is printed by Python
            from diasum.training import distributed

            distributed.leave(ending.code or 0)
        raise


def _run() -> None:
    _quiet_libraries()
    try:
        with handled([TERMINATE, HANG_UP], stop_at_once), named_output():
            app()
    except DiasumError as error:
        _give_up(error)
    except Stopped as stop:
        _complain("Interrupted.", None)
        sys.exit(128 + stop.number)
    except (KeyboardInterrupt, _Interrupted):
        _complain("Interrupted.", None)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:
        # Whichever path of the user's it was; what is known of it in its place has a hint of its own.
        what = (
            f"Cannot read or write {error.filename}: {error.strerror}."
            if error.filename
            else str(error) or type(error).__name__
        )
        _give_up(DiasumError(what, hint="Check that path and its permissions." if error.filename else None), error)


def _give_up(error: DiasumError, cause: BaseException | None = None) -> NoReturn:
    if "--debug" in sys.argv:
        raise cause or error
    from diasum.training import distributed

    if distributed.reports_failure():
        _complain(f"error: {error.message}", error.hint)
    sys.exit(error.exit_code)


def _complain(message: str, hint: str | None) -> None:
    print(message, file=sys.stderr)
    if hint:
        print(f"  {hint}", file=sys.stderr)


def _quiet_libraries() -> None:
    """Libraries' own bars and advice would drown ours; `--debug` leaves them on."""
    import warnings

    if "--debug" in sys.argv:
        return
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings(
        "ignore", category=UserWarning, module="peft"
    )  # it looks for the base on the hub, in vain offline
    for name, value in {
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TQDM_DISABLE": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }.items():
        os.environ.setdefault(name, value)
