"""diasum: bring conversations, get a small adapter, a report you can trust, and a fast private summariser.

>>> import diasum
>>> diasum.train(config="demo", run="runs/first")                     # doctest: +SKIP
>>> diasum.evaluate("runs/first", split="test")                       # doctest: +SKIP
>>> diasum.load("runs/first").summarize("Ana: Lunch?\\nBen: At one.")  # doctest: +SKIP

Names are looked up when first used, so that the import, and with it the command line's help, is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from diasum.libraries import wait_passively

if TYPE_CHECKING:
    from diasum.api import (
        baseline,
        compare,
        evaluate,
        export,
        inspect,
        load,
        preflight,
        score,
        summarize,
        train,
    )
    from diasum.api_bulk import summarize_files
    from diasum.api_data import (
        check_data,
        convert_data,
        data_stats,
        redact_data,
        restore_data,
        show_data,
        split_data,
    )
    from diasum.config import Settings
    from diasum.dialogue import Dialogue, Turn
    from diasum.dialogue.read import ReadDialogue, iter_dialogues
    from diasum.errors import DiasumError
    from diasum.resolve import load_settings

__version__ = "0.1.0"

wait_passively()  # here, as torch may be imported next

_HOMES = {
    "diasum.api": (
        "baseline",
        "compare",
        "evaluate",
        "export",
        "inspect",
        "load",
        "preflight",
        "score",
        "summarize",
        "train",
    ),
    "diasum.api_bulk": ("summarize_files",),
    "diasum.api_data": (
        *("check_data", "convert_data", "data_stats", "redact_data", "restore_data", "show_data", "split_data"),
    ),
    "diasum.config": ("Settings",),
    "diasum.dialogue": ("Dialogue", "Turn"),
    "diasum.dialogue.read": ("ReadDialogue", "iter_dialogues"),
    "diasum.errors": ("DiasumError",),
    "diasum.resolve": ("load_settings",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Dialogue",
    "DiasumError",
    "ReadDialogue",
    "Settings",
    "Turn",
    "baseline",
    "check_data",
    "compare",
    "convert_data",
    "data_stats",
    "evaluate",
    "export",
    "inspect",
    "iter_dialogues",
    "load",
    "load_settings",
    "preflight",
    "redact_data",
    "restore_data",
    "score",
    "show_data",
    "split_data",
    "summarize",
    "summarize_files",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
