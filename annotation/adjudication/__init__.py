"""Adjudication: merging the annotation sets of several annotators into gold documents."""
