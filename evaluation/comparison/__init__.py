"""Comparison of systems, significance of their differences, and the human baseline."""
