"""From a trained model to summaries."""

from diasum.inference.summarizer import Summarizer, Summary, as_dialogue, load

__all__ = ["Summarizer", "Summary", "as_dialogue", "load"]
