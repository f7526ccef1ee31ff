"""The summariser that users hold: conversations in whatever form in, summaries out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, overload

from diasum.config import GenerateSettings, PromptSettings, Settings
from diasum.data.summary import Summary
from diasum.dialogue import Dialogue
from diasum.dialogue.files.conversations import is_file, read_conversations
from diasum.dialogue.forms import Conversation, as_dialogue, as_list, is_one
from diasum.errors import check_keywords
from diasum.resolve import SUMMARIZE, Given, resolve
from diasum.summarization.loading import load_trained, own_settings
from diasum.summarization.trained import Trained


class Summarizer:
    """Summarises conversations with a trained model, with the prompt and generation settings it was trained with."""

    def __init__(self, trained: Trained) -> None:
        self.trained = trained

    @overload
    def summarize(self, conversation: Dialogue | Mapping[str, Any], **generate: Any) -> str: ...
    @overload
    def summarize(self, conversation: Any, **generate: Any) -> Any: ...
    def summarize(self, conversation: Any, **generate: Any) -> Any:
        """Summarise one conversation or a list of them.

        Args:
            conversation: one of: ``Name: text`` lines, a `Dialogue`, a list of turns (objects with speaker and text, or pairs), or
                an object with one of these under ``dialogue``, ``turns`` or another usual name. Or a file with one or many, as the
                command reads it: a `Path`, or a text of one line that is the path of a file; texts that strangers send are better
                given as ``{"dialogue": text}``, which is never taken for a path. Any other list holds conversations or files.
            generate: settings that differ from the run's own (``num_beams=1``).

        Returns:
            One summary, or a list with one per conversation; an empty one for an empty conversation among others in a file.

        Warns:
            UserWarning: the model's tokenizer lacks letters of a conversation.

        Raises:
            DiasumError: no conversation, an empty one, a file that is not there or cannot be read, or an unknown generation setting.
        """
        return texts_of(conversation, lambda conversations, *_: self.summarize_all(conversations, **generate))

    def summarize_all(
        self, conversations: Sequence[Conversation], *, progress: Callable[[int], None] | None = None, **generate: Any
    ) -> list[Summary]:
        """As `summarize` for a list of conversations, with what was read of each, what was cut, and the number type."""
        dialogues = [as_dialogue(one, f"Conversation {number}") for number, one in enumerate(conversations, 1)]
        settings = settings_of_call(self.trained.generate, generate)
        return self.trained.summarize(dialogues, settings=settings, progress=progress)


def settings_of_call(own: GenerateSettings, changes: dict[str, Any]) -> GenerateSettings:
    """The generation settings of a call that changes some of a summariser's own.

    Raises:
        DiasumError: an unknown one, or a wrong value.
    """
    check_keywords("summarize", changes, GenerateSettings.model_fields)
    return resolve(SUMMARIZE, {"generate": changes}, own=Settings(generate=own)).generate


Write = Callable[[Sequence[Conversation], Sequence[int], int], Sequence[Summary]]


def texts_of(conversation: Any, write: Write) -> Any:
    """The texts of summaries, as `Summarizer.summarize` returns them, and its warning.

    Args:
        conversation: as there.
        write: summarises conversations, given their places among all, empty ones included, and the number of all.
    """
    one = is_file(conversation) or is_one(conversation)
    conversations = [opened for item in ([conversation] if one else as_list(conversation)) for opened in _opened(item)]
    places = [place for place, item in enumerate(conversations) if item is not None]
    results = write([conversations[place] for place in places], places, len(conversations))
    worst = max((summary.lost for summary in results if summary.lost), key=lambda lost: lost.share, default=None)
    if worst is not None and worst.matters:
        warnings.warn(worst.note("a conversation" if len(results) > 1 else "this conversation"), stacklevel=3)
    summaries = iter(results)
    texts = ["" if item is None else next(summaries).text for item in conversations]
    return texts[0] if one and len(texts) == 1 else texts


def _opened(item: Any) -> list[Any]:
    """The conversations of a file, None for those in which nothing is said, or the one that is given."""
    if not is_file(item):
        return [item]
    return [None if one.dialogue.is_empty else one.dialogue for one in read_conversations([Path(item)])]


def load_for_call(source: str | Path, settings: Given, generate: Mapping[str, Any]) -> Summarizer:
    """`load` for a single call of `Summarizer.summarize` with `generate`.

    Raises:
        DiasumError: as `load`, or `settings` and `generate` give one setting different values.
    """
    if generate and not isinstance(settings, Settings | Mapping | str):
        settings = list(settings)  # it may be one that can be read only once
    if generate and settings:
        resolve(
            SUMMARIZE,
            settings,
            {f"generate.{name}": value for name, value in generate.items()},
            own=own_settings(source),
        )
    return load(source, settings=settings)


def load(source: str | Path, *, settings: Given = (), **options: Any) -> Summarizer:
    """Load a summariser.

    Args:
        source: a run, an adapter folder, a merged model, a hub id or ``mini``.
        settings: of ``generate.`` and ``check.``, `prompt.length` and `prompt.redact`, where they differ from its own:
            ``{"prompt.redact": "on"}``.
        options: as `load_trained`.

    Raises:
        DiasumError: settings that are wrong or that no summary depends on, an unknown option, or as `load_trained` and
            `Trained.ask_for`; `prompt.redact` without the extra `redact`.
    """
    known = [name for name in signature(load_trained).parameters if name != "source"]
    check_keywords("load", options, ["settings", *known])
    if not settings:
        return Summarizer(load_trained(source, **options))
    dtype = {"generate.dtype": options.pop("dtype", None)}
    resolved = resolve(SUMMARIZE, settings, dtype, own=own_settings(source))
    if resolved.prompt.redact != "off":
        from diasum.redaction.redactor import check_installed

        check_installed()  # before seconds of loading
    if resolved.check.judge is not None:
        from diasum.judges import load_judge, require_judge

        require_judge(resolved.check.judge)
    trained = load_trained(source, dtype=resolved.generate.dtype, **options)
    trained.generate = resolved.generate.model_copy(update={"dtype": trained.generate.dtype})
    take_prompt(trained, resolved.prompt)
    if resolved.check.judge is not None:
        trained.judge = load_judge(resolved.check.judge, trained.hardware.device)
    return Summarizer(trained)


def take_prompt(trained: Trained, prompt: PromptSettings) -> None:
    """Ask for summaries as these settings say; raises as `Trained.ask_for` and `Trained.redact`."""
    trained.ask_for(prompt.length)
    trained.redact(prompt.redact)
