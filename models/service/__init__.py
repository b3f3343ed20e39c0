"""The HTTP service of a model: tagging, and the protocols of annotation tools."""
