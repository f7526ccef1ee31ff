"""Where a sentence of a summary comes from, the turns that it rests on, and whether its dialogue supports it; without a model."""

from diasum.evidence.checked import with_evidence
from diasum.evidence.lexical import RankedTurn, rank_turns, with_turns

__all__ = ["RankedTurn", "rank_turns", "with_evidence", "with_turns"]
