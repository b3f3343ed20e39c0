"""Robustness: scores on the same documents in other cases, line breaks, blanks and quotes."""
