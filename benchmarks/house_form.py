"""The form that the summaries of a corpus keep: how many outputs have it, and what is left to score without it.

An adapter learns such a form at once, and ROUGE pays for its words in every summary. So scores are given without it, too: taken
out of outputs and references alike, whatever wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class HouseForm:
    """Words that every summary of a corpus has, in this order.

    Attributes:
        markers: such as ``Gist:``.
        closes: the last of them begins a closing line, which is left out whole, not its marker alone.
    """

    markers: tuple[str, ...]
    closes: bool = False

    def is_complete(self, text: str) -> bool:
        """Whether a summary has each marker once, in their order, with something after each."""
        between = r"\s*\S.*?".join(map(re.escape, self.markers)) + r"\s*\S"
        return bool(re.search(between, text, re.S)) and all(text.count(marker) == 1 for marker in self.markers)

    def without(self, text: str) -> str:
        """The summary without its markers, and without its closing line where there is one."""
        *words, last = self.markers
        if self.closes:
            text = text.partition(last)[0]
        else:
            words.append(last)
        for word in words:
            text = text.replace(word, " ")
        return " ".join(text.split())

    def share(self, texts: Sequence[str]) -> float:
        """Share of summaries that have the form, 0 to 1."""
        return sum(map(self.is_complete, texts)) / len(texts)


FORMS = {
    "everyday": HouseForm(("Gist:", "Outcome:", "Next:")),
    "sample": HouseForm(("Still open:",), closes=True),
}
