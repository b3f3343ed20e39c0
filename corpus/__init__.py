"""Raw articles become clean, deduplicated documents."""

# Makes a bare `import corpus` from the checkout's root fail: it would be a second copy.
from .. import errors as errors
