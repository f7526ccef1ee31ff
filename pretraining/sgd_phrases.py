"""Fill the phrase templates of `sgd_domains`: optional pieces, articles, tense, dates and times as they are said."""

from __future__ import annotations

import re
from collections.abc import Callable

from pretraining.sgd_domains import BEFORE, DATES, TIMES, Domain

Values = dict[str, str]

PAST = {
    "is": "was", "are": "were", "will": "would", "has": "had", "wants": "wanted", "asks": "asked", "tells": "told", "says": "said",
    "books": "booked", "buys": "bought", "reserves": "reserved", "orders": "ordered", "makes": "made", "schedules": "scheduled",
    "arranges": "arranged", "suggests": "suggested", "recommends": "recommended", "offers": "offered", "proposes": "proposed",
    "finds": "found", "accepts": "accepted", "agrees": "agreed", "chooses": "chose", "picks": "picked", "takes": "took",
    "likes": "liked", "decides": "decided", "needs": "needed", "cannot": "could not", "fails": "failed", "does": "did", "plays": "played",
    "starts": "started", "transfers": "transferred", "sends": "sent", "adds": "added", "costs": "cost", "turns": "turned",
    "rejects": "rejected", "settles": "settled", "looks": "looked", "gives": "gave", "thanks": "thanked", "tries": "tried",
    "changes": "changed", "mentions": "mentioned", "arrives": "arrived", "leaves": "left", "wishes": "wished", "goes": "went",
    "declines": "declined", "explains": "explained", "confirms": "confirmed", "prefers": "preferred", "hopes": "hoped", "learns": "learned",
    "shows": "showed", "informs": "informed", "plans": "planned", "would": "would", "checks": "checked", "can": "could", "helps": "helped",
    "inquires": "inquired", "requests": "requested", "considers": "considered", "refuses": "refused",
}  # fmt: skip
_VERB = re.compile(r"<(\w+)>")
_A = re.compile(r"\b([Aa])~ ?(?=(\W*\w+))")
_AN = re.compile(r"\W*(?:[aeioAEIO]|8|11\b|18\b|[uU](?!n[i]|se|K\b|S\b))")
_AN_NOT = re.compile(r"\W*(?:[Oo]ne\b|[Ee]u|[Uu]ni)")


def inflect(text: str, past: bool) -> str:
    """Resolve the marks of verbs (`<wants>`) and articles (`a~`)."""
    text = _VERB.sub((lambda m: PAST[m[1]]) if past else (lambda m: m[1]), text)
    if "~" not in text:
        return text
    return _A.sub(lambda m: m[1] + ("n " if _AN.match(m[2]) and not _AN_NOT.match(m[2]) else " "), text)


def on_date(value: str) -> str:
    """`March 5th` -> `on March 5th`; `next Monday` and `tomorrow` need no preposition."""
    low = value.lower()
    if low.startswith(("day after", "the day after")):
        return f"{'' if low.startswith('the') else 'the '}{value}"
    if low.startswith(("today", "tomorrow", "next", "this", "tonight", "later", "in ", "on ")):
        return value
    return f"on {bare_date(value)}"


def bare_date(value: str) -> str:
    """`5th of March` -> `the 5th of March`."""
    return f"the {value}" if re.match(r"\d+(st|nd|rd|th)\b|day after", value.lower()) else value


_PART_OF_DAY = re.compile(r"(?i)^(morning|afternoon|evening)( at)? (\S.*)$")


def bare_time(value: str) -> str:
    """`evening 6` -> `6 in the evening`."""
    match = _PART_OF_DAY.match(value)
    return f"{match[3]} in the {match[1].lower()}" if match else value


Piece = tuple[tuple[str, ...], ...]
_BRACKET = re.compile(r"\[([^\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")


def compile_template(template: str) -> list[tuple[list[tuple[str, frozenset[str]]], bool]]:
    """Split a template into pieces, each a list of alternatives (text, slots it needs) and whether it may be left out."""
    pieces = []
    for k, part in enumerate(_BRACKET.split(template)):
        alternatives = part.split("|") if k % 2 else [part]
        pieces.append(([(a, frozenset(_SLOT.findall(a))) for a in alternatives], bool(k % 2) and "|" not in part))
    return pieces


_compiled: dict[str, list[tuple[list[tuple[str, frozenset[str]]], bool]]] = {}


def fill(template: str, values: dict[str, str], keep: Callable[[], bool]) -> str | None:
    """The template with its slots filled; None where one that is not optional is unknown.

    `keep` decides of each optional piece whether it is said: a summary need not say all.
    """
    pieces = _compiled.get(template)
    if pieces is None:
        pieces = _compiled[template] = compile_template(template)
    out = []
    for alternatives, optional in pieces:
        if optional and "{name_}" not in alternatives[0][0] and not keep():  # names always
            continue
        for text, slots in alternatives:
            if all(s in values for s in slots):
                out.append(text.format(**values) if slots else text)
                break
        else:
            if not optional:
                return None
    return " ".join("".join(out).split())


def plural(count: str, unit: str) -> str:
    """`2`, `ticket` -> `2 tickets`; one becomes `a ticket`."""
    if count.lower() in ("1", "one"):
        return f"a {unit}"
    return f"{count} {unit}s"


def say(values: Values, domain: Domain, base: Values) -> Values:
    """The values as templates take them: `slot_` bare, `slot` with its preposition, and counted things."""
    slots = dict(base)
    for slot, value in values.items():
        if value in ("True", "False"):
            if slot == "subtitles":
                slots[slot] = "with subtitles" if value == "True" else "without subtitles"
            continue
        if slot in DATES:
            slots[slot], slots[f"{slot}_"] = on_date(value), bare_date(value)
        elif slot in TIMES:
            slots[f"{slot}_"] = bare_time(value)
            slots[slot] = f"at {slots[f'{slot}_']}"
        else:
            slots[f"{slot}_"] = value
            slots[slot] = f"{BEFORE[slot]} {value}" if slot in BEFORE else value
    if "device_" in slots:
        slots["device"] = slots["device_on"] = f"on the {values['device'].replace(' or ', ' or the ')}"
    count = values.get("count")
    if count:
        if domain.unit == "people":
            one = count.lower() in ("1", "one")
            slots["party"] = slots["guests"] = f"for {count} {'person' if one else 'people'}"
        else:
            slots["tickets"] = plural(count, domain.unit)
    for slot, key, unit in (
        ("rooms", "rooms", "room"),
        ("beds", "bedrooms", "bedroom"),
        ("baths", "bathrooms", "bathroom"),
        ("days", "nights", "night"),
    ):
        if slot in values:
            slots[key] = plural(values[slot], unit)
    for slot in ("genre_", "kind_", "category_", "class_", "type_"):
        if slot in slots and not slots[slot].isupper():
            slots[slot] = slots[slot].lower()
    return slots
