"""A conversation without what others must not read, and its summaries with or without it.

In: a dialogue. Out: a `Redacted`, whose dialogue has placeholders for private values, the same for the same value from its first turn to
its last and in summaries. Redaction is help, not anonymisation: `docs/redaction.md` has the figures for what is found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

from diasum.dialogue import Dialogue
from diasum.errors import MissingExtraError
from diasum.redaction.detect import detect, detect_one, occurrences
from diasum.redaction.placeholders import FORMS, Form
from diasum.redaction.spans import KINDS, PLURALS, Said, Span, without_overlaps
from diasum.redaction.speakers import Speakers
from diasum.redaction.vault import Vault
from diasum.wording import counted

_PACKAGES = ("phonenumbers", "schwifty", "faker")


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted conversation.

    Attributes:
        dialogue: with placeholders; turns, times and ids as before.
        vault: what they stand for.
    """

    dialogue: Dialogue
    vault: Vault
    _speakers: Speakers
    _numbers: Mapping[str, str]
    _names: bool

    @property
    def counts(self) -> dict[str, int]:
        """How many different values of each kind are hidden, in the order of `KINDS`; speakers by name among them."""
        counts = self.vault.counts | ({"speaker": len(self._speakers.names)} if self._speakers.names else {})
        return {kind: counts[kind] for kind in KINDS if kind in counts}

    def hide(self, summary: str) -> str:
        """A summary of the conversation with the same placeholders, and new ones for what only it says."""
        values = [(value, kind) for kind, value in self.vault.items()]
        spans = detect_one(Said(summary), self._speakers, names=self._names)
        return self._with_placeholders(summary, without_overlaps([*spans, *occurrences(summary, values)]))

    def restore(self, summary: str) -> str:
        """A summary with the values again, see `Vault.restore`."""
        return self.vault.restore(summary)

    def _with_placeholders(self, text: str, spans: Sequence[Span]) -> str:
        parts, end = [], 0
        for span in spans:
            parts += [text[end : span.start], self._placeholder(span.kind, text[span.start : span.end])]
            end = span.end
        return "".join([*parts, text[end:]])

    def _placeholder(self, kind: str, value: str) -> str:
        if kind != "speaker":
            return self.vault.placeholder(kind, value)
        return self._label(self._speakers.label_of(value))

    def _label(self, label: str) -> str:
        return self._numbers.get(label) or self.vault.placeholder("speaker", label)


class Redactor:
    """Redacts conversations.

    Args:
        names: hide other people's given names, too, not only speakers' names.
        form: how placeholders are written, see `choose_form`.

    Raises:
        MissingExtraError: the packages of the extra `redact` are not installed.
    """

    def __init__(self, *, names: bool = False, form: Form = FORMS[0]) -> None:
        check_installed()
        self.names = names
        self.form = form

    def redact(self, dialogue: Dialogue, numbers: Mapping[str, str] | None = None) -> Redacted:
        """Hide what is private in one conversation.

        Args:
            dialogue: as it is read, or with numbers for its speakers.
            numbers: what stands for speakers already, by their own labels; those named are not kept in the vault.
        """
        numbers = numbers or {}
        speakers = Speakers(numbers or dialogue.speakers)
        texts = [turn.text for turn in dialogue.turns]
        vault = Vault.for_texts([*texts, *dialogue.speakers], self.form)
        redacted = Redacted(dialogue, vault, speakers, numbers, self.names)
        labels = {label: redacted._label(label) for label in speakers.names}
        turns = tuple(
            replace(
                turn,
                speaker=labels.get(turn.speaker, turn.speaker),
                text=redacted._with_placeholders(turn.text, spans),
            )
            for turn, spans in zip(dialogue.turns, detect(texts, speakers, names=self.names), strict=True)
        )
        return replace(redacted, dialogue=Dialogue(turns))


def check_installed() -> None:
    """Before long work: that redaction can be done.

    Raises:
        MissingExtraError: the packages of the extra `redact` are not installed.
    """
    if any(find_spec(package) is None for package in _PACKAGES):
        raise MissingExtraError("Redaction (data redact, prompt.redact)", "redact")


def in_words(counts: Mapping[str, int]) -> str:
    """Counts by kind in words: ``2 telephone numbers and 1 e-mail address``; ``nothing``."""
    parts = [counted(count, KINDS[kind], PLURALS[kind]) for kind, count in counts.items()]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "nothing"
