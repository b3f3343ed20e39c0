"""Token classifiers of transformers as taggers."""
