"""From a trained model to summaries."""

from diasum.inference.forms import as_dialogue
from diasum.inference.summarizer import Summarizer, load
from diasum.model.summary import NOTHING, Summary

__all__ = ["NOTHING", "Summarizer", "Summary", "as_dialogue", "load"]
