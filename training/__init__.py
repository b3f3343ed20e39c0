"""Gold becomes a fine-tuned checkpoint."""

# Makes a bare `import training` from the checkout's root fail: it would be a second copy.
from .. import errors as errors
