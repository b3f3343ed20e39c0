"""Deduplication: shared n-grams, near duplicates, clusters of both, leakage between splits."""
