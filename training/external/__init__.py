"""Taggers that orbat did not train: language models behind an API, and pipelines of spaCy."""
