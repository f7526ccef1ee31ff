"""Read the grammars of everyday dialogues: scenarios with turns, choices and summary sentences (format: see `everyday`)."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from diasum.errors import DiasumError
from pretraining.names import FAMILY
from pretraining.speakers import first_name

Text = list["str | Alternatives | Variable | Mention"]


class Alternatives(NamedTuple):
    texts: list[Text]


class Variable(NamedTuple):
    name: str
    field: str


class Mention(NamedTuple):
    """A speaker: `kind` is `,@` `@,` `=@` (in turns), or an attribute of `Person` (in summaries)."""

    letter: str
    kind: str


class Line(NamedTuple):
    kind: str  # a speaker's letter, or ~ ~~ !
    optional: bool
    text: Text


class Choice(NamedTuple):
    weights: list[float]
    blocks: list[list[Line | Choice]]


@dataclass
class Drawn:
    """A list of values to draw from; `fields` names the parts of each value."""

    fields: tuple[str, ...]
    values: list[tuple[str, ...]]
    unlike: str = ""
    generator: str = ""


@dataclass
class Scenario:
    name: str
    title: str
    roles: tuple[str, ...]
    variables: dict[str, Drawn] = field(default_factory=dict)
    body: list[Line | Choice] = field(default_factory=list)


def clock(rng: random.Random) -> str:
    """A time of day between 7 in the morning and 9 at night."""
    hour, minute = rng.randint(7, 21), rng.choice((0, 0, 0, 15, 30, 30, 45))
    half = "am" if hour < 12 else "pm"
    hour = hour if hour <= 12 else hour - 12
    if minute == 0:
        return f"{hour}{rng.choice((' ', ':00 '))}{half}" if rng.random() < 0.6 else f"{hour} o'clock"
    return (
        f"{hour}:{minute:02d}{rng.choice(('', ' ' + half))}"
        if rng.random() < 0.8 or minute != 30
        else f"half past {hour}"
    )


MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905


def calendar_date(rng: random.Random) -> str:
    day = rng.randint(1, 28)
    ending = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
    month = rng.choice(MONTHS)
    return rng.choice((f"{month} {day}{ending}", f"{month} {day}", f"the {day}{ending} of {month}"))


def numbers(low: int, high: int, step: int = 1) -> Callable[[random.Random], str]:
    return lambda rng: str(rng.randrange(low, high + 1, step))


def price(low: int, high: int) -> Callable[[random.Random], str]:
    def draw(rng: random.Random) -> str:
        amount = rng.randint(low, high)
        return f"${amount}.{rng.choice(('50', '99', '25'))}" if high < 100 and rng.random() < 0.25 else f"${amount:,}"

    return draw


GENERATORS: dict[str, Callable[[random.Random], str]] = {
    "clock": clock,
    "date": calendar_date,
    "day": lambda rng: rng.choice(DAYS),
    "month": lambda rng: rng.choice(MONTHS),
    "friend": lambda rng: first_name(rng)[0],
    "woman": lambda rng: first_name(rng, "f")[0],
    "man": lambda rng: first_name(rng, "m")[0],
    "family": lambda rng: rng.choice(FAMILY),
    "few": numbers(2, 9),
    "teens": numbers(10, 30),
    "tens": numbers(10, 90, 10),
    "percent": numbers(5, 60, 5),
    "roomno": numbers(101, 940),
    "order": lambda rng: (
        f"{rng.choice('ABCKLRTX')}{rng.randint(1000, 99999)}" if rng.random() < 0.5 else str(rng.randint(10000, 999999))
    ),
    "phone": lambda rng: f"{rng.randint(200, 999)}-{rng.randint(100, 999)}-{rng.randint(1000, 9999)}",
    "cents": price(2, 15),
    "cheap": price(8, 60),
    "price": price(20, 300),
    "rent": price(450, 2900),
    "dear": price(900, 20000),
}

_TOKEN = re.compile(
    r"(?P<open>\{)|(?P<bar>\|)|(?P<close>\})|\$(?P<var>[a-z]\w*)(?:\.(?P<field>[a-z]\w*))?"
    r"|,@(?P<after>[A-D])|@(?P<before>[A-D]),? ?|=@(?P<always>[A-D])|<(?P<who>[A-D])(?:\.(?P<form>he|his|him)|(?P<s>'s))?>"
)


def parse_text(text: str) -> Text:
    """The text as pieces; `{a|b}` may nest."""
    stack: list[list[Text]] = [[[]]]
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() > at:
            stack[-1][-1].append(text[at : match.start()])
        at = match.end()
        piece: Alternatives | Variable | Mention
        if match["open"]:
            stack.append([[]])
            continue
        if match["bar"]:
            stack[-1].append([])
            continue
        if match["close"]:
            piece = Alternatives(stack.pop())
        elif match["var"]:
            piece = Variable(match["var"], match["field"] or "")
        elif match["who"]:
            piece = Mention(match["who"], match["form"] or ("s" if match["s"] else ""))
        elif match["after"]:
            piece = Mention(match["after"], ",@")
        elif match["before"]:
            piece = Mention(match["before"], "@,")
        else:
            piece = Mention(match["always"], "=@")
        stack[-1][-1].append(piece)
    if at < len(text):
        stack[-1][-1].append(text[at:])
    if len(stack) != 1 or len(stack[0]) != 1:
        raise DiasumError(f"unbalanced braces in {text!r}")
    return stack[0][0]


_VARIABLE = re.compile(r"^([a-z]\w*(?:, ?[a-z]\w*)*) (=|~) (.*)$")
_LINE = re.compile(r"^(\??)([A-D]): (.*)$")


def read_grammar(path: Path) -> tuple[list[Scenario], dict[str, Drawn]]:
    """Scenarios and shared lists (variables before the first scenario) of a grammar file.

    Raises:
        DiasumError: a line that cannot be read, with file and line number.
    """
    scenarios: list[Scenario] = []
    shared: dict[str, Drawn] = {}
    blocks: list[list[Line | Choice]] = []
    choices: list[Choice] = []
    variables = shared
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        try:
            if not line or line.startswith("#"):
                continue
            if line.startswith("== "):
                name, title, roles = (part.strip() for part in line[3:].split("|"))
                scenarios.append(Scenario(name, title, tuple(roles.split("/")) if roles != "-" else ()))
                variables = scenarios[-1].variables
                blocks = [scenarios[-1].body]
            elif match := _VARIABLE.match(line):
                fields = tuple(f.strip() for f in match[1].split(","))
                if match[2] == "~":
                    variables[fields[0]] = Drawn(fields, [], unlike=match[3].strip())
                elif match[3].startswith("*"):
                    variables[fields[0]] = Drawn(fields, [], generator=match[3][1:].strip())
                else:
                    values = [tuple(p.strip() for p in v.split(";")) for v in split_bars(match[3])]
                    if any(len(v) != len(fields) for v in values):
                        raise DiasumError(f"expected {len(fields)} fields in each value")
                    variables[fields[0]] = Drawn(fields, values)
            elif match := _LINE.match(line):
                blocks[-1].append(Line(match[2], bool(match[1]), parse_text(match[3])))
            elif line[0] == "(":
                choice = Choice([float(line[1:] or 1)], [[]])
                blocks[-1].append(choice)
                choices.append(choice)
                blocks.append(choice.blocks[-1])
            elif line[0] == "|":
                choices[-1].weights.append(float(line[1:] or 1))
                choices[-1].blocks.append([])
                blocks[-1] = choices[-1].blocks[-1]
            elif line == ")":
                choices.pop()
                blocks.pop()
            else:
                kind, _, text = line.partition(" ")
                if kind not in ("~", "~~", "!"):
                    raise DiasumError(f"expected a turn, a summary line, a variable or a choice, found {line!r}")
                blocks[-1].append(Line(kind, False, parse_text(text)))
        except (DiasumError, ValueError, IndexError, KeyError) as error:
            raise DiasumError(f"{path.name}, line {number}: {error}") from error
    return scenarios, shared


def split_bars(text: str) -> list[str]:
    """Split at `|` outside braces."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "{") - (letter == "}")
        if letter == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def speakers(scenario: Scenario) -> list[str]:
    return sorted({line.kind for line in walk(scenario.body) if line.kind in "ABCD"})


def walk(block: Sequence[Line | Choice]) -> list[Line]:
    """All lines of a block and the blocks inside it."""
    out: list[Line] = []
    for item in block:
        if isinstance(item, Choice):
            for inner in item.blocks:
                out += walk(inner)
        else:
            out.append(item)
    return out
