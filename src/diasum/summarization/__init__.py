"""From a trained model to summaries."""

from diasum.model.summary import NOTHING, Summary
from diasum.summarization.summarizer import Summarizer, load

__all__ = ["NOTHING", "Summarizer", "Summary", "load"]
