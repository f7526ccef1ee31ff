"""What is different between the job that a journal tells of and the one that is asked for, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from diasum.wording import counted

_ABOUT = "about"  # what may change


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """One phrase for each difference; none where the jobs are the same.

    Args:
        then: the journal's header.
        now: that of the job that is asked for, as plain data.
    """
    lines = list(_of_inputs(then.get("inputs", []), now.get("inputs", [])))
    old, new = dict(_leaves(then)), dict(_leaves(now))
    for path in [*old, *(path for path in new if path not in old)]:
        if old.get(path) != new.get(path):
            lines.append(f"{path}: {_shown(old.get(path))} then, {_shown(new.get(path))} now")
    return lines


def _of_inputs(then: list[dict[str, Any]], now: list[dict[str, Any]]) -> Iterator[str]:
    names_then, names_now = [one["file"] for one in then], [one["file"] for one in now]
    if names_then != names_now:
        yield f"input: {', '.join(names_then)} then, {', '.join(names_now)} now"
        return
    for old, new in zip(then, now, strict=True):
        if old["bytes"] != new["bytes"]:
            yield f"{new['file']}: {counted(old['bytes'], 'byte')} then, {new['bytes']:,} now"
        elif old["sha256"] != new["sha256"]:
            yield f"{new['file']}: its content has changed (sha256 {old['sha256'][:12]}... then, {new['sha256'][:12]}... now)"


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if not prefix and key in (_ABOUT, "inputs"):
            continue
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(value: Any) -> str:
    text = "not set" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
