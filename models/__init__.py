"""Packaged models: wheels, checkpoints, model cards, loading and tagging."""

# Makes a bare `import models` from the checkout's root fail: it would be a second copy.
from .. import errors as errors
