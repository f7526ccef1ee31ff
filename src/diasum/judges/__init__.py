"""Models that judge whether a conversation supports a sentence: diasum's own adapter for a small encoder, and judges of others."""

from diasum.judges.loading import load_judge, require_judge

__all__ = ["load_judge", "require_judge"]
