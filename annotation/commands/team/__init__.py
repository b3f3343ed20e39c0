"""`orbat annotate` commands about the people of a session."""
