"""From a trained model to summaries."""

from diasum.inference.forms import as_dialogue
from diasum.inference.summarizer import NOTHING, Summarizer, Summary, load

__all__ = ["NOTHING", "Summarizer", "Summary", "as_dialogue", "load"]
