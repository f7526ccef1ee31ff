"""The summariser that users hold: conversations in whatever form in, summaries out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from diasum.config import GenerateSettings
from diasum.dialogue import Dialogue
from diasum.inference.forms import Conversation, as_dialogue, as_list, is_one
from diasum.model.summary import Summary
from diasum.model.trained import Trained, load_trained


class Summarizer:
    """Summarises conversations with a trained model, with the prompt and generation settings it was trained with."""

    def __init__(self, trained: Trained) -> None:
        self.trained = trained

    @overload
    def summarize(self, conversation: str | Dialogue | Mapping[str, Any], **generate: Any) -> str: ...
    @overload
    def summarize(self, conversation: Any, **generate: Any) -> Any: ...
    def summarize(self, conversation: Any, **generate: Any) -> Any:
        """Summarise one conversation or a list of them.

        Args:
            conversation: one of: ``Name: text`` lines, a `Dialogue`, a list of turns (objects with speaker and text, or pairs), or
                an object with one of these under ``dialogue``, ``turns`` or another usual name. Any other list holds conversations.
            generate: settings that differ from the run's own (``num_beams=1``).

        Returns:
            One summary, or a list with one per conversation.

        Raises:
            DiasumError: no conversation, an empty one, or an unknown generation setting.
        """
        if is_one(conversation):
            return self.summarize_all([conversation], **generate)[0].text
        return [summary.text for summary in self.summarize_all(as_list(conversation), **generate)]

    def summarize_all(
        self, conversations: Sequence[Conversation], *, progress: Callable[[int], None] | None = None, **generate: Any
    ) -> list[Summary]:
        """As `summarize` for a list of conversations, with what was read of each, what was cut, and the number type."""
        dialogues = [as_dialogue(one, f"Conversation {number}") for number, one in enumerate(conversations, 1)]
        settings = self._settings(generate)
        return self.trained.summarize(dialogues, settings=settings, progress=progress)

    def _settings(self, changes: dict[str, Any]) -> GenerateSettings:
        from diasum.config import check_settings

        if not changes:
            return self.trained.generate
        return check_settings(
            {"generate": {**self.trained.generate.model_dump(), **changes}}, "the generation settings"
        ).generate


def load(source: str | Path, **options: Any) -> Summarizer:
    """Load a summariser: a run, an adapter folder, a merged model, a hub id or ``mini``; options and errors as `load_trained`."""
    return Summarizer(load_trained(source, **options))
