"""Which placeholder stands for which value in one conversation, and the way back.

The values are private: a mapping file has mode 0600 and is written beside and moved into place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diasum.errors import DiasumError
from diasum.files import write_json
from diasum.json_lines import json_file
from diasum.redaction.placeholders import FORMS, Form, form_named
from diasum.redaction.spans import KINDS

VERSION = 1
_SPOKEN_OF = {  # for a number that stands for nothing: better than a placeholder in a summary that people read
    "url": "a link", "email": "an e-mail address", "iban": "an IBAN", "card": "a card number", "ip": "an IP address",
    "birth_date": "a date of birth", "account": "an account number", "telephone": "a telephone number", "address": "an address",
    "speaker": "someone", "name": "someone",
}  # fmt: skip


@dataclass(slots=True)
class Vault:
    """The placeholders of one conversation.

    Attributes:
        form: how they are written.
        values: placeholder to what it stands for.
        taken: numbers that the conversation itself uses in such a form, by kind; they stand for nothing else.
    """

    form: Form = FORMS[0]
    values: dict[str, str] = field(default_factory=dict)
    taken: frozenset[tuple[str, int]] = frozenset()
    _by_value: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def for_texts(cls, texts: Iterable[str], form: Form) -> Vault:
        """An empty one for a conversation, whose own words that look like placeholders are kept clear of."""
        taken = {form.read(match) for text in texts for match in form.pattern.finditer(text)}
        return cls(form, taken=frozenset(taken))

    def placeholder(self, kind: str, value: str) -> str:
        """What stands for a value: always the same, however its number is grouped."""
        key = (kind, _canonical(kind, value))
        if key not in self._by_value:
            number = 1
            while (kind, number) in self.taken or self.form.write(kind, number) in self.values:
                number += 1
            placeholder = self.form.write(kind, number)
            self._by_value[key], self.values[placeholder] = placeholder, value
        return self._by_value[key]

    def restore(self, text: str) -> str:
        """The values in the places of their placeholders.

        A placeholder that stands for nothing, which a model has made up, becomes words ("a telephone number"); one that the conversation
        itself had stays; one that a summary was cut in goes.
        """
        return self.form.pattern.sub(self._value, self.form.begun.sub("", text) if self.values else text)

    def _value(self, match: re.Match[str]) -> str:
        kind, number = self.form.read(match)
        value = self.values.get(self.form.write(kind, number))
        if value is not None:
            return value
        whole = self.form.is_whole(match)
        if not self.values or (kind, number) in self.taken or kind == "speaker" or not whole:
            return match[0]
        mention = _SPOKEN_OF[kind]
        ahead = match.string[: match.start()].rstrip(" \"'“‘(")
        return mention[0].upper() + mention[1:] if not ahead or ahead[-1] in ".!?:\n" else mention

    def items(self) -> Iterator[tuple[str, str]]:
        """Kind and value of each placeholder."""
        for (kind, _), placeholder in self._by_value.items():
            yield kind, self.values[placeholder]

    @property
    def counts(self) -> dict[str, int]:
        """How many values of each kind are hidden, in the order of `KINDS`."""
        counts = Counter(kind for kind, _ in self._by_value)
        return {kind: counts[kind] for kind in KINDS if counts[kind]}


def _canonical(kind: str, value: str) -> str:
    """What is the same in all ways to write a value."""
    if kind in ("telephone", "card", "iban", "account") and re.search(r"\d", value):
        return re.sub(r"[\W_]", "", value).casefold()
    return " ".join(value.split()).casefold() if kind in ("email", "address") else value


def write_mapping(path: Path, vaults: Mapping[str, Mapping[str, Vault]]) -> None:
    """Keep what placeholders stand for: a JSON file that only its owner may read.

    Args:
        path: where to; an existing file is refused.
        vaults: by split, then by the conversation's id.

    Raises:
        DiasumError: it exists, or cannot be written.
    """
    check_new(path)
    form = next((vault.form for split in vaults.values() for vault in split.values()), FORMS[0])
    conversations = {
        name: {identifier: vault.values for identifier, vault in split.items()} for name, split in vaults.items()
    }
    write_json(path, {"version": VERSION, "form": form.name, "conversations": conversations}, mode=0o600)


def check_new(path: Path) -> None:
    """Refuse to write over a mapping, whose values may be nowhere else.

    Raises:
        DiasumError: there is something at the path.
    """
    if path.exists():
        raise DiasumError(f"{path} exists already.", hint="Choose another name; nothing was written.")


def read_mapping(path: Path) -> dict[str, dict[str, Vault]]:
    """Read what `write_mapping` wrote.

    Raises:
        DiasumError: it cannot be read, or is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DiasumError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise _no_mapping(path, "it is not UTF-8 text") from None
    tree = json_file(text, str(path))
    if not isinstance(tree, dict) or tree.get("version") != VERSION:
        raise _no_mapping(path, f"expected an object with version {VERSION}")
    form = form_named(str(tree.get("form")))
    if form is None:
        raise _no_mapping(path, f"`form` is {tree.get('form')!r}")
    conversations = tree.get("conversations")
    if not isinstance(conversations, dict) or not _is_mapping(conversations):
        raise _no_mapping(path, "`conversations` does not hold placeholders and values by split and id")
    return {
        name: {identifier: Vault(form, dict(values)) for identifier, values in split.items()}
        for name, split in conversations.items()
    }


def _is_mapping(tree: Any) -> bool:
    return isinstance(tree, dict) and all(
        isinstance(split, dict)
        and all(
            isinstance(values, dict) and all(isinstance(value, str) for value in values.values())
            for values in split.values()
        )
        for split in tree.values()
    )


def _no_mapping(path: Path, problem: str) -> DiasumError:
    return DiasumError(
        f"{path} is no mapping of placeholders: {problem}.", hint="Expected what `diasum data redact --mapping` wrote."
    )
