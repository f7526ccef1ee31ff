"""Conversations as turns: `Turn`, `Dialogue` and the readers that make them."""

from diasum.dialogue.turns import Dialogue, Turn, as_dialogue, from_rows, is_turn, parse_dialogue

__all__ = ["Dialogue", "Turn", "as_dialogue", "from_rows", "is_turn", "parse_dialogue"]
