"""References with one deliberate error each, to test checks and models.

In: a reference, its `Dialogue` and a seeded `random.Random`. Out: the same text with two speakers swapped, a name, number, amount, time
or date changed to another that the dialogue does not mention, or a negation added or taken away; None where there is nothing to change.
After the rule-based transformations of FacEval (Wang et al., EMNLP 2022) and FactCC (Kryściński et al., EMNLP 2020). Names come
from lists that the checks do not know. Not every swap makes a summary false ("A talks with B"); lists like "A and B" are not swapped alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from diasum.claims.lexicon import GIVEN_NAMES, OTHER_GIVEN, OTHER_PLACES, OTHER_SURNAMES, PLACES, words
from diasum.claims.names import Mentions, names
from diasum.claims.negation import NEGATORS
from diasum.claims.quantities import Quantity, quantities
from diasum.claims.spoken_numbers import CARDINALS, MONTHS, WEEKDAYS
from diasum.dialogue import Dialogue
from diasum.errors import DiasumError, near_misses

KINDS = ("speakers", "name", "number", "amount", "time", "date", "negation")
_TITLED = re.compile(r"(?:Mr|Mrs|Ms|Miss|Dr|Doctor|Professor|Prof|Sir|Uncle|Aunt)\.?\s+$")


@dataclass(frozen=True, slots=True)
class Corruption:
    """A reference with one error.

    Attributes:
        kind: one of `KINDS`.
        text: the whole corrupted summary.
        before, after: what was changed, and to what.
    """

    kind: str
    text: str
    before: str
    after: str


def corrupt(summary: str, dialogue: Dialogue, kind: str, *, seed: int | str = 0) -> Corruption | None:
    """Corrupt a reference in one way; the same for the same seed, summary and dialogue.

    Returns:
        None where the summary has nothing of that kind to change.

    Raises:
        DiasumError: `kind` is not a known kind of corruption.
    """
    if kind not in _MAKERS:
        raise DiasumError(f"There is no corruption `{kind}`.", hint=near_misses(kind, KINDS))
    rng = random.Random(f"{seed}/{kind}/{summary}")
    corruption = _MAKERS[kind](summary, dialogue, rng)
    return corruption if corruption is not None and corruption.text != summary else None


# --- who ----------------------------------------------------------------------------------------------------------------------


def _swap_speakers(summary: str, dialogue: Dialogue, rng: random.Random) -> Corruption | None:
    people = _people(summary, dialogue)
    if not people:
        return None
    ranked = sorted(people, key=lambda name: -people[name])
    first = ranked[0]
    if len(ranked) > 1:
        second = ranked[1]
    else:
        others = [label for label in dialogue.speakers if label.lower() != first.lower()]
        if first.lower() not in {label.lower() for label in dialogue.speakers} or not others:
            return None
        second = rng.choice(others)
        second = second.lower() if first.islower() else second
    a, b = re.escape(first), re.escape(second)
    together = rf"(?:{a},?\s+(?:and|&)\s+{b}|{b},?\s+(?:and|&)\s+{a})(?!['’\w])"
    if not re.search(rf"{_word(a)}|{_word(b)}", re.sub(together, "", summary)):
        return None
    text = re.sub(rf"{_word(a)}|{_word(b)}", lambda m: second if m.group() == first else first, summary)
    return Corruption("speakers", text[:1].upper() + text[1:] if summary[:1].isupper() else text, first, second)


def _people(summary: str, dialogue: Dialogue) -> dict[str, int]:
    """Who is in the summary: speakers by label or first name, and people called by a given name or a title."""
    people: dict[str, int] = {}
    for label in dialogue.speakers:
        for form in dict.fromkeys((label, label.split()[0] if label.split() else label, label.lower())):
            count = len(re.findall(_word(re.escape(form)), summary))
            if count and len(form) > 1:
                people[form] = count
                break
    for name in names(summary):
        title = _TITLED.search(summary, max(0, name.start - 12), name.start)
        text = summary[title.start() if title else name.start : name.end]
        if (
            not name.label
            and (title or name.text.lower() in GIVEN_NAMES)
            and not any(text in known for known in people)
        ):
            people[text] = len(re.findall(_word(re.escape(text)), summary))
    return people


def _word(escaped: str) -> str:
    return rf"(?<![\w#]){escaped}(?![\w#])"


def _change_name(summary: str, dialogue: Dialogue, rng: random.Random) -> Corruption | None:
    mentions = Mentions("\n".join(turn.text for turn in dialogue.turns), dialogue.speakers)
    choices: dict[str, tuple[str, ...]] = {}
    for name in names(summary):
        lower = name.text.lower()
        if name.label or not mentions.has(name):
            continue
        if lower in PLACES:
            choices[name.text] = OTHER_PLACES
        elif _TITLED.search(summary, max(0, name.start - 12), name.start):
            choices[name.text] = OTHER_SURNAMES
        elif lower in GIVEN_NAMES or any(lower in label.lower().split() for label in dialogue.speakers):
            choices[name.text] = OTHER_GIVEN
    if not choices:
        return None
    old = rng.choice(sorted(choices))
    new = rng.choice([name for name in choices[old] if name.lower() not in mentions.words])
    return Corruption("name", re.sub(_word(re.escape(old)), new, summary), old, new)


# --- how many, when -----------------------------------------------------------------------------------------------------------


def _change_fact(kind: str) -> Callable[[str, Dialogue, random.Random], Corruption | None]:
    def change(summary: str, dialogue: Dialogue, rng: random.Random) -> Corruption | None:
        heard = dialogue.text.lower()
        stated = [quantity for quantity in quantities(summary) if quantity.kind == kind]
        rng.shuffle(stated)
        for quantity in stated:
            new = _another(quantity, heard, rng)
            if new is not None:
                return Corruption(kind, summary[: quantity.start] + new + summary[quantity.end :], quantity.text, new)
        return None

    return change


def _another(quantity: Quantity, heard: str, rng: random.Random) -> str | None:
    """The quantity's text with another value, written in the same way; None where it cannot be done."""
    for calendar in (WEEKDAYS, MONTHS):
        match = re.search(rf"\b({'|'.join(sorted(calendar, key=len, reverse=True))})(s?)\b", quantity.text, re.I)
        if quantity.kind == "date" and match:
            names = [
                word for word in calendar if len(word) > 5 or (calendar is MONTHS and len(word) > 3 and word != "sept")
            ]
            full = [word for word in names if not re.search(rf"\b{word[:3]}", heard)]
            if not full:
                return None
            return quantity.text[: match.start()] + rng.choice(full).capitalize() + quantity.text[match.end(1) :]
    if quantity.kind == "date" and (year := re.search(r"(?:18|19|20)\d\d", quantity.text)):
        return _replaced(quantity.text, year, _new_value(float(year[0]), heard, rng, low=-9, high=9))
    digits = re.search(r"\d[\d,]*(?:\.\d+)?", quantity.text)
    hours = quantity.kind == "time"
    if digits:
        value = float(digits[0].replace(",", ""))
        new = _new_value(value, heard, rng, hours=hours)
        if new is None:
            return None
        cents = re.search(r"\.\d+$", digits[0])
        written = f"{new:,.0f}" if "," in digits[0] else f"{new:.0f}"
        changed = _replaced(quantity.text, digits, written + (cents[0] if cents and not hours else ""))
        return re.sub(r"(\d+)(?:st|nd|rd|th)\b", lambda m: m[1] + _ordinal(int(m[1])), changed) if changed else None
    number_word = "|".join(sorted([*CARDINALS, "hundred", "thousand"], key=len, reverse=True))
    runs = list(re.finditer(rf"\b(?:{number_word})(?:[\s-](?:and\s)?(?:{number_word}))*\b", quantity.text, re.I))
    if not runs:
        return None
    value = next((value for kind, value in quantity.parts if kind in ("number", "time")), 2)
    if hours:
        head = re.search(
            rf"\b(?:{number_word})\b",
            runs[-1].group() if "past" in quantity.text or "to" in quantity.text else quantity.text,
            re.I,
        )
        value = CARDINALS.get(head[0].lower(), 0) if head else 0
        runs = list(re.finditer(rf"\b{head[0]}\b", quantity.text)) if head else []
    new = _new_value(value, heard, rng, hours=hours)
    return _replaced(quantity.text, runs[-1], spelt(int(new))) if new is not None and runs and new < 1000 else None


def _replaced(text: str, match: re.Match[str], new: float | str | None) -> str | None:
    if new is None:
        return None
    written = new if isinstance(new, str) else f"{new:.0f}"
    written = written.capitalize() if match.group()[0].isupper() else written
    return text[: match.start()] + written + text[match.end() :]


def _new_value(
    value: float, heard: str, rng: random.Random, *, hours: bool = False, low: int = 0, high: int = 0
) -> float | None:
    """A plausible other number that the dialogue has neither in digits nor in words."""
    whole = int(value)
    if low or high:
        pool = [whole + step for step in range(low, high + 1) if step]
    elif hours:
        pool = [hour for hour in range(1, 13) if hour != whole % 12 and hour != whole]
    elif whole <= 12:
        pool = [number for number in range(2, 13) if number != whole]
    else:
        unit = 10 ** max(0, len(str(whole)) - 2) if whole % 10 == 0 else 1
        unit = max(unit, 5) if whole % 5 == 0 else unit
        pool = [whole + unit * step for step in range(-9, 10) if step and whole + unit * step > 1]
    rng.shuffle(pool)
    return next((float(new) for new in pool if not _heard(new, heard)), None)


def _heard(value: int, heard: str) -> bool:
    forms = {str(value), f"{value:,}", f"{value:,}".replace(",", ", ")}
    if value < 1000:
        forms |= {spelt(value), spelt(value).replace("-", " ")}
    return any(re.search(rf"(?<![\w]){re.escape(form)}(?!\d)", heard) for form in forms)


def _ordinal(value: int) -> str:
    return "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")


def spelt(value: int) -> str:
    """A whole number from 0 to 999 in words: ``twenty-five``, ``two hundred and six``."""
    by_value = {number: word for word, number in reversed(CARDINALS.items()) if word not in ("oh", "dozen", "fourty")}
    if value >= 100:
        rest = value % 100
        return f"{by_value[value // 100]} hundred" + (f" and {spelt(rest)}" if rest else "")
    if value in by_value:
        return by_value[value]
    return f"{by_value[value - value % 10]}-{by_value[value % 10]}"


# --- whether ------------------------------------------------------------------------------------------------------------------

_VERBS = words(
    "want like agree think believe need plan know love enjoy feel have go buy come take get accept recommend suggest invite offer advise "
    "decide tell ask work live find help hope understand seem remember worry make give pay order prefer intend expect use visit study"
)
_THIRD = {"has": "have", "goes": "go", "does": "do"} | {
    verb + "s": verb for verb in _VERBS if verb not in ("have", "go")
}
_BASE_TO_THIRD = {base: third for third, base in _THIRD.items()}
_AUXILIARY = re.compile(r"\b(will|would|can|could|should|is|are|was|were|must)\b(?!\s+not\b|n['’]t)(?=\s+[a-z])")
_VERB = re.compile(
    rf"(?<=\s)(?<!\bto\s)(?<!\bnot\s)({'|'.join(_THIRD)})(?=\s)(?!\s+(?:been|[a-z]+ed\b|no\b|not\b|never\b|to\s+be\b))"
)
_MODALS = words("is are was were will would can could should has have had must")
_DENIED = re.compile(
    r"\b(?:(does|do|did)(?:n['’]t|\s+not)|won['’]t|can['’]t|cannot|(\w+)\s+not|(\w+)n['’]t)\s+([a-z]+)"
)


def _flip_negation(summary: str, dialogue: Dialogue, rng: random.Random) -> Corruption | None:
    del dialogue
    changes = list(_denials(summary)) or list(_affirmations(summary))
    if not changes:
        return None
    start, end, new = rng.choice(changes)
    return Corruption("negation", summary[:start] + new + summary[end:], summary[start:end], new)


def _affirmations(summary: str) -> Iterator[tuple[int, int, str]]:
    for match in re.finditer(r"\b(agrees|decides|promises|wants|offers)(?= to\b)", summary):
        yield (*match.span(), "refuses")
    for sentence in re.finditer(r"[^.;,!?]+", summary):
        if not NEGATORS.isdisjoint(re.findall(r"[a-z]+", sentence.group().lower())):
            continue
        for match in _AUXILIARY.finditer(summary, *sentence.span()):
            yield (*match.span(), "cannot" if match[1] == "can" else f"{match[1]} not")
        for match in _VERB.finditer(summary, *sentence.span()):
            yield (*match.span(), f"does not {_THIRD[match[1]]}")


def _denials(summary: str) -> Iterator[tuple[int, int, str]]:
    for match in re.finditer(r"\b(?:refuses|declines)(?= to\b)", summary):
        yield (*match.span(), "agrees")
    for match in _DENIED.finditer(summary):
        helper, verb = match[1], match[4]
        if helper == "does":
            new = _BASE_TO_THIRD.get(verb) or verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "o")) else "s")
        elif helper:
            new = verb
        else:
            modal = (match[2] or match[3] or ("will" if match.group().startswith("wo") else "can")).lower()
            if modal not in _MODALS:
                continue
            new = f"{modal} {verb}"
        yield (*match.span(), new)


_MAKERS: dict[str, Callable[[str, Dialogue, random.Random], Corruption | None]] = {
    "speakers": _swap_speakers,
    "name": _change_name,
    "number": _change_fact("number"),
    "amount": _change_fact("amount"),
    "time": _change_fact("time"),
    "date": _change_fact("date"),
    "negation": _flip_negation,
}
