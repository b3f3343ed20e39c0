"""Which format a file or folder has, found from its name and its first lines."""
