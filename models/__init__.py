"""Packaged models: wheels, checkpoints, model cards, loading and tagging."""

# Makes `import models` from the repository's root fail: it would load a second copy.
from .. import errors as errors
