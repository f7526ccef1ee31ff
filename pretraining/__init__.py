"""Pretraining of the bundled base model; not part of the installed package."""
