"""Error analysis: kinds of error, patterns of errors, and the confusion matrix."""
