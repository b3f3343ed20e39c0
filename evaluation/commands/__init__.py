"""The commands of evaluation: `orbat evaluate`."""

from .evaluate import evaluate as evaluate
