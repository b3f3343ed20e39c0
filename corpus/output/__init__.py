"""Writing files and folders whole or not at all, and locks on folders."""
