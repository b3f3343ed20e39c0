"""Labeling sessions: push documents to annotators, follow their progress, pull the annotations."""
