"""The tagger: from a text to mentions, around any token classifier. A model wheel ships it."""
