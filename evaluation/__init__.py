"""Evaluation of predictions against gold: scores, intervals, comparison, errors, reports."""

# Makes `import evaluation` from the repository's root fail: it would load a second copy.
from .. import errors as errors
