"""Predictions meet held-out gold."""
