"""Documents go out to annotators and come back as gold."""

# Makes a bare `import annotation` from the checkout's root fail: it would be a second copy.
from .. import errors as errors
