"""Several adapters of one base, loaded together: each conversation is summarised by its own, all of them in the same batches.

In: names and the adapters that they stand for. Out: a `SeveralSummarizer`. The base is in memory once. Each adapter keeps its own prompt;
generation settings are one for all, as there is one search.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from diasum.config import GenerateSettings, Settings
from diasum.data.summary import Summary
from diasum.dialogue import Dialogue
from diasum.dialogue.forms import Conversation, as_dialogue
from diasum.engines.fast.engine import FastEngine
from diasum.errors import DiasumError, near_misses
from diasum.model.adapter_files import check_plain
from diasum.model.locating import located
from diasum.resolve import SUMMARIZE, Given, resolve
from diasum.summarization.loading import load_beside, own_settings
from diasum.summarization.summarizer import load, settings_of_call, take_prompt, texts_of
from diasum.summarization.trained import Trained


class SeveralSummarizer:
    """Summarises conversations with several adapters of one base.

    Attributes:
        adapters: what summarises with each, by the names given.
        notes: what a user should know, each one sentence.
    """

    def __init__(self, adapters: Mapping[str, Trained], engine: FastEngine) -> None:
        self.adapters, self._engine = dict(adapters), engine
        self._in_engine = dict(zip(adapters, engine.adapters, strict=True))
        for name, trained in adapters.items():
            trained.generate_with([engine.of(self._in_engine[name])])

    @property
    def notes(self) -> list[str]:
        return [note for trained in self.adapters.values() for note in trained.notes]

    def summarize(self, conversation: Any, *, adapter: str | Sequence[str], **generate: Any) -> Any:
        """Summarise one conversation or a list of them.

        Args:
            conversation: as `Summarizer.summarize`.
            adapter: the name of the one to use for all, or a name for each conversation.
            generate: settings that differ from those loaded with (``num_beams=1``).

        Returns:
            As `Summarizer.summarize`; its warning, too.

        Raises:
            DiasumError: as there, an unknown adapter, or not one for each conversation.
        """

        def write(conversations: Sequence[Conversation], places: Sequence[int], total: int) -> list[Summary]:
            names = self._names(adapter, total)
            return self.summarize_all(conversations, adapter=[names[place] for place in places], **generate)

        return texts_of(conversation, write)

    def summarize_all(
        self,
        conversations: Sequence[Conversation],
        *,
        adapter: str | Sequence[str],
        progress: Callable[[int], None] | None = None,
        **generate: Any,
    ) -> list[Summary]:
        """As `summarize` for a list of conversations; see `Summarizer.summarize_all`."""
        dialogues = [as_dialogue(one, f"Conversation {number}") for number, one in enumerate(conversations, 1)]
        first = next(iter(self.adapters.values()))
        settings = settings_of_call(first.generate, generate)
        return self._together(dialogues, self._names(adapter, len(dialogues)), settings, progress)

    def _together(
        self, dialogues: Sequence[Dialogue], names: Sequence[str], settings: GenerateSettings, progress: Any
    ) -> list[Summary]:
        of = {name: [i for i, one in enumerate(names) if one == name] for name in dict.fromkeys(names)}
        encoded = {name: self.adapters[name].encode([dialogues[i] for i in own], settings) for name, own in of.items()}
        for name in of:
            self.adapters[name].engine(settings)  # refuses what it cannot honour
        generated = iter(
            self._engine.generate(
                [ids for one in encoded.values() for ids in one.ids],
                settings,
                progress=progress,
                adapters=[self._in_engine[name] for name, one in encoded.items() for _ in one.ids],
            )
        )
        summaries: dict[int, Summary] = {}
        for name, own in of.items():
            written = [next(generated) for _ in encoded[name].ids]
            made = self.adapters[name].summaries(encoded[name], written, settings, progress)
            summaries |= zip(own, made, strict=True)
        return [summaries[i] for i in range(len(dialogues))]

    def _names(self, adapter: str | Sequence[str], total: int) -> list[str]:
        names = [adapter] * total if isinstance(adapter, str) else list(adapter)
        for name in names:
            if name not in self.adapters:
                raise DiasumError(f"There is no adapter `{name}` here.", hint=near_misses(name, self.adapters))
        if len(names) != total:
            raise DiasumError(
                f"There are {total} conversations and adapters for {len(names)}.",
                hint="Give a name for each conversation, or one name for all.",
            )
        return names


def load_several(sources: Mapping[str, str | Path], *, settings: Given = (), **options: Any) -> SeveralSummarizer:
    """Load several adapters of one base.

    Args:
        sources: runs or adapter folders by the names to call them by.
        settings: as `load`, for all of them.
        options: as `load`.

    Raises:
        DiasumError: as `load`; fewer than two; one that is no plain LoRA, or of another base, special tokens or generation settings than
            the first; or settings that the engine for several adapters cannot honour.
    """
    if len(sources) < 2:
        raise DiasumError(
            f"Several adapters are loaded by name, and {len(sources)} were given.",
            hint='Give at least two, diasum.load({"a": "runs/a", "b": "runs/b"}), or the run itself: diasum.load("runs/a").',
        )
    kept = settings if isinstance(settings, Settings | Mapping | str) else list(settings)  # read once for each
    for source in sources.values():
        _check_adapter(source)
    dtype = {"generate.dtype": options.get("dtype")}
    resolved = {name: resolve(SUMMARIZE, kept, dtype, own=own_settings(source)) for name, source in sources.items()}
    _check_one_search(resolved)
    (name, source), *others = sources.items()
    first = load(source, settings=kept, **options).trained
    adapters, in_engine = {name: first}, ["default"]
    for number, (name, source) in enumerate(others, 2):
        in_engine.append(f"adapter{number}")
        adapters[name] = load_beside(first, source, in_engine[-1])
        adapters[name].generate, adapters[name].judge = first.generate, first.judge
        take_prompt(adapters[name], resolved[name].prompt)
    summarizer = SeveralSummarizer(adapters, FastEngine(first.model, first.base.tokenizer, adapters=in_engine))
    first.engine(first.generate)  # refuses what it cannot honour
    return summarizer


def _check_adapter(source: str | Path) -> None:
    """Raises DiasumError where it is no adapter, or no plain LoRA; before seconds of loading."""
    folder = located(source)
    file = folder / "adapter_config.json" if folder else None
    if folder is None or file is None or not file.is_file():
        raise DiasumError(
            f"{source} is no run and no adapter folder.", hint="Only adapters of one base can be loaded together."
        )
    check_plain(json.loads(file.read_text(encoding="utf-8")), folder)


def _check_one_search(settings: Mapping[str, Settings]) -> None:
    """Raises DiasumError where adapters come with different settings of `generate.`."""
    (first, own), *others = ((name, one.generate.model_dump(mode="json")) for name, one in settings.items())
    for name, theirs in others:
        if different := [key for key in own if own[key] != theirs[key]]:
            told = "; ".join(
                f"generate.{key} is {own[key]} for {first} and {theirs[key]} for {name}" for key in different
            )
            changes = ", ".join(f'"generate.{key}": {own[key]!r}' for key in different)
            raise DiasumError(
                f"Adapters that are loaded together share one search, but {told}.",
                hint=f"Give one value for all: settings={{{changes}}}",
            )
