"""Training: recipes, trainers, run folders, sweeps and learning curves."""

# Makes `import training` from the repository's root fail: it would load a second copy.
from .. import errors as errors
