"""Publishing models and gold on the Hugging Face Hub."""
