"""Annotated corpora in the forms of other tools: one module for each family of forms."""
