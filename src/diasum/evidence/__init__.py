"""Where a sentence of a summary comes from: the turns that it rests on, ranked without a model."""

from diasum.evidence.lexical import RankedTurn, rank_turns, with_turns

__all__ = ["RankedTurn", "rank_turns", "with_turns"]
