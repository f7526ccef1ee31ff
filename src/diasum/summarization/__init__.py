"""From a trained model to summaries."""

from diasum.data.summary import NOTHING, Summary
from diasum.summarization.summarizer import Summarizer, load

__all__ = ["NOTHING", "Summarizer", "Summary", "load"]
