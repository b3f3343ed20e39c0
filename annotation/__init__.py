"""Annotation: labeling sessions in doccano, agreement, adjudication and corpus formats."""

# Makes a bare `import annotation` from the checkout's root fail: it would be a second copy.
from .. import errors as errors
