"""Data sets of Hugging Face `datasets`, and tables in files of the same formats."""
