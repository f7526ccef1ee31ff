"""Errors that a user can act on.

Every error that bad input can cause is a `DiasumError`: its message says what was expected, what was found and where (file, line,
key), its hint says what to do. The command line prints both and exits with code 2; Python callers catch one class.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DiasumError(Exception):
    """Something the user can put right.

    Args:
        message: what was expected, what was found, and where.
        hint: what to do about it, in one or two sentences.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class MissingExtraError(DiasumError):
    """An optional feature was asked for whose package is not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs packages that are not installed.",
            hint=f"Install them with: pip install 'diasum[{extra}]'",
        )


def near_misses(name: str, valid: Iterable[str], *, listed: int = 12) -> str:
    """Say which valid name was probably meant, and which there are.

    Returns:
        For example ``did you mean `q`? There are: k, o, q, v.``
    """
    names = sorted(set(valid))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    close = close or [n for n in names if n and (name.startswith(n) or n.startswith(name))][:1]
    meant = f"Did you mean `{close[0]}`? " if close else ""
    more = f" and {len(names) - listed} more" if len(names) > listed else ""
    return f"{meant}There {'is' if len(names) == 1 else 'are'}: {', '.join(names[:listed]) or 'none'}{more}."
