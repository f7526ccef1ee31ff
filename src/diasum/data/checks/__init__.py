"""What to know of a corpus before training on it: sizes, lengths, languages, and findings that would spoil a result."""
