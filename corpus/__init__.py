"""Corpora: documents, label sets, ingestion, deduplication, splits and analysis."""

# Makes `import corpus` from the repository's root fail: it would load a second copy.
from .. import errors as errors
