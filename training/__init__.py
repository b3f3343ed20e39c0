"""Training: recipes, trainers, run folders, sweeps and learning curves."""

# Makes a bare `import training` from the checkout's root fail: it would be a second copy.
from .. import errors as errors
