"""The protocols by which annotation tools ask for suggestions."""
