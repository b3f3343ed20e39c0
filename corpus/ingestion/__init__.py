"""Ingestion: from raw articles in files, on the web and in datasets to a corpus on disk."""
