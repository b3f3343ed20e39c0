"""`python -m orbat`."""

from .cli import main

main()
