"""Analysis of corpora: statistics, drift between two corpora, and the trace of one document."""
