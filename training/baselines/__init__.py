"""Baselines: rules, a linear classifier and spaCy's entity recognizer."""
