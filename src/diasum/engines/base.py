"""What every engine is: it takes encoded sources and settings, and gives one summary per source in their order.

An engine says by `unsupported` which settings it cannot honour; `diasum.engines.choice` asks before anything is generated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from diasum.config import GenerateSettings


@dataclass(frozen=True, slots=True)
class Generated:
    """One summary.

    Attributes:
        text: decoded, without special tokens, white space trimmed.
        cut: it reached the length limit before it ended.
        others: what else the search ended with, likeliest first; only where they are asked for (`generate.rerank`).
    """

    text: str
    cut: bool
    others: tuple[Generated, ...] = ()

    @classmethod
    def of_search(cls, found: Sequence[Generated]) -> Generated:
        """The likeliest summary of a search, with the others; each text once, none empty.

        Args:
            found: likeliest first, at least one.
        """
        texts = {found[0].text: found[0]}
        for one in found[1:]:
            if one.text:
                texts.setdefault(one.text, one)
        first, *others = texts.values()
        return replace(first, others=tuple(others))


class Engine(Protocol):
    """What generates.

    Attributes:
        name: as records of summaries and `generate.engine` have it.
    """

    name: str

    def unsupported(self, settings: GenerateSettings) -> str | None:
        """Why this engine cannot honour these settings for this model, naming the setting or the family; None where it can."""

    def generate(
        self,
        sources: Sequence[Sequence[int]],
        settings: GenerateSettings,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[Generated]:
        """Summarise encoded sources.

        Args:
            sources: token ids with special tokens, without padding.
            settings: search, length limits and number type, all of which it honours.
            progress: called with the number of sources done after each batch.

        Returns:
            One summary per source, in the order of the sources.

        Raises:
            DiasumError: memory runs out on a single source.
        """
