"""Wheels of models: building one, and reading one that was checked."""
