"""What must not be read by others, out of conversations and back into summaries: detectors, placeholders, and the vault that restores them.

Pure text; no model. Needs the packages of the extra `redact`.
"""
