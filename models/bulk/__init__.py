"""Tagging many articles in bounded memory."""
