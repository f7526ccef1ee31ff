"""The summariser that users hold: conversations in whatever form in, summaries out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from diasum.config import GenerateSettings
from diasum.dialogue import Dialogue
from diasum.dialogue import as_dialogue as read
from diasum.errors import DiasumError
from diasum.model.trained import Trained, load_trained

Conversation = str | Dialogue | Sequence[Any]


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary and what was lost on the way.

    Attributes:
        text: the summary.
        cut: it reached `generate.max_new_tokens` before it ended.
        turns_cut: turns of the conversation that did not fit the model's input.
    """

    text: str
    cut: bool
    turns_cut: int


class Summarizer:
    """Summarises conversations with a trained model, with the prompt and generation settings it was trained with."""

    def __init__(self, trained: Trained) -> None:
        self.trained = trained

    @overload
    def summarize(self, conversation: str | Dialogue, **generate: Any) -> str: ...
    @overload
    def summarize(self, conversation: Sequence[Conversation], **generate: Any) -> list[str]: ...
    def summarize(self, conversation: Any, **generate: Any) -> Any:
        """Summarise one conversation (a text or a `Dialogue`) or a list of them.

        Args:
            conversation: ``Name: text`` lines, a `Dialogue`, or a list of such; a list's items may also be lists of turns
                (dicts with speaker and text, or pairs).
            generate: settings that differ from the run's own (``num_beams=1``).

        Returns:
            One summary, or one per item.

        Raises:
            DiasumError: an empty conversation or an unknown generation setting.
        """
        if isinstance(conversation, str | Dialogue):
            return self.summarize_all([conversation], **generate)[0].text
        return [summary.text for summary in self.summarize_all(conversation, **generate)]

    def summarize_all(
        self, conversations: Sequence[Conversation], *, progress: Callable[[int], None] | None = None, **generate: Any
    ) -> list[Summary]:
        """As `summarize` for a list, with what was cut."""
        dialogues = [as_dialogue(one, f"Conversation {number}") for number, one in enumerate(conversations, 1)]
        settings = self._settings(generate)
        sources, _ = self.trained.encoder.encode_dialogues(dialogues)
        ids = [source.input_ids for source in sources]
        made = self.trained.generate_from(dialogues, ids, settings, progress=progress)
        return [Summary(one.text, one.cut, source.turns_cut) for one, source in zip(made, sources, strict=True)]

    def _settings(self, changes: dict[str, Any]) -> GenerateSettings:
        from diasum.config import check_settings

        if not changes:
            return self.trained.generate
        return check_settings(
            {"generate": {**self.trained.generate.model_dump(), **changes}}, "the generation settings"
        ).generate


def as_dialogue(conversation: Conversation, name: str = "The conversation") -> Dialogue:
    """Read a conversation in any of the accepted forms; `name` says in errors which one it is.

    Raises:
        DiasumError: it is empty or its turns cannot be read.
    """
    try:
        dialogue = read(conversation)
    except ValueError as error:
        raise DiasumError(f"{name} cannot be read: {error}.") from None
    if not any(turn.text for turn in dialogue.turns):
        raise DiasumError(f"{name} is empty.", hint="Expected text such as `Anna: Are you coming?`, one turn a line.")
    return dialogue


def load(source: str | Path, **options: Any) -> Summarizer:
    """Load a summariser: a run, an adapter folder, a merged model, a hub id or ``mini``; options and errors as `load_trained`."""
    return Summarizer(load_trained(source, **options))
