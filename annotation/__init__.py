"""Annotation: labeling sessions in doccano, agreement, adjudication and corpus formats."""

# Makes `import annotation` from the repository's root fail: it would load a second copy.
from .. import errors as errors
