"""Evaluation of predictions against gold: scores, intervals, comparison, errors, reports."""

# Makes a bare `import evaluation` from the checkout's root fail: it would be a second copy.
from .. import errors as errors
