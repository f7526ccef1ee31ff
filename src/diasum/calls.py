"""Calls of the public functions: an argument that does not fit is bad input like any other, with what was probably meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, ParamSpec, TypeVar

from diasum.errors import DiasumError, near_misses, nearest
from diasum.wording import counted

P = ParamSpec("P")
R = TypeVar("R")


def checked_call(uses: Sequence[str] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function refuse arguments that it does not take, or that are missing, before it does anything.

    Args:
        uses: sections and settings that its argument `settings` may hold (`diasum.resolve.Command.uses`).

    Returns:
        What makes of a function one that raises `DiasumError` where Python would raise a TypeError of the call.
    """

    def checking(function: Callable[P, R]) -> Callable[P, R]:
        declared = signature(function)

        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                declared.bind(*args, **kwargs)
            except TypeError:
                raise _misfit(function.__name__, declared, uses, len(args), kwargs) from None
            return function(*args, **kwargs)

        return checked

    return checking


def _misfit(
    name: str, declared: Signature, uses: Sequence[str], positional: int, keywords: Mapping[str, Any]
) -> DiasumError:
    taken = declared.parameters
    by_place = [p.name for p in taken.values() if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
    unknown = next((keyword for keyword in keywords if keyword not in taken), None)
    if unknown is not None:
        return DiasumError(
            f"{name}() takes no argument `{unknown}`.", hint=_meant(unknown, keywords[unknown], taken, uses)
        )
    if positional > len(by_place):
        most = counted(len(by_place), "argument")
        rest = ", ".join(p.name for p in taken.values() if p.kind is Parameter.KEYWORD_ONLY)
        return DiasumError(
            f"{name}() takes at most {most} without a name ({', '.join(by_place)}), and was given {positional}.",
            hint=f"Give the others by name: {rest}." if rest else None,
        )
    if twice := [one for one in by_place[:positional] if one in keywords]:
        return DiasumError(f"{name}() is given `{twice[0]}` twice, with its name and without.", hint="Give it once.")
    missing = [
        p.name
        for p in taken.values()
        if p.default is Parameter.empty
        and p.kind not in (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
        and p.name not in (*by_place[:positional], *keywords)
    ]
    return DiasumError(
        f"{name}() needs {' and '.join(f'`{one}`' for one in missing)}.", hint=f"It takes {', '.join(taken)}."
    )


def _meant(keyword: str, value: Any, taken: Iterable[str], uses: Sequence[str]) -> str:
    """A setting of that name, or an argument or a setting with a name near it."""
    settings = _settings(uses)
    setting = keyword if keyword in settings else None if nearest(keyword, taken) else nearest(keyword, settings)
    if setting is None:
        return near_misses(keyword, taken, listed=20)
    forms = [f'settings={{"{path}": {value!r}}}' for path in settings[setting]]
    return f"It is a setting: {' or '.join(forms)}."


def _settings(uses: Sequence[str]) -> dict[str, list[str]]:
    """Dotted paths of those used, by their last part."""
    from pydantic import BaseModel

    from diasum.config import Settings

    by_name: dict[str, list[str]] = {}
    for section, about in Settings.model_fields.items():
        inner = (
            about.annotation if isinstance(about.annotation, type) and issubclass(about.annotation, BaseModel) else None
        )
        for path in [f"{section}.{name}" for name in inner.model_fields] if inner else [section]:
            if section in uses or path in uses:
                by_name.setdefault(path.rpartition(".")[2], []).append(path)
    return by_name
