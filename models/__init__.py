"""A checkpoint becomes something that people install and run."""
