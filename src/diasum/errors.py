"""Errors that a user can act on.

Every error that bad input can cause is a `DiasumError`: its message says what was expected, what was found and where (file, line,
key), its hint says what to do. The command line prints both and exits with code 2; Python callers catch one class.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path


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


def near_misses(name: str, valid: Iterable[str], *, listed: int = 12, initials: bool = False) -> str:
    """Say which valid name was probably meant, and which there are; `initials` as `nearest`.

    Returns:
        For example ``Did you mean `q`? Available: k, o, q, v.``
    """
    names = sorted(set(valid))
    close = nearest(name, names, initials=initials)
    meant = f"Did you mean `{close}`? " if close else ""
    more = f" and {len(names) - listed} more" if len(names) > listed else ""
    return f"{meant}Available: {', '.join(names[:listed]) or 'none'}{more}."


def near_path(path: Path, bundled: Iterable[str] = ()) -> str:
    """Say which file or folder was probably meant by a path that is not there; empty where none has a name like it.

    Names are near by their stems: that two files share an ending says nothing.

    Args:
        path: relative to the working folder, or absolute.
        bundled: names that could stand in its place.
    """
    if meant := _near_file(path):
        return f"Did you mean `{meant}`?"
    close = nearest(str(path), bundled)
    return f"Did you mean `{close}`?" if close else ""


def _near_file(path: Path) -> Path | None:
    if os.path.exists(path):
        return None
    folder = path.parent
    while not os.path.isdir(folder) and folder != folder.parent:
        folder = folder.parent
    rest = path.relative_to(folder).parts if path != folder else ()
    if not rest or not os.access(folder, os.R_OK | os.X_OK):
        return None
    there = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    by_stem: dict[str, list[str]] = {}
    for entry in there:
        if len(rest) == 1 or entry.is_dir():  # of a file in a folder that is not there, it is the folder
            by_stem.setdefault(_stem(entry.name), []).append(entry.name)
    stem = nearest(_stem(rest[0]), by_stem)
    return None if stem is None else folder / max(by_stem[stem], key=lambda one: _likeness(rest[0], one))


def nearest(name: str, valid: Iterable[str], *, initials: bool = False) -> str | None:
    """The valid name that was probably meant, if one is near.

    Args:
        name: what was given.
        valid: names that there are.
        initials: a name's first letter stands for it, as in modules: `q` or `q_proj` for `query`.

    Returns:
        The most alike of those that are spelt alike, whatever their case, or have whole words more or fewer (`beams`, `num_beams`).
    """
    near = [
        one
        for one in sorted(set(valid))
        if _likeness(name, one) >= _ALIKE or _share_words(name, one) or (initials and _share_initial(name, one))
    ]
    return max(near, key=lambda one: _likeness(name, one), default=None)


_ALIKE = 0.75  # one letter of four, or two neighbours changed over; of unrelated words of a length, most have less than half in common


def _likeness(name: str, other: str) -> float:
    return difflib.SequenceMatcher(None, name.casefold(), other.casefold()).ratio()


def _share_words(name: str, other: str) -> bool:
    one, two = ("_".join(re.findall(r"[^\W_]+", text.casefold())) for text in (name, other))
    short, long = sorted((one, two), key=len)
    return len(short) > 2 and f"_{short}_" in f"_{long}_"


def _share_initial(name: str, other: str) -> bool:
    first, second = (re.split(r"[\W_]", text.casefold())[0] for text in (name, other))
    return bool(first and second) and first[0] == second[0] and 1 in (len(first), len(second))


def _stem(name: str) -> str:
    return Path(name.removesuffix(".gz")).stem


def check_keywords(function: str, arguments: Iterable[str], valid: Iterable[str]) -> None:
    """Refuse arguments that a function passes on and nothing takes.

    Raises:
        DiasumError: with what was probably meant, and what there is.
    """
    names = list(valid)
    for name in arguments:
        if name not in names:
            raise DiasumError(f"{function}() takes no argument `{name}`.", hint=near_misses(name, names, listed=20))
