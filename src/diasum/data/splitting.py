"""A corpus divided into training, validation and test parts, so that no part knows another.

In: a corpus, by what to divide, shares and a seed. Out: the same pairs under new splits. Dialogues that are, or nearly are, the same stay
together, however it is divided; by speaker, so do all dialogues of anybody; by time, every part is later than the one before. What cannot
be had is refused: a share that the largest group makes impossible, dialogues without labels or times.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, get_args

from diasum.data.checks.duplicates import find_duplicates
from diasum.data.checks.words import normalized
from diasum.data.pairs import Corpus, Pair
from diasum.dialogue.files.rows import unique
from diasum.errors import DiasumError, near_misses
from diasum.wording import counted

By = Literal["conversation", "speaker", "time"]
NAMES = {2: ("train", "test"), 3: ("train", "validation", "test")}
_TOLERANCE = 0.05  # of all dialogues, that a part may be larger or smaller than asked for


def split_corpus(corpus: Corpus, by: str, shares: Sequence[float], seed: int) -> Corpus:
    """Divide a corpus anew; splits that it has are joined first, which a note says.

    Args:
        corpus: stays as it is.
        by: ``conversation``, ``speaker`` or ``time``.
        shares: of the parts, two (train, test) or three (train, validation, test), in any unit.
        seed: of the order in which groups of dialogues are given to parts; time needs none.

    Raises:
        DiasumError: `by` or the shares are not as described, speakers or times are missing, or the shares cannot be had.
    """
    if by not in get_args(By):
        raise DiasumError(f"`{by}` is nothing to split by.", hint=near_misses(by, get_args(By)))
    parts = part_shares(shares)
    pairs, notes = _joined(corpus)
    groups = _groups(pairs, by)
    assigned = _in_time(pairs, groups, parts) if by == "time" else _drawn(groups, parts, len(pairs), seed)
    splits = {name: [pairs[i] for i in sorted(members)] for name, members in assigned.items()}
    _check_shares(splits, parts, groups, len(pairs), by)
    together = len(pairs) - len(groups)
    if together and by != "time":
        why = "of a speaker of another" if by == "speaker" else "the same as another, or nearly"
        notes.append(f"{counted(together, 'dialogue')} {why}: kept in one part with it.")
    return replace(corpus, splits=splits, notes=[*corpus.notes, *notes], rows={})


def part_shares(shares: Sequence[float]) -> dict[str, float]:
    """Names and shares, which sum to 1.

    Raises:
        DiasumError: there are not two or three, or one is not a positive number.
    """
    if len(shares) not in NAMES or not all(0 < share < float("inf") for share in shares):
        listed = ", ".join(f"{share:g}" for share in shares)
        raise DiasumError(
            f"Expected two shares (train, test) or three (train, validation, test), each above 0; found {listed or 'none'}.",
            hint="For example 80,10,10.",
        )
    total = sum(shares)
    return {name: share / total for name, share in zip(NAMES[len(shares)], shares, strict=True)}


def _joined(corpus: Corpus) -> tuple[list[Pair], list[str]]:
    pairs = [pair for split in corpus.splits.values() for pair in split]
    if len(corpus.splits) == 1:
        return pairs, []
    names = unique([pair.id for pair in pairs])
    pairs = [replace(pair, id=name) for pair, name in zip(pairs, names, strict=True)]
    return pairs, [f"The splits {', '.join(corpus.splits)} were joined and divided anew."]


def _groups(pairs: Sequence[Pair], by: str) -> list[list[int]]:
    """Positions of dialogues that must stay together, in order of their first ones."""
    duplicates = find_duplicates(normalized(pair) for pair in pairs)
    links = list(duplicates.pairs)
    if by == "speaker":
        _check_all(pairs, [bool(pair.dialogue.speakers) for pair in pairs], "speaker labels", by)
        first: dict[str, int] = {}
        for i, pair in enumerate(pairs):
            links += [(first.setdefault(speaker.casefold(), i), i) for speaker in pair.dialogue.speakers]
    return _connected(len(pairs), links)


def _connected(number: int, links: Iterable[tuple[int, int]]) -> list[list[int]]:
    parents = list(range(number))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    for i, j in links:
        one, other = sorted((root(i), root(j)))
        parents[other] = one
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for i in range(number):
        groups[root(i)].append(i)
    return list(groups.values())


def _drawn(groups: list[list[int]], parts: dict[str, float], number: int, seed: int) -> dict[str, list[int]]:
    """Groups in random order, large ones first, each to the part that lacks most of its share."""
    order = groups.copy()
    random.Random(seed).shuffle(order)
    order.sort(key=len, reverse=True)
    assigned: dict[str, list[int]] = {name: [] for name in parts}
    for group in order:
        name = max(parts, key=lambda name: parts[name] * number - len(assigned[name]))
        assigned[name] += group
    return assigned


def _in_time(pairs: Sequence[Pair], groups: list[list[int]], parts: dict[str, float]) -> dict[str, list[int]]:
    """Consecutive parts; dialogues of one time are in one part."""
    _check_all(pairs, [pair.began is not None for pair in pairs], "time that it began at", "time")
    times = [_comparable(pair.began) for pair in pairs if pair.began is not None]
    order = sorted(range(len(pairs)), key=lambda i: times[i])
    assigned: dict[str, list[int]] = {}
    begin, reached = 0, 0.0
    for name, share in parts.items():
        reached += share
        end = len(order) if name == list(parts)[-1] else max(begin, round(reached * len(order)))
        while begin < end < len(order) and times[order[end]] == times[order[end - 1]]:
            end += 1
        assigned[name] = order[begin:end]
        begin = end
    part_of = {i: name for name, members in assigned.items() for i in members}
    apart = [group for group in groups if len({part_of[i] for i in group}) > 1]
    if apart:
        i, j = apart[0][0], next(k for k in apart[0] if part_of[k] != part_of[apart[0][0]])
        raise DiasumError(
            f"By time, {counted(len(apart), 'dialogue')} would be in two parts: `{pairs[j].id}` repeats `{pairs[i].id}`.",
            hint="Leave repetitions out first: diasum data check DATA --fix OUT, and split what that wrote.",
        )
    return assigned


def _comparable(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _check_all(pairs: Sequence[Pair], there: Sequence[bool], what: str, by: str) -> None:
    missing = [pair.id for pair, has in zip(pairs, there, strict=True) if not has]
    if missing:
        listed = f"{', '.join(missing[:5])}{', ...' if len(missing) > 5 else ''}"
        raise DiasumError(
            f"Cannot split by {by}: {len(missing)} of {len(pairs)} dialogues have no {what} ({listed}).",
            hint="Split by conversation, or give data in which all have it"
            + (", in a column such as `date`." if by == "time" else "."),
        )


def _check_shares(
    splits: dict[str, list[Pair]], parts: dict[str, float], groups: list[list[int]], number: int, by: str
) -> None:
    allowed = max(1.0, _TOLERANCE * number)
    if all(splits[name] and abs(len(splits[name]) - parts[name] * number) <= allowed for name in parts):
        return
    sizes = ", ".join(f"{name} {len(pairs)}" for name, pairs in splits.items())
    wanted = ", ".join(f"{name} {share * number:.0f}" for name, share in parts.items())
    largest = max(map(len, groups))
    if by == "time":
        why = "dialogues of one time stay in one part"
    elif by == "speaker":
        why = f"{largest} of the {number} dialogues are connected by their speakers, and stay in one part"
    else:
        why = f"{largest} of the {number} dialogues are the same, or nearly, and stay in one part"
    raise DiasumError(
        f"These shares cannot be had by {by}: wanted {wanted}; found {sizes}, since {why}.",
        hint="Labels such as Agent and Customer stand for many people: split by conversation then."
        if by == "speaker"
        else "Give other shares, or more data.",
    )
