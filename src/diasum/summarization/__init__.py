"""From a trained model to summaries."""

from diasum.data.summary import NOTHING, Summary
from diasum.summarization.summarizer import Summarizer, load, load_for_call

__all__ = ["NOTHING", "Summarizer", "Summary", "load", "load_for_call"]
