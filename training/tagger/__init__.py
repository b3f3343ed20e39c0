"""The tagger: finds mentions in texts with any token classifier. Copied into model wheels."""
