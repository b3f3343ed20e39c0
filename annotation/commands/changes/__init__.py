"""The commands that change a session while it runs."""
