"""Annotation and model-training workbench for named entities in defence news."""

__version__ = "0.1.0"
