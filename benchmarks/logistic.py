"""Logistic regression of a few features, by Newton's method."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_STEPS = 50
_RIDGE_OF_CONSTANT = 1e-3


def logistic(
    values: ArrayLike, wanted: ArrayLike, *, weights: ArrayLike = 1.0, ridge: float = 0.0
) -> NDArray[np.float64]:
    """The slopes of the log-odds of `wanted`, the constant last.

    Args:
        values: (rows, features).
        wanted: (rows,), 0 or 1.
        weights: (rows,), or one for all.
        ridge: against large slopes, in units of a row's weight.
    """
    rows = np.asarray(values, dtype=np.float64)
    rows = np.c_[rows, np.ones(len(rows))]
    penalty = np.diag([ridge] * (rows.shape[1] - 1) + [_RIDGE_OF_CONSTANT])
    goal, each = np.asarray(wanted, dtype=np.float64), np.broadcast_to(weights, len(rows))
    slopes = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-rows @ slopes))
        bend = (rows * (each * likely * (1 - likely))[:, None]).T @ rows + penalty
        slopes -= np.linalg.solve(bend, rows.T @ (each * (likely - goal)) + penalty @ slopes)
    return slopes
