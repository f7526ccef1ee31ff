"""Training: the run directory, and the way from a corpus to an adapter (`diasum.training.fit`, which loads torch)."""

from diasum.training.run import Run

__all__ = ["Run"]
