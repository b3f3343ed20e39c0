"""Taggers that orbat did not train: of spaCy, transformers and GLiNER, and language models."""
