"""Conversations as turns: `Turn`, `Dialogue` and what reads them from text and from the other forms that people have them in."""

from diasum.dialogue.forms import as_dialogue
from diasum.dialogue.text import parse_dialogue
from diasum.dialogue.turns import Dialogue, Turn

__all__ = ["Dialogue", "Turn", "as_dialogue", "parse_dialogue"]
