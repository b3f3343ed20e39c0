"""Formats of texts with annotations in files beside them."""
