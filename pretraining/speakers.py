"""Who speaks: the labels speakers are given, and how a summary mentions them.

`#Person1#` and `#Person2#` are DialogSum's; names, names with titles and roles are what exported conversations have.
A `Person` formats itself in templates: `{a}` Priya, `{a.s}` Priya's, `{a.he}`, `{a.his}`, `{a.him}`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from pretraining.names import FAMILY, FEMALE, MALE

PAIRS_OF_ROLES = {
    "service": (
        ("Customer", "Agent"),
        ("Guest", "Clerk"),
        ("Caller", "Operator"),
        ("User", "Assistant"),
        ("Client", "Advisor"),
        ("Visitor", "Receptionist"),
        ("Customer", "Representative"),
        ("Customer", "Support"),
        ("Customer", "Assistant"),
        ("User", "Agent"),
    )
}


# Of the examples, so many have numbered speakers: `mini` reads every conversation so (`prompt.speakers: numbered`). Among few labels
# that come up all the time the right one is learnt; of names, each of them rare, the wrong one was taken half of the time.
NUMBERED = 0.9


@dataclass(frozen=True, slots=True)
class Person:
    """A speaker: the `label` before the turns, the `mention` in a summary, the name others call them by, if any."""

    label: str
    mention: str
    call: str = ""
    gender: str = ""  # "f", "m", "they" (a role), or "" for unknown: the mention is repeated instead of a pronoun

    def __str__(self) -> str:
        return self.mention

    @property
    def s(self) -> str:
        """The possessive, `Priya's`."""
        return f"{self.mention}'s"

    @property
    def he(self) -> str:
        return {"f": "she", "m": "he"}.get(self.gender, self.mention)

    @property
    def him(self) -> str:
        return {"f": "her", "m": "him", "they": "them"}.get(self.gender, self.mention)

    @property
    def his(self) -> str:
        return {"f": "her", "m": "his", "they": "their"}.get(self.gender, self.s)


def first_name(rng: random.Random, gender: str = "") -> tuple[str, str]:
    """A first name and its gender."""
    gender = gender or ("f" if rng.random() < 0.5 else "m")
    return rng.choice(FEMALE if gender == "f" else MALE), gender


def named(rng: random.Random, gender: str = "", pronouns: float = 0.9) -> Person:
    """A person called by first name; a share `pronouns` of them is referred to as he or she."""
    name, gender = first_name(rng, gender)
    return Person(name, name, name, gender if rng.random() < pronouns else "")


def titled(rng: random.Random, title: str = "", pronouns: float = 0.8) -> Person:
    """Mr. Chen, Ms. Rossi; or a person with the given title, such as Dr."""
    gender = "f" if rng.random() < 0.5 else "m"
    title = title or (rng.choice(("Ms.", "Mrs.")) if gender == "f" else "Mr.")
    name = f"{title} {rng.choice(FAMILY)}"
    return Person(name, name, name, gender if rng.random() < pronouns else "")


def person_n(n: int) -> Person:
    return Person(f"#Person{n}#", f"#Person{n}#")


def numbered(rng: random.Random, n: int, spoken: float = 0.5) -> Person:
    """A numbered speaker, whom others call by the number, too, in a share `spoken`: as when names are replaced throughout."""
    person = person_n(n)
    return replace(person, call=person.label) if rng.random() < spoken else person


def role(name: str) -> Person:
    """A role as a label: `Customer`, mentioned as `the customer`."""
    return Person(name, f"the {name.lower()}", gender="they")


def known(label: str) -> Person:
    """The person behind a label as the grammars write it: `#Person1#`, a first name, a name with a title, a role."""
    first = label.split()[0]
    if label.startswith("#"):
        return Person(label, label)
    gender = "f" if first in FEMALE or first in ("Mrs.", "Ms.") else "m" if first in MALE or first == "Mr." else ""
    return Person(label, label, label, gender) if gender or "." in first else role(label)


def full_name(rng: random.Random) -> Person:
    """A label with first and family name, mentioned by either."""
    name, gender = first_name(rng)
    full = f"{name} {rng.choice(FAMILY)}"
    return Person(full, full if rng.random() < 0.3 else name, name, gender if rng.random() < 0.8 else "")


def cast_two(
    rng: random.Random, roles: tuple[tuple[str, str], ...] = PAIRS_OF_ROLES["service"]
) -> tuple[Person, Person]:
    """Two speakers for a dialogue; the second serves, helps or answers the first where `roles` say so."""
    if rng.random() < NUMBERED:
        first, second = numbered(rng, 1), numbered(rng, 2)
        return (first, second) if rng.random() < 0.6 else (second, first)
    kind = rng.random()
    if kind < 0.47:
        a, b = named(rng), named(rng)
    elif kind < 0.56:
        a, b = titled(rng), titled(rng)
    elif kind < 0.66:
        a, b = full_name(rng), full_name(rng)
    elif kind < 0.82:
        x, y = rng.choice(roles)
        a, b = role(x), role(y)
    else:  # one name, one role
        x, y = rng.choice(roles)
        a, b = (named(rng), role(y)) if rng.random() < 0.6 else (role(x), named(rng))
    return (a, b) if a.label != b.label and a.mention != b.mention else (person_n(1), person_n(2))


def cast_many(rng: random.Random, labels: list[str]) -> dict[str, Person]:
    """One new person for each label: all numbered in order of appearance, or all named."""
    if rng.random() < NUMBERED:
        return {label: numbered(rng, k + 1) for k, label in enumerate(labels)}
    people: dict[str, Person] = {}
    taken: set[str] = set()
    for label in labels:
        person = titled(rng) if rng.random() < 0.15 else named(rng)
        while person.label in taken:
            person = named(rng)
        taken.add(person.label)
        people[label] = person
    return people


def start_upper(sentence: str) -> str:
    """Upper-case the first letter of a sentence ("the customer asks" -> "The customer asks")."""
    return sentence[:1].upper() + sentence[1:]
