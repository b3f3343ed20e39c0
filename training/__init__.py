"""Gold becomes a fine-tuned checkpoint."""
