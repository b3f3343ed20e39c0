"""Formats of tokens with tags, which hold no text and offsets."""
