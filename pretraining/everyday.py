"""Everyday dialogues with their summaries, from hand-written grammars (`everyday/*.txt`).

A dialogue and its summary are drawn from the same choices, so the summary is true by construction. A grammar file holds
scenarios; lines of a scenario, by their first characters:

    == name | title | roles     a new scenario; roles such as `Patient/Doctor`, or `-` for friends, family, colleagues
    item = a | b | c            a variable, drawn once; `item, use = a; b | c; d` draws fields together (`$item.use`)
    other ~ item                another draw from the list of `item`, different from it
    A: text   ?A: text          a turn of speaker A (of A to D); one that is there half of the time
    ~ text    ~~ text           a sentence of the summary; a detail, there half of the time
    ! text                      what is still open
    ( 2   | 1   )               alternatives with their weights, each a block of lines; blocks may nest

In texts: `{a|b}` alternatives (may nest), `$item`, `$item.field`, `,@B` the name of B as an address (dropped where names are not
used), `=@B` the name always. In summaries: `<A>`, `<A's>`, `<A.he>`, `<A.his>`, `<A.him>`. A list that is `*kind`
comes from `GENERATORS` or, failing that, from the shared lists.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diasum.errors import DiasumError
from pretraining.closing import left_open
from pretraining.grammar import (
    GENERATORS,
    Alternatives,
    Choice,
    Drawn,
    Line,
    Mention,
    Scenario,
    Text,
    Variable,
    parse_text,
    read_grammar,
    speakers,
)
from pretraining.speakers import NUMBERED, Person, named, person_n, role, start_upper, titled

FOLDER = Path(__file__).with_name("everyday")
Env = dict[str, tuple[str, ...]]
# roles that come with a wish: where the first speaker is one, a greeting by the other may stand before
CLIENTS = frozenset(
    (
        "Customer",
        "Guest",
        "Caller",
        "Patient",
        "Tenant",
        "Victim",
        "Student",
        "Passenger",
        "Buyer",
        "Driver",
        "Employee",
        "Traveller",
        "User",
        "Parent",
    )
)


@dataclass
class Dialogue:
    """What a grammar gave: turns, and after each turn the summary sentences that become true with it."""

    turns: list[tuple[str, str]]
    sentences: list[tuple[int, str]]  # number of turns heard, sentence
    open_points: list[str]
    title: str


class Everyday:
    """All grammars; `draw` gives a dialogue with its summary.

    Args:
        folder: where the grammar files are.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.scenarios: list[Scenario] = []
        self.shared: dict[str, Drawn] = {}
        for path in sorted(folder.glob("*.txt")):
            scenarios, shared = read_grammar(path)
            self.scenarios += scenarios
            self.shared.update(shared)
        self.parsed: dict[str, Text] = {}
        self.padding: dict[str, list[Scenario]] = {}
        for scenario in self.scenarios:
            if scenario.name.startswith("_"):
                self.padding.setdefault(scenario.name, []).append(scenario)
        self.scenarios = [s for s in self.scenarios if not s.name.startswith("_")]
        self.private = [s for s in self.scenarios if not s.roles and len(speakers(s)) == 2]

    def draw(self, rng: random.Random, scenario: Scenario | None = None, *, longest: int = 1) -> Dialogue:
        """One dialogue of a random (or the given) scenario; up to `longest` scenarios, one after the other.

        Scenarios of the parts `_open`, `_chat` and `_close` (small talk that no summary mentions) are put around and between.
        """
        scenario = scenario or rng.choice(self.scenarios)
        parts = [scenario]
        if not scenario.roles and len(speakers(scenario)) == 2:
            parts += rng.sample(self.private, min(len(self.private), rng.randint(0, longest - 1)))
        served = not scenario.roles or scenario.roles[0] in CLIENTS
        if longest > 1:
            padded = (
                [rng.choice(self.padding["_open" if scenario.roles else "_hello"])]
                if served and rng.random() < 0.5
                else []
            )
            for part in parts:
                padded += [part]
                if not scenario.roles and rng.random() < 0.4:
                    padded.append(rng.choice(self.padding["_chat"]))
            if served and rng.random() < 0.5:
                padded.append(rng.choice(self.padding["_close"]))
            parts = padded
        return Telling(self, rng, parts, scenario).tell()


_SENTENCE_START = re.compile(r"([.!?] )([a-z])")
_SPACES = re.compile(r" +(?=[ ,.?!])")
_GREETING = re.compile(r"^(?:Hi|Hello|Hey|Good (?:morning|afternoon|evening))[.!,] ")
_ARTICLE = re.compile(r"\b([Aa])(?= (?:[aeio]|8 |11 |18 )(?!ne\b|ne-|u[rn]))")
_SENTENCE = re.compile(r"[^.!?]+[.!?]+")
_QUESTION = re.compile(
    r"\s*(?:(?:And|So|Or|But|Then|Well|Oh|Excuse me|Hello|Hi),? )?(?:Do|Does|Did|Can|Could|Would|Will|Is|Are|Was|Were|Have you|Has|Had"
    r"|How|What|Where|When|Why|Who|Which|Shall|Should|May I|Isn't|Aren't|Don't you|Couldn't|Can't)\b"
    r"(?!'| a | an | nice| silly| kind| interesting| beautiful| would be| I get| you get| suits)",
    re.I,
)
_STATEMENT = re.compile(
    r"\s*(?:You look|You'll|You need|To |I |I'd |I'm |I've |I'll |We |We'|The |They|It's |My |Keep|Take|There|That's|That sounds)"
)


def tidy(text: str) -> str:
    """A turn with single spaces, sentences that start with a capital, and questions that end with a question mark."""
    text = _ARTICLE.sub(r"\1n", _SPACES.sub("", text.strip()))
    text = _SENTENCE_START.sub(lambda m: m[1] + m[2].upper(), start_upper(text))

    def mark(match: re.Match[str]) -> str:
        sentence = match[0]
        if sentence.endswith(".") and _QUESTION.match(sentence):
            return sentence[:-1] + "?"
        if sentence.endswith("?") and _STATEMENT.match(sentence):
            return sentence[:-1] + "."
        return sentence

    return _SENTENCE.sub(mark, text) if "?" in text or "." in text else text


class Telling:
    """One drawing: who speaks, which values the variables have."""

    def __init__(self, grammars: Everyday, rng: random.Random, parts: Sequence[Scenario], main: Scenario) -> None:
        self.grammars, self.rng, self.parts, self.main = grammars, rng, parts, main
        self.scenario = main  # whose variables are in force
        self.env: Env = {}
        self.uses_names = rng.random() < 0.4
        self.known: set[str] = set()  # letters of those whose name was spoken
        self.swapped = False
        self.people = self.cast()

    def cast(self) -> dict[str, Person]:
        rng = self.rng
        letters = speakers(self.main)
        numbered = rng.random() < NUMBERED
        spoken = rng.random() < 0.5  # by a name
        by_role = bool(self.main.roles) and rng.random() < 0.35
        people: dict[str, Person] = {}
        taken: set[str] = set()
        for k, letter in enumerate(letters):
            plain = named(rng)
            while plain.label in taken:
                plain = named(rng)
            if rng.random() < 0.12:
                plain = titled(rng)
            if numbered:
                person = replace(person_n(k + 1), call=plain.call if spoken else f"#{letter}#")
            elif by_role and k < len(self.main.roles):
                person = replace(role(self.main.roles[k]), call=plain.call)
            else:
                person = plain
            taken.add(plain.label)
            people[letter] = person
        return people

    def tell(self) -> Dialogue:
        rng = self.rng
        turns: list[tuple[str, str]] = []
        summary: list[tuple[int, Line, Scenario, Env, bool]] = []
        main_env: Env = {}
        for part in self.parts:
            self.scenario, self.env = part, main_env if part is self.main else {}
            self.swapped = (
                not self.main.roles and part is not self.main and len(self.people) == 2 and rng.random() < 0.5
            )
            for line in self.chosen(part.body):
                if line.kind in "ABCD":
                    text = tidy(self.expand(line.text))
                    if turns and len(text) > 30:
                        text = start_upper(_GREETING.sub("", text))
                    letter = self.whose(line.kind)
                    if turns and turns[-1][0] == letter:
                        turns[-1] = (letter, f"{turns[-1][1]} {text}")
                    else:
                        turns.append((letter, text))
                elif line.kind != "~~" or rng.random() < 0.5:
                    summary.append((len(turns), line, part, self.env, self.swapped))
        order = list(dict.fromkeys(letter for letter, _ in turns))
        for letter, person in self.people.items():
            if person.label.startswith("#"):  # numbered as they speak
                number = order.index(letter) + 1 if letter in order else len(order) + 1
                plain = person_n(number)
                called = person.call
                person = replace(plain, call=plain.label if called == f"#{letter}#" else called)
                turns = [(k, text.replace(f"#{letter}#", plain.label)) for k, text in turns]
            if letter in self.known and person.mention != person.call and rng.random() < 0.7:
                person = replace(person, mention=person.call)
            self.people[letter] = person
        sentences, open_points = [], []
        for heard, line, part, env, swapped in summary:
            self.scenario, self.env, self.swapped = part, env, swapped
            text = _ARTICLE.sub(r"\1n", _SPACES.sub("", self.expand(line.text).strip()).rstrip("."))
            text = _SENTENCE_START.sub(lambda m: m[1] + m[2].upper(), text)
            if line.kind == "!":
                open_points.append(text)
            else:
                sentences.append((heard, text))
        labelled = [(self.people[letter].label, text) for letter, text in turns]
        return Dialogue(labelled, sentences, open_points, self.title(main_env))

    def title(self, env: Env) -> str:
        self.scenario, self.env, self.swapped = self.main, env, False
        return self.expand(self.parse(self.main.title))

    def whose(self, letter: str) -> str:
        """The speaker of a letter: A and B may change places in a further scenario."""
        return {"A": "B", "B": "A"}.get(letter, letter) if self.swapped else letter

    def chosen(self, block: Sequence[Line | Choice]) -> list[Line]:
        """The lines said this time. Optional turns in a row, and a detail (~~) after them, stay or go together."""
        out: list[Line] = []
        skipping = in_group = False
        for item in block:
            if isinstance(item, Choice):
                in_group = False
                out += self.chosen(self.rng.choices(item.blocks, item.weights)[0])
                continue
            if item.optional and not in_group:
                skipping = self.rng.random() < 0.5
            in_group = item.optional or (in_group and item.kind == "~~")
            if not (in_group and skipping):
                out.append(item)
        return out

    def expand(self, text: Text) -> str:
        out = []
        for piece in text:
            if isinstance(piece, str):
                out.append(piece)
            elif isinstance(piece, Alternatives):
                out.append(self.expand(self.rng.choice(piece.texts)))
            elif isinstance(piece, Variable):
                out.append(self.value(piece.name, piece.field))
            else:
                out.append(self.mention(piece))
        return "".join(out)

    def mention(self, piece: Mention) -> str:
        letter = self.whose(piece.letter)
        person = self.people[letter]
        if piece.kind == "=@":
            self.known.add(letter)
            return person.call
        if piece.kind in (",@", "@,"):
            if not self.uses_names or self.rng.random() < 0.3:
                return ""
            self.known.add(letter)
            return f", {person.call}" if piece.kind == ",@" else f"{person.call}, "
        return str(getattr(person, piece.kind)) if piece.kind else person.mention

    def value(self, name: str, field_name: str) -> str:
        drawn = self.list_of(name)
        if name not in self.env:
            self.env[name] = self.draw(drawn)
        values = self.env[name]
        if not field_name:
            return values[0]
        if drawn.unlike:
            drawn = self.list_of(drawn.unlike)
        return values[drawn.fields.index(field_name)]

    def list_of(self, name: str) -> Drawn:
        drawn = self.scenario.variables.get(name) or self.grammars.shared.get(name)
        if drawn is None and name in GENERATORS:
            drawn = Drawn((name,), [], generator=name)
        if drawn is None:
            raise DiasumError(f"scenario {self.scenario.name}: expected a variable, found ${name}")
        return drawn

    def draw(self, drawn: Drawn) -> tuple[str, ...]:
        taken: tuple[str, ...] | None = None
        if drawn.unlike:
            self.value(drawn.unlike, "")
            taken = self.env[drawn.unlike]
            drawn = self.list_of(drawn.unlike)
        if drawn.generator and drawn.generator not in GENERATORS:
            drawn = self.grammars.shared[drawn.generator]
        for _ in range(50):
            raw = (GENERATORS[drawn.generator](self.rng),) if drawn.generator else self.rng.choice(drawn.values)
            if taken is None or raw[0] != taken[0]:
                break
        return tuple(self.expand(self.parse(v)) if "{" in v or "$" in v or "<" in v else v for v in raw)

    def parse(self, text: str) -> Text:
        if text not in self.grammars.parsed:
            self.grammars.parsed[text] = parse_text(text)
        return self.grammars.parsed[text]


def join_sentences(rng: random.Random, sentences: Sequence[str]) -> str:
    """Sentences as prose; some neighbours become one."""
    out: list[str] = []
    for sentence in sentences:
        if out and len(out[-1]) + len(sentence) < 130 and ", and " not in out[-1] and rng.random() < 0.3:
            first, second = out[-1].split(" ", 2), sentence.split(" ", 2)
            if (
                first[0] == second[0]
                and first[0][-1] != "."
                and first[0][0] in "#ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                and first[0].lower() != "the"
            ):
                out[-1] = f"{out[-1]}{rng.choice((' and', ', and'))} {sentence[len(second[0]) + 1 :]}"
            else:
                if first[0] != second[0] and second[0] in ("The", "They", "It", "There"):
                    sentence = sentence[:1].lower() + sentence[1:]
                out[-1] = f"{out[-1]}{rng.choice((', and ', ', and ', '; '))}{sentence}"
        else:
            out.append(sentence)
    return " ".join(start_upper(s) + "." for s in out)


def summarize(
    rng: random.Random, dialogue: Dialogue, max_words: int, *, house_style: float = 0.3
) -> tuple[list[tuple[str, str]], str]:
    """The turns that fit in `max_words` words, and the summary of what they say; empty where nothing fits.

    A longer dialogue ends early, and its summary says what became true until there.
    """
    turns: list[tuple[str, str]] = []
    words = 0
    for label, text in dialogue.turns:
        words += text.count(" ") + label.count(" ") + 2
        if words > max_words:
            break
        turns.append((label, text))
    heard = [s for count, s in dialogue.sentences if count <= len(turns)]
    if not heard:
        return [], ""
    summary = join_sentences(rng, heard)
    whole = len(turns) == len(dialogue.turns)
    if whole and dialogue.open_points and rng.random() < house_style:
        summary += f" {left_open(rng, dialogue.open_points)}"
    return turns, summary
