"""A checkpoint becomes something that people install and run."""

# Makes a bare `import models` from the checkout's root fail: it would be a second copy.
from .. import errors as errors
