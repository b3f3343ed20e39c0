"""Analysis: statistics of a corpus, drift between two corpora, and the trace of a document."""
