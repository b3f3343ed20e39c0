"""Token classifiers of transformers that orbat did not train."""
