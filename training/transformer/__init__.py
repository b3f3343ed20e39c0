"""Fine-tuning of pretrained transformers as token classifiers."""
