"""Training: the run directory and the way from a corpus to an adapter.

`train` is imported on use: it pulls in torch and transformers, which reading a run directory does not need.
"""

from typing import Any

from diasum.training.run import Run

__all__ = ["Run", "Trained", "train"]


def __getattr__(name: str) -> Any:
    if name in ("Trained", "train"):
        from diasum.training import train as module

        return getattr(module, name)
    raise AttributeError(name)
